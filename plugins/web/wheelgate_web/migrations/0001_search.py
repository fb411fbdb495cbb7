"""The table of projects that the search finds, its full-text index, and the state of the indexing."""

from typing import Any

import peewee
from playhouse.sqlite_ext import FTS5Model, SearchField


def up(migrator: Any, db: Any) -> None:
    """Create the tables."""
    is_postgresql = isinstance(db, peewee.PostgresqlDatabase)
    by_code_point = '"C"' if is_postgresql else "BINARY"

    class WebProject(db.Model):  # type: ignore[misc]  # peewee is not typed
        # The number of a row is made from its name, so that full-text matches come in the order of the results.
        id = peewee.BigIntegerField(primary_key=True) if is_postgresql else peewee.AutoField()
        index_path = peewee.TextField(collation=by_code_point)
        name = peewee.TextField(collation=by_code_point)
        squeezed = peewee.TextField(collation=by_code_point)
        summary = peewee.TextField()
        keywords = peewee.TextField()
        latest = peewee.TextField()
        time = peewee.TextField()
        requirements = peewee.TextField()
        stamp = peewee.TextField()

        class Meta:
            table_name = "web_project"
            indexes = ((("index_path", "name"), True), (("squeezed",), False))

    class WebIndex(db.Model):  # type: ignore[misc]
        path = peewee.TextField(primary_key=True)
        stamp = peewee.TextField()

        class Meta:
            table_name = "web_index"

    class WebLease(db.Model):  # type: ignore[misc]
        name = peewee.TextField(primary_key=True)
        holder = peewee.TextField()
        until = peewee.DoubleField()

        class Meta:
            table_name = "web_lease"

    db.create_tables([WebProject, WebIndex, WebLease])
    if is_postgresql:
        db.execute_sql("ALTER TABLE web_project ADD COLUMN search tsvector NOT NULL DEFAULT ''")
        db.execute_sql("CREATE INDEX web_project_search ON web_project USING gin (search)")
        return

    class WebSearch(FTS5Model):  # type: ignore[misc]
        start = SearchField()
        name = SearchField()
        parts = SearchField()
        text = SearchField()
        needs = SearchField()
        place = SearchField()

        class Meta:
            database = db
            table_name = "web_search"
            options = {"tokenize": "unicode61", "prefix": "2 3", "detail": "column"}  # noqa: RUF012 - of peewee

    db.create_tables([WebSearch])
