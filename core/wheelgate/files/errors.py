"""What a disk reports when it fails, put into the words of the domain."""

from __future__ import annotations

import errno
import logging

from wheelgate.errors import BackendUnavailable, Damaged, Refusal, StorageFull
from wheelgate.packages import StoredFile

log = logging.getLogger("wheelgate.files")

LATER = 10
"""Seconds until it is worth while to try again: somebody has to look at the disk first."""


class told:  # noqa: N801 - used as a function; PERF: a generator in its place takes three times as long
    """Turn an ``OSError`` into a refusal; no path of the server shows in it.

    Raises:
        StorageFull: no space is left.
        BackendUnavailable: anything else.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError):
            raise refusal(error) from error


def refusal(error: OSError) -> Refusal:
    """Return what a client is told."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StorageFull(
            "no space is left where the server keeps its files, so nothing was kept; an administrator has to free"
            " some, then repeat",
            retry_after=LATER,
        )
    name = errno.errorcode.get(error.errno or 0, "unknown error")
    return BackendUnavailable(
        f"the server cannot use the disk of its files ({name}); an administrator has to look at it", retry_after=LATER
    )


def damaged(stored: StoredFile, how: str) -> Damaged:
    """Report a damaged file loudly, and return what the one who asked for it is told."""
    log.error("the stored file %s is %s: 'devpi-server fsck' finds out what is needed", stored.sha256, how)
    return Damaged(
        "the server's copy of this file is damaged and is not served; an administrator finds its name in the log"
    )
