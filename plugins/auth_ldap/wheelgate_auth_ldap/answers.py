"""Reads a directory's answers: why it refuses a login, and what an error of the connection means."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ldap3.core import exceptions
from pyasn1.codec.ber import decoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import namedtype, tag, univ

from wheelgate.values import SecretCheck
from wheelgate_auth_ldap.account_state import DISABLED, EXPIRED, LOCKED

SUCCESS_CODE = 0
NO_SUCH_ENTRY_CODES = frozenset({32, 34})
"""noSuchObject and invalidDNSyntax (RFC 4511, appendix A): no entry has this name, or could have it."""
INVALID_CREDENTIALS_CODE = 49
WRONG_PASSWORD_CODES = frozenset({48, INVALID_CREDENTIALS_CODE})
"""inappropriateAuthentication and invalidCredentials (RFC 4511, appendix A)."""
REFUSED_ACCOUNT_CODES = frozenset({19, 53})
"""constraintViolation and unwillingToPerform: how directories say that an account is locked or has expired."""
UNENCRYPTED_CODES = frozenset({8, 13})
"""strongerAuthRequired and confidentialityRequired (RFC 4511, appendix A)."""
UNAVAILABLE_CODES = frozenset({51, 52})
"""busy and unavailable (RFC 4511, appendix A)."""

PASSWORD_POLICY_CONTROL = "1.3.6.1.4.1.42.2.27.8.5.1"  # noqa: S105 - an object identifier
"""The control of draft-behera-ldap-password-policy, in a request and in the answer."""
PASSWORD_EXPIRED_CONTROL = "2.16.840.1.113730.3.4.4"  # noqa: S105 - an object identifier
"""The control with which Netscape's heirs say that a right password has expired (draft-vchu-ldap-pwd-policy)."""
MAX_SHOWN_CHARS = 200
"""Characters of the directory's own explanation that a message repeats."""

PASSWORD_EXPIRED = "the password has expired"  # noqa: S105 - a sentence
MUST_CHANGE = "the password must be changed before the first login"

ACTIVE_DIRECTORY_CODE = re.compile(r"AcceptSecurityContext error, data ([0-9a-fA-F]+)\b")
"""The Windows error in the explanation of a refused bind."""
SYSTEM_ERROR_NUMBER = re.compile(r"^.*\[Errno -?\d+\] ", re.DOTALL)
"""What ldap3 writes before the system's own words."""


@dataclass(frozen=True, slots=True)
class BindAnswer:
    """What a bind says about a password and its account."""

    secret: SecretCheck
    problem: str | None = None
    """Why the account may not log in; None if the password alone decides."""


RIGHT = BindAnswer(SecretCheck.RIGHT)
WRONG = BindAnswer(SecretCheck.WRONG)
ANSWER_BY_ACTIVE_DIRECTORY_CODE = {
    "525": BindAnswer(SecretCheck.WRONG, "the directory no longer knows the account"),
    "52e": WRONG,
    "530": BindAnswer(SecretCheck.RIGHT, "the account may not log in at this time"),
    "531": BindAnswer(SecretCheck.RIGHT, "the account may not log in from this server"),
    "532": BindAnswer(SecretCheck.RIGHT, PASSWORD_EXPIRED),
    "533": BindAnswer(SecretCheck.RIGHT, DISABLED),
    "534": BindAnswer(SecretCheck.RIGHT, "the account may not log in over the network"),
    "701": BindAnswer(SecretCheck.RIGHT, EXPIRED),
    "773": BindAnswer(SecretCheck.RIGHT, MUST_CHANGE),
    # Unlike the others, this one comes whatever the password is.
    "775": BindAnswer(SecretCheck.UNVERIFIED, LOCKED),
}
"""By the Windows error in hexadecimal ([MS-ERREF], section 2.2)."""
ANSWER_BY_POLICY_ERROR = {
    0: BindAnswer(SecretCheck.RIGHT, PASSWORD_EXPIRED),
    1: BindAnswer(SecretCheck.UNVERIFIED, LOCKED),
    2: BindAnswer(SecretCheck.RIGHT, MUST_CHANGE),
}
"""By the error in the control (draft-behera-ldap-password-policy-10, section 6.2)."""


