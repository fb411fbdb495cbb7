"""The index type ``stage``: an index that takes uploads and inherits from others."""

from __future__ import annotations

from pathlib import Path

from wheelgate import Server, hookimpl
from wheelgate.fields import IndexType
from wheelgate_stage.index_fields import FIELDS
from wheelgate_stage.packages import StagePackages


@hookimpl
def wheelgate_migrations() -> Path:
    """Name the folder with the tables' history."""
    return Path(__file__).parent / "migrations"


@hookimpl
def wheelgate_index_types(server: Server) -> list[IndexType]:
    """Bring the type ``stage``."""
    return [IndexType("stage", FIELDS, takes_uploads=True, packages=StagePackages(server))]
