"""The values that hooks take and return: small, frozen, and without types of any framework."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Any

from wheelgate.loopback import from_this_machine

EMPTY_MAPPING: Mapping[str, Any] = MappingProxyType({})
"""An immutable empty mapping, as a default value."""

ANONYMOUS = ":ANONYMOUS:"
"""Entry of an access list that matches every caller, logged in or not."""
AUTHENTICATED = ":AUTHENTICATED:"
"""Entry of an access list that matches every user who is logged in."""
ROOT = "root"
"""The name of the administrator."""
TOKEN_USER = "__token__"  # noqa: S105 - a name, not a secret
"""The user name that upload tools send with an API token; no user can have it."""
MAX_NAME_CHARS = 100
"""Characters of the name of a user, a group or an index."""
MAX_PASSWORD_BYTES = 4096
"""Bytes of a password in UTF-8, in Unicode's normal form NFC."""
FORBIDDEN_IN_TEXT = re.compile(r"[\0\ud800-\udfff]")
"""NUL, and halves of surrogate pairs: UTF-8 or a database cannot store them."""


def empty_mapping() -> Mapping[str, Any]:
    """Return :data:`EMPTY_MAPPING`, as the default factory of a field."""
    return EMPTY_MAPPING


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """A request, as plugins see it: without its body."""

    method: str
    path: str
    headers: Mapping[str, str]
    """The names are in lower case."""
    remote_address: str
    """The address of the client; behind a trusted proxy, the address that the proxy reports."""
    request_id: str = ""
    """Identifies the request in the log, and for the client in the header ``X-Request-Id`` of the answer."""
    peer_address: str = ""
    """The address at the other end of the connection; behind a proxy, the address of the proxy."""

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name, as they were sent; the first of a name counts (RFC 6265, section 5.4)."""
        pairs = [pair.partition("=") for pair in self.headers.get("cookie", "").split(";")]
        return {name.strip(): value.strip() for name, _, value in reversed(pairs)}

    @property
    def from_this_machine(self) -> bool:
        """Whether a program on this machine sent it, as far as addresses and headers show."""
        return from_this_machine((self.remote_address, self.peer_address), self.headers)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a request, not verified yet."""

    kind: str
    """The kind of the secret: ``password``, ``bearer``, ``remote-user``, or ``session`` for a login token alone."""
    username: str
    """Empty if the kind is ``session`` and the token alone says whose it is."""
    secret: str = field(repr=False)
    source: str
    """The name of the extractor that found the credentials."""
    trusted: bool = False
    """Whether a configured proxy vouches for the name, so that there is no secret."""


@dataclass(frozen=True, slots=True)
class Ok:
    """An authenticator's answer: these are the credentials of ``username``."""

    username: str
    """The name in the spelling of the authenticator, which is that of the user on this server. It may differ from the
    name in the credentials as look-alikes do: in upper and lower case and in Unicode's form (NFKC). An ``Ok`` with any
    other name, or with the name of a user who does not belong to the authenticator, logs nobody in."""
    groups: frozenset[str] | None = None
    """The user's groups, if the authenticator learned them from the same request; None if it did not."""
    email: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """An authenticator's answer: it does not know these credentials; ask the next authenticator."""


class SecretCheck(Enum):
    """What an authenticator that refuses a login learned about the secret."""

    WRONG = "wrong"
    RIGHT = "right"
    UNVERIFIED = "unverified"
    """Nothing: it refuses the account whatever the secret is."""


@dataclass(frozen=True, slots=True)
class Reject:
    """An authenticator's answer: it knows the user, and refuses the login. No other authenticator is asked."""

    reason: str
    """For the log. If the secret is right, for example because the account has expired, it is also for the client."""
    secret: SecretCheck = SecretCheck.WRONG
    """What the authenticator learned about the secret. Only a wrong one counts as a guess."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """An authenticator's answer: it cannot tell now. If no other authenticator answers ``Ok``, the response is 503."""

    reason: str
    retry_after: int = 5
    """Seconds."""


Outcome = Ok | Unknown | Reject | Unavailable


@dataclass(frozen=True, slots=True)
class Principal:
    """The proven identity of the sender of a request; anonymous is a principal, too."""

    name: str | None = None
    """None for anonymous."""
    groups: frozenset[str] = frozenset()
    credential: str = ""
    """The proof of the name: ``session``, or the name of the authenticator or token handler that verified it."""
    restriction: Restriction | None = None
    """The limits of the credential; None if it allows everything that the user may do."""

    @property
    def names(self) -> frozenset[str]:
        """All entries of an access list that match this principal: its name, its groups and the two special names."""
        if self.name is None:
            return frozenset({ANONYMOUS})
        return frozenset({ANONYMOUS, AUTHENTICATED, self.name, *(f":{group}" for group in self.groups)})


