"""Creates the table of tokens. It does not refer to users, who may be in another store."""

from typing import Any

import peewee


def up(migrator: Any, db: Any) -> None:
    class Token(db.Model):  # type: ignore[misc]  # peewee is not typed
        id = peewee.TextField(primary_key=True)
        digest = peewee.TextField()
        username = peewee.TextField(index=True)
        stamp = peewee.TextField()
        comment = peewee.TextField()
        caveat = peewee.TextField()
        created = peewee.BigIntegerField()
        expires = peewee.BigIntegerField()
        last_used = peewee.BigIntegerField(null=True)

        class Meta:
            table_name = "tokens_token"

    db.create_tables([Token])
