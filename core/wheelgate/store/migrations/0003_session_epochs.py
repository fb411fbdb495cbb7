"""Epochs of sessions: a session of an old epoch has ended, whatever the clock says."""

from typing import Any


def up(migrator: Any, db: Any) -> None:
    db.execute_sql("ALTER TABLE server_state ADD COLUMN session_epoch BIGINT NOT NULL DEFAULT 0")
    db.execute_sql("ALTER TABLE server_state ADD COLUMN session_epoch_began BIGINT NOT NULL DEFAULT 0")
    # Its column expires is only for people from now on.
    db.execute_sql("ALTER TABLE ended_session ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0")
