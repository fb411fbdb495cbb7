"""Logs users in with their passwords in an LDAP directory, and reports its groups for access lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelgate import Ok, Option, Principal, Server, UserDefaults, hookimpl
from wheelgate_auth_ldap.options import options, read_settings, warnings

if TYPE_CHECKING:
    from wheelgate_auth_ldap.provider import LdapProvider


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare where the directory is, and where users and groups are in it."""
    return options()


@hookimpl
def wheelgate_warnings(server: Server) -> list[str]:
    """Warn of settings that let others read passwords on the way."""
    settings = read_settings(server.config)
    return [] if settings is None else warnings(settings)


@hookimpl
def wheelgate_authenticators(server: Server) -> list[LdapProvider]:
    """Verify passwords, if a directory is configured."""
    return _providers(server)


@hookimpl
def wheelgate_group_sources(server: Server) -> list[LdapProvider]:
    """Report groups, if a directory is configured."""
    return _providers(server)


@hookimpl
def wheelgate_provision_user(server: Server, principal: Principal, ok: Ok) -> UserDefaults | None:
    """Give a new user of the directory the index from the settings."""
    name = server.config["ldap-index"]
    if not name or principal.credential != "ldap":
        return None
    bases = list(server.config["ldap-index-bases"])
    return UserDefaults(indices={name: {"bases": bases} if bases else {}})


def _providers(server: Server) -> list[LdapProvider]:
    settings = read_settings(server.config)
    if settings is None:
        return []
    # Imported here, because ldap3 takes 0.1 s and 8 MB, which a server without a directory need not pay.
    from wheelgate_auth_ldap.provider import LdapProvider

    return [LdapProvider(settings)]
