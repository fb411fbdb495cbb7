"""What plugins and core send requests with."""

from __future__ import annotations

import os
from http.cookiejar import DefaultCookiePolicy
from importlib import metadata
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wheelgate.config import Config
from wheelgate.errors import BadUpstream, Refusal, UpstreamTimeout
from wheelgate.outgoing.policy import Policy

if TYPE_CHECKING:
    import requests

MOST_REDIRECTS = 5


class Outgoing:
    """Makes sessions that go only where the administrator lets the server go, and says what went wrong with them."""

    def __init__(self, config: Config) -> None:
        self.policy = Policy(config["allow-upstream"], loopback=config.loopback)
        self._proxy = config["upstream-proxy"]

    def session(self) -> requests.Session:
        """Make a session; keep it, since it holds connections, and share it between threads if need be.

        It gives up after 5 s without a connection and 30 s without a piece of the answer; how long and how large an
        answer may be in all is for the caller to limit. It follows at most five redirects, and takes credentials
        along to the same host only. It reads no proxies, netrc or cookies; certificates are those of
        ``REQUESTS_CA_BUNDLE`` or ``SSL_CERT_FILE``, where the environment names one.

        What it raises besides ``Forbidden`` goes through :meth:`refusal`.
        """
        from wheelgate.outgoing.adapter import CheckedAdapter, CheckedSession

        session = CheckedSession()
        session.trust_env = False
        session.max_redirects = MOST_REDIRECTS
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True
        session.headers["User-Agent"] = f"wheelgate/{metadata.version('wheelgate')}"
        if self._proxy:
            session.proxies = {"http": self._proxy, "https": self._proxy}
        for scheme in ("http://", "https://"):
            session.mount(scheme, CheckedAdapter(self.policy))
        return session

    def refusal(self, error: Exception, url: str) -> Refusal:
        """Say in the words of the domain what went wrong on a request to ``url``, of which only the host is shown.

        Raises:
            Exception: the error, if it has nothing to do with the request.
        """
        import requests
        from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

        if isinstance(error, Refusal):
            return error
        host = named(url)
        match error:
            case requests.Timeout() | ReadTimeoutError() | requests.ConnectionError(args=[ReadTimeoutError(), *_]):
                return UpstreamTimeout(f"'{host}' does not answer in time; try again later")
            case requests.exceptions.SSLError():
                return BadUpstream(f"the certificate of '{host}' is not one that this server trusts")
            case requests.TooManyRedirects():
                return BadUpstream(f"'{host}' redirects more than {MOST_REDIRECTS} times")
            case requests.ConnectionError() | ProtocolError():
                return BadUpstream(f"'{host}' cannot be reached, or has cut the connection; try again later")
            case requests.RequestException() | HTTPError():
                return BadUpstream(f"'{host}' answers what is no HTTP, or redirects to what is no web address")
        raise error


def named(url: str) -> str:
    """Return the host of an address, for a sentence."""
    try:
        return (urlsplit(url).hostname or "the upstream")[:255]
    except ValueError:
        return "the upstream"
