"""The tables as peewee models. They are bound to no database: each query gets the one that it runs on."""

from __future__ import annotations

import peewee


class UserRow(peewee.Model):
    """A user. Times are seconds since 1970; ``custom_data`` is JSON."""

    name = peewee.TextField(unique=True)
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

    class Meta:  # noqa: D106  # peewee's
        table_name = "sql_store_user"


class IndexRow(peewee.Model):
    """An index. Its owner is a name, not a foreign key: users may be in another store. ``config`` is JSON."""

    owner = peewee.TextField()
    name = peewee.TextField()
    folded = peewee.TextField()
    type = peewee.TextField()
    config = peewee.TextField()

    class Meta:  # noqa: D106  # peewee's
        table_name = "sql_store_index"
