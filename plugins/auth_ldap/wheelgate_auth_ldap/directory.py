"""Finds users and their groups in the directory."""

from __future__ import annotations

from wheelgate.errors import BackendUnavailable
from wheelgate_auth_ldap.connections import Connections, DirectoryEntry
from wheelgate_auth_ldap.escaping import both, either, equals, escape_dn
from wheelgate_auth_ldap.options import LdapSettings

MATCH_ALL_FILTER = "(objectClass=*)"
MEMBER_NAME_ATTRIBUTE = "memberuid"
"""The attribute that lists members by their login names (RFC 2307), in lower case."""
MAX_GROUPS_PER_USER = 1000
"""Groups that a user may be in, nested ones included."""
GROUPS_PER_SEARCH = 50
"""Groups that one search asks about."""


class Directory:
    """Finds users and their groups."""

    def __init__(self, settings: LdapSettings, connections: Connections) -> None:
        self._settings = settings
        self._connections = connections

    def find_user(self, username: str) -> DirectoryEntry | None:
        """Return the entry of a user, or None if there is none.

        Raises:
            BackendUnavailable: the directory cannot tell, or has two entries with the name.
        """
        settings = self._settings
        # A directory treats 'Ada', 'ada ' and 'ada' as one name. Here only the spelling in the directory is the user.
        attributes = [settings.name_attribute, settings.email_attribute, settings.title_attribute]
        if settings.user_dn is not None:
            dn = settings.user_dn.replace("{username}", escape_dn(username))
            found = self._connections.search(dn, settings.user_filter or MATCH_ALL_FILTER, attributes, only_base=True)
        else:
            search_filter = both(equals(settings.name_attribute, username), settings.user_filter)
            found = self._connections.search(settings.user_base or "", search_filter, attributes)
        named = [entry for entry in found if username in entry.attributes.get(settings.name_attribute.lower(), ())]
        if len(named) > 1:
            raise BackendUnavailable(f"the directory has {len(named)} entries with the name {username!a}")
        return named[0] if named else None

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
