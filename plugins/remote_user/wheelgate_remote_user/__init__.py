"""Header login: who a reverse proxy has authenticated already, and names in a header, is logged in by that."""

from collections.abc import Sequence

from wheelgate import Option, Server, hookimpl
from wheelgate.providers import Authenticator, CredentialExtractor
from wheelgate_remote_user.proxy import ProxyHeader, RemoteUser
from wheelgate_remote_user.settings import header_name, proxy_network


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare whom to believe, and the headers; without a proxy the plugin does nothing."""
    return [
        Option(
            "from",
            "address or network of a proxy that logs people in and names them in a header; nobody is believed if not "
            "given",
            (),
            proxy_network,
            "NETWORK",
            many=True,
            section="remote-user",
        ),
        Option(
            "header",
            "header in which the proxy names the user",
            "x-remote-user",
            header_name,
            "NAME",
            section="remote-user",
        ),
        Option(
            "groups-header",
            "header in which the proxy lists the user's groups, separated by commas; none if not given",
            None,
            header_name,
            "NAME",
            section="remote-user",
        ),
    ]


@hookimpl
def wheelgate_credential_extractors(server: Server) -> Sequence[CredentialExtractor]:
    """Read the header, if a proxy is configured."""
    proxies = server.config["remote-user-from"]
    return [ProxyHeader(proxies, server.config["remote-user-header"])] if proxies else []


@hookimpl
def wheelgate_authenticators(server: Server) -> Sequence[Authenticator]:
    """Take the proxy's word, if one is configured."""
    return [RemoteUser(server.config["remote-user-groups-header"])] if server.config["remote-user-from"] else []
