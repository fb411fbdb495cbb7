"""HTTP sessions for the requests that plugins and the core send."""

from __future__ import annotations

import os
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from importlib import metadata
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wheelgate.config import Config
from wheelgate.errors import BadUpstream, Refusal, UpstreamTimeout
from wheelgate.outgoing.policy import AddressPolicy
from wheelgate.outgoing.proxies import UpstreamProxy

if TYPE_CHECKING:
    from ssl import SSLContext

    import requests

MAX_OUTGOING_REDIRECTS = 5


class Outgoing:
    """Creates sessions that connect only where ``--allow-upstream`` allows it, and translates their errors.

    With ``--offline``, they refuse every request.
    """

    def __init__(self, config: Config) -> None:
        self.policy = AddressPolicy(config["allow-upstream"], loopback=config.loopback, offline=config["offline"])
        self.offline: bool = config["offline"]
        """Whether every request is refused (``--offline``)."""
        self._proxy = UpstreamProxy(config["upstream-proxy"], config["upstream-no-proxy"])

    def session(self) -> requests.Session:
        """Return a new session. Keep it, because it holds connections; threads may share it.

        It gives up after 5 s without a connection and after 30 s without a byte of the answer. The caller has to limit
        the whole time and the size of an answer. The session follows at most five redirects, and sends credentials on
        only where ``shares_login`` allows it. It uses the proxy of the settings, and reads no netrc, no cookies and no
        proxies of the environment. It trusts the authorities of ``REQUESTS_CA_BUNDLE`` or ``SSL_CERT_FILE`` if the
        environment has one of them, else those of the system and of requests.

        A request raises ``Forbidden`` if it may not connect; pass all other errors to :meth:`refusal`.
        """
        from wheelgate.outgoing.adapter import CheckedAdapter, CheckedSession

        session = CheckedSession()
        session.trust_env = False
        session.max_redirects = MAX_OUTGOING_REDIRECTS
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
        session.verify = named or True
        session.headers["User-Agent"] = f"wheelgate/{metadata.version('wheelgate')}"
        session.mount("http://", CheckedAdapter(self.policy, self._proxy))
        session.mount("https://", CheckedAdapter(self.policy, self._proxy, None if named else self._trusting_system))
        return session

    @cached_property
    def _trusting_system(self) -> SSLContext:
        """A context with the authorities of the system, to which requests adds its own; loading them takes 30 ms."""
        from urllib3.util.ssl_ import create_urllib3_context

        context = create_urllib3_context()
        context.load_default_certs()
        return context

    def refusal(self, error: Exception, url: str) -> Refusal:
        """Return the refusal for an error of a request to ``url``. It shows only the host.

        Raises:
            Exception: the error itself, if the request did not cause it.
        """
        import requests
        from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

        if isinstance(error, Refusal):
            return error
        host = host_of(url)
        match error:
            case requests.Timeout() | ReadTimeoutError() | requests.ConnectionError(args=[ReadTimeoutError(), *_]):
                return UpstreamTimeout(f"'{host}' does not answer in time; try again later")
            case requests.exceptions.SSLError():
                return BadUpstream(f"the certificate of '{host}' is not trusted by this server")
            case requests.TooManyRedirects():
                return BadUpstream(f"'{host}' redirects more than {MAX_OUTGOING_REDIRECTS} times")
            case requests.ConnectionError() | ProtocolError():
                return BadUpstream(f"'{host}' cannot be reached, or closed the connection; try again later")
            case requests.RequestException() | HTTPError():
                return BadUpstream(f"'{host}' does not answer in HTTP, or redirects to a malformed URL")
        raise error


def host_of(url: str) -> str:
    """Return the host of a URL, for a message."""
    try:
        return (urlsplit(url).hostname or "the upstream")[:255]
    except ValueError:
        return "the upstream"
