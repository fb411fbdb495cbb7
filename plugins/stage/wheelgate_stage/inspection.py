"""Checks of an upload before it is stored: form, file name and archive must be valid and agree with each other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.version import Version

from wheelgate.errors import BadInput
from wheelgate.packages import CheckedUpload, ReceivedFile, UploadForm, UploadOrigin, version_key
from wheelgate_stage.attestations import parse_attestations
from wheelgate_stage.filenames import parse_filename, parse_version
from wheelgate_stage.limits import ArchiveLimits
from wheelgate_stage.metadata import form_fields, parse_core_metadata, parse_project
from wheelgate_stage.tars import tar_metadata
from wheelgate_stage.upload_checks import UploadChecks
from wheelgate_stage.zips import check_zip, zip_metadata

CHECKED_DIGEST_FIELDS = {
    "md5_digest": {32: "md5"},
    "sha256_digest": {64: "sha256"},
    "blake2_256_digest": {64: "blake2_256", 128: "blake2_512"},
}
"""The form fields with digests: by the number of hexadecimal digits, the name of the hash.

``setup.py upload`` of Python 3.9 and later sends 512 bits in the field for 256.
"""
HEX_DIGITS = re.compile("[0-9a-f]+")
HASHES: Mapping[str, Callable[[], Any]] = {
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "blake2_256": lambda: hashlib.blake2b(digest_size=32),
    "blake2_512": hashlib.blake2b,
}
"""The hashes that a received file may lack."""
HASH_CHUNK_BYTES = 1 << 20
"""Bytes of a file that are read and hashed at once."""


@dataclass(frozen=True, slots=True)
class UploadDetails:
    """What a checked upload records."""

    name: str
    """The project's name in the spelling of the form."""
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
    """The core metadata of a wheel, which is served next to it."""
    provenance: bytes | None = None
    uploaded: str = ""
    """The time of the upload; empty stands for the present."""


def inspect_upload(
    form: UploadForm, file: ReceivedFile | None, latest: str | None, checks: UploadChecks
) -> CheckedUpload:
    """Check an upload.

    Args:
        form: its fields.
        file: its file, if it has one.
        latest: the latest version of the project, for documentation without a version.
        checks: the checks of the index.

    Raises:
        BadInput: the upload is not valid; the message says why.
    """
    actions = {"file_upload": _check_file, "submit": _check_registration, "doc_upload": _check_docs}
    action = actions.get(form.action)
    if action is None:
        raise BadInput(f"action '{form.action[:40]}' not supported; use {', '.join(actions)}")
    project = parse_project(form.first("name"))
    return action(form, file, project, latest, checks)


def _check_registration(
    form: UploadForm, file: ReceivedFile | None, project: str, latest: str | None, checks: UploadChecks
) -> CheckedUpload:
    version = form.first("version")
    parse_version(version)
    return CheckedUpload(project, version, "", None, UploadDetails(form.first("name"), form_fields(form), {}))


def _check_file(
    form: UploadForm, file: ReceivedFile | None, project: str, latest: str | None, checks: UploadChecks
) -> CheckedUpload:
    if file is None:
        raise BadInput("content file field not found; the form must contain the file as 'content', with its file name")
    version = form.first("version")
    parsed = parse_version(version)
    parts = parse_filename(form.filename, project, parsed, old_archives=not checks.opens_archives)
    hashes = _checked_hashes(form, file)
    content, core_fields = None, {}
    if checks.opens_archives:
        content = _core_metadata(parts.kind, form.filename, file, project, parsed, checks.limits)
        core_fields = parse_core_metadata(form.filename, content, project, parsed)
    attestations = form.first("attestations")

    def is_this_file(name: str, sha256: str) -> bool:
        return sha256.lower() == file.stored.sha256 and is_same_file(name, form.filename, project, parsed)

    origin = form.origin or UploadOrigin()
    # An import knows the name only as file names and URLs have it.
    name = form.first("name") if form.origin is None else core_fields.get("name", form.first("name"))
    upload = UploadDetails(
        name,
        form_fields(form),
        core_fields,
        "releasefile",
        parts.identity,
        hashes,
        content if parts.kind == "wheel" else None,
        parse_attestations(attestations, is_this_file) if attestations else origin.provenance,
        origin.uploaded,
    )
    return CheckedUpload(project, version, form.filename, file, upload)


def is_same_file(name: str, filename: str, project: str, version: Version) -> bool:
    """Return whether two names are spellings of the same file of a version."""
    try:
        return name == filename or parse_filename(name, project, version) == parse_filename(filename, project, version)
    except BadInput:
        return False


def _check_docs(
    form: UploadForm, file: ReceivedFile | None, project: str, latest: str | None, checks: UploadChecks
) -> CheckedUpload:
    if file is None:
        raise BadInput("content file field not found; the form must contain the zip of the documentation as 'content'")
    version = form.first("version") if "version" in form.fields else latest
    if version is None:
        raise BadInput(f"doczip has no version and '{project}' has no releases to derive one from")
    parsed = parse_version(version)
    filename = doc_filename(project, version)
    if checks.opens_archives:
        check_zip(form.filename or filename, file, checks.limits)
    upload = UploadDetails(
        form.first("name"), form_fields(form), {}, "doczip", doc_identity(parsed), _checked_hashes(form, file)
    )
    return CheckedUpload(project, version, filename, file, upload)


def doc_filename(project: str, version: str) -> str:
    """Return the name of the documentation of a version. The name in the upload does not matter."""
    return f"{project}-{version}.doc.zip"


def doc_identity(version: Version | str) -> str:
    """Return the identity of the documentation of a version. Each version has at most one."""
    return f"doc {version_key(version)}"


def _core_metadata(
    kind: str, filename: str, file: ReceivedFile, project: str, version: Version, limits: ArchiveLimits
) -> bytes:
    if kind == "tar":
        return tar_metadata(filename, file, limits)
    return zip_metadata(filename, file, kind, project, version, limits)


def _checked_hashes(form: UploadForm, file: ReceivedFile) -> dict[str, str]:
    """Return the hashes of a file. Raise ``BadInput`` unless all digests in the form match it."""
    hashes = dict(file.hashes)
    for key, names in CHECKED_DIGEST_FIELDS.items():
        given = form.first(key).strip().lower()
        if not given:
            continue
        name = names.get(len(given), "")
        if not name or not HEX_DIGITS.fullmatch(given):
            raise BadInput(
                f"the field '{key}' must be a digest of {' or '.join(map(str, names))} hexadecimal digits; correct it"
                " or leave it out"
            )
        if name not in hashes:
            hashes[name] = _hash(name, file)
        if hashes[name] != given:
            raise BadInput(
                f"the file does not match its {key}: it was damaged on its way, or is another file; repeat the upload"
            )
    return hashes


def _hash(name: str, received: ReceivedFile) -> str:
    """Read a file and return one of its hashes, in hexadecimal digits."""
    digest = HASHES[name]()
    with received.open() as file:
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return str(digest.hexdigest())
