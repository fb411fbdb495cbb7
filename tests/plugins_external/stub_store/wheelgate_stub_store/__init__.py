"""Stores users and indices in one JSON file in the server's folder, in place of the bundled store."""

from wheelgate import hookimpl
from wheelgate.config import Config
from wheelgate_stub_store.file import JsonFile
from wheelgate_stub_store.indices import FileIndexStore
from wheelgate_stub_store.users import FileUserStore

STORE_FILE = "stub_store.json"


@hookimpl
def wheelgate_user_store(config: Config) -> FileUserStore:
    """Provide the user store."""
    return FileUserStore(JsonFile(config.serverdir / STORE_FILE))


@hookimpl
def wheelgate_index_store(config: Config) -> FileIndexStore:
    """Provide the index store."""
    return FileIndexStore(JsonFile(config.serverdir / STORE_FILE))
