"""Finds users and their groups in the directory."""

from __future__ import annotations

import time

from wheelgate.errors import BackendUnavailable
from wheelgate.names import is_spelling
from wheelgate_auth_ldap.account_state import account_problem, hidden_problem
from wheelgate_auth_ldap.connections import Connections
from wheelgate_auth_ldap.entries import DirectoryEntry
from wheelgate_auth_ldap.escaping import both, either, equals, equals_bytes, escape_dn
from wheelgate_auth_ldap.options import LdapSettings

MATCH_ALL_FILTER = "(objectClass=*)"
MEMBER_NAME_ATTRIBUTE = "memberuid"
"""The attribute that lists members by their login names (RFC 2307), in lower case."""
PRIMARY_GROUP_ATTRIBUTE = "primaryGroupID"
"""The attribute of a user in Active Directory with the last number of the primary group's SID."""
SID_ATTRIBUTE = "objectSid"
MIN_SID_BYTES = 12
"""Bytes of a SID with one number after its authority ([MS-DTYP], section 2.4.2.2)."""
POSIX_GROUP_ATTRIBUTE = "gidNumber"
"""The attribute of a user and of the primary group with the group's number (RFC 2307)."""
MAX_GROUPS_PER_USER = 1000
"""Groups that a user may be in, nested ones included."""
GROUPS_PER_SEARCH = 50
"""Groups that one search asks about."""


class Directory:
    """Finds users and their groups."""

    def __init__(self, settings: LdapSettings, connections: Connections) -> None:
        self._settings = settings
        self._connections = connections
        self._user_attributes = [
            settings.name_attribute,
            settings.email_attribute,
            settings.title_attribute,
            *settings.account_state_attribute,
            *(PRIMARY_GROUP_ATTRIBUTE, SID_ATTRIBUTE, POSIX_GROUP_ATTRIBUTE),
        ]

    def find_entry(self, username: str) -> DirectoryEntry | None:
        """Return the entry of a user, even if it spells the name otherwise; None if there is none.

        Raises:
            BackendUnavailable: the directory cannot tell, or has two entries with the name.
        """
        settings = self._settings
        if settings.user_dn is not None:
            dn = settings.user_dn.replace("{username}", escape_dn(username))
            search_filter = settings.user_filter or MATCH_ALL_FILTER
            found = self._connections.search(dn, search_filter, self._user_attributes, only_base=True)
        else:
            search_filter = both(equals(settings.name_attribute, username), settings.user_filter)
            found = self._connections.search(settings.user_base or "", search_filter, self._user_attributes)
        named = [entry for entry in found if self.spelling(entry, username) == username]
        if len(named) > 1:
            raise BackendUnavailable(f"the directory has {len(named)} entries with the name {username!a}")
        if named or len(found) != 1:
            return named[0] if named else None
        return found[0]

    def spelling(self, entry: DirectoryEntry, username: str) -> str | None:
        """Return how an entry spells a name by which the directory found it; None if it does not show the name.

        A directory treats 'Ada', 'ada ' and 'ada' as one name. The spelling in the directory is the user.
        """
        names = entry.texts(self._settings.name_attribute)
        if username in names:
            return username
        alike = [name for name in names if is_spelling(name.strip(), username.strip())]
        return next(iter(alike or names), None)

    def problem(self, entry: DirectoryEntry) -> str | None:
        """Return why the account of a user may not be used now; None if nothing speaks against it."""
        settings = self._settings
        present = settings.present_attribute
        if present is not None and not entry.texts(present):
            return f"the directory does not show {present}, which says whether the account is disabled"
        return account_problem(entry, settings.account_state_attribute, time.time())

    def hidden_problem(self, entry: DirectoryEntry) -> str | None:
        """Return why the directory refuses every password of a user as wrong; None if it looks at the password."""
        return hidden_problem(entry, self._settings.account_state_attribute, time.time())

    def groups_of(self, username: str, entry: DirectoryEntry) -> frozenset[str]:
        """Return the names of a user's groups; with --ldap-group-nested, also of the groups that contain them.

        Raises:
            BackendUnavailable: the directory cannot tell.
        """
        settings = self._settings
        if settings.group_base is None:
            return frozenset()
        by_dn = [name for name in settings.group_member_attribute if name.lower() != MEMBER_NAME_ATTRIBUTE]
        by_name = [name for name in settings.group_member_attribute if name.lower() == MEMBER_NAME_ATTRIBUTE]
        conditions = [equals(name, entry.dn) for name in by_dn] + [equals(name, username) for name in by_name]
        conditions += primary_group(entry, posix=bool(by_name))
        names: set[str] = set()
        seen: set[str] = set()
        while conditions:
            found = []
            for start in range(0, len(conditions), GROUPS_PER_SEARCH):
                search_filter = both(either(conditions[start : start + GROUPS_PER_SEARCH]), settings.group_filter)
                found += self._connections.search(settings.group_base, search_filter, [settings.group_name_attribute])
            new = {group.dn: group for group in found if group.dn not in seen}
            seen |= set(new)
            if len(seen) > MAX_GROUPS_PER_USER:
                raise BackendUnavailable(f"user '{username}' is in more than {MAX_GROUPS_PER_USER} groups")
            names |= {name for group in new.values() if (name := group.first(settings.group_name_attribute))}
            conditions = [equals(name, dn) for dn in new for name in by_dn] if settings.group_nested else []
        return frozenset(names)


def primary_group(entry: DirectoryEntry, *, posix: bool) -> list[str]:
    """Return filters for the primary group of a user, which does not list the user as a member.

    Args:
        entry: the entry of the user.
        posix: whether groups of RFC 2307 count.
    """
    filters = []
    sid, relative_id = entry.first_bytes(SID_ATTRIBUTE), entry.first(PRIMARY_GROUP_ATTRIBUTE)
    if sid and len(sid) >= MIN_SID_BYTES and relative_id and relative_id.isdecimal():
        # Users and their primary group have the SID of the domain, and end in a number of their own.
        filters.append(equals_bytes(SID_ATTRIBUTE, sid[:-4] + (int(relative_id) % 2**32).to_bytes(4, "little")))
    if posix and (number := entry.first(POSIX_GROUP_ATTRIBUTE)):
        filters.append(both("(objectClass=posixGroup)", equals(POSIX_GROUP_ATTRIBUTE, number)))
    return filters
