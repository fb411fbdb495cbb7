"""The decision of the policy, as a function of values."""

from __future__ import annotations

from wheelgate import Allow, Deny, Principal, Resource

RESTRICTED = frozenset(
    {
        *("user_create", "user_modify", "user_password", "user_delete"),
        *("index_create", "index_modify", "index_delete"),
        *("group_create", "group_modify", "group_delete"),  # whoever changes a group may give what is given to it
    }
)

RELEASES = frozenset({"release_modify", "release_delete"})
"""What the access list of an index grants besides, whatever the option says."""


def principals(text: str) -> frozenset[str]:
    """Read names of users and ``:groups`` that are separated by commas; an empty text names nobody."""
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def judge(listed: frozenset[str], principal: Principal, permission: str, resource: Resource) -> Allow | Deny | None:
    """Decide one question; None for permissions that the policy is not about.

    Who is listed replaces owners and root. Three exceptions: everybody may change the own password; who may upload to
    an index may also delete and yank there; and nobody who is listed by name may delete the own user, so that the last
    administrator cannot vanish by mistake.
    """
    if permission in RELEASES and principal.names.intersection(resource.config.get("acl_upload", ())):
        return None
    if permission not in RESTRICTED | RELEASES:
        return None
    own = resource.kind == "user" and principal.name is not None and principal.name == resource.name
    if own and permission == "user_password":
        return Allow("everybody may change the own password")
    if not listed & principal.names:
        return Deny("--restrict-modify does not list you" if principal.name else "--restrict-modify is in force")
    if own and permission == "user_delete" and principal.name in listed:
        return Deny("who is listed in --restrict-modify cannot delete itself")
    return Allow("--restrict-modify lists you")
