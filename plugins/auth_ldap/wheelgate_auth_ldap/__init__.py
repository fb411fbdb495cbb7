"""Log in with the passwords of an LDAP directory, and use its groups in access lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelgate import Ok, Option, Principal, Server, UserDefaults, hookimpl
from wheelgate_auth_ldap.options import options, read_settings, warnings

if TYPE_CHECKING:
    from wheelgate_auth_ldap.provider import Ldap


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare where the directory is, and how it keeps users and groups."""
    return options()


@hookimpl
def wheelgate_warnings(server: Server) -> list[str]:
    """Warn of connections that others could listen to."""
    settings = read_settings(server.config)
    return [] if settings is None else warnings(settings)


@hookimpl
def wheelgate_authenticators(server: Server) -> list[Ldap]:
    """Judge passwords, if a directory is named."""
    return _providers(server)


@hookimpl
def wheelgate_group_sources(server: Server) -> list[Ldap]:
    """Report groups, if a directory is named."""
    return _providers(server)


@hookimpl
def wheelgate_provision_user(server: Server, principal: Principal, ok: Ok) -> UserDefaults | None:
    """Give a user of the directory the index that the settings describe."""
    name = server.config["ldap-index"]
    if not name or principal.credential != "ldap":
        return None
    bases = list(server.config["ldap-index-bases"])
    return UserDefaults(indices={name: {"bases": bases} if bases else {}})


def _providers(server: Server) -> list[Ldap]:
    settings = read_settings(server.config)
    if settings is None:
        return []
    # Here, because ldap3 costs a server that has no directory 0.1 s and 8 MB.
    from wheelgate_auth_ldap.provider import Ldap

    return [Ldap(settings)]
