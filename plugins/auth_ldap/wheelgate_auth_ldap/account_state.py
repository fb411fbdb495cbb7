"""Says whether an account of the directory is disabled, locked or expired, by the attributes of its entry."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime

from wheelgate_auth_ldap.entries import DirectoryEntry

DISABLED = "the account is disabled"
EXPIRED = "the account has expired"
NOT_YET_VALID = "the account is not valid yet"
LOCKED = "the account is locked"

ACCOUNT_DISABLE_FLAG = 0x2
"""ADS_UF_ACCOUNTDISABLE in ``userAccountControl`` ([MS-ADTS], section 2.2.16)."""
NEVER_EXPIRES = frozenset({0, 2**63 - 1})
"""Values of ``accountExpires`` of an account that does not expire ([MS-ADA1], section 2.1)."""
FILETIME_TICKS_PER_SECOND = 10_000_000
FILETIME_EPOCH_OFFSET_SECONDS = 11_644_473_600
"""Seconds from the epoch of FILETIME, 1601-01-01, to 1970-01-01 ([MS-DTYP], section 2.3.3)."""
SECONDS_PER_DAY = 86_400
LOCKED_BY_ADMINISTRATOR = "00000101"
"""How ``pwdAccountLockedTime`` begins if only an administrator can unlock the account
(draft-behera-ldap-password-policy-10, section 5.3.3)."""
GENERALIZED_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,]\d+)?(Z|[+-]\d\d(?:\d\d)?)", re.ASCII)
LOCKED_TIME_ATTRIBUTE = "pwdAccountLockedTime"
POLICY_ATTRIBUTE_PREFIX = "pwd"
"""How the attributes begin for which OpenLDAP refuses every password as wrong, unless it is set up to tell."""


def account_problem(entry: DirectoryEntry, attributes: Iterable[str], now: float) -> str | None:
    """Return why an account may not be used now; None if nothing speaks against it.

    A lock that wrong passwords cause and that ends by itself does not count: the directory refuses logins meanwhile,
    and guesses of others must not end a user's sessions.

    Args:
        entry: the entry of the user.
        attributes: the attributes to look at, each a key of :data:`STATE_ATTRIBUTES`.
        now: seconds since 1970.
    """
    for attribute in attributes:
        for value in entry.texts(attribute):
            try:
                problem = _READERS[attribute.lower()](value.strip(), now)
            except ValueError:
                # What nobody can read must not let anybody in.
                problem = f"the directory gives {attribute} as {value[:40]!a}, which nobody can read"
            if problem:
                return problem
    return None


def hidden_problem(entry: DirectoryEntry, attributes: Iterable[str], now: float) -> str | None:
    """Return why OpenLDAP refuses every password of an account, which its answer does not tell."""
    return account_problem(
        entry, [each for each in attributes if each.lower().startswith(POLICY_ATTRIBUTE_PREFIX)], now
    )


def was_locked(entry: DirectoryEntry) -> bool:
    """Whether the directory locked an account after wrong passwords; that lock may have ended since."""
    return bool(entry.texts(LOCKED_TIME_ATTRIBUTE))


def _user_account_control(value: str, now: float) -> str | None:
    return DISABLED if int(value) & ACCOUNT_DISABLE_FLAG else None


def _account_expires(value: str, now: float) -> str | None:
    end = int(value)
    ticks = (now + FILETIME_EPOCH_OFFSET_SECONDS) * FILETIME_TICKS_PER_SECOND
    return EXPIRED if end not in NEVER_EXPIRES and end <= ticks else None


def _is_disabled(value: str, now: float) -> str | None:
    return DISABLED if value.lower() == "true" else None


def _locked_time(value: str, now: float) -> str | None:
    return LOCKED if value.startswith(LOCKED_BY_ADMINISTRATOR) else None


def _end_time(value: str, now: float) -> str | None:
    return EXPIRED if _generalized_time(value) <= now else None


def _kerberos_end_time(value: str, now: float) -> str | None:
    # Kerberos stores "never" as zero seconds since 1970.
    return _end_time(value, now) if _generalized_time(value) else None


def _start_time(value: str, now: float) -> str | None:
    return NOT_YET_VALID if _generalized_time(value) > now else None


def _shadow_expire(value: str, now: float) -> str | None:
    # Days since 1970; a negative number means never (shadow(5)).
    return EXPIRED if 0 <= int(value) <= now // SECONDS_PER_DAY else None


def _generalized_time(value: str) -> float:
    """Return the seconds since 1970 of a time such as ``20260131235959Z`` (RFC 4517, section 3.3.13).

    Raises:
        ValueError: it is no such time.
    """
    match = GENERALIZED_TIME.fullmatch(value)
    if match is None:
        raise ValueError(value)
    *digits, zone = match.groups(default="0")
    year, month, day, hour, minute, second = map(int, digits)
    offset = "+0000" if zone == "Z" else zone.ljust(5, "0")
    return datetime(year, month, day, hour, minute, second, tzinfo=datetime.strptime(offset, "%z").tzinfo).timestamp()


_READERS: dict[str, Callable[[str, float], str | None]] = {
    "useraccountcontrol": _user_account_control,
    "accountexpires": _account_expires,
    "msds-useraccountdisabled": _is_disabled,
    "nsaccountlock": _is_disabled,
    "krbprincipalexpiration": _kerberos_end_time,
    LOCKED_TIME_ATTRIBUTE.lower(): _locked_time,
    "pwdstarttime": _start_time,
    "pwdendtime": _end_time,
    "shadowexpire": _shadow_expire,
    "logindisabled": _is_disabled,
    "loginexpirationtime": _end_time,
}
STATE_ATTRIBUTES = frozenset(_READERS)
"""The attributes that :func:`account_problem` understands, in lower case."""
