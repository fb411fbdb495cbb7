"""What the directory knows of users and groups."""

from __future__ import annotations

from wheelgate.errors import BackendUnavailable
from wheelgate_auth_ldap.connections import Connections, Entry
from wheelgate_auth_ldap.escaping import both, either, equals, escape_dn
from wheelgate_auth_ldap.options import Settings

ANYTHING = "(objectClass=*)"
BY_NAME = "memberuid"
"""The attribute of RFC 2307 that lists members by the names with which they log in, in lower case."""
MOST_GROUPS = 1000
"""Groups that one user may be in, with those around them."""
AT_ONCE = 50
"""Groups that one search asks about."""


class Directory:
    """Finds users and their groups."""

    def __init__(self, settings: Settings, connections: Connections) -> None:
        self._settings = settings
        self._connections = connections

    def find(self, username: str) -> Entry | None:
        """Return the entry of a user, or None if there is none.

        Raises:
            BackendUnavailable: the directory cannot tell, or has two of the name.
        """
        settings = self._settings
        # A directory takes 'Ada', 'ada ' and 'ada' for one name; here they are three, and one of them is the user.
        wanted = [settings.name_attribute, settings.email_attribute, settings.title_attribute]
        if settings.user_dn is not None:
            dn = settings.user_dn.replace("{username}", escape_dn(username))
            found = self._connections.search(dn, settings.user_filter or ANYTHING, wanted, only_base=True)
        else:
            text = both(equals(settings.name_attribute, username), settings.user_filter)
            found = self._connections.search(settings.user_base or "", text, wanted)
        named = [entry for entry in found if username in entry.attributes.get(settings.name_attribute.lower(), ())]
        if len(named) > 1:
            raise BackendUnavailable(f"the directory has {len(named)} entries with the name {username!a}")
        return named[0] if named else None

    def groups(self, username: str, entry: Entry) -> frozenset[str]:
        """Return the names of the groups of a user; with those around them, if so set.

        Raises:
            BackendUnavailable: the directory cannot tell.
        """
        settings = self._settings
        if settings.group_base is None:
            return frozenset()
        lists = settings.group_member_attribute
        by_dn = [attribute for attribute in lists if attribute.lower() != BY_NAME]
        tests = [equals(attribute, username if attribute.lower() == BY_NAME else entry.dn) for attribute in lists]
        names: set[str] = set()
        seen: set[str] = set()
        while tests:
            found = []
            for start in range(0, len(tests), AT_ONCE):
                text = both(either(tests[start : start + AT_ONCE]), settings.group_filter)
                found += self._connections.search(settings.group_base, text, [settings.group_name_attribute])
            new = {group.dn: group for group in found if group.dn not in seen}
            seen |= set(new)
            if len(seen) > MOST_GROUPS:
                raise BackendUnavailable(f"user '{username}' is in more than {MOST_GROUPS} groups")
            names |= {name for group in new.values() if (name := group.first(settings.group_name_attribute))}
            tests = [equals(attribute, dn) for dn in new for attribute in by_dn] if settings.group_nested else []
        return frozenset(names)
