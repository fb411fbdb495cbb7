"""The decision of the policy, as a function of values."""

from __future__ import annotations

from wheelgate import Allow, Deny, Principal, Resource
from wheelgate.errors import BadInput
from wheelgate.names import check_name

RESTRICTED_PERMISSIONS = frozenset(
    {
        *("user_create", "user_modify", "user_password", "user_delete"),
        *("index_create", "index_modify", "index_delete"),
        *(
            "group_create",
            "group_modify",
            "group_delete",
        ),  # a user who may change a group can give its rights to others
    }
)

RELEASE_PERMISSIONS = frozenset({"release_modify", "release_delete"})
"""Permissions that users in an index's ``acl_upload`` have on that index, whether listed or not."""

USER_PERMISSIONS = frozenset({"user_create", "user_delete"})
"""Permissions that ``--restrict-users`` is about."""


def parse_listed_names(text: str) -> frozenset[str]:
    """Read names of users and ``:groups``, separated by commas; an empty text lists no user.

    Raises:
        ValueError: a part cannot be a user or a group, such as two names without a comma between them. A group may have
            a space in its name, because a directory's groups do.
    """
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    try:
        for name in names:
            if not name.startswith(":"):
                check_name("username", name)
    except BadInput:
        raise ValueError("names of users and :groups, separated by commas") from None
    return names


def decide(listed: frozenset[str], principal: Principal, permission: str, resource: Resource) -> Allow | Deny | None:
    """Decide about one permission; None if the policy has no opinion about it.

    The listed users have these permissions, and owners and root only if listed. There are three exceptions: users may
    change their own password; users in an index's ``acl_upload`` may delete and yank there; and users listed by name
    cannot delete their own account, so that the last administrator does not vanish by mistake.
    """
    if permission in RELEASE_PERMISSIONS and principal.names.intersection(resource.config.get("acl_upload", ())):
        return None
    if permission not in RESTRICTED_PERMISSIONS | RELEASE_PERMISSIONS:
        return None
    own = resource.kind == "user" and principal.name is not None and principal.name == resource.name
    if own and permission == "user_password":
        return Allow("users may change their own password")
    if not listed & principal.names:
        return Deny("--restrict-modify does not list you" if principal.name else "--restrict-modify is in force")
    if own and permission == "user_delete" and principal.name in listed:
        return Deny("a user listed in --restrict-modify cannot delete their own account")
    return Allow("--restrict-modify lists you")


def decide_about_users(
    listed: frozenset[str], principal: Principal, permission: str, resource: Resource
) -> Allow | Deny | None:
    """Decide about one permission as ``--restrict-users`` does; None if it has no opinion.

    The listed users may create and delete users, and owners and root only if listed. Users listed by name cannot delete
    their own account, so that the last administrator does not vanish by mistake.
    """
    if permission not in USER_PERMISSIONS:
        return None
    if not listed & principal.names:
        return Deny("--restrict-users does not list you" if principal.name else "--restrict-users is in force")
    if permission == "user_delete" and principal.name == resource.name and principal.name in listed:
        return Deny("a user listed in --restrict-users cannot delete their own account")
    return Allow("--restrict-users lists you")
