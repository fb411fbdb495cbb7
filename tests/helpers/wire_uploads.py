"""Uploads files to a server process, and reads its simple pages."""

from __future__ import annotations

import base64
import http.client
import json
from contextlib import closing

from tests.helpers.distributions import Distribution
from tests.helpers.upload_forms import encode, file_fields
from tests.helpers.wire import ANSWER_TIMEOUT_SECONDS, Answer, Auth, HasPort, call


def send(server: HasPort, auth: Auth, index: str, made: Distribution) -> Answer:
    """Upload a file."""
    body, headers = encode(file_fields(made))
    credentials = base64.b64encode(":".join(auth).encode()).decode()
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_TIMEOUT_SECONDS)) as connection:
        connection.request("POST", f"/{index}/", body, {"X-Devpi-Auth": credentials, **headers})
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())


def page(server: HasPort, index: str, project: str) -> dict[str, str]:
    """Return the hashes of a project's files on an index by file name; empty if there are no files."""
    answer = call(server, "GET", f"/{index}/+simple/{project}/", Accept="application/vnd.pypi.simple.v1+json")
    files = json.loads(answer.content)["files"] if answer.status == 200 else []
    return {file["filename"]: file["hashes"]["sha256"] for file in files}
