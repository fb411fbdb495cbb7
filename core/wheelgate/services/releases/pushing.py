"""Pushes: the body of a request, and the copy of a release to another index of this server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wheelgate.errors import BadInput, Conflict, NotFound
from wheelgate.fields import excerpt
from wheelgate.files.server_files import Files
from wheelgate.names import did_you_mean
from wheelgate.packages import PackageSource, PackageTarget, Release, StoredFile, normalize
from wheelgate.services.json_objects import read_object
from wheelgate.values import Index

BOOLEAN_PUSH_KEYS = frozenset({"no_docs", "only_docs", "register_project"})
"""Keys of a push that are true or false."""


@dataclass(frozen=True, slots=True)
class OtherServer:
    """An index of another server, and the login for uploads to it."""

    url: str
    username: str
    password: str
    register: bool
    """Whether to register the project before the files are sent."""


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A release, and where to push it."""

    name: str
    version: str
    target: tuple[str, str] | OtherServer
    """Owner and name of an index of this server, or an index of another one."""
    files: bool
    """Whether to push the release files."""
    docs: bool
    """Whether to push the documentation."""


def read_push(body: Any) -> PushRequest:
    """Read the body of a push request.

    Raises:
        BadInput: a key is missing or unknown, or a value is wrong.
    """
    given = read_object(body)
    outside = "posturl" in given
    needed = {"name", "version", *(("posturl", "username", "password") if outside else ("targetindex",))}
    unknown = sorted(set(given) - needed - BOOLEAN_PUSH_KEYS)
    if unknown:
        near = did_you_mean(unknown[0], needed | BOOLEAN_PUSH_KEYS)
        raise BadInput(f"unknown additional options: {', '.join(map(str, unknown))[:200]}{near}")
    for key in sorted(needed):
        if not isinstance(given.get(key), str):
            raise BadInput(f"'{key}' must be given as text, not {excerpt(given.get(key))}")
    for key in sorted(BOOLEAN_PUSH_KEYS & set(given)):
        if not isinstance(given[key], bool):
            raise BadInput(f"'{key}' must be true or false, not {excerpt(given[key])}")
    if given.get("no_docs") and given.get("only_docs"):
        raise BadInput("can't use 'no_docs' and 'only_docs' together")
    name, version = given["name"].strip(), given["version"].strip()
    if not name or not version:
        raise BadInput("'name' and 'version' must not be empty")
    target: tuple[str, str] | OtherServer
    if outside:
        register = bool(given.get("register_project"))
        target = OtherServer(given["posturl"], given["username"], given["password"], register)
    else:
        owner, slash, index = given["targetindex"].strip("/").partition("/")
        if not owner or not slash or not index or "/" in index:
            raise BadInput("targetindex not in format user/index")
        target = owner, index
    return PushRequest(name, version, target, files=not given.get("only_docs"), docs=not given.get("no_docs"))


def obtain_release(source: PackageSource, index: Index, push: PushRequest) -> Release:
    """Return the release to push, with all its files stored here. Call it in a thread, outside of transactions.

    Raises:
        BadInput: the index does not have the release.
        NotFound: the release has none of the files that are to be pushed.
    """
    try:
        release = source.fetch_release(index, normalize(push.name), push.version)
    except NotFound:
        raise BadInput(
            f"there are no files for {ascii(push.name)[1:-1]} {ascii(push.version)[1:-1]} on stage {index.path}"
        ) from None
    wanted = {"releasefile"} if push.files else set()
    wanted |= {"doczip"} if push.docs else set()
    if not any(link.rel in wanted for link in release.files):
        raise NotFound(f"no release/files found for {release.name} {release.version}")
    return release


def record_push(
    files: Files,
    target: PackageTarget,
    to: Index,
    release: Release,
    source: Index,
    username: str | None,
    push: PushRequest,
) -> list[list[Any]]:
    """Record a release on another index of this server, and return the action log. Runs inside a transaction.

    Raises:
        Conflict: the index has a file of it already, or a file was removed from the source in the meantime.
    """
    files.require_stored(stored_files(release))
    return target.copy_release(to, release, source, username, files=push.files, docs=push.docs)


def stored_files(release: Release) -> list[StoredFile]:
    """Return the stored files of a release.

    Raises:
        Conflict: a file is not stored here any more.
    """
    stored = [link.stored for link in release.files if link.stored is not None]
    if len(stored) != len(release.files):
        raise Conflict(f"a file of {release.name} {release.version} is not stored here any more; try again")
    return stored
