"""The values that hooks take and return: small, frozen, and free of any framework's types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

EMPTY_MAPPING: Mapping[str, Any] = MappingProxyType({})

ANONYMOUS = ":ANONYMOUS:"
AUTHENTICATED = ":AUTHENTICATED:"
ROOT = "root"
TOKEN_USER = "__token__"  # noqa: S105 - a name, no secret
"""What upload tools send as the name where the secret is an API token; no user has it."""
MAX_NAME_CHARS = 100
"""Characters of a user's or an index's name."""


def empty_mapping() -> Mapping[str, Any]:
    """Return the mapping that holds nothing, and always will."""
    return EMPTY_MAPPING


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What a plugin may know of a request: no framework type, no body."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By lower-case name."""
    remote_address: str
    """The client's address; the one that a trusted proxy reports, where there is one."""
    request_id: str = ""
    """Names the request in the log."""
    peer_address: str = ""
    """Where the connection itself comes from, whatever any header says; a proxy's address, where there is one."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request says about its sender, not yet believed."""

    kind: str
    """What the secret is: ``password``, ``bearer``, ``remote-user``."""
    username: str
    secret: str = field(repr=False)
    source: str
    """The name of the extractor that found them."""
    trusted: bool = False
    """True if there is no secret because a configured proxy vouches for the name."""


@dataclass(frozen=True, slots=True)
class Ok:
    """An authenticator's answer: the credentials are those of ``username``."""

    username: str
    groups: frozenset[str] | None = None
    """The user's groups, where the authenticator learned them on the way; None if it did not."""
    email: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """An authenticator's answer: not mine, ask the next."""


@dataclass(frozen=True, slots=True)
class Reject:
    """An authenticator's answer: mine, and wrong. Nobody else is asked."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """An authenticator's answer: it cannot tell now. If nobody else says ``Ok``, the answer is 503."""

    reason: str
    retry_after: int = 5
    """Seconds."""


Outcome = Ok | Unknown | Reject | Unavailable


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as far as it is proven. Anonymous is a principal too."""

    name: str | None = None
    """None for anonymous."""
    groups: frozenset[str] = frozenset()
    credential: str = ""
    """What proved it: ``session``, or the name of an authenticator or of a token handler."""
    restriction: Restriction | None = None
    """What the credential is good for; None for one that is good for all that the user may do."""

    @property
    def names(self) -> frozenset[str]:
        """Everything an access list may call this principal: name, ``:group``, ``:ANONYMOUS:``, ``:AUTHENTICATED:``."""
        if self.name is None:
            return frozenset({ANONYMOUS})
        return frozenset({ANONYMOUS, AUTHENTICATED, self.name, *(f":{group}" for group in self.groups)})


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a credential is good for: it takes away from what its user may do, and never adds to it."""

    permissions: frozenset[str]
    indices: frozenset[str] | None = None
    """Paths, ``owner/name``; None for all that there are."""
    projects: frozenset[str] | None = None
    """Normalised names (PEP 503); None for all that there are."""

    def names(self, path: str) -> bool:
        """Say whether the credential is for an index, ``owner/name``, whatever it is good for there."""
        return self.indices is None or path in self.indices

    def refusal(self, permission: str, resource: Resource) -> str:
        """Return why the credential is not good for ``permission`` on ``resource``; empty if it is."""
        if permission not in self.permissions:
            return "the token is not for that"
        if self.indices is not None and resource.path not in self.indices:
            return f"the token is for {', '.join(sorted(self.indices))[:200] or 'no index'} only"
        if self.projects is None or resource.project == "" or resource.project in self.projects:
            return ""
        return f"the token is for {', '.join(sorted(self.projects))[:200] or 'no project'} only"