READ_PERMISSIONS = frozenset({"index_read", "user_read", "user_list"})
"""The permissions that change nothing; a credential can be limited to other projects for these than for changes."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """The limits of a credential. They only take permissions away, and never grant any."""

    permissions: frozenset[str]
    indices: frozenset[str] | None = None
    """Paths of indices, ``owner/name``; None for all indices."""
    projects: frozenset[str] | None = None
    """Normalised names (PEP 503) of the projects to read and to change; None for all projects."""
    read_projects: frozenset[str] | None = None
    """A further limit for the permissions in ``READ_PERMISSIONS``, in the same form."""
    change_projects: frozenset[str] | None = None
    """A further limit for all other permissions, in the same form."""

    def projects_for(self, permission: str) -> frozenset[str] | None:
        """Return the projects for which the credential allows ``permission``; None for all projects."""
        further = self.read_projects if permission in READ_PERMISSIONS else self.change_projects
        if self.projects is None or further is None:
            return further if self.projects is None else self.projects
        return self.projects & further

    def covers_index(self, path: str) -> bool:
        """Return whether the index ``owner/name`` is within the limits; the permissions do not count."""
        return self.indices is None or path in self.indices

    def refusal(self, permission: str, resource: Resource) -> str:
        """Return why the credential does not allow ``permission`` on ``resource``; an empty string if it does."""
        if permission not in self.permissions:
            return "the token is not for that"
        if self.indices is not None and resource.path not in self.indices:
            return f"the token is for {', '.join(sorted(self.indices))[:200] or 'no index'} only"
        projects = self.projects_for(permission)
        if projects is None or resource.project == "" or resource.project in projects:
            return ""
        return f"the token is for {', '.join(sorted(projects))[:200] or 'no project'} only"


@dataclass(frozen=True, slots=True)
class Token:
    """A token handler's answer: the token is good, for ``username`` and within its restriction."""

    id: str
    """Identifies the token wherever its secret must not appear; not a secret."""
    username: str
    stamp: str
    """The user's stamp when the token was made. If the user has another stamp now, the token has ended."""
    expires: int
    """When the token expires, or when the server has to ask the handler again; in seconds since 1970."""
    restriction: Restriction


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission that can be granted or refused."""

    name: str
    description: str
    """A verb that messages put before the resource: ``delete``, ``submit to``."""
    resource: str
    """The kind of its resource: ``server``, ``user`` or ``index``."""
    default: str
    """The principals who have it if no plugin has an opinion: ``everyone``, ``authenticated``, ``owner`` (and root),
    ``root``, or ``listed`` (only the entries of the access list)."""
    acl: str = ""
    """The configuration key of an index whose access list grants the permission to further principals. If ``default``
    is ``everyone`` and an index has the key, only the listed principals, the owner and root have the permission."""


@dataclass(frozen=True, slots=True)
class Resource:
    """The object of a permission: the server, a user or an index."""

    kind: str
    """``server``, ``user`` or ``index``."""
    name: str = ""
    """The name of the user, or of the index without its owner."""
    owner: str | None = None
    """The user who owns it; users own themselves."""
    config: Mapping[str, Any] = field(default_factory=empty_mapping)
    """Its current configuration; empty if it does not exist yet."""
    proposed: Mapping[str, Any] | None = None
    """The configuration that the request would give it; None if the request does not change it."""
    project: str | None = None
    """The normalised name of the project that the request is about. Empty for the index itself, and while the project
    is not known yet; None for all projects."""

    @property
    def path(self) -> str:
        """The path of an index, ``owner/name``; empty for anything else."""
        return f"{self.owner}/{self.name}" if self.kind == "index" else ""

    @property
    def address(self) -> str:
        """Its address below that of the server: ``owner/name`` of an index, the name of a user, or empty."""
        return self.path or (self.name if self.kind == "user" else "")

    @property
    def label(self) -> str:
        """Its name in messages."""
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
    """A policy's answer: no, because of ``reason``. One ``Deny`` outweighs every ``Allow``."""

    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about a permission, with its reason and the plugin that gave it."""

    allowed: bool
    reason: str
    plugin: str


@dataclass(frozen=True, slots=True)
class User:
    """A user in the store of users."""

    name: str
    stamp: str
    """Random; a new password changes it, and a user who is deleted and created again gets another. Sessions are bound
    to it."""
    created: datetime
    modified: datetime | None = None
    email: str | None = None
    title: str | None = None
    description: str | None = None
    custom_data: Any = None
    provider: str = ""
    """The name of the authenticator that created the user; it alone can log the user in. Empty for a local user."""


@dataclass(frozen=True, slots=True)
class UserDefaults:
    """The profile and the indices that an external user gets at the first login."""

    email: str | None = None
    """None keeps the value of the authenticator."""
    title: str | None = None
    """None keeps the value of the authenticator."""
    indices: Mapping[str, Mapping[str, Any]] = field(default_factory=empty_mapping)
    """Indices to create, by name; each value is the body of a ``PUT /user/index``."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index in the store of indices."""

    owner: str
    name: str
    type: str
    config: Mapping[str, Any] = field(default_factory=empty_mapping)
    """The keys of its index type, in the order of the type, without ``type``."""

    @property
    def path(self) -> str:
        """The path of the index, ``owner/name``."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and is committed."""

    name: str
    """``UserCreated``, ``PasswordChanged``, ``LoginFailed`` …; the page about events lists them all."""
    actor: str | None
    """The user who did it; None for anonymous."""
    subject: str
    """The user or index that it is about: a name, or ``owner/index``."""
    remote_address: str
    request_id: str
    time: datetime
    detail: Mapping[str, Any] = field(default_factory=empty_mapping)
    """Details of the change; never a secret."""
