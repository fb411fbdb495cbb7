"""Logs in with the passwords of a company directory: a TOML file here, but any service would do."""

import tomllib
from pathlib import Path
from typing import Any

import argon2

from wheelgate import Credentials, Ok, Option, Outcome, Reject, RequestInfo, Server, Unknown, User, hookimpl
from wheelgate.errors import StartupError
from wheelgate.providers import Authenticator, GroupSource


class Directory(Authenticator, GroupSource):
    """Verifies passwords and reports groups; a change of the file counts at once."""

    name = "company_directory"
    accepts = frozenset({"password"})

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        try:
            self.people()
        except (OSError, ValueError) as error:
            raise StartupError(f"--directory-file: {path} cannot be read; fix it or give another: {error}") from None

    def people(self) -> dict[str, dict[str, Any]]:
        return {key.casefold(): {**it, "name": key} for key, it in tomllib.loads(self.path.read_text("utf-8")).items()}

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        person = self.people().get(credentials.username.casefold())
        if person is None:
            return Unknown()
        try:
            argon2.PasswordHasher().verify(person["password_hash"], credentials.secret)
        except (KeyError, argon2.exceptions.InvalidHashError, argon2.exceptions.VerifyMismatchError):
            return Reject("this is not the password that the directory has")
        return Ok(person["name"], email=person.get("email"))

    def groups(self, username: str) -> frozenset[str]:
        return frozenset(self.people().get(username.casefold(), {}).get("groups", ()))


@hookimpl
def wheelgate_options() -> list[Option]:
    return [Option("file", "TOML file with the company's people", metavar="FILE", section="directory")]


@hookimpl
def wheelgate_authenticators(server: Server) -> list[Directory]:
    path = server.config["directory-file"]
    return [Directory(path)] if path else []


wheelgate_group_sources = wheelgate_authenticators  # the directory also knows the groups
