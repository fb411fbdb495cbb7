"""Pushes: what a request wants, and a release that goes to another index of this server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wheelgate.errors import BadInput, Conflict, NotFound
from wheelgate.fields import shown
from wheelgate.files.server_files import Files
from wheelgate.packages import PackageSource, PackageTarget, Release, StoredFile, normalize
from wheelgate.services.indices import read_object
from wheelgate.values import Index

FLAGS = frozenset({"no_docs", "only_docs", "register_project"})


@dataclass(frozen=True, slots=True)
class OtherServer:
    """An index of another server, and who may upload to it there."""

    url: str
    username: str
    password: str
    register: bool
    """Whether to announce the project before the files."""


@dataclass(frozen=True, slots=True)
class Push:
    """What a request wants to be pushed, and where to."""

    name: str
    version: str
    target: tuple[str, str] | OtherServer
    """Owner and name of an index of this server, or another one's."""
    files: bool
    docs: bool


def read_push(body: Any) -> Push:
    """Read the body of a push.

    Raises:
        BadInput: a key is missing, unknown, or not what it should be.
    """
    given = read_object(body)
    outside = "posturl" in given
    needed = {"name", "version", *(("posturl", "username", "password") if outside else ("targetindex",))}
    unknown = sorted(set(given) - needed - FLAGS)
    if unknown:
        raise BadInput(f"unknown additional options: {', '.join(map(str, unknown))[:200]}")
    for key in sorted(needed):
        if not isinstance(given.get(key), str):
            raise BadInput(f"'{key}' must be given as text, not {shown(given.get(key))}")
    for key in sorted(FLAGS & set(given)):
        if not isinstance(given[key], bool):
            raise BadInput(f"'{key}' must be true or false, not {shown(given[key])}")
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
    return Push(name, version, target, files=not given.get("only_docs"), docs=not given.get("no_docs"))


def obtain(source: PackageSource, index: Index, push: Push) -> Release:
    """Return the release that is to be pushed, with all its bytes at hand. In a thread, outside of transactions.

    Raises:
        BadInput: the index has no such release.
        NotFound: it has one, but nothing of it that is to be pushed.
    """
    try:
        release = source.obtain(index, normalize(push.name), push.version)
    except NotFound:
        raise BadInput(
            f"there are no files for {ascii(push.name)[1:-1]} {ascii(push.version)[1:-1]} on stage {index.path}"
        ) from None
    wanted = {"releasefile"} if push.files else set()
    wanted |= {"doczip"} if push.docs else set()
    if not any(link.rel in wanted for link in release.links):
        raise NotFound(f"no release/files found for {release.name} {release.version}")
    return release


def take(
    files: Files, target: PackageTarget, to: Index, release: Release, source: Index, who: str | None, push: Push
) -> list[list[Any]]:
    """Record a release on another index of this server. Within a transaction; returns the action log.

    Raises:
        Conflict: a file of it is there already, or has been removed from the source meanwhile.
    """
    files.hold(at_hand(release))
    return target.take(to, release, source, who, files=push.files, docs=push.docs)


def at_hand(release: Release) -> list[StoredFile]:
    """Return the stored files of a release.

    Raises:
        Conflict: one is not at hand.
    """
    stored = [link.stored for link in release.links if link.stored is not None]
    if len(stored) != len(release.links):
        raise Conflict(f"a file of {release.name} {release.version} is not at hand any longer; try again")
    return stored
