"""Log in with the passwords of a company's directory: a TOML file here, anything that can be asked elsewhere."""

import tomllib
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from wheelgate import Credentials, Ok, Option, Outcome, Reject, RequestInfo, Server, Unknown, User, hookimpl


class Directory:
    """Judges passwords, and knows who is in which group."""

    name = "company_directory"
    accepts = frozenset({"password"})
    local = False

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def person(self, username: str) -> dict[str, Any] | None:
        return tomllib.loads(self.path.read_text("utf-8")).get(username)

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        person = self.person(credentials.username)
        if person is None:
            return Unknown()
        try:
            PasswordHasher().verify(person["password_hash"], credentials.secret)
        except VerifyMismatchError:
            return Reject("wrong password")
        return Ok(credentials.username, email=person.get("email"))

    def groups(self, username: str) -> frozenset[str]:
        return frozenset((self.person(username) or {}).get("groups", ()))


@hookimpl
def wheelgate_options() -> list[Option]:
    return [Option("file", "TOML file with the company's people", "people.toml", metavar="FILE", section="directory")]


@hookimpl
def wheelgate_authenticators(server: Server) -> list[Directory]:
    return [Directory(server.config["directory-file"])]


@hookimpl
def wheelgate_group_sources(server: Server) -> list[Directory]:
    return [Directory(server.config["directory-file"])]
