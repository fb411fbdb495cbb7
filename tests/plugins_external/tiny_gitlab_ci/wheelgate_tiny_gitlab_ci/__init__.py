"""Logs in the jobs of a GitLab: user ``gitlab-ci-token``, password ``CI_JOB_TOKEN``; the project's path is the group.

An index with ``acl_upload=:team/app`` accepts uploads from that project's jobs while they run.
"""

import re

import requests

from wheelgate import (
    Credentials,
    Ok,
    Option,
    Outcome,
    Reject,
    RequestInfo,
    Server,
    Unavailable,
    Unknown,
    User,
    hookimpl,
)
from wheelgate.option_types import http_url
from wheelgate.providers import Authenticator

JOB_USER = "gitlab-ci-token"


class Jobs(Authenticator):
    """Asks GitLab about the job of a token."""

    name = "tiny_gitlab_ci"
    accepts = frozenset({"password"})
    local = False
    rank = 10

    def __init__(self, server: Server, url: str) -> None:
        self._url = f"{url}/api/v4/job"
        self._session = server.outgoing.session()

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        token = credentials.secret
        if credentials.username != JOB_USER:
            return Unknown()
        if not re.fullmatch(r"[!-~]{1,4096}", token):
            return Reject("this is not a job token")
        try:
            answer = self._session.get(self._url, headers={"JOB-TOKEN": token}, timeout=4, allow_redirects=False)
        except requests.RequestException as error:
            return Unavailable(type(error).__name__)
        if answer.status_code in (401, 403, 404):
            return Reject("GitLab does not know this token")
        if answer.status_code != 200:
            return Unavailable(f"GitLab answers {answer.status_code}")
        job = answer.json()
        if job.get("status") != "running":
            return Reject("the job has ended")
        return Ok(JOB_USER, frozenset({job["pipeline"]["project_path"]}))


@hookimpl
def wheelgate_options() -> list[Option]:
    return [Option("url", "address of the GitLab server", None, http_url, "URL", section="tiny-gitlab-ci")]


@hookimpl
def wheelgate_authenticators(server: Server) -> list[Authenticator]:
    url = server.config["tiny-gitlab-ci-url"]
    return [Jobs(server, url)] if url else []
