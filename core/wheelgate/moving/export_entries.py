"""Users and files in the form of an export, and what only ``wheelgate.json`` can say about them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from wheelgate.moving.entries import EPOCH
from wheelgate.packages import LogEntry, MovedFile, MovedProject
from wheelgate.password_text import LEGACY_SHA256_PREFIX
from wheelgate.services.user_json import timestamp
from wheelgate.values import Index, User


def user_entry(user: User, password_hash: str | None) -> dict[str, Any]:
    """Return a user as devpi's exports have it; without hash if there is no password here."""
    entry: dict[str, Any] = {"username": user.name, "created": timestamp(user.created)}
    if user.modified is not None:
        entry["modified"] = timestamp(user.modified)
    for key in ("email", "title", "description", "custom_data"):
        value = getattr(user, key)
        if value is not None:
            entry[key] = value
    if password_hash and password_hash.startswith(LEGACY_SHA256_PREFIX):
        entry["pwsalt"], _, entry["pwhash"] = password_hash.removeprefix(LEGACY_SHA256_PREFIX).rpartition("$")
    elif password_hash:
        entry["pwhash"] = password_hash
    return entry


def version_entry(project: MovedProject) -> dict[str, Any]:
    """Return the versions of a project with their metadata."""
    return {release.version: dict(release.metadata) for release in project.releases}


def file_relpath(index: Index, project: str, version: str, file: MovedFile, tested_sha256: str) -> str:
    """Return where a file lies in the export: devpi's own layout, with the hash of the tested file for a result."""
    if file.rel == "doczip":
        return f"{index.path}/{file.name}"
    if file.rel == "toxresult":
        return f"{index.path}/{project}/sha256={tested_sha256}/{file.name}"
    return f"{index.path}/{project}/{version}/{file.name}"


def file_entry(index: Index, project: str, version: str, file: MovedFile, relpath: str) -> dict[str, Any]:
    """Return the entry of a file in ``dataindex.json``."""
    uploaded = _parsed(file.uploaded)
    mapping = {
        "last_modified": format_datetime(uploaded, usegmt=True),
        "hash_spec": f"sha256={file.stored.sha256}",
        "hashes": {"sha256": file.stored.sha256},
        "project": project,
        "version": version,
    }
    if file.url:
        mapping["url"] = file.url
    entry = {
        "type": file.rel,
        "projectname": project,
        "version": version,
        "relpath": relpath,
        "entrymapping": mapping,
        "log": [log_entry(each) for each in file.log],
    }
    if file.rel == "toxresult":
        entry["for_entrypath"] = f"{index.path}/{file.tested}"
    return entry


def log_entry(entry: LogEntry) -> dict[str, Any]:
    """Return an entry of a file's history; devpi's times have whole seconds."""
    when = entry.when.astimezone(UTC)
    shown: dict[str, Any] = {
        "what": entry.what,
        "who": entry.who,
        "when": [when.year, when.month, when.day, when.hour, when.minute, when.second],
    }
    if entry.what != "overwrite":
        shown["dst"] = entry.dst
    if entry.src is not None:
        shown["src"] = entry.src
    if entry.count is not None:
        shown["count"] = entry.count
    return shown


def file_details(file: MovedFile, relpath: str) -> dict[str, Any]:
    """Return what only ``wheelgate.json`` can say about a file."""
    details: dict[str, Any] = {"relpath": relpath, "uploaded": file.uploaded, "uploader": file.uploader}
    details["log"] = [entry.when.astimezone(UTC).isoformat() for entry in file.log]
    for key in ("md5", "blake2_256"):
        if key in file.hashes:
            details[key] = file.hashes[key]
    if file.requires_python is not None:
        details["requires_python"] = file.requires_python
    for key, content in siblings(file).items():
        details[key] = hashlib.sha256(content).hexdigest()
    return details


def siblings(file: MovedFile) -> Mapping[str, bytes]:
    """Return the files beside a release file, by the suffixes of their names."""
    found = {"metadata": file.core_metadata, "provenance": file.provenance}
    return {kind: content for kind, content in found.items() if content is not None}


def project_details(project: MovedProject) -> dict[str, Any] | None:
    """Return what only ``wheelgate.json`` can say about a project; None if there is nothing."""
    yanked = {release.version: release.yanked for release in project.releases if release.yanked is not None}
    if project.status == "active" and not yanked and project.releases:
        return None
    return {
        "name": project.name,
        "status": project.status,
        "status_reason": project.status_reason,
        "yanked": yanked,
    }


def user_details(users: Iterable[User]) -> dict[str, Any]:
    """Return what only ``wheelgate.json`` can say about users: stamps, to which tokens are bound, and providers."""
    return {user.name: {"stamp": user.stamp, "provider": user.provider} for user in users}


def _parsed(uploaded: str) -> datetime:
    """Return an upload time as devpi writes it, in whole seconds."""
    try:
        return datetime.fromisoformat(uploaded).astimezone(UTC).replace(microsecond=0)
    except ValueError:
        return EPOCH