@dataclass(frozen=True, slots=True)
class Token:
    """A token handler's answer: the token is good, for ``username`` and within its restriction."""

    id: str
    """Names the token where its secret must not be; no secret itself."""
    username: str
    stamp: str
    """The user's stamp when the token was made: with another one, it has ended."""
    expires: int
    """Seconds since 1970: the token's end, or an earlier time at which the handler wants to be asked again."""
    restriction: Restriction


@dataclass(frozen=True, slots=True)
class Permission:
    """A right that can be granted or refused."""

    name: str
    description: str
    resource: str
    """The kind of resource it is about: ``server``, ``user`` or ``index``."""
    default: str
    """Who has it if no plugin says anything: ``everyone``, ``authenticated``, ``owner`` (root included), ``root`` or
    ``listed``: nobody else than ``acl`` says."""
    acl: str = ""
    """The key of the index that lists further principals who have it. Where ``default`` is ``everyone``, an index that
    has the key leaves it to those whom it lists, to its owner and to root."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What a permission is asked for."""

    kind: str
    """``server``, ``user`` or ``index``."""
    name: str = ""
    """The user's name, or the index's name without its user."""
    owner: str | None = None
    """The user to whom it belongs; a user belongs to itself."""
    config: Mapping[str, Any] = field(default_factory=empty_mapping)
    """Its configuration as it is; empty for something that does not exist yet."""
    proposed: Mapping[str, Any] | None = None
    """Its configuration as it would become; None if the request changes nothing of it."""
    project: str | None = None
    """The normalised name of the project on it that is meant. Empty if none is: the index as such, or a project that
    is asked about once it is known. None for all of them."""

    @property
    def path(self) -> str:
        """The form in which indices name each other, ``owner/name``; empty for what is no index."""
        return f"{self.owner}/{self.name}" if self.kind == "index" else ""

    @property
    def label(self) -> str:
        """How a sentence calls it."""
        match self.kind:
            case "index":
                return f"index {self.owner}/{self.name}"
            case "user":
                return f"user {self.name}"
            case _:
                return "this server"


@dataclass(frozen=True, slots=True)
class Allow:
    """A policy's answer: yes, because of ``reason``."""

    reason: str


@dataclass(frozen=True, slots=True)
class Deny:
    """A policy's answer: no, because of ``reason``. It wins over every ``Allow``."""

    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about one question, with its reason and who gave it."""

    allowed: bool
    reason: str
    plugin: str


@dataclass(frozen=True, slots=True)
class User:
    """A user as the store knows it."""

    name: str
    stamp: str
    """Random; changes with the password and differs after delete-and-recreate. Sessions are bound to it."""
    created: datetime
    modified: datetime | None = None
    email: str | None = None
    title: str | None = None
    description: str | None = None
    custom_data: Any = None
    provider: str = ""
    """The authenticator that brought the user and alone may vouch for it; empty for a local user."""


@dataclass(frozen=True, slots=True)
class UserDefaults:
    """What a user who comes from elsewhere gets at the first login."""

    email: str | None = None
    """None leaves what the authenticator says."""
    title: str | None = None
    """None leaves what the authenticator says."""
    indices: Mapping[str, Mapping[str, Any]] = field(default_factory=empty_mapping)
    """Indices to create, by name, each as the body of ``PUT /user/index`` describes it."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index as the store knows it."""

    owner: str
    name: str
    type: str
    config: Mapping[str, Any] = field(default_factory=empty_mapping)
    """The keys of its index type, in the type's order, without ``type``."""

    @property
    def path(self) -> str:
        """The form in which indices name each other: ``owner/name``."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and is committed."""

    name: str
    """``UserCreated``, ``UserModified``, ``PasswordChanged``, ``LoginFailed`` …: see the events' page."""
    actor: str | None
    """The user who did it; None for anonymous."""
    subject: str
    """What it happened to: a user's name, or ``owner/index``."""
    remote_address: str
    request_id: str
    time: datetime
    detail: Mapping[str, Any] = field(default_factory=empty_mapping)
    """What changed; never a secret."""
