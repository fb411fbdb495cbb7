"""Header login: trusts the user name that a reverse proxy sends in a header after it has logged the user in."""

from collections.abc import Sequence

from wheelgate import Option, Server, hookimpl
from wheelgate.errors import StartupError
from wheelgate.providers import Authenticator, CredentialExtractor
from wheelgate_remote_user.proxy import ProxyHeader, RemoteUserAuthenticator
from wheelgate_remote_user.settings import header_name, proxy_network


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare the trusted proxies and the headers; without a proxy the plugin does nothing."""
    return [
        Option(
            "from",
            "address or network of a proxy that logs people in and sends their names in a header; without it, no "
            "header logs anyone in",
            (),
            proxy_network,
            "NETWORK",
            many=True,
            section="remote-user",
            names_proxy=True,
        ),
        Option(
            "header",
            "header with the user's name",
            "x-remote-user",
            header_name,
            "NAME",
            section="remote-user",
        ),
        Option(
            "groups-header",
            "header with the user's groups, separated by commas; no groups are read if not given",
            None,
            header_name,
            "NAME",
            section="remote-user",
        ),
    ]


@hookimpl
def wheelgate_credential_extractors(server: Server) -> Sequence[CredentialExtractor]:
    """Read the header, if a proxy is configured.

    Raises:
        StartupError: a header for groups is named, but no proxy, so that the header would do nothing.
    """
    proxies = server.config["remote-user-from"]
    if server.config["remote-user-groups-header"] is not None and not proxies:
        raise StartupError(
            "--remote-user-groups-header is given, but no --remote-user-from: give the proxy's address, or leave it out"
        )
    return [ProxyHeader(proxies, server.config["remote-user-header"])] if proxies else []


@hookimpl
def wheelgate_authenticators(server: Server) -> Sequence[Authenticator]:
    """Trust the header, if a proxy is configured."""
    return (
        [RemoteUserAuthenticator(server.config["remote-user-groups-header"])]
        if server.config["remote-user-from"]
        else []
    )
