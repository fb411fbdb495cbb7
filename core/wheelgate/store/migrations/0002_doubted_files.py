"""The table of stored files that may not be needed any longer."""

from typing import Any

import peewee


def up(migrator: Any, db: Any) -> None:
    class DoubtedFile(db.Model):  # type: ignore[misc]  # peewee is not typed
        # Each doubt is a row of its own: one that is noted while the same file is being swept must outlive that.
        id = peewee.BigAutoField() if db.kind == "postgresql" else peewee.AutoField()
        sha256 = peewee.TextField()

        class Meta:
            table_name = "doubted_file"

    db.create_tables([DoubtedFile])
