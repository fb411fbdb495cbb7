"""The writer of ``~/.pypirc``, which twine and other upload tools read."""

from __future__ import annotations

from pathlib import Path

from wheelgate_client.hookspecs import ConfigError, Edit, Location, Target
from wheelgate_pipconfig import config_files, ini, urls

TWINE_DIALECT = ini.Dialect("twine", str.lower)
TWINE_REPOSITORY = "wheelgate"
DEFAULT_REPOSITORIES = ("pypi", "testpypi")
"""The repositories that the tools know by default, but no longer once ``index-servers`` is set."""


class PypircWriter:
    """Lets ``twine upload -r wheelgate`` upload to the index.

    Without ``--with-login`` it writes no password, and keeps an existing one if that is for the same host and user.
    """

    name = "pypirc"

    def location(self, venv: Path | None) -> Location | None:
        """Return the user's file."""
        path = Path.home() / ".pypirc"
        if venv is not None:
            return None
        return Location(
            path, config_files.path_label(path), listed_when_unset=False, by_name_only=True, stores_login=True
        )

    def status(self, path: Path) -> str | None:
        """Return the upload URL in our section."""
        text = ini.load_ini(path, TWINE_DIALECT).text
        listed = (ini.get_option(text, TWINE_DIALECT, "distutils", "index-servers") or "").split()
        return (
            ini.get_option(text, TWINE_DIALECT, TWINE_REPOSITORY, "repository") if TWINE_REPOSITORY in listed else None
        )

    def plan(self, path: Path, target: Target) -> Edit:
        """Add the index to the list of repositories.

        Raises:
            ConfigError: The index takes no uploads.
        """
        from wheelgate_pipconfig import ini_edit

        if target.upload_url is None:
            raise ConfigError(f"{path} is left alone: this index takes no uploads. Use another index.")
        source = ini.load_ini(path, TWINE_DIALECT)
        text = source.text
        repository = urls.without_credential(urls.checked_url(target.upload_url))
        for option in self._stale(text, repository, target.username):
            text = ini_edit.without_option(text, TWINE_DIALECT, TWINE_REPOSITORY, option)
        if ini.get_option(text, TWINE_DIALECT, "distutils", "index-servers") is None:
            for server in DEFAULT_REPOSITORIES:
                if server in ini.section_names(text, TWINE_DIALECT):
                    text = ini_edit.with_word(text, TWINE_DIALECT, "distutils", "index-servers", server)
        text = ini_edit.with_word(text, TWINE_DIALECT, "distutils", "index-servers", TWINE_REPOSITORY)
        text = ini_edit.with_option(text, TWINE_DIALECT, TWINE_REPOSITORY, "repository", repository)
        for option, value in (("username", target.username), ("password", target.password)):
            if value is not None:
                text = ini_edit.with_option(text, TWINE_DIALECT, TWINE_REPOSITORY, option, _checked_value(value))
        return self._edit(source, text)

    def plan_removal(self, path: Path, server_url: str) -> Edit:
        """Remove our section if it points at the server, with user name and password."""
        from wheelgate_pipconfig import ini_edit

        source = ini.load_ini(path, TWINE_DIALECT)
        text = source.text
        if urls.points_at(ini.get_option(text, TWINE_DIALECT, TWINE_REPOSITORY, "repository"), server_url):
            text = ini_edit.without_word(text, TWINE_DIALECT, "distutils", "index-servers", TWINE_REPOSITORY)
            for option in ("repository", "username", "password"):
                text = ini_edit.without_option(text, TWINE_DIALECT, TWINE_REPOSITORY, option)
        return self._edit(source, text)

    def _stale(self, text: str, repository: str, username: str | None) -> tuple[str, ...]:
        """Return the options whose values must not be sent to the repository for this user."""
        if not urls.same_host(ini.get_option(text, TWINE_DIALECT, TWINE_REPOSITORY, "repository"), repository):
            return "username", "password"
        before = ini.get_option(text, TWINE_DIALECT, TWINE_REPOSITORY, "username")
        return ("password",) if None not in (before, username) and before != username else ()

    def _edit(self, source: config_files.TextFile, text: str) -> Edit:
        # The file may also contain passwords for other servers.
        passwords = {
            line.strip()
            for content in (source.text, text)
            for section in ini.section_names(content, TWINE_DIALECT)
            for line in (ini.get_option(content, TWINE_DIALECT, section, "password") or "").splitlines()
        }
        return source.edit(text, has_secret=True, secrets=passwords)


def _checked_value(value: str) -> str:
    if value != value.strip() or not value.isprintable():
        raise ConfigError(
            "The user name or the password begins or ends with a blank or has a control character, so it cannot be"
            " written to .pypirc. Use a keyring instead."
        )
    return value
