"""Masks secrets in a text: known ones, in every form in which programs write them, and what looks like a secret."""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import quote, quote_plus

from wheelgate.values import Credentials

MASK = "***"
MIN_CHARS_INSIDE_WORDS = 4
"""Characters from which on a secret is masked inside of words; a shorter one only where it is a whole word."""
MAX_SECRETS = 100
"""Secrets to look for: a client chooses how many texts are in a body, and each takes time."""
MAX_SEARCHED_CHARS = 2000
"""Characters in which to look for unknown secrets; longer texts are cut."""
SECRET_HEADERS = ("authorization", "x-devpi-auth", "proxy-authorization", "cookie")
"""Headers with credentials."""
NAMES_OF_SECRETS = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|signature|authorization|cookie|(?:api|private)[-_ ]?key"
)
"""What the name of a value contains if the value is a secret."""
MASKED_PATTERNS = (
    (re.compile(r"(?<=://)[^\s'\"]*@"), f"{MASK}@"),
    (re.compile(r"\b(basic|bearer|negotiate|digest)\s+[\w+/=.~-]+", re.IGNORECASE), rf"\1 {MASK}"),
    (
        re.compile(
            rf"\b(\w*(?:{NAMES_OF_SECRETS})\w*(?:\\?[\"'])?\s*(?:[:=]+>?|\b(?:is|was)\b)\s*)"
            r"(?:b?\\?\"[^\"]*\"?|b?\\?'[^']*'?|[^\s,;&)}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"\$[a-z0-9-]+\$\S+", re.IGNORECASE), MASK),
    (re.compile(r"(?<![\w+=-])(?=[A-Za-z_+=-]*[0-9])(?=[0-9_+=-]*[A-Za-z])[\w+=-]{20,}"), MASK),
)
"""What looks like a secret: logins in URLs and headers, values with a telling name, hashes, and long random text."""


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return the beginning of a text, without secrets; nothing if there are too many of them to look for.

    Args:
        text: the text.
        secrets: the secrets that it may contain, as they are. Those of a request come from :func:`secrets_of`.
    """
    few = list(islice((each for each in secrets if each), MAX_SECRETS + 1))
    if len(few) > MAX_SECRETS:
        return ""
    folded = text.casefold()
    forms = {form for secret in few for form in _forms(secret) if form.casefold() in folded}
    for form in sorted(forms, key=len, reverse=True):
        pattern = re.escape(form)
        if len(form) < MIN_CHARS_INSIDE_WORDS:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        text = re.sub(pattern, MASK, text, flags=re.IGNORECASE)
    text = text[:MAX_SEARCHED_CHARS]
    for looks_secret, replacement in MASKED_PATTERNS:
        text = looks_secret.sub(replacement, text)
    return text


def secrets_of(headers: Mapping[str, str], credentials: Credentials | None = None) -> list[str]:
    """Return the secrets of a request: those in its headers, and those in the credentials from its body."""
    found = []
    for name in SECRET_HEADERS:
        words = re.split(r"[\s;,]+", headers.get(name, ""))
        for word in words[len(words) > 1 and name != "cookie" :]:  # the first word of the others is the scheme
            secret = word.partition("=")[2] if name == "cookie" else word
            found += [secret, _decoded(word), _decoded(word).partition(":")[2]]
    if credentials is not None and credentials.secret:
        found += [credentials.secret, f"{credentials.username}:{credentials.secret}"]
    return found


def strings_in(body: Any) -> Iterator[str]:
    """Yield all texts in the decoded JSON of a request's body, any of which may be a secret."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, list | dict):
        for each in body.values() if isinstance(body, dict) else body:
            yield from strings_in(each)


def _decoded(word: str) -> str:
    """Return what is encoded in Base64; empty if nothing is."""
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it is, and as programs write it: escaped, in a URL, in bytes, in hexadecimal and in Base64."""
    for text in {secret, *(unicodedata.normalize(form, secret) for form in ("NFC", "NFD", "NFKC"))}:
        data = text.encode("utf-8", "surrogatepass")
        yield from (text, repr(text)[1:-1], ascii(text)[1:-1], repr(data)[2:-1], json.dumps(text)[1:-1])
        yield from (quote(data), quote(data, safe=""), quote_plus(data))
        if len(data) >= MIN_CHARS_INSIDE_WORDS:
            yield from (data.hex(), base64.b64encode(data).decode().rstrip("="))
            yield base64.urlsafe_b64encode(data).decode().rstrip("=")
