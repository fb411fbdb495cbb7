"""A third-party config writer, for a tool whose file has one line."""

from pathlib import Path
from urllib.parse import urlsplit

from wheelgate_client.hookspecs import ConfigError, Edit, Location, Target, hookimpl


class OneLine:
    """Configures the tool ``stub``."""

    name = "stub"

    def location(self, venv: Path | None) -> Location | None:
        return Location(Path.home() / ".stubrc", "~/.stubrc", listed_when_unset=True) if venv is None else None

    def status(self, path: Path) -> str | None:
        return (self._bytes(path) or b"").decode().strip() or None

    def plan(self, path: Path, target: Target) -> Edit:
        if not target.simple_url.isprintable():
            raise ConfigError(f"{path} is not changed: {target.simple_url!a} is not a URL")
        has_secret = "@" in urlsplit(target.simple_url).netloc
        return Edit(path, self._bytes(path), f"{target.simple_url}\n".encode(), has_secret)

    def plan_removal(self, path: Path, server_url: str) -> Edit:
        before = self._bytes(path)
        ours = urlsplit(self.status(path) or "").hostname == urlsplit(server_url).hostname
        return Edit(path, before, None if ours else before, has_secret=False)

    def _bytes(self, path: Path) -> bytes | None:
        try:
            content = path.read_bytes()
            content.decode()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read: {error}") from None
        return content


@hookimpl
def wheelgate_client_config_writers() -> list[OneLine]:
    return [OneLine()]


@hookimpl
def wheelgate_client_get_password(url: str, username: str) -> str | None:
    return "from the vault" if username == "vaulted" else None
