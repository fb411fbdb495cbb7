"""Creates the tables of users and indices. Indices do not refer to users, who may be in another store."""

from typing import Any

import peewee


def up(migrator: Any, db: Any) -> None:
    by_code_point = '"C"' if isinstance(db, peewee.PostgresqlDatabase) else "BINARY"

    class User(db.Model):  # type: ignore[misc]  # peewee is not typed
        name = peewee.TextField(unique=True, collation=by_code_point)
        folded = peewee.TextField(unique=True)
        email = peewee.TextField(null=True)
        title = peewee.TextField(null=True)
        description = peewee.TextField(null=True)
        custom_data = peewee.TextField(null=True)
        created = peewee.BigIntegerField()
        modified = peewee.BigIntegerField(null=True)
        password_hash = peewee.TextField(null=True)
        stamp = peewee.TextField()
        provider = peewee.TextField()

        class Meta:
            table_name = "sql_store_user"

    class Index(db.Model):  # type: ignore[misc]
        owner = peewee.TextField(collation=by_code_point)
        name = peewee.TextField(collation=by_code_point)
        folded = peewee.TextField()
        type = peewee.TextField()
        config = peewee.TextField()

        class Meta:
            table_name = "sql_store_index"
            indexes = ((("owner", "name"), True), (("owner", "folded"), True))

    db.create_tables([User, Index])
