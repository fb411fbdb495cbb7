"""Says which users may create mirrors, or turn an index into one: it looks at what the index would become."""

from wheelgate import Deny, Option, Principal, Resource, Server, hookimpl
from wheelgate.hookspecs import instant


@hookimpl
def wheelgate_options() -> list[Option]:
    return [
        Option(
            "makers",
            "principal who may create mirrors",
            ("root",),
            metavar="PRINCIPAL",
            many=True,
            section="mirror-acl",
        )
    ]


@hookimpl
@instant
def wheelgate_check_permission(
    server: Server, principal: Principal, permission: str, resource: Resource
) -> Deny | None:
    makers = server.config["mirror-acl-makers"]
    becomes = (resource.proposed or {}).get("type") == "mirror"
    if permission in ("index_create", "index_modify") and becomes and not principal.names.intersection(makers):
        return Deny(f"only {', '.join(makers)} may create mirrors")
    return None
