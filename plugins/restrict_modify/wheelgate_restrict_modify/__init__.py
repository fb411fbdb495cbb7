"""The policy of ``--restrict-modify``: only listed users may create, modify and delete users, groups and indices."""

from wheelgate import Allow, Deny, Option, Principal, Resource, Server, hookimpl
from wheelgate.hookspecs import about, instant
from wheelgate_restrict_modify.policy import RELEASE_PERMISSIONS, RESTRICTED_PERMISSIONS, decide, parse_listed_names


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare ``--restrict-modify``."""
    return [
        Option(
            "restrict-modify",
            "users and :groups, separated by commas; only these may create, modify and delete users, groups and "
            "indices, not even root and owners unless listed; users may still change their own password",
            parse=parse_listed_names,
            metavar="PRINCIPALS",
        )
    ]


@hookimpl
@instant
@about(*RESTRICTED_PERMISSIONS, *RELEASE_PERMISSIONS)
def wheelgate_check_permission(
    server: Server, principal: Principal, permission: str, resource: Resource
) -> Allow | Deny | None:
    """Apply the policy, if the option is given."""
    listed = server.config["restrict-modify"]
    return None if listed is None else decide(listed, principal, permission, resource)
