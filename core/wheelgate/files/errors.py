"""Disk errors as refusals that a client may see."""

from __future__ import annotations

import errno
import logging

from wheelgate.errors import BackendUnavailable, Damaged, Refusal, StorageFull
from wheelgate.packages import StoredFile

log = logging.getLogger("wheelgate.files")

DISK_RETRY_AFTER_SECONDS = 10
"""Seconds after which a client may try again: an administrator has to look at the disk first."""


class translated:  # noqa: N801 - used as a function; PERF: a generator in its place takes three times as long
    """Turn an ``OSError`` inside the ``with`` block into a refusal, which contains no path of the server.

    Raises:
        StorageFull: no space is left.
        BackendUnavailable: any other error.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError):
            raise disk_refusal(error) from error


def disk_refusal(error: OSError) -> Refusal:
    """Return the refusal for a disk error."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StorageFull(
            "no space is left on the disk for package files, so nothing was stored; try again after an administrator"
            " has freed some",
            retry_after=DISK_RETRY_AFTER_SECONDS,
        )
    name = errno.errorcode.get(error.errno or 0, "unknown error")
    return BackendUnavailable(
        f"the server cannot use its disk for package files ({name}); an administrator has to look at it",
        retry_after=DISK_RETRY_AFTER_SECONDS,
    )


def damaged_file(stored: StoredFile, how: str) -> Damaged:
    """Log a damaged file as an error, and return the refusal for the client that asked for it."""
    log.error("the stored file %s is %s; run 'devpi-server fsck' to learn which releases need it", stored.sha256, how)
    return Damaged(
        "the server's copy of this file is damaged, so it is not served; an administrator can find the file in the log"
    )
