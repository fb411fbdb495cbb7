"""The chain of caveats: a holder can narrow a token without the server, but cannot widen or forge one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import upload
from tests.plugins.tokens.conftest import ALL_SCOPES, TokenOwner, bearer, identifier, status

from wheelgate import Resource
from wheelgate.store.keys import derive_key
from wheelgate_client.server import api_tokens as tokens
from wheelgate_tokens import caveats, chain
from wheelgate_tokens.handler import new_identifier

KEY = bytes(range(32))
INDEX_PATHS = [f"{owner}/{name}" for owner in ("a", "b") for name in ("dev", "prod")]
PROJECTS = ["x", "y", "z"]
PROJECT_KEYS = ("projects", "read_projects", "change_projects")
CAVEATS = st.fixed_dictionaries(
    {},
    optional={
        "scopes": st.lists(st.sampled_from([*caveats.SCOPES, "unknown"]), unique=True),
        "indices": st.lists(st.sampled_from(INDEX_PATHS), unique=True),
        **{key: st.lists(st.sampled_from(PROJECTS), unique=True) for key in PROJECT_KEYS},
        "expires": st.integers(1, 2**40),
    },
)
PERMISSIONS = sorted({"user_modify", "index_create", "token_manage"}.union(*caveats.SCOPES.values()))
QUESTIONS = [
    (permission, Resource("index", path.partition("/")[2], path.partition("/")[0], project=project))
    for permission in PERMISSIONS
    for path in INDEX_PATHS
    for project in [*PROJECTS, "", None]
] + [(permission, Resource("user", "a", "a")) for permission in PERMISSIONS]


def encoded(caveat: object) -> str:
    """Return a caveat in the encoding of the token."""
    return chain.encode_base64(json.dumps(caveat).encode())


def allowed(token: str) -> tuple[set[int], float]:
    """Return the numbers of the questions that a token allows, and when it expires."""
    parts = chain.parse_token(token)
    assert parts is not None
    assert chain.is_genuine(KEY, parts)
    caveat = caveats.combine(found for text in parts.caveats if (found := caveats.decode_caveat(text)) is not None)
    restriction = caveats.to_restriction(caveat)
    good = {number for number, question in enumerate(QUESTIONS) if not restriction.refusal(*question)}
    return good, caveat.expires or float("inf")


@settings(deadline=None)
@given(first=CAVEATS, more=st.lists(CAVEATS, min_size=1, max_size=6))
def test_no_sequence_of_derivations_widens(first: dict[str, Any], more: list[dict[str, Any]]) -> None:
    """After each step a token allows the intersection of its earlier rights and the step's, and lasts no longer."""
    token = chain.make_token(KEY, "A" * 12, "B" * 22, encoded(first))
    good, ends = allowed(token)
    for caveat in more:
        token = tokens.narrow(token, caveat)
        narrower, earlier = allowed(token)
        alone, its_end = allowed(chain.make_token(KEY, "A" * 12, "B" * 22, encoded(caveat)))

        assert narrower == good & alone
        assert earlier == min(ends, its_end)
        good, ends = narrower, earlier


