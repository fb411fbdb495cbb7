"""The permissions of the core, and their defaults if no plugin has an opinion."""

from __future__ import annotations

from wheelgate.values import ANONYMOUS, ROOT, Allow, Deny, Permission, Principal, Resource

CORE_PERMISSIONS = (
    Permission("user_list", "list the users of", "server", "everyone"),
    Permission("user_read", "look at", "user", "everyone"),
    Permission("user_create", "create", "user", "everyone"),
    Permission("user_modify", "modify", "user", "owner"),
    Permission("user_password", "change the password of", "user", "owner"),
    Permission("user_delete", "delete", "user", "owner"),
    Permission("index_read", "read", "index", "everyone", acl="acl_read"),
    Permission("index_create", "create", "index", "owner"),
    Permission("index_modify", "modify", "index", "owner", acl="acl_modify"),
    Permission("index_delete", "delete", "index", "owner"),
    Permission("upload", "submit to", "index", "listed", acl="acl_upload"),
    Permission("release_modify", "yank, or set the status of, projects on", "index", "owner", acl="acl_upload"),
    Permission("release_delete", "delete from", "index", "owner", acl="acl_upload"),
    Permission("toxresult_upload", "upload test results to", "index", "listed", acl="acl_toxresult_upload"),
    Permission("status_read", "see the whole status of", "server", "root"),
    Permission("metrics_read", "read the metrics of", "server", "root"),
)

EVERYONE_MAY = Allow("everyone may")


def decide_by_default(principal: Principal, permission: Permission, resource: Resource) -> Allow | Deny:
    """Decide by the permission's default and by the access list of the index."""
    listed = resource.config.get(permission.acl) if permission.acl else None
    if listed and principal.names.intersection(listed):
        return Allow(f"{permission.acl} lists you")
    whom = ANONYMOUS if principal.name is None else "you"
    match permission.default:
        case "everyone" if listed is None:
            return EVERYONE_MAY
        case "everyone" if principal.name is not None and principal.name in (ROOT, resource.owner):
            return Allow("its owner may" if principal.name == resource.owner else "root may")
        case "everyone":
            return Deny(f"{permission.acl} of {resource.label} does not list {whom}")
        case "authenticated":
            return Allow("every user may") if principal.name else Deny("only users may")
        case "listed":
            return Deny(f"{permission.acl} of {resource.label} does not list {whom}")
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
