"""The index type ``stage``: an index that takes uploads and inherits from other indices."""

from __future__ import annotations

from pathlib import Path

from wheelgate import Server, hookimpl
from wheelgate.fields import IndexType
from wheelgate_stage.index_fields import STAGE_FIELDS
from wheelgate_stage.packages import StagePackages


@hookimpl
def wheelgate_migrations() -> Path:
    """Return the folder with the migrations of the plugin's tables."""
    return Path(__file__).parent / "migrations"


@hookimpl
def wheelgate_index_types(server: Server) -> list[IndexType]:
    """Provide the type ``stage``."""
    return [IndexType("stage", STAGE_FIELDS, takes_uploads=True, packages=StagePackages(server))]