@settings(deadline=None, max_examples=settings().max_examples * 3 // 5)
@given(more=st.lists(CAVEATS, max_size=3), data=st.data())
def test_no_character_can_be_changed(more: list[dict[str, Any]], data: st.DataObject) -> None:
    """A token in which any part is replaced is not genuine."""
    token = chain.make_token(KEY, "A" * 12, "B" * 22, encoded({"scopes": ["read"]}))
    for caveat in more:
        token = tokens.narrow(token, caveat)
    start = data.draw(st.integers(0, len(token) - 1))
    stop = data.draw(st.integers(start, len(token)))
    changed = token[:start] + data.draw(st.text("AZaz09-_.é", max_size=50)) + token[stop:]

    parts = chain.parse_token(changed)

    assert changed == token or parts is None or not chain.is_genuine(KEY, parts)


def test_no_caveat_can_be_removed(alice: TokenOwner) -> None:
    """No caveat of a derived token can be removed, moved or repeated: neither the last, the first nor one between."""
    _, token = alice.token("read")
    for project in ("x", "y"):
        token = tokens.narrow(token, {"projects": [project, "z"]})
    assert status(alice.site, bearer(token))[0] == "ok"
    head, random, *links, signature = token.split(".")

    for kept in (links[:-1], links[1:], [links[0], links[2]], links[::-1], [*links, links[-1]]):
        widened = ".".join([head, random, *kept, signature])
        assert status(alice.site, bearer(widened))[0] == "noauth"


def test_a_derived_token_is_limited_to_its_caveats(alice: TokenOwner) -> None:
    """A derived token can upload one project to one index, and nothing else that the original can."""
    for name in ("dev", "prod"):
        alice.index(name)
    _, token = alice.token()
    derived = tokens.narrow(token, {"scopes": ["upload"], "indices": [f"{alice.name}/dev"], "projects": ["x"]})

    def send(index: str, project: str, secret: str) -> int:
        return upload(alice.site, f"{alice.name}/{index}", wheel(project), ("__token__", secret)).status

    assert [send("dev", "x", derived), send("dev", "y", derived), send("prod", "x", derived)] == [200, 403, 403]
    assert [send("dev", "y", token), send("prod", "x", token)] == [200, 200]


def test_a_derived_token_ends_with_the_original(alone: TokenOwner) -> None:
    """Revoking a token also revokes all tokens that were derived from it."""
    _, token = alone.token()
    derived = tokens.narrow(token, {"projects": ["x"]})
    assert status(alone.site, bearer(derived))[0] == "ok"

    assert alone.site.request("DELETE", f"/+x/tokens/{identifier(token)}", auth=alone.auth).status == 200

    assert status(alone.site, bearer(derived))[0] == "noauth"


@pytest.mark.parametrize(
    "caveat",
    [
        {"only_on_mondays": True},
        {"scopes": "read"},
        {"indices": [1]},
        {"projects": ["x\n"]},
        {"projects": ["x"] * 101},
        {"read_projects": "x"},
        {"change_projects": ["x"] * 101},
        {"write_projects": ["x"]},
        {"expires": "never"},
        {"expires": True},
        {"expires": None},
        {"scopes": ["\ud800"]},
        [],
        "read",
    ],
    ids=ascii,
)
def test_an_unknown_condition_makes_a_token_invalid(alice: TokenOwner, caveat: object) -> None:
    """The server cannot enforce a condition that it does not understand, so it refuses the token."""
    token = tokens.narrow(alice.token()[1], caveat)  # type: ignore[arg-type]

    refused = alice.site.request("DELETE", f"/{alice.name}", headers=bearer(token))

    assert (refused.status, refused.message) == (401, "this token contains a condition that this server does not know")


def test_a_derived_token_can_only_expire_earlier(alice: TokenOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A derived token may expire earlier than the original, but not later."""
    _, token = alice.token(expires_in=100)
    now = int(time.time())
    short, long = (tokens.narrow(token, {"expires": now + seconds}) for seconds in (50, 10_000))

    def good() -> list[bool]:
        return [status(alice.site, bearer(each))[0] == "ok" for each in (short, long)]

    before = good()
    monkeypatch.setattr(time, "time", lambda: now + 60.0)
    between = good()
    monkeypatch.setattr(time, "time", lambda: now + 110.0)

    assert [before, between, good()] == [[True, True], [False, True], [False, False]]


def forged(key: bytes, row: tuple[Any, ...], random: str) -> str:
    """Return a token made from a record, a key, and a guess for the random part, as an attacker would make it."""
    return chain.make_token(key, row[0], random, row[1])


def test_a_stolen_database_yields_no_token(serve: Serve, tmp_path: Path) -> None:
    """No column is a token or makes one: not by itself, hashed, or as a key, and not together with the secret file."""
    site = serve()
    alice = TokenOwner(site, site.add_user("alice"))
    _, secret = alice.token()
    assert status(site, bearer(secret))[0] == "ok"
    database = site.server.database
    columns = "id, caveat, digest, username, stamp, comment, created, expires"
    (row,) = database.read(f"SELECT {columns} FROM tokens_token")
    uuid = database.read("SELECT uuid FROM server_state")[0][0]
    words = [str(value) for value in (*row, uuid)]
    stolen = (tmp_path / "server" / ".secret").read_bytes()
    real = derive_key(stolen, f"wheelgate plugin {uuid} API tokens")
    random = secret.split(".")[1]
    assert forged(real, row, random) == secret  # the forgery is right, and lacks only the missing random part

    keys = [real, stolen[:32], bytes(32), *(word.encode() for word in words)]
    keys += [hashlib.sha256(key).digest() for key in keys[1:]] + [derive_key(key, "API tokens") for key in keys]
    randoms = [base64.urlsafe_b64encode(hashlib.sha256(word.encode()).digest())[:22].decode() for word in words]
    randoms += [word[:22].ljust(22, "A") for word in words if word.isascii()]
    attempts = [*words, *(forged(key, row, each) for key in keys for each in randoms)]

    assert all(part not in words for part in secret.split(".")[1:] if part != row[1])
    assert {status(site, bearer(attempt))[0] for attempt in attempts} == {"noauth"}
    assert {status(site, bearer(forged(key, row, random)))[0] for key in keys[1:]} == {"noauth"}


def test_no_token_is_in_the_log_or_the_database(serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the log nor the server's folder contains a token's random part or signature, whatever happens to it."""
    caplog.set_level("DEBUG")
    site = serve()
    alice = TokenOwner(site, site.add_user("alice"))
    _, secret = alice.token("read")
    site.request("DELETE", "/alice", headers=bearer(secret))
    site.request("GET", "/+api", headers=bearer(secret[:-1]))
    site.request("DELETE", f"/+x/tokens/{identifier(secret)}", auth=alice.auth)
    site.request("DELETE", "/alice", headers=bearer(secret))
    serve.stop()

    _, random, _, signature = secret.split(".")
    stored = b"".join(path.read_bytes() for path in (tmp_path / "server").rglob("*") if path.is_file())
    for text in (random, signature):
        assert text not in caplog.text
        assert text.encode() not in stored


def test_client_and_server_agree_on_the_format(alice: TokenOwner) -> None:
    """The client, which shares no code with the server, reads and makes the same tokens."""
    _, secret = alice.token("read", indices=["a/b"], **{key: ["x"] for key in PROJECT_KEYS}, expires_in=1000)

    read = tokens.parse_token(secret)

    assert read.id == identifier(secret)
    assert [(*caveat,) for caveat in read.caveats] == [("scopes", "indices", *PROJECT_KEYS, "expires")]
    assert (tokens.API_TOKEN_PREFIX, tokens.MAX_API_TOKEN_CHARS, tokens.MAX_API_TOKEN_CAVEATS) == (
        chain.API_TOKEN_PREFIX,
        chain.MAX_API_TOKEN_CHARS,
        chain.MAX_API_TOKEN_CAVEATS,
    )
    assert tokens.API_TOKEN_PATTERN.fullmatch(secret)
    _, _, signature = secret.rpartition(".")
    added = encoded({})
    digest = hmac.digest(chain.decode_base64(signature), added.encode(), "sha256")
    assert tokens.narrow(secret, {}).split(".")[-1] == chain.encode_base64(digest)
    assert set(ALL_SCOPES) == set(caveats.SCOPES)


def test_no_identifier_looks_like_an_option() -> None:
    """``devpi token revoke ID`` works with every ID: none begins with a dash."""
    identifiers = [new_identifier() for _ in range(2_000)]

    assert [each for each in identifiers if each.startswith("-")] == []
    assert {len(each) for each in identifiers} == {12}
