"""What a plugin may reach of the server that it is part of."""

from __future__ import annotations

from collections.abc import Callable

from wheelgate.config import Config
from wheelgate.files.server_files import Files
from wheelgate.outgoing import Outgoing
from wheelgate.store.database import Database
from wheelgate.store.keys import derive_key
from wheelgate.store.protocols import IndexStore, UserStore
from wheelgate.store.server_state import ServerState


class Server:
    """Settings, database, files, outgoing requests and, once a plugin has brought them, the two stores."""

    users: UserStore
    indices: IndexStore
    forget_principal: Callable[[str], None]
    """Takes the name of a user, or a ``:group``, that is being deleted out of every access list, and tells the plugins
    that keep something about it. Belongs inside a transaction; there once the server answers requests."""
    hash_password: Callable[[str, str], str]
    """Takes a user's name and new password, checks it as every change does, and returns what the store is to keep.
    Raises ``BadInput`` or ``Unsupported``. Slow on purpose: call it in threads, as routes do."""

    def __init__(self, config: Config, database: Database) -> None:
        self.config = config
        self.database = database
        self.files = Files(config, database)
        self.outgoing = Outgoing(config)

    def derive_key(self, purpose: str) -> bytes:
        """Derive a key of 32 bytes that no other server and no other purpose has.

        It comes from the secret file, so that the database alone gives nobody the key. Who removes that file changes
        all keys.
        """
        uuid = ServerState(self.database).uuid
        return derive_key(self.config.secret_path.read_bytes(), f"wheelgate plugin {uuid} {purpose}")
