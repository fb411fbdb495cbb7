"""Writes exports in the forms that devpi has had since 2013, for tests of ``devpi-server import``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import argon2
from tests.helpers.distributions import Distribution

from wheelgate.packages import normalize

UPLOADED = "Tue, 03 Mar 2020 10:20:30 GMT"
UPLOADED_PARTS = [2020, 3, 3, 10, 20, 30]
SALT = "c2FsdCBvZiAyMDEzIGxlbg=="


def argon2i(password: str) -> str:
    """Return a hash as devpi 4.2 to 5.x wrote it, but a cheap one."""
    return argon2.PasswordHasher(1, 8, 1, type=argon2.Type.I).hash(password)


def argon2id(password: str) -> str:
    """Return a hash as devpi writes it today, but a cheap one."""
    return argon2.PasswordHasher(1, 8, 1).hash(password)


def salted_sha256(password: str) -> dict[str, str]:
    """Return the two keys with the hash of a password that devpi wrote before 4.2."""
    return {"pwsalt": SALT, "pwhash": hashlib.sha256((SALT + password).encode()).hexdigest()}


@dataclass
class Export:
    """An export that a test fills and writes; today's form if not said otherwise."""

    folder: Path
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    indexes: dict[str, dict[str, Any]] = field(default_factory=dict)
    top: dict[str, Any] = field(default_factory=lambda: {"dumpversion": "2", "devpi_server": "6.20.3"})

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.user("root")

    def user(self, name: str, **fields: Any) -> None:
        """Add a user; unless given otherwise, created in 2020 with the password ``NAME's``."""
        given = {"username": name, "created": "2020-01-02T03:04:05Z", "pwhash": argon2id(f"{name}'s"), **fields}
        self.users[name] = {key: value for key, value in given.items() if value is not None}

    def index(self, path: str, **config: Any) -> dict[str, Any]:
        """Add an index with devpi's defaults, and return its entry."""
        owner = path.partition("/")[0]
        defaults = {
            "type": "stage",
            "volatile": True,
            "bases": [],
            "acl_upload": [owner],
            "acl_toxresult_upload": [":ANONYMOUS:"],
            "mirror_whitelist": [],
            "mirror_whitelist_inheritance": "intersection",
        }
        given = config if config.get("type", "stage") != "stage" else {**defaults, **config}
        self.indexes[path] = {"indexconfig": given, "projects": {}, "files": []}
        return self.indexes[path]

    def version(self, path: str, project: str, version: str, **metadata: Any) -> None:
        """Add a version; the form of ``projects``."""
        versions = self.indexes[path]["projects"].setdefault(project, {})
        versions[version] = {"name": project, "version": version, "summary": "", "classifiers": [], **metadata}

    def file(
        self,
        path: str,
        made: Distribution,
        *,
        log: Sequence[Mapping[str, Any]] = (),
        mapping: Mapping[str, Any] | None = None,
        **entry: Any,
    ) -> dict[str, Any]:
        """Add a release file with its version, and return its entry."""
        project = normalize(made.name)
        if made.version not in self.indexes[path]["projects"].get(project, {}):
            self.version(path, project, made.version)
        relpath = f"{path}/{project}/{made.version}/{made.filename}"
        self.put(relpath, made.content)
        added = {
            "type": "releasefile",
            "projectname": project,
            "version": made.version,
            "relpath": relpath,
            "entrymapping": {
                "last_modified": UPLOADED,
                "hash_spec": f"sha256={made.sha256}",
                "hashes": {"sha256": made.sha256},
                "project": project,
                "version": made.version,
                **(mapping or {}),
            },
            "log": [*log] or [{"what": "upload", "who": path.partition("/")[0], "when": UPLOADED_PARTS, "dst": path}],
            **entry,
        }
        self.indexes[path]["files"].append(added)
        return added

    def docs(self, path: str, project: str, version: str, content: bytes) -> None:
        """Add the documentation of a version."""
        relpath = f"{path}/{project}-{version}.doc.zip"
        self.put(relpath, content)
        sha256 = hashlib.sha256(content).hexdigest()
        mapping = {"last_modified": UPLOADED, "hash_spec": f"sha256={sha256}", "project": project, "version": version}
        log = [{"what": "upload", "who": path.partition("/")[0], "when": UPLOADED_PARTS, "dst": path}]
        self.indexes[path]["files"].append(
            {
                "type": "doczip",
                "projectname": project,
                "version": version,
                "relpath": relpath,
                "entrymapping": mapping,
                "log": log,
            }
        )

    def result(self, path: str, tested: Distribution, content: bytes, number: int = 0) -> str:
        """Add the result of a test, and return its address below the index."""
        project, sha256 = normalize(tested.name), tested.sha256
        name = f"{tested.filename}.toxresult-20200304050607-{number}"
        relpath = f"{path}/{project}/sha256={sha256}/{name}"
        self.put(relpath, content)
        address = f"+f/{sha256[:3]}/{sha256[3:16]}/{tested.filename}"
        own = hashlib.sha256(content).hexdigest()
        self.indexes[path]["files"].append(
            {
                "type": "toxresult",
                "projectname": project,
                "version": tested.version,
                "relpath": relpath,
                "entrymapping": {"hash_spec": f"sha256={own}", "last_modified": UPLOADED},
                "for_entrypath": f"{path}/{address}",
                "log": [{"what": "upload", "who": None, "when": UPLOADED_PARTS, "dst": path}],
            }
        )
        return f"{address}.toxresult-20200304050607-{number}"

    def put(self, relpath: str, content: bytes) -> Path:
        """Write a file of the export."""
        target = self.folder / relpath
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def write(self) -> Path:
        """Write ``dataindex.json``, and return the folder."""
        data = {**self.top, "users": self.users, "indexes": self.indexes}
        self.put("dataindex.json", json.dumps(data, indent=2).encode())
        return self.folder


def as_of_2016(export: Export) -> None:
    """Give an export the form of devpi 2.1 to 2.6: a secret, md5, ``pypi_whitelist``, and spellings of names."""
    export.top |= {"uuid": "0" * 32, "secret": "cookie", "devpi_server": "2.2.2"}
    for entry in export.indexes.values():
        config = entry["indexconfig"]
        config["pypi_whitelist"] = config.pop("mirror_whitelist", [])
        config["uploadtrigger_jenkins"] = None
        for file in entry["files"]:
            mapping = file["entrymapping"]
            if file["type"] == "releasefile":
                content = (export.folder / file["relpath"]).read_bytes()
                file["entrymapping"] = {
                    "last_modified": mapping["last_modified"],
                    "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
                    "projectname": mapping["project"],
                    "version": mapping["version"],
                }
            else:
                del file["entrymapping"]
        if not entry["projects"]:
            entry["projects"] = []


def as_of_2013(export: Export) -> None:
    """Give an export the first form: dumpversion 1, no version of a file, no history."""
    as_of_2016(export)
    export.top["dumpversion"] = "1"
    for entry in export.indexes.values():
        for file in entry["files"]:
            file.pop("version")
            file.pop("log")
            file.get("entrymapping", {}).pop("version", None)
