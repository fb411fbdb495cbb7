"""The cookie that keeps a browser signed in: it holds the login token that ``/+login`` has given."""

from __future__ import annotations

from wheelgate import Credentials, RequestInfo
from wheelgate.hookspecs import instant
from wheelgate.providers import CredentialExtractor, RouteRequest

COOKIE = "wheelgate_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Its name on https. No other host of the domain can set a cookie of that name (RFC 6265bis, section 4.1.3.2)."""


@instant
class SessionCookie(CredentialExtractor):
    """Reads the cookie; every other credential goes before it, because programs send those on purpose."""

    name = "web-session"
    header = "cookie"
    scheme = ""
    ambient = True
    browser_only = True
    rank = 900

    def extract(self, request: RequestInfo) -> Credentials | None:
        """Return the login token, which says itself whose it is."""
        cookies = request.cookies
        token = cookies.get(SECURE_COOKIE) or cookies.get(COOKIE)
        return Credentials("session", "", token, self.name) if token else None


def begin_session(request: RouteRequest, token: str, seconds: int) -> str:
    """Return the header that sets the cookie, which ends with the login."""
    return _header(request, token, seconds)


def end_session(request: RouteRequest) -> str:
    """Return the header that removes the cookie."""
    return _header(request, "", 0)


def _header(request: RouteRequest, value: str, seconds: int) -> str:
    secure = request.base_url.startswith("https://")
    name, ending = (SECURE_COOKIE, "; Secure") if secure else (COOKIE, "")
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{ending}"
