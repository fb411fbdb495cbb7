"""A running server with a user who has indices, for tools that upload and install."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from tests.helpers.distributions import Distribution
from tests.helpers.simple_pages import SIMPLE_JSON

from wheelgate.testing.server_process import ServerProcess

USER, PASSWORD = "alice", "correct horse: battery/staple@"


@dataclass(frozen=True, slots=True)
class IndexHost:
    """A server with a user, and the user's login token."""

    server: ServerProcess
    token: str

    @classmethod
    def create(cls, server: ServerProcess) -> IndexHost:
        """Create the user and log in."""
        _ask(server, "PUT", USER, {"password": PASSWORD})
        answer = _ask(server, "POST", "+login", {"user": USER, "password": PASSWORD})
        return cls(server, answer["result"]["password"])

    def index(self, name: str) -> str:
        """Return the address of an index of the user."""
        return f"{self.server.url}{USER}/{name}/"

    def make_index(self, name: str, **settings: Any) -> None:
        """Create an index of the user."""
        self.request("PUT", f"{USER}/{name}", settings)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request as the user and return the JSON of the answer."""
        return _ask(self.server, method, path, body, self.token)

    def upload(self, index: str, *files: Distribution) -> None:
        """Upload files to an index of the user."""
        with requests.Session() as session:
            session.trust_env = False
            for made in files:
                fields = {":action": "file_upload", "name": made.name, "version": made.version}
                content = {"content": (made.filename, made.content)}
                session.post(
                    self.index(index), fields, files=content, auth=(USER, self.token), timeout=20
                ).raise_for_status()

    def files(self, index: str, project: str) -> list[dict[str, Any]]:
        """Return the files on the simple page of a project; an empty list if there is no such project."""
        try:
            files: list[dict[str, Any]] = self.request("GET", f"{USER}/{index}/+simple/{project}/")["files"]
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 404:
                    raise
            return []
        return files

    @staticmethod
    def digests(folder: Path) -> dict[str, str]:
        """Return the SHA-256 of each file in a folder."""
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def _ask(server: ServerProcess, method: str, path: str, body: Any = None, token: str = "") -> Any:
    headers = {"Accept": SIMPLE_JSON if "+simple" in path else "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if token:
        headers["X-Devpi-Auth"] = b64encode(f"{USER}:{token}".encode()).decode()
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server.url}{path}", data, headers, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
        return json.load(answer)
