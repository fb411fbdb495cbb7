"""The table of rendered descriptions. A row without HTML is a description that could not be rendered."""

from typing import Any

import peewee


def up(migrator: Any, db: Any) -> None:
    number = peewee.BigAutoField if isinstance(db, peewee.PostgresqlDatabase) else peewee.AutoField

    class Readme(db.Model):  # type: ignore[misc]  # peewee is not typed
        id = number()
        key = peewee.TextField(unique=True)
        html = peewee.TextField(null=True)

        class Meta:
            table_name = "web_readme"

    db.create_tables([Readme])
