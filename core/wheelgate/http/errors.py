"""Maps refusals to HTTP statuses, and writes refusals and faults as answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

import falcon
import falcon.asgi

from wheelgate import errors
from wheelgate.http.answers import answer, set_refusal_phrase
from wheelgate.http.multipart import is_form
from wheelgate.http.request import Headers, drain
from wheelgate.http.scope import ROUTE_BODY
from wheelgate.http.upload_hints import upload_hint
from wheelgate.logs import error_location
from wheelgate.plugin_host.failures import failure_text
from wheelgate.plugin_host.masking import secrets_of, strings_in
from wheelgate.values import EMPTY_MAPPING

log = logging.getLogger("wheelgate.http")

MAX_MESSAGE_CHARS = 4000
"""Characters of a message; some quote what a client sends, which may be a megabyte."""
STATUS_BY_REFUSAL: tuple[tuple[type[errors.Refusal], int], ...] = (
    (errors.TooLarge, 413),
    (errors.BadInput, 400),
    (errors.Gone, 410),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Unsupported, 409),  # the request clashes with how this server is set up; 501 would blame the method
    (errors.NotAuthenticated, 401),
    (errors.Forbidden, 403),
    (errors.TooManyAttempts, 429),
    (errors.StorageFull, 507),
    (errors.Damaged, 500),
    (errors.BadUpstream, 502),
    (errors.UpstreamTimeout, 504),
    (errors.BackendUnavailable, 503),
)
"""The first matching class counts: subclasses stand before their base class."""

REALM = "pypi"
"""The realm of all challenges. ``setup.py register`` sends its password to no other."""


class ErrorPage(Protocol):
    """Shows errors to browsers; see :class:`wheelgate.resources.pages.ErrorPages`."""

    def mark(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Say in the headers of an error that its form depends on the client."""

    def shows(self, req: falcon.asgi.Request, status: int) -> bool:
        """Return whether the client gets a page for an error."""

    async def write(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, status: int, message: str) -> None:
        """Replace the JSON of an error by the page; if the page fails, the JSON stays."""


class ErrorHandlers:
    """Turns exceptions into answers; no answer reveals more than one sentence."""

    def __init__(
        self,
        schemes: Sequence[str],
        server_url: Callable[[falcon.asgi.Request], str],
        pages: ErrorPage | None = None,
    ) -> None:
        """Take the schemes that ``WWW-Authenticate`` offers (RFC 9110, section 11.6.1), and the page for browsers.

        ``server_url`` returns the server's address as a client must write it; it may raise ``BadInput``.
        """
        self._server_url = server_url
        self._schemes = schemes
        self._pages = pages

    def install(self, app: falcon.asgi.App[Any, Any]) -> None:
        """Register the handlers."""
        app.add_error_handler(Exception, self.fault)
        app.add_error_handler(falcon.HTTPError, self.http_error)
        app.add_error_handler(errors.Refusal, self.refusal)

    async def refusal(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, error: errors.Refusal, params: dict[str, Any]
    ) -> None:
        """Answer a refusal with its sentence."""
        status = next(status for kind, status in STATUS_BY_REFUSAL if isinstance(error, kind))
        is_page = await self._refuse(req, resp, error.message[:MAX_MESSAGE_CHARS], status, error.details)
        # A page has a form; for the scheme Basic, a browser would open its own dialog in front of it.
        schemes = [scheme for scheme in self._schemes if not (is_page and scheme.lower() == "basic")]
        challenges = [f'{scheme} realm="{REALM}"' for scheme in schemes]
        if isinstance(error, errors.InvalidToken):
            challenges.append(f'Bearer realm="{REALM}", error="invalid_token"')
        if status == HTTPStatus.UNAUTHORIZED and challenges:
            resp.set_header("www-authenticate", ", ".join(challenges))
        if isinstance(error, errors.NotFound) and error.remembered_until is not None:
            resp.set_header("x-wheelgate-absent-until", error.remembered_until)
        if error.retry_after is not None:
            resp.set_header("retry-after", str(error.retry_after))

    async def http_error(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, error: falcon.HTTPError, params: dict[str, Any]
    ) -> None:
        """Answer an error that Falcon found."""
        phrase = HTTPStatus(error.status_code).phrase
        sentence = error.description or phrase
        if error.status_code == HTTPStatus.NOT_FOUND:
            sentence = f"there is nothing at this address{upload_hint(req, self._server_url)}"
        elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            sentence = f"the method {req.method} is not allowed here{upload_hint(req, self._server_url)}"
        await self._refuse(req, resp, sentence, error.status_code)
        if error.headers:
            resp.set_headers(error.headers)

    async def fault(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, error: Exception, params: dict[str, Any]
    ) -> None:
        """Answer a fault of the server without details; the log says where it happened.

        Of an exception in a plugin's route, the log also shows the text, in which secrets are masked.
        """
        place = error_location(error)
        if ROUTE_BODY in req.scope:
            secrets = [*secrets_of(Headers(req)), *strings_in(req.scope[ROUTE_BODY])]
            place = f"{failure_text(error, secrets)}; {place}"
        log.error("fault on %s %s: %s", req.method, req.path, place)
        await self._refuse(req, resp, "the server failed on this request; its log says where", 500)

    async def _refuse(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        sentence: str,
        status: int,
        details: Mapping[str, Any] = EMPTY_MAPPING,
    ) -> bool:
        """Answer with a sentence, after the rest of the body: a proxy answers 502 if it cannot send all of it.

        A body that is too long is not read, except of a form: upload tools read no answer before they have sent it.
        Such tools print only the status line, so it contains the sentence too. Return whether a browser got a page.
        """
        answer(resp, message=sentence, status=status, details=details)
        from_upload_tool = is_form(req)
        if from_upload_tool:
            set_refusal_phrase(resp, sentence, status)
        if from_upload_tool or status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            await drain(req)
        if self._pages is None:
            return False
        self._pages.mark(req, resp)
        is_page = self._pages.shows(req, status)
        if is_page:
            await self._pages.write(req, resp, status, sentence)
        return is_page