class PolicyResponse(univ.Sequence):
    """The value of the control in an answer (draft-behera-ldap-password-policy-10, section 6.2)."""

    componentType = namedtype.NamedTypes(  # noqa: N815 - pyasn1 looks for this name
        namedtype.OptionalNamedType(
            "warning",
            univ.Any(tagSet=univ.Any.tagSet.tagExplicitly(tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, 0))),
        ),
        namedtype.OptionalNamedType(
            "error",
            univ.Enumerated(
                tagSet=univ.Enumerated.tagSet.tagImplicitly(tag.Tag(tag.tagClassContext, tag.tagFormatSimple, 1))
            ),
        ),
    )


def read_bind(result: Mapping[str, Any]) -> BindAnswer | None:
    """Return what the result of a bind says about the account; None if it says nothing about it."""
    code = int(result["result"])
    controls = result.get("controls") or {}
    by_policy = _by_policy(controls)
    expired = PASSWORD_EXPIRED_CONTROL in controls
    if code == SUCCESS_CODE:
        # The directory lets such a user do nothing but change the password.
        return (
            BindAnswer(SecretCheck.RIGHT, MUST_CHANGE) if expired or by_policy == ANSWER_BY_POLICY_ERROR[2] else RIGHT
        )
    if code in REFUSED_ACCOUNT_CODES:
        return by_policy or BindAnswer(
            SecretCheck.UNVERIFIED, f"the directory refuses this account: {explained(result)}"
        )
    if code not in WRONG_PASSWORD_CODES:
        return None
    if expired:
        return ANSWER_BY_POLICY_ERROR[0]
    found = ACTIVE_DIRECTORY_CODE.search(result["message"])
    if found is None:
        return by_policy or WRONG
    data = found[1].lower()
    unknown = BindAnswer(
        SecretCheck.WRONG, f"wrong password, or an account that the directory refuses (Windows error {data})"
    )
    return ANSWER_BY_ACTIVE_DIRECTORY_CODE.get(data, unknown)


def explained(result: Mapping[str, Any]) -> str:
    """Return the name of a result code, with the directory's own explanation if it gives one."""
    message = "".join(each if each.isprintable() else " " for each in result["message"]).strip()
    shown = message[:MAX_SHOWN_CHARS] + "…" * (len(message) > MAX_SHOWN_CHARS)
    return f"{result['description']} ({shown})" if shown else str(result["description"])


def unencrypted(result: Mapping[str, Any], *, encrypted: bool) -> str | None:
    """Say that the directory demands encryption, if that is what a result means."""
    if int(result["result"]) not in UNENCRYPTED_CODES or encrypted:
        return None
    return (
        f"the directory demands an encrypted connection ({result['description']}): remove --no-ldap-starttls, "
        "or use ldaps:// in --ldap-url"
    )


def describe(error: BaseException) -> str:
    """Say why a server does not answer, in a sentence; ldap3 hides the cause in tuples of tuples."""
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError(verify_message=str(reason)):
                return (
                    f"certificate verify failed: {reason.rstrip('.')}; check --ldap-ca-file, and whether "
                    "the host in --ldap-url is a name in the certificate"
                )
            case TimeoutError():
                return "it did not answer in time"
            case ssl.SSLError():
                reason = (cause.reason or "the server ended the connection").replace("_", " ").lower()
                return f"the server does not start TLS as it should ({reason}); check the scheme and port in --ldap-url"
            case ConnectionRefusedError():
                return "Connection refused; check host and port in --ldap-url, and whether the directory runs"
            case OSError(strerror=str(reason)):
                return reason
    if isinstance(error, exceptions.LDAPExceptionError | OSError):
        return SYSTEM_ERROR_NUMBER.sub("", str(error)) or type(error).__name__
    return f"its answer is not LDAP ({type(error).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions while handling which this one was raised, the first one first."""
    chain = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__context__
    yield from reversed(chain)


def _by_policy(controls: Mapping[str, Any]) -> BindAnswer | None:
    """Return what the control of the password policy says; None if there is none, or none with an error."""
    control = controls.get(PASSWORD_POLICY_CONTROL)
    if control is None:
        return None
    try:
        response, _ = decoder.decode(bytes(control["value"] or b""), asn1Spec=PolicyResponse())
    except PyAsn1Error:
        return None
    return ANSWER_BY_POLICY_ERROR.get(int(response["error"])) if response["error"].hasValue() else None
