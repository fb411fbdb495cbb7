"""The writer of ``~/.pypirc``, which twine and other upload tools read."""

from __future__ import annotations

from pathlib import Path

from wheelgate_client.hookspecs import ConfigError, Edit, Location, Target
from wheelgate_pipconfig import config_files as files
from wheelgate_pipconfig import ini, urls

TWINE = ini.Dialect("twine", str.lower)
SERVER = "wheelgate"
IMPLIED_SERVERS = ("pypi", "testpypi")
"""What the tools know if ``index-servers`` is not there, and forget once it is."""


class PypircWriter:
    """Lets ``twine upload -r wheelgate`` upload to the index.

    Without ``--with-login`` no password is written, and one that is there stays as long as it is for the same host
    and user.
    """

    name = "pypirc"

    def location(self, venv: Path | None) -> Location | None:
        """Name the user's file."""
        path = Path.home() / ".pypirc"
        if venv is not None:
            return None
        return Location(path, files.label(path), shown=False, by_name_only=True, keeps_login=True)

    def read(self, path: Path) -> str | None:
        """Return where our server's uploads go."""
        text = ini.load(path, TWINE).text
        listed = (ini.option(text, TWINE, "distutils", "index-servers") or "").split()
        return ini.option(text, TWINE, SERVER, "repository") if SERVER in listed else None

    def plan(self, path: Path, target: Target) -> Edit:
        """Make the index a server of the list.

        Raises:
            ConfigError: The index takes no uploads.
        """
        from wheelgate_pipconfig import ini_edit

        if target.upload_url is None:
            raise ConfigError(f"{path} is left alone: nothing can be uploaded to this index. Use another one.")
        source = ini.load(path, TWINE)
        text = source.text
        repository = urls.without_credential(urls.checked(target.upload_url))
        for option in self._stale(text, repository, target.username):
            text = ini_edit.without_option(text, TWINE, SERVER, option)
        if ini.option(text, TWINE, "distutils", "index-servers") is None:
            for server in IMPLIED_SERVERS:
                if server in ini.sections(text, TWINE):
                    text = ini_edit.with_word(text, TWINE, "distutils", "index-servers", server)
        text = ini_edit.with_word(text, TWINE, "distutils", "index-servers", SERVER)
        text = ini_edit.with_option(text, TWINE, SERVER, "repository", repository)
        for option, value in (("username", target.username), ("password", target.password)):
            if value is not None:
                text = ini_edit.with_option(text, TWINE, SERVER, option, _checked(value))
        return self._edit(source, text)

    def unplan(self, path: Path, server_url: str) -> Edit:
        """Take our server out if it points there, and with it the user name and the password."""
        from wheelgate_pipconfig import ini_edit

        source = ini.load(path, TWINE)
        text = source.text
        if urls.points_at(ini.option(text, TWINE, SERVER, "repository"), server_url):
            text = ini_edit.without_word(text, TWINE, "distutils", "index-servers", SERVER)
            for option in ("repository", "username", "password"):
                text = ini_edit.without_option(text, TWINE, SERVER, option)
        return self._edit(source, text)

    def _stale(self, text: str, repository: str, username: str | None) -> tuple[str, ...]:
        """Return the options that must not be sent to the repository as this user."""
        if not urls.same_host(ini.option(text, TWINE, SERVER, "repository"), repository):
            return "username", "password"
        before = ini.option(text, TWINE, SERVER, "username")
        return ("password",) if None not in (before, username) and before != username else ()

    def _edit(self, source: files.Source, text: str) -> Edit:
        # Other servers' passwords stand in there too.
        passwords = {
            line.strip()
            for content in (source.text, text)
            for section in ini.sections(content, TWINE)
            for line in (ini.option(content, TWINE, section, "password") or "").splitlines()
        }
        return source.edit(text, has_secret=True, secrets=passwords)


def _checked(value: str) -> str:
    if value != value.strip() or not value.isprintable():
        raise ConfigError(
            "The user name or the password begins or ends with a blank or has a control character, so it cannot be"
            " written to .pypirc. Use a keyring instead."
        )
    return value
