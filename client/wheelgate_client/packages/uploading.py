"""Sends files to an index, and says what became of each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from wheelgate_client.errors import ClientError, RefusedError
from wheelgate_client.packages.distributions import Distribution
from wheelgate_client.progress import Progress
from wheelgate_client.server.forms import Form
from wheelgate_client.session import Session


def upload(session: Session, url: str, files: Sequence[Distribution], *, dry_run: bool) -> None:
    """Upload one file after the other, documentation last, because it needs a release to belong to.

    Raises:
        ClientError: at the first file that is not accepted; those before it stay uploaded.
    """
    for file in sorted(files, key=lambda file: file.action == "doc_upload"):
        what = f"{file.action} of {file.path.name} to {url}"
        if dry_run:
            session.terminal.line(f"skipped: {what}")
            continue
        try:
            remark = _send(session, url, file)
        except RefusedError as refused:
            hint = [refused.hint] if refused.hint else []
            lines = [f"{refused.status} FAIL {what}", *refused.reasons, *hint, f"POST to {url} FAILED"]
            raise ClientError("\n".join(lines)) from None
        session.terminal.line(what)
        if remark:
            session.terminal.line(remark)


def _send(session: Session, url: str, file: Distribution) -> str:
    size, sha256 = _measured(file.path)
    fields = (
        (":action", file.action),
        ("protocol_version", "1"),
        *file.fields,
        ("sha256_digest", sha256),
    )
    with Progress(session.terminal, file.path.name, size) as progress:
        return session.api.post_form(url, Form(fields, file.path, size, progress))


def _measured(path: Path) -> tuple[int, str]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            return file.tell(), digest.hexdigest()
    except OSError as error:
        raise ClientError(f"cannot read {path}: {error.strerror}") from None
