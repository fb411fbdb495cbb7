"""A stranger's writer of client configuration, for a tool whose file holds one line."""

from pathlib import Path

from wheelgate_client.hookspecs import Edit, Location, Target, hookimpl


class OneLine:
    """The tool ``stub``."""

    name = "stub"

    def location(self, venv: Path | None) -> Location | None:
        return Location(Path.home() / ".stubrc", "~/.stubrc", shown=True) if venv is None else None

    def read(self, path: Path) -> str | None:
        return path.read_text().strip() if path.exists() else None

    def plan(self, path: Path, target: Target) -> Edit:
        return Edit(path, self._bytes(path), f"{target.simple_url}\n".encode(), has_secret=False)

    def unplan(self, path: Path, server_url: str) -> Edit:
        return Edit(path, self._bytes(path), None, has_secret=False)

    def _bytes(self, path: Path) -> bytes | None:
        return path.read_bytes() if path.exists() else None


@hookimpl
def wheelgate_client_config_writers() -> list[OneLine]:
    return [OneLine()]


@hookimpl
def wheelgate_client_get_password(url: str, username: str) -> str | None:
    return "from the vault" if username == "vaulted" else None
