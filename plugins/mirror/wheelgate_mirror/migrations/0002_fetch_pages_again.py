"""Expire all pages: version 0.1.0 did not read the digests of a fragment such as ``egg=abc&sha256=…``."""

from typing import Any


def up(migrator: Any, db: Any) -> None:
    db.execute_sql("UPDATE mirror_page SET checked = 0, etag = '', upstream_serial = 0, stamp = stamp + 1")
