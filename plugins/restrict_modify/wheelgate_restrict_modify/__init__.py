"""The policies of ``--restrict-modify`` and ``--restrict-users``: only listed users may administer."""

from collections.abc import Iterable

from wheelgate import Allow, Deny, Option, Principal, Resource, Server, hookimpl
from wheelgate.hookspecs import about, instant
from wheelgate_restrict_modify.policy import (
    RELEASE_PERMISSIONS,
    RESTRICTED_PERMISSIONS,
    decide,
    decide_about_users,
    parse_listed_names,
)
from wheelgate_restrict_modify.warnings import warn_of_empty_lists


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare the two options."""
    return [
        Option(
            "restrict-modify",
            "users and :groups, separated by commas; only these may create, modify and delete users, groups and "
            "indices, not even root and owners unless listed; users may still change their own password",
            parse=parse_listed_names,
            metavar="PRINCIPALS",
        ),
        Option(
            "restrict-users",
            "users and :groups, separated by commas; only these may create and delete users, not even root unless "
            "listed; users still manage their own profile and indices",
            parse=parse_listed_names,
            metavar="PRINCIPALS",
        ),
    ]


@hookimpl
@instant
@about(*RESTRICTED_PERMISSIONS, *RELEASE_PERMISSIONS)
def wheelgate_check_permission(
    server: Server, principal: Principal, permission: str, resource: Resource
) -> Allow | Deny | None:
    """Apply the policies whose options are given; a refusal by one of them counts."""
    listed, may_change_users = server.config["restrict-modify"], server.config["restrict-users"]
    about_users = (
        None if may_change_users is None else decide_about_users(may_change_users, principal, permission, resource)
    )
    if isinstance(about_users, Deny) or listed is None:
        return about_users
    return decide(listed, principal, permission, resource)


@hookimpl
def wheelgate_warnings(server: Server) -> Iterable[str]:
    """Warn of a list on which nobody is who can log in."""
    return warn_of_empty_lists(server)
