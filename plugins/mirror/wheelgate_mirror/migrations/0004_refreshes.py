"""The table of refreshes: each ends what the workers remember in memory, that the upstream does not have a project."""

from typing import Any

import peewee


def up(migrator: Any, db: Any) -> None:
    class Refresh(db.Model):  # type: ignore[misc]  # peewee is not typed
        index_path = peewee.TextField()
        project = peewee.TextField()
        at = peewee.DoubleField()

        class Meta:
            table_name = "mirror_refresh"
            primary_key = peewee.CompositeKey("index_path", "project")

    db.create_tables([Refresh])
