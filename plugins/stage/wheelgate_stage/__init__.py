"""The index type ``stage``: an index that takes uploads and inherits from other indices."""

from __future__ import annotations

from pathlib import Path

from wheelgate import Option, Server, hookimpl
from wheelgate.fields import IndexType
from wheelgate.option_types import whole_number
from wheelgate_stage.index_fields import STAGE_FIELDS
from wheelgate_stage.limits import DEFAULT_MAX_ARCHIVE_ENTRIES, MAX_CONFIGURED_ARCHIVE_ENTRIES
from wheelgate_stage.packages import StagePackages


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare the limit of the archives that the server opens."""
    return [
        Option(
            "max-archive-entries",
            "most files and folders in an uploaded archive; the server reads the names of all of them",
            DEFAULT_MAX_ARCHIVE_ENTRIES,
            whole_number(1, MAX_CONFIGURED_ARCHIVE_ENTRIES),
            metavar="N",
        )
    ]


@hookimpl
def wheelgate_migrations() -> Path:
    """Return the folder with the migrations of the plugin's tables."""
    return Path(__file__).parent / "migrations"


@hookimpl
def wheelgate_index_types(server: Server) -> list[IndexType]:
    """Provide the type ``stage``."""
    return [IndexType("stage", STAGE_FIELDS, takes_uploads=True, packages=StagePackages(server))]
