"""The counts of an import into an index that exists."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class AddedCounts:
    """What an import has added, and what not."""

    projects: int = 0
    files: int = 0
    """Files that were added."""
    bytes: int = 0
    """Their bytes."""
    present: int = 0
    """Files that the index has already, with the same content as far as the source tells."""
    left_out: int = 0
    """Files and projects that were not taken, each with a finding."""
