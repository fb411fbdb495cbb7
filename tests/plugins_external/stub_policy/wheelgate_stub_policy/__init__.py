"""A stranger's policy: root alone creates users, and an index called ``secret`` is for its owner's eyes only."""

from collections.abc import Sequence

from wheelgate import Deny, Principal, Resource, hookimpl


@hookimpl
def wheelgate_check_permission(principal: Principal, permission: str, resource: Resource) -> Deny | None:
    if permission == "user_create" and principal.name != "root":
        return Deny("house rule: root alone creates users")
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
