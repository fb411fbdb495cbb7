"""Which requests go through the proxy (``--upstream-proxy``), and which variables of the environment do not count."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from wheelgate.config import Config
from wheelgate.option_types import Network

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""Variables that name a proxy to other programs, in capitals or small letters."""
EXCEPTION_VARIABLE = "NO_PROXY"


class UpstreamProxy:
    """The proxy of outgoing requests, and the hosts that the server reaches without it."""

    def __init__(self, url: str | None, exceptions: Sequence[Network | str]) -> None:
        """Take the values of ``--upstream-proxy`` and ``--upstream-no-proxy``."""
        self._url = url
        self._networks = [each for each in exceptions if not isinstance(each, str)]
        self._names = [each for each in exceptions if isinstance(each, str)]

    def proxies_for(self, url: str) -> dict[str, str]:
        """Return the proxies for a request, by scheme as ``requests`` takes them; empty for none."""
        if self._url is None or self._is_exception((urlsplit(url).hostname or "").rstrip(".")):
            return {}
        return {"http": self._url, "https": self._url}

    def _is_exception(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return any(host == name or host.endswith(f".{name}") for name in self._names)
        return any(address in network for network in self._networks)


def ignored_variables(config: Config, environment: Mapping[str, str]) -> list[str]:
    """Return a warning for each kind of variable that has no effect on this server, with the option to set instead."""
    warnings = []
    if config["upstream-proxy"] is None and (found := _set_variables(PROXY_VARIABLES, environment)):
        warnings.append(
            f"{found}: ignored, because requests of this server itself go through the proxy of --upstream-proxy only;"
            " set it if mirrors need a proxy"
        )
    proxied = warnings or config["upstream-proxy"] is not None
    if proxied and not config["upstream-no-proxy"] and (found := _set_variables((EXCEPTION_VARIABLE,), environment)):
        warnings.append(f"{found}: ignored; name hosts that need no proxy with --upstream-no-proxy")
    return warnings


def _set_variables(names: Sequence[str], environment: Mapping[str, str]) -> str:
    return ", ".join(each for name in names for each in (name, name.lower()) if environment.get(each))
