"""The import that is not finished yet, and what it has written."""

from typing import Any

import peewee


def up(migrator: Any, db: Any) -> None:
    class ImportRun(db.Model):  # type: ignore[misc]  # peewee is not typed
        source = peewee.TextField(primary_key=True)
        fingerprint = peewee.TextField()

        class Meta:
            table_name = "import_run"

    class ImportProgress(db.Model):  # type: ignore[misc]
        subject = peewee.TextField(primary_key=True)

        class Meta:
            table_name = "import_progress"

    db.create_tables([ImportRun, ImportProgress])
