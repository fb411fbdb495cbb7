"""The policy of ``--restrict-modify``: who may create, modify and delete users and indices."""

from wheelgate import Allow, Deny, Option, Principal, Resource, Server, hookimpl
from wheelgate.hookspecs import about, instant
from wheelgate_restrict_modify.policy import RELEASES, RESTRICTED, judge, principals


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare ``--restrict-modify``."""
    return [
        Option(
            "restrict-modify",
            "users and :groups, separated by commas, who alone may create, modify and delete users, groups and "
            "indices; root and owners lose that right unless they are named; users may still change their own password",
            parse=principals,
            metavar="PRINCIPALS",
        )
    ]


@hookimpl
@instant
@about(*RESTRICTED, *RELEASES)
def wheelgate_check_permission(
    server: Server, principal: Principal, permission: str, resource: Resource
) -> Allow | Deny | None:
    """Hold the policy, if the option is given."""
    listed = server.config["restrict-modify"]
    return None if listed is None else judge(listed, principal, permission, resource)
