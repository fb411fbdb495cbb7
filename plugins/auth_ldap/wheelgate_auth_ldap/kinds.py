"""The kinds of directories: which attributes and filters each of them uses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """The defaults of the settings for one kind of directory, by the names of the options."""

    name_attribute: str = "uid"
    user_filter: str | None = None
    group_member_attribute: tuple[str, ...] = ("member",)
    account_state_attribute: tuple[str, ...] = ()
    present_attribute: str | None = None
    """An attribute of ``account_state_attribute`` that every user's entry has, if ``bind-dn`` may read it."""


ACTIVE_DIRECTORY = Kind(
    name_attribute="sAMAccountName",
    # SAM_USER_OBJECT ([MS-SAMR], section 2.2.1.9): people, without computers, trusts and contacts.
    user_filter="(sAMAccountType=805306368)",
    account_state_attribute=("userAccountControl", "accountExpires"),
    present_attribute="userAccountControl",
)
OPENLDAP = Kind(
    group_member_attribute=("member", "uniqueMember", "memberUid"),
    account_state_attribute=("pwdAccountLockedTime", "pwdStartTime", "pwdEndTime", "shadowExpire"),
)
DIRECTORY_SERVER_389 = Kind(
    group_member_attribute=("member", "uniqueMember"),
    # FreeIPA, which is built on 389, ends accounts with krbPrincipalExpiration.
    account_state_attribute=("nsAccountLock", "krbPrincipalExpiration", "shadowExpire"),
)
GENERIC = Kind(
    account_state_attribute=(
        *ACTIVE_DIRECTORY.account_state_attribute,
        *OPENLDAP.account_state_attribute,
        *("nsAccountLock", "krbPrincipalExpiration"),
        # AD LDS and eDirectory
        *("msDS-UserAccountDisabled", "loginDisabled", "loginExpirationTime"),
    ),
)
KINDS = {
    "generic": GENERIC,
    "openldap": OPENLDAP,
    "active-directory": ACTIVE_DIRECTORY,
    "389ds": DIRECTORY_SERVER_389,
}
"""By the value of the option."""
