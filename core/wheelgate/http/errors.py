"""Maps refusals to HTTP statuses, and writes refusals and faults as answers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import falcon
import falcon.asgi

from wheelgate import errors
from wheelgate.http.answers import answer
from wheelgate.logs import error_location

log = logging.getLogger("wheelgate.http")

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


class ErrorHandlers:
    """Turns exceptions into answers; no answer reveals more than one sentence."""

    def __init__(self, schemes: Sequence[str]) -> None:
        """Take the schemes that ``WWW-Authenticate`` offers (RFC 9110, section 11.6.1)."""
        self._challenge = ", ".join(f'{scheme} realm="wheelgate"' for scheme in schemes)

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
        answer(resp, message=error.message, status=status)
        challenges = [self._challenge] if self._challenge else []
        if isinstance(error, errors.InvalidToken):
            challenges.append('Bearer realm="wheelgate", error="invalid_token"')
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
        sentence = {
            404: "there is nothing at this address",
            405: f"the method {req.method} is not allowed here",
        }.get(error.status_code, error.description or phrase)
        answer(resp, message=sentence, status=error.status_code)
        if error.headers:
            resp.set_headers(error.headers)

    async def fault(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, error: Exception, params: dict[str, Any]
    ) -> None:
        """Answer a fault of the server without details; the log says where it happened, but shows no value."""
        log.error("fault on %s %s: %s", req.method, req.path, error_location(error))
        answer(resp, message="the server failed on this request; its log says where", status=500)
