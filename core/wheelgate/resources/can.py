"""``/+can``: whether a user has a permission, and who decided so."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import falcon.asgi

from wheelgate.caches import LruCache
from wheelgate.errors import BadInput, Forbidden, NotFound, TooManyAttempts
from wheelgate.fields import excerpt
from wheelgate.http.answers import answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.path_segments import path_segment
from wheelgate.identity.accounts import Accounts
from wheelgate.identity.identify import ANONYMOUS_PRINCIPAL, Caller
from wheelgate.packages.project_names import normalize
from wheelgate.rights.explanation import Explainer, Explanation
from wheelgate.rights.indices import MODIFY, READER_PERMISSIONS
from wheelgate.services.indices import index_resource
from wheelgate.values import ANONYMOUS, READ_PERMISSIONS, ROOT, Allow, Permission, Principal, Resource

PARAMETERS = frozenset({"permission", "resource", "project", "user"})
SEGMENTS_BY_KIND = {"server": 0, "user": 1, "index": 2}
"""The segments of the parameter ``resource``, by the kind of the resource."""
MAX_QUESTIONS_PER_MINUTE = 60
"""Questions of one caller at one address that a worker answers; each asks all policies."""
COUNTED_CALLERS = 10_000
"""Callers whose questions a worker counts; a full table drops the one that has not asked for the longest time."""


@dataclass(frozen=True, slots=True)
class Question:
    """The parameters of a request."""

    permission: Permission
    segments: Sequence[str]
    """None for the server, the name of a user, or the owner and the name of an index."""
    project: str | None
    user: str | None


class CanResource:
    """Explains decisions about permissions."""

    def __init__(self, context: HandlerContext, accounts: Accounts) -> None:
        self._context = context
        self._accounts = accounts
        self._explainer = Explainer(context.rights, context.index_rights)
        self._asked: LruCache[tuple[str | None, ...], tuple[int, int]] = LruCache(COUNTED_CALLERS)
        """The minute of a caller's last question, and the questions in that minute."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Say whether the caller, or another user, has a permission."""
        caller = await self._context.identify(req)
        if caller.problem is not None:
            raise caller.problem
        self._count(caller.principal.name, caller.info.remote_address)
        question = self._read_question(req.params)
        principal = await self._principal(caller, question)
        explanation = await self._explain(caller, principal, question)
        resp.set_header("cache-control", "no-store")
        asked = {
            "permission": question.permission.name,
            "resource": "/".join(question.segments),
            "user": principal.name,
        }
        answer(resp, {**asked, **explanation_json(explanation)}, "can")

    def _count(self, *key: str | None) -> None:
        """Raise ``TooManyAttempts`` if a caller at an address asks too often."""
        minute = int(time.time() // 60)
        last = self._asked.get(key)
        count = last[1] + 1 if last is not None and last[0] == minute else 1
        self._asked.put(key, (minute, count))
        if count > MAX_QUESTIONS_PER_MINUTE:
            sentence = f"at most {MAX_QUESTIONS_PER_MINUTE} questions a minute; wait a moment"
            raise TooManyAttempts(sentence, retry_after=60 - int(time.time() % 60))

    def _read_question(self, params: Mapping[str, Any]) -> Question:
        """Read the parameters of a request. Raise ``BadInput`` if one is wrong."""
        for name, value in params.items():
            if name not in PARAMETERS:
                raise BadInput(f"unknown parameter {excerpt(name)}: there are {', '.join(sorted(PARAMETERS))}")
            if not isinstance(value, str):
                raise BadInput(f"the parameter '{name}' is there more than once")
        permission = self._context.rights.permission(params.get("permission", ""))
        if permission is None:
            known = ", ".join(self._context.rights.permission_names)
            raise BadInput(f"there is no permission {excerpt(params.get('permission', ''))}; there are {known}")
        segments = [segment for segment in params.get("resource", "").split("/") if segment]
        if len(segments) != SEGMENTS_BY_KIND[permission.resource]:
            form = {"server": "no resource", "user": "the name of a user", "index": "an index, as USER/NAME"}
            raise BadInput(f"'{permission.name}' needs {form[permission.resource]} as 'resource'")
        if "project" in params and permission.resource != "index":
            raise BadInput(f"'{permission.name}' is not about a project")
        segments = [path_segment(segment) for segment in segments]
        return Question(permission, segments, params.get("project"), params.get("user"))

    async def _principal(self, caller: Caller, question: Question) -> Principal:
        """Return the principal that the question is about.

        Raises:
            Forbidden: the caller asks about somebody else, and is neither root nor the owner of the index.
            NotFound: there is no such user, or the caller may not know of it.
        """
        user, segments = question.user, question.segments
        if user is None or user == caller.principal.name:
            return caller.principal
        if user == ANONYMOUS:
            return ANONYMOUS_PRINCIPAL
        owner = segments[0] if len(segments) == 2 else ROOT
        if caller.principal.name not in (ROOT, owner) or caller.principal.restriction is not None:
            raise Forbidden("only root, and the owner of an index, may ask about others, and only with a login")
        resource = Resource("user", user, user)
        visible = await self._context.rights.decide(caller.principal, "user_read", resource)
        principal = await self._accounts.of_name(user) if visible.allowed else None
        if principal is None:
            raise NotFound(f"no user {excerpt(user)}")
        return principal

    async def _explain(self, caller: Caller, principal: Principal, question: Question) -> Explanation:
        permission, segments, project = question.permission, question.segments, question.project
        name, owner = (segments[-1], segments[0]) if segments else ("", None)
        if permission.resource != "index" or permission.name == "index_create":
            resource = Resource(permission.resource, name, owner, proposed={})
            return await self._explainer.on_resource(principal, permission, resource)
        # A caller who may not read an index, but may know of it, gets the decision instead of a refusal.
        sought = MODIFY if permission.name in READER_PERMISSIONS else permission.name
        found = await self._context.index_rights.find(caller, str(owner), name, sought)
        # Without a project, reading is about all of them, and a change is about one that is not known yet.
        nothing_named = None if permission.name in READ_PERMISSIONS else ""
        resource = index_resource(found.index, nothing_named if project is None else normalize(project))
        return await self._explainer.on_index(principal, permission, found, resource)


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as JSON."""
    return {
        **asdict(explanation.verdict),
        "default": "allow" if isinstance(explanation.default, Allow) else "deny",
        "verdicts": [asdict(each) for each in explanation.answers],
        "restriction": explanation.restriction or None,
    }
