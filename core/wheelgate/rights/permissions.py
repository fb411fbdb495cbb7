"""The permissions that core knows, and who has them when no plugin says anything."""

from __future__ import annotations

from wheelgate.values import ROOT, Allow, Deny, Permission, Principal, Resource

CORE_PERMISSIONS = (
    Permission("user_list", "list the users of", "server", "everyone"),
    Permission("user_read", "look at", "user", "everyone"),
    Permission("user_create", "create", "user", "everyone"),
    Permission("user_modify", "modify", "user", "owner"),
    Permission("user_password", "change the password of", "user", "owner"),
    Permission("user_delete", "delete", "user", "owner"),
    Permission("index_read", "read", "index", "everyone"),
    Permission("index_create", "create", "index", "owner"),
    Permission("index_modify", "modify", "index", "owner"),
    Permission("index_delete", "delete", "index", "owner"),
    Permission("status_read", "see the whole status of", "server", "root"),
)


def by_default(principal: Principal, permission: Permission, resource: Resource) -> Allow | Deny:
    """Decide by the permission's default."""
    match permission.default:
        case "everyone":
            return Allow("everyone may")
        case "authenticated":
            return Allow("every user may") if principal.name else Deny("only users may")
        case "owner" if principal.name is not None and principal.name in (ROOT, resource.owner):
            return Allow("its owner may" if principal.name == resource.owner else "root may")
        case "owner" if resource.owner == ROOT:
            return Deny("only root may")
        case "owner" if resource.kind == "user":
            return Deny(f"only '{resource.owner}' and root may")
        case "owner":
            return Deny(f"only its owner '{resource.owner}' and root may")
        case _:
            return Allow("root may") if principal.name == ROOT else Deny("only root may")
