"""Looks at an upload before anything is kept: what it says of itself must be true and hang together."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.version import Version

from wheelgate.errors import BadInput
from wheelgate.packages import CheckedUpload, ReceivedFile, UploadForm
from wheelgate_stage.attestations import parse_attestations
from wheelgate_stage.filenames import parse_filename, parse_version, version_key
from wheelgate_stage.metadata import parse_project, read_core_metadata, sent_fields
from wheelgate_stage.tars import tar_metadata
from wheelgate_stage.zips import check_zip, zip_metadata

DIGESTS = {"md5_digest": "md5", "sha256_digest": "sha256", "blake2_256_digest": "blake2_256"}
HEXADECIMAL = re.compile("[0-9a-f]+")
LENGTHS = {"md5": 32, "sha256": 64, "blake2_256": 64}
"""Hexadecimal digits."""
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """What to record of an upload."""

    name: str
    """The project's name as it was spelt."""
    sent: Mapping[str, Any]
    """Version data from the form."""
    core: Mapping[str, Any]
    """Version data from the archive."""
    rel: str = ""
    """``releasefile`` or ``doczip``; empty if there is no file."""
    identity: str = ""
    """The same for every spelling of one file."""
    hashes: Mapping[str, str] = field(default_factory=dict)
    metadata: bytes | None = None
    """The core metadata of a wheel, which are served beside it."""
    provenance: bytes | None = None


def inspect_upload(form: UploadForm, file: ReceivedFile | None, latest: str | None) -> CheckedUpload:
    """Check an upload; ``latest`` is the latest version of the project, for documentation that names none.

    Raises:
        BadInput: something is wrong with it.
    """
    actions = {"file_upload": _file, "submit": _submit, "doc_upload": _documentation}
    action = actions.get(form.action)
    if action is None:
        raise BadInput(f"action '{form.action[:40]}' not supported; use {', '.join(actions)}")
    project = parse_project(form.first("name"))
    return action(form, file, project, latest)


def _submit(form: UploadForm, file: ReceivedFile | None, project: str, latest: str | None) -> CheckedUpload:
    version = form.first("version")
    parse_version(version)
    return CheckedUpload(project, version, "", None, Upload(form.first("name"), sent_fields(form), {}))


def _file(form: UploadForm, file: ReceivedFile | None, project: str, latest: str | None) -> CheckedUpload:
    if file is None:
        raise BadInput("content file field not found; the form must hold the file as 'content', with its file name")
    version = form.first("version")
    parsed = parse_version(version)
    named = parse_filename(form.filename, project, parsed)
    hashes = _checked_hashes(form, file)
    content = _metadata(named.kind, form.filename, file, project)
    core = read_core_metadata(form.filename, content, project, parsed)
    attestations = form.first("attestations")
    upload = Upload(
        form.first("name"),
        sent_fields(form),
        core.fields,
        "releasefile",
        named.identity,
        hashes,
        content if named.kind == "wheel" else None,
        parse_attestations(attestations) if attestations else None,
    )
    return CheckedUpload(project, version, form.filename, file, upload)


def _documentation(form: UploadForm, file: ReceivedFile | None, project: str, latest: str | None) -> CheckedUpload:
    if file is None:
        raise BadInput("content file field not found; the form must hold the zip of the documentation as 'content'")
    version = form.first("version") if "version" in form.fields else latest
    if version is None:
        raise BadInput(f"doczip has no version and '{project}' has no releases to derive one from; give a version")
    parsed = parse_version(version)
    filename = doc_filename(project, version)
    check_zip(form.filename or filename, file)
    upload = Upload(
        form.first("name"), sent_fields(form), {}, "doczip", doc_identity(parsed), _checked_hashes(form, file)
    )
    return CheckedUpload(project, version, filename, file, upload)


def doc_filename(project: str, version: str) -> str:
    """Return what the documentation of a version is called, whatever it was called before."""
    return f"{project}-{version}.doc.zip"


def doc_identity(version: Version | str) -> str:
    """Return the identity of the documentation of a version: there is one of each."""
    return f"doc {version_key(version)}"


def _metadata(kind: str, filename: str, file: ReceivedFile, project: str) -> bytes:
    if kind == "tar":
        return tar_metadata(filename, file)
    return zip_metadata(filename, file, kind, project)


def _checked_hashes(form: UploadForm, file: ReceivedFile) -> dict[str, str]:
    """Return the hashes of a file that are known, all of them those that the uploader gave."""
    hashes = dict(file.hashes)
    for key, name in DIGESTS.items():
        given = form.first(key).lower()
        if not given:
            continue
        if len(given) != LENGTHS[name] or not HEXADECIMAL.fullmatch(given):
            raise BadInput(f"the field '{key}' must be a digest of {LENGTHS[name]} hexadecimal digits")
        if name not in hashes:
            hashes[name] = _hash(name, file)
        if hashes[name] != given:
            raise BadInput(
                f"the file does not have the {key} that was given: it was damaged on its way, or is another file;"
                " repeat the upload"
            )
    return hashes


def _hash(name: str, draft: ReceivedFile) -> str:
    """Read a file and return one of its hashes."""
    digest = hashlib.md5(usedforsecurity=False) if name == "md5" else hashlib.blake2b(digest_size=32)
    with draft.open() as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
