"""The table of marked files: stored files that may be unreferenced."""

from typing import Any

import peewee


def up(migrator: Any, db: Any) -> None:
    class DoubtedFile(db.Model):  # type: ignore[misc]  # peewee is not typed
        # Each mark is a row of its own: a mark that is set while the same file is being swept must outlive the sweep.
        id = peewee.BigAutoField() if db.kind == "postgresql" else peewee.AutoField()
        sha256 = peewee.TextField()

        class Meta:
            table_name = "doubted_file"

    db.create_tables([DoubtedFile])
