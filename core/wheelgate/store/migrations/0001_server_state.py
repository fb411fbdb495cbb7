"""The tables of the core: the server's identity and change counter, and the sessions that ended early."""

from typing import Any
from uuid import uuid4

import peewee


def up(migrator: Any, db: Any) -> None:
    class ServerState(db.Model):  # type: ignore[misc]  # peewee is not typed
        uuid = peewee.TextField(primary_key=True)
        serial = peewee.BigIntegerField()

        class Meta:
            table_name = "server_state"

    class EndedSession(db.Model):  # type: ignore[misc]
        id = peewee.TextField(primary_key=True)
        expires = peewee.BigIntegerField(index=True)

        class Meta:
            table_name = "ended_session"

    db.create_tables([ServerState, EndedSession])
    ServerState.insert(uuid=uuid4().hex, serial=0).execute()
