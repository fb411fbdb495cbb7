"""A third-party policy: only root creates users, and only its owner sees an index named ``secret``."""

from collections.abc import Sequence

from wheelgate import Deny, Principal, Resource, hookimpl


@hookimpl
def wheelgate_check_permission(principal: Principal, permission: str, resource: Resource) -> Deny | None:
    if permission == "user_create" and principal.name != "root":
        return Deny("house rule: only root may create users")
    if permission == "index_read" and not visible(principal, resource):
        return Deny("house rule: secret is secret")
    return None


@hookimpl
def wheelgate_filter_visible(
    principal: Principal, permission: str, resources: Sequence[Resource]
) -> Sequence[bool] | None:
    return [visible(principal, resource) for resource in resources] if permission == "index_read" else None


def visible(principal: Principal, resource: Resource) -> bool:
    return resource.name != "secret" or principal.name == resource.owner
