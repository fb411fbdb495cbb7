"""Users, indices and releases that make the pages look like those of a company."""

from __future__ import annotations

from tests.helpers.distributions import wheel
from tests.helpers.upload_forms import encode, file_fields

from wheelgate.testing.server_process import ServerProcess
from wheelgate.testing.site import Response, Site

PASSWORD = "correct horse"
PEOPLE = {
    "emilie": {"title": "CTO", "description": "Has final say", "email": "emilie@packages.example"},
    "sophie": {"title": "Weather team", "description": "Builds the stations, and reads them."},
    "release-bot": {"title": "Publishes what CI has tested"},
    "zoe": {},
}
INDICES = {
    "emilie/dev": {"title": "Development", "description": "What the weather team works on"},
    "emilie/prod": {"title": "Production", "bases": "emilie/dev", "volatile": False},
    "emilie/secret": {"acl_read": ["emilie"], "title": "Not for everybody"},
    "emilie/tools": {},
    "sophie/empty": {},
}
RELEASES = (
    ("emilie/dev", "clock-tower", "1.5", "Strikes the hours"),
    ("emilie/dev", "weather-station", "1.0", "Reads weather stations"),
    ("emilie/dev", "weather-station", "1.1", "Reads weather stations"),
    ("emilie/dev", "weather-station", "2.0rc1", "Reads weather stations"),
    ("emilie/prod", "rain-gauge", "0.3", "Measures rain"),
    ("emilie/secret", "plans", "1.0", "Nobody may know"),
)


def furnish(server: Site | ServerProcess) -> None:
    """Create users, indices and releases."""
    login = {}
    for name, profile in PEOPLE.items():
        done(server.request("PUT", f"/{name}", {"password": PASSWORD, **profile}, auth=("root", "")))
        answer = server.request("POST", "/+login", {"user": name, "password": PASSWORD})
        login[name] = (name, answer.result["password"])
    for path, config in INDICES.items():
        done(server.request("PUT", f"/{path}", config, auth=login[path.partition("/")[0]]))
    for path, project, version, summary in RELEASES:
        fields = file_fields(wheel(project, version, summary=summary), summary=summary)
        body, headers = encode(fields)
        done(server.request("POST", f"/{path}/", body, auth=login["emilie"], headers=headers))


def done(answer: Response) -> None:
    """Fail if the server refused."""
    assert answer.status in (200, 201), answer.content
