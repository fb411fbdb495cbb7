"""The tables of mirrors: pages of upstreams, and records of downloaded files. They refer to indices by path."""

from typing import Any

import peewee


def up(migrator: Any, db: Any) -> None:
    class Page(db.Model):  # type: ignore[misc]  # peewee is not typed
        index_path = peewee.TextField()
        project = peewee.TextField()
        source = peewee.TextField()
        stamp = peewee.BigIntegerField()
        checked = peewee.DoubleField()
        etag = peewee.TextField()
        upstream_serial = peewee.BigIntegerField()
        status = peewee.TextField()
        content = peewee.BlobField(null=True)

        class Meta:
            table_name = "mirror_page"
            primary_key = peewee.CompositeKey("index_path", "project")

    class File(db.Model):  # type: ignore[misc]
        index_path = peewee.TextField()
        path = peewee.TextField()
        project = peewee.TextField()
        version = peewee.TextField()
        sha256 = peewee.TextField(index=True)
        size = peewee.BigIntegerField()
        upload_time = peewee.TextField(null=True)

        class Meta:
            table_name = "mirror_file"
            primary_key = peewee.CompositeKey("index_path", "path")
            indexes = ((("index_path", "project"), False),)

    db.create_tables([Page, File])
