"""The table of pauses, which all workers share: hosts and pages that failed and are left alone for a while."""

from typing import Any

import peewee


def up(migrator: Any, db: Any) -> None:
    class Pause(db.Model):  # type: ignore[misc]  # peewee is not typed
        key = peewee.TextField(primary_key=True)
        until = peewee.DoubleField()
        refusal = peewee.TextField()
        message = peewee.TextField()

        class Meta:
            table_name = "mirror_pause"

    db.create_tables([Pause])
