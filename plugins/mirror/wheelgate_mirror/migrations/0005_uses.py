"""Add the day of the last use to the records of files: today for all that there are, because it is not known."""

import time
from typing import Any


def up(migrator: Any, db: Any) -> None:
    today = int(time.time() // 86_400)
    db.execute_sql(f"ALTER TABLE mirror_file ADD COLUMN used INTEGER NOT NULL DEFAULT {today}")
