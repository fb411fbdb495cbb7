"""Keeps users and indices in one JSON file in the server's folder, in place of the bundled store."""

from wheelgate import Server, hookimpl
from wheelgate_stub_store.file import JsonFile
from wheelgate_stub_store.indices import FileIndexStore
from wheelgate_stub_store.users import FileUserStore

FILE = "stub_store.json"


@hookimpl
def wheelgate_user_store(server: Server) -> FileUserStore:
    """Provide the user store."""
    return FileUserStore(JsonFile(server.config.serverdir / FILE))


@hookimpl
def wheelgate_index_store(server: Server) -> FileIndexStore:
    """Provide the index store."""
    return FileIndexStore(JsonFile(server.config.serverdir / FILE))
