"""Users and indices in one JSON file of the server's folder, in the place of the bundled store."""

from wheelgate import Server, hookimpl
from wheelgate_stub_store.file import JsonFile
from wheelgate_stub_store.indices import FileIndexStore
from wheelgate_stub_store.users import FileUserStore

FILE = "stub_store.json"


@hookimpl
def wheelgate_user_store(server: Server) -> FileUserStore:
    """Bring the store of users."""
    return FileUserStore(JsonFile(server.config.serverdir / FILE))


@hookimpl
def wheelgate_index_store(server: Server) -> FileIndexStore:
    """Bring the store of indices."""
    return FileIndexStore(JsonFile(server.config.serverdir / FILE))
