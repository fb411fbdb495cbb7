"""Uploads files to an index and prints the result of each."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import ClientError, RefusedError
from wheelgate_client.packages.distributions import Distribution, keep_newest
from wheelgate_client.packages.upload_progress import UploadProgress
from wheelgate_client.server.responses import UploadResult
from wheelgate_client.server.upload_form import MultipartUpload

REPORTED_OUTCOMES = ("uploaded", "replaced")
"""What the end of the output says; files that the index already had cost a line of their own."""


def upload_files(
    context: ClientContext, url: str, files: Sequence[Distribution], index: str | None, *, dry_run: bool
) -> None:
    """Upload one file after the other; documentation comes last, because its release has to exist.

    At the end, say what became of the files, and how to install the releases, if the server reports it.

    Args:
        context: the context of the command.
        url: the address that takes the files.
        files: the files.
        index: the index as the user named it; None for the one in use.
        dry_run: only show what would be uploaded.

    Raises:
        ClientError: at the first file that the server refuses; the files before it stay uploaded.
    """
    outcomes: dict[str, list[Distribution]] = {}
    try:
        for file in sorted(files, key=lambda file: file.action == "doc_upload"):
            what = f"{file.action} of {file.path.name} to {url}"
            if dry_run:
                context.terminal.print_line(f"skipped: {what}")
                continue
            try:
                result = _upload_file(context, url, file)
            except RefusedError as refused:
                hint = [refused.hint] if refused.hint else []
                lines = [f"{refused.status} FAIL {what}", *refused.reasons, *hint, f"POST to {url} FAILED"]
                raise ClientError("\n".join(lines)) from None
            context.terminal.print_line(what)
            if result.remark:
                context.terminal.print_line(result.remark)
            outcomes.setdefault(result.outcome, []).append(file)
    finally:
        for line in _summary(outcomes, index):
            context.terminal.print_line(line)


def _summary(outcomes: Mapping[str, Sequence[Distribution]], index: str | None) -> Iterator[str]:
    """Yield the names of the uploaded and of the replaced files, and for each project the command that installs it."""
    reported = [(outcome, outcomes[outcome]) for outcome in REPORTED_OUTCOMES if outcome in outcomes]
    for outcome, files in reported:
        yield f"{outcome}: {', '.join(file.path.name for file in files)}"
    releases = [file for _, files in reported for file in files if file.action == "file_upload"]
    named = f" --index {shlex.quote(index)}" if index else ""
    newest = {(file.name, file.version) for file in keep_newest(releases)}
    for name, version in sorted(newest):
        yield f"to install: devpi install{named} {shlex.quote(f'{name}=={version}')}"


def _upload_file(context: ClientContext, url: str, file: Distribution) -> UploadResult:
    size, sha256 = _size_and_sha256(file.path)
    fields = (
        (":action", file.action),
        ("protocol_version", "1"),
        *file.fields,
        ("sha256_digest", sha256),
    )
    with UploadProgress(context.terminal, file.path.name, size) as progress:
        return context.api.post_form(url, MultipartUpload(fields, file.path, size, progress))


def _size_and_sha256(path: Path) -> tuple[int, str]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            return file.tell(), digest.hexdigest()
    except OSError as error:
        raise ClientError(f"cannot read {path}: {error.strerror}") from None
