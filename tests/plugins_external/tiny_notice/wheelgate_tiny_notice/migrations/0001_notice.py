"""Creates the table with the notice, which has one row."""

from typing import Any


def up(migrator: Any, db: Any) -> None:
    db.execute_sql("CREATE TABLE tiny_notice (text TEXT NOT NULL)")
    db.execute_sql("INSERT INTO tiny_notice (text) VALUES ('')")
