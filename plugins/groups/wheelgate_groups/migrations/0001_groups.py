"""Creates the tables of groups. Members are names, not foreign keys: users may be in another store."""

from typing import Any

import peewee


def up(migrator: Any, db: Any) -> None:
    by_code_point = '"C"' if isinstance(db, peewee.PostgresqlDatabase) else "BINARY"

    class Group(db.Model):  # type: ignore[misc]  # peewee is not typed
        name = peewee.TextField(primary_key=True, collation=by_code_point)
        folded = peewee.TextField(unique=True)
        title = peewee.TextField(null=True)

        class Meta:
            table_name = "groups_group"

    class Member(db.Model):  # type: ignore[misc]
        group = peewee.TextField(collation=by_code_point, column_name="group_name")
        member = peewee.TextField(collation=by_code_point)

        class Meta:
            table_name = "groups_member"
            primary_key = peewee.CompositeKey("group", "member")
            indexes = ((("member", "group"), False),)

    db.create_tables([Group, Member])
