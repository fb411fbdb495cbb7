"""Closes the server to anonymous clients, who can read nothing. Browsers log in with a cookie."""

from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie

from wheelgate import Credentials, Deny, Principal, RequestInfo, Resource, Server, hookimpl
from wheelgate.errors import Forbidden, NotAuthenticated
from wheelgate.hookspecs import instant
from wheelgate.providers import CredentialExtractor, Route, RouteRequest, RouteResponse

COOKIE = "devpi"
COOKIE_ATTRIBUTES = "Path=/; HttpOnly; SameSite=Strict"
CLOSED_PERMISSIONS = frozenset({"index_read", "user_read", "user_list", "user_create"})


@instant
class Cookie(CredentialExtractor):
    """Reads the cookie ``name/token``, where the token must be that of a login."""

    name = "cookie"
    header = "cookie"
    scheme = ""
    ambient = True
    rank = 90

    def extract(self, request: RequestInfo) -> Credentials | None:
        try:
            found = SimpleCookie(request.headers["cookie"]).get(COOKIE)
        except CookieError:
            return None
        if found is None:
            return None
        name, _, token = found.value.partition("/")
        if not token.startswith("wgs_"):
            raise NotAuthenticated("the cookie contains no login")
        return Credentials("password", name, token, self.name)


@hookimpl
def wheelgate_credential_extractors(server: Server) -> list[CredentialExtractor]:
    return [Cookie()]


@hookimpl
@instant
def wheelgate_check_permission(principal: Principal, permission: str) -> Deny | None:
    return (
        Deny("this server is closed; log in") if principal.name is None and permission in CLOSED_PERMISSIONS else None
    )


@hookimpl
@instant
def wheelgate_filter_visible(
    principal: Principal, permission: str, resources: Sequence[Resource]
) -> Sequence[bool] | None:
    return [False] * len(resources) if principal.name is None and permission in CLOSED_PERMISSIONS else None


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    def log_in(request: RouteRequest) -> RouteResponse:
        """Put the login of the request into a cookie."""
        token = (request.body or {}).get("token") if isinstance(request.body, dict) else None
        if request.principal.credential != "session" or not isinstance(token, str):
            raise Forbidden("log in with POST /+login first, and send its token as 'token' and with the request")
        cookie = SimpleCookie({COOKIE: f"{request.principal.name}/{token}"})[COOKIE].OutputString()
        return RouteResponse(message="logged in", headers={"Set-Cookie": f"{cookie}; {COOKIE_ATTRIBUTES}"})

    def log_out(request: RouteRequest) -> RouteResponse:
        return RouteResponse(message="logged out", headers={"Set-Cookie": f"{COOKIE}=; Max-Age=0; {COOKIE_ATTRIBUTES}"})

    return [Route("POST", "/cookie", log_in, public=True), Route("DELETE", "/cookie", log_out, public=True)]
