"""A stranger's store: users and indices in one JSON file, which every process reads anew."""

import fcntl
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from wheelgate import Index, Server, User, hookimpl
from wheelgate.errors import Conflict, NotFound


class JsonFile:
    """``{"users": {name: …}, "hashes": {name: …}, "indices": {path: …}}``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Any]:
        try:
            return json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {"users": {}, "hashes": {}, "indices": {}}

    @contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            content = self.read()
            yield content
            draft = self._path.with_suffix(".draft")
            draft.write_text(json.dumps(content), "utf-8")
            draft.replace(self._path)


class JsonUsers:
    """Keeps users."""

    name = "stub_store"
    instant = False
    capabilities = frozenset({"create", "modify", "delete", "passwords"})

    def __init__(self, file: JsonFile) -> None:
        self._file = file

    def get(self, name: str) -> User | None:
        return decode(self._file.read()["users"].get(name))

    def list(self) -> Sequence[User]:
        return [decode(entry) for _, entry in sorted(self._file.read()["users"].items())]

    def lookalike(self, name: str) -> str | None:
        return alike(name, self._file.read()["users"])

    def create(self, user: User, password_hash: str | None) -> None:
        with self._file.change() as content:
            if alike(user.name, content["users"]) is not None or user.name in content["users"]:
                raise Conflict("user already exists")
            content["users"][user.name] = encode(user)
            content["hashes"][user.name] = password_hash

    def modify(self, user: User, changes: Mapping[str, Any]) -> User:
        with self._file.change() as content:
            changed = replace(current(content, user), **changes)
            content["users"][user.name] = encode(changed)
        return changed

    def delete(self, user: User) -> None:
        with self._file.change() as content:
            current(content, user)
            del content["users"][user.name], content["hashes"][user.name]

    def password_hash(self, name: str) -> str | None:
        return self._file.read()["hashes"].get(name)

    def set_password_hash(self, user: User, password_hash: str | None, stamp: str) -> User:
        with self._file.change() as content:
            changed = replace(current(content, user), stamp=stamp)
            content["users"][user.name] = encode(changed)
            content["hashes"][user.name] = password_hash
        return changed

    def rehash(self, name: str, old: str, new: str) -> None:
        with self._file.change() as content:
            if content["hashes"].get(name) == old:
                content["hashes"][name] = new


class JsonIndices:
    """Keeps indices."""

    name = "stub_store"
    instant = False

    def __init__(self, file: JsonFile) -> None:
        self._file = file

    def get(self, owner: str, name: str) -> Index | None:
        entry = self._file.read()["indices"].get(f"{owner}/{name}")
        return Index(**entry) if entry else None

    def list(self, owner: str | None = None) -> Sequence[Index]:
        entries = sorted(self._file.read()["indices"].items())
        return [Index(**entry) for _, entry in entries if owner in (None, entry["owner"])]

    def lookalike(self, owner: str, name: str) -> str | None:
        return alike(name, [index.name for index in self.list(owner)])

    def create(self, index: Index) -> None:
        with self._file.change() as content:
            if index.path in content["indices"]:
                raise Conflict(f"index '{index.path}' exists")
            content["indices"][index.path] = asdict(index)

    def modify(self, index: Index, config: Mapping[str, Any]) -> Index:
        changed = replace(index, config=dict(config))
        with self._file.change() as content:
            content["indices"][index.path] = asdict(changed)
        return changed

    def delete(self, index: Index) -> None:
        with self._file.change() as content:
            if content["indices"].pop(index.path, None) is None:
                raise NotFound(f"there is no index {index.path}")


def current(content: dict[str, Any], user: User) -> User:
    found = decode(content["users"].get(user.name))
    if found is None or found.stamp != user.stamp:
        raise Conflict(f"user '{user.name}' was replaced meanwhile")
    return found


def alike(name: str, others: Any) -> str | None:
    def fold(text: str) -> str:
        return unicodedata.normalize("NFKC", text).casefold()

    return next((other for other in others if other != name and fold(other) == fold(name)), None)


def encode(user: User) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in asdict(user).items()}


def decode(entry: dict[str, Any] | None) -> User | None:
    if entry is None:
        return None
    times = {key: datetime.fromisoformat(entry[key]) for key in ("created", "modified") if entry[key]}
    return User(**{**entry, **times})


@hookimpl
def wheelgate_user_store(server: Server) -> JsonUsers:
    return JsonUsers(JsonFile(server.config.serverdir / "stub.json"))


@hookimpl
def wheelgate_index_store(server: Server) -> JsonIndices:
    return JsonIndices(JsonFile(server.config.serverdir / "stub.json"))
