"""Uploads files to an index and prints the result of each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import ClientError, RefusedError
from wheelgate_client.packages.distributions import Distribution
from wheelgate_client.packages.upload_progress import UploadProgress
from wheelgate_client.server.upload_form import MultipartUpload


def upload_files(context: ClientContext, url: str, files: Sequence[Distribution], *, dry_run: bool) -> None:
    """Upload one file after the other; documentation comes last, because its release has to exist.

    Raises:
        ClientError: at the first file that the server refuses; the files before it stay uploaded.
    """
    for file in sorted(files, key=lambda file: file.action == "doc_upload"):
        what = f"{file.action} of {file.path.name} to {url}"
        if dry_run:
            context.terminal.print_line(f"skipped: {what}")
            continue
        try:
            remark = _upload_file(context, url, file)
        except RefusedError as refused:
            hint = [refused.hint] if refused.hint else []
            lines = [f"{refused.status} FAIL {what}", *refused.reasons, *hint, f"POST to {url} FAILED"]
            raise ClientError("\n".join(lines)) from None
        context.terminal.print_line(what)
        if remark:
            context.terminal.print_line(remark)


def _upload_file(context: ClientContext, url: str, file: Distribution) -> str:
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
