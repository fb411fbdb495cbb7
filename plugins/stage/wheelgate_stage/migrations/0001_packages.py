"""The tables of hosted packages. They refer to indices by path, because another plugin may store the indices."""

from typing import Any

import peewee


def up(migrator: Any, db: Any) -> None:
    """Create the tables."""
    project = create_projects(db)
    file = create_releases(db, project)
    create_file_details(db, file)


def create_projects(db: Any) -> Any:
    """Create the tables of indices and projects, and return the model of projects."""
    by_code_point = '"C"' if isinstance(db, peewee.PostgresqlDatabase) else "BINARY"

    class Index(db.Model):  # type: ignore[misc]  # peewee is not typed
        # The row outlives the index, so that the counter of a new index never repeats a value.
        path = peewee.TextField(primary_key=True)
        changes = peewee.BigIntegerField()
        listed = peewee.BigIntegerField()

        class Meta:
            table_name = "stage_index"

    class Project(db.Model):  # type: ignore[misc]
        id = number(db)
        index_path = peewee.TextField()
        name = peewee.TextField(collation=by_code_point)
        present = peewee.IntegerField()
        changed = peewee.BigIntegerField()
        status = peewee.TextField()
        status_reason = peewee.TextField()

        class Meta:
            table_name = "stage_project"
            indexes = ((("index_path", "name"), True),)

    db.create_tables([Index, Project])
    return Project


def create_releases(db: Any, project_model: Any) -> Any:
    """Create the tables of releases and their files, and return the model of files."""

    class Release(db.Model):  # type: ignore[misc]
        id = number(db)
        project = peewee.ForeignKeyField(project_model, on_delete="CASCADE", index=False)
        version_key = peewee.TextField()
        version = peewee.TextField()
        yanked = peewee.TextField(null=True)
        metadata = peewee.TextField()

        class Meta:
            table_name = "stage_release"
            indexes = ((("project", "version_key"), True),)

    class File(db.Model):  # type: ignore[misc]
        id = number(db)
        release = peewee.ForeignKeyField(Release, on_delete="CASCADE", index=False)
        identity = peewee.TextField()
        index_path = peewee.TextField()
        path = peewee.TextField()
        rel = peewee.TextField()
        tested = peewee.ForeignKeyField("self", on_delete="CASCADE", null=True)
        sha256 = peewee.TextField(index=True)
        size = peewee.BigIntegerField()
        md5 = peewee.TextField(null=True)
        blake2_256 = peewee.TextField(null=True)
        uploaded = peewee.TextField()
        uploader = peewee.TextField(null=True)
        requires_python = peewee.TextField(null=True)
        metadata_sha256 = peewee.TextField(null=True)
        attested = peewee.IntegerField()

        class Meta:
            table_name = "stage_file"
            indexes = ((("release", "identity"), True), (("index_path", "path"), True))

    db.create_tables([Release, File])
    return File


def create_file_details(db: Any, file_model: Any) -> None:
    """Create the tables of a file's metadata and history, and of removed paths."""

    class Sibling(db.Model):  # type: ignore[misc]
        file = peewee.ForeignKeyField(file_model, on_delete="CASCADE", index=False)
        kind = peewee.TextField()
        content = peewee.BlobField()

        class Meta:
            table_name = "stage_sibling"
            primary_key = peewee.CompositeKey("file", "kind")

    class Log(db.Model):  # type: ignore[misc]
        id = number(db)
        file = peewee.ForeignKeyField(file_model, on_delete="CASCADE")
        what = peewee.TextField()
        who = peewee.TextField(null=True)
        at = peewee.TextField()
        dst = peewee.TextField()
        src = peewee.TextField(null=True)
        count = peewee.IntegerField(null=True)

        class Meta:
            table_name = "stage_log"

    class Gone(db.Model):  # type: ignore[misc]
        index_path = peewee.TextField()
        path = peewee.TextField()

        class Meta:
            table_name = "stage_gone"
            primary_key = peewee.CompositeKey("index_path", "path")

    db.create_tables([Sibling, Log, Gone])


def number(db: Any) -> Any:
    """Return a field for a number that the database counts up."""
    return peewee.BigAutoField() if isinstance(db, peewee.PostgresqlDatabase) else peewee.AutoField()
