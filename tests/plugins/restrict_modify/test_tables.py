"""Who may do what with users and indices, without ``--restrict-modify`` and with each kind of it: cell by cell.

The tables are those of the incumbent but for three differences on purpose: anonymous gets 401 where it gets 403, nobody
deletes root, and who deletes root by right of a list is told so as everybody else is.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wheelgate import hookimpl
from wheelgate.providers import GroupSource
from wheelgate.testing.site import Site

ACTORS = ("anon", "other", "owner", "root", "admin", "gina")
"""admin and gina's group are what the option lists; owner owns the index that is touched."""
MODES = {"absent": None, "root": "root", "admin": "admin", ":grp": ":grp", "admin,:grp": "admin,:grp", "empty": ""}
PASSWORD = "correct horse"

ROOT_ALONE = "401 403 403 200 403 403"
NOBODY = "401 403 403 403 403 403"
LISTED = {
    "admin": "401 403 403 403 200 403",
    ":grp": "401 403 403 403 403 200",
    "admin,:grp": "401 403 403 403 200 200",
}
FOREIGN = {"absent": ROOT_ALONE, "root": ROOT_ALONE, **LISTED, "empty": NOBODY}
OWNED = {**FOREIGN, "absent": "401 403 200 200 403 403"}
OWN = {**FOREIGN, "absent": "  - 200 200 200 200 200"}
EVERYBODY = dict.fromkeys(MODES, "200 200 200 200 200 200")


def instead(table: dict[str, str], status: str) -> dict[str, str]:
    """Return a table with another status for what is done."""
    return {mode: row.replace("200", status) for mode, row in table.items()}


Call = tuple[str, str, object]
ACTIONS: dict[str, tuple[Call, dict[str, str]]] = {
    "create user": (
        ("PUT", "/new-{}", {"password": PASSWORD}),
        instead({**FOREIGN, "absent": "200 200 200 200 200 200"}, "201"),
    ),
    "modify other user": (("PATCH", "/victim-{}", {"email": "1@mail.example"}), FOREIGN),
    "modify other user with password": (
        ("PATCH", "/victim-{}", {"email": "2@mail.example", "password": PASSWORD}),
        FOREIGN,
    ),
    "change other user's password": (("PATCH", "/victim-{}", {"password": PASSWORD}), FOREIGN),
    "delete other user": (("DELETE", "/doomed-{}", None), FOREIGN),
    "create index under owner": (("PUT", "/owner/new-{}", {}), OWNED),
    "modify index": (("PATCH", "/owner/mod-{}", {"title": "x"}), OWNED),
    "modify index by a list": (("PATCH", "/owner/mod-{}", ["title=y"]), OWNED),
    "delete index": (("DELETE", "/owner/del-{}", None), instead(OWNED, "201")),
    "list users": (("GET", "/", None), EVERYBODY),
    "show user": (("GET", "/owner", None), EVERYBODY),
    "show index": (("GET", "/owner/mod-{}", None), EVERYBODY),
    "log in": (
        ("POST", "/+login", {"user": "{}", "password": PASSWORD}),
        dict.fromkeys(MODES, "401 200 200 200 200 200"),
    ),
    "modify itself": (("PATCH", "/{}", {"email": "3@mail.example"}), OWN),
    "modify itself with password": (("PATCH", "/{}", {"email": "4@mail.example", "password": PASSWORD}), OWN),
    "change its own password": (
        ("PATCH", "/{}", {"password": PASSWORD}),
        dict.fromkeys(MODES, "  - 200 200 200 200 200"),
    ),
    "create index of its own": (("PUT", "/{}/new", {}), OWN),
    "modify index of its own": (("PATCH", "/{}/mod", {"title": "x"}), OWN),
    "delete index of its own": (("DELETE", "/{}/del", None), instead(OWN, "201")),
    "delete root": (("DELETE", "/root", None), dict.fromkeys(MODES, NOBODY)),
    "delete itself": (
        ("DELETE", "/{}", None),
        {
            "absent": "  - 200 200 403 200 200",
            "root": NOBODY,
            "admin": NOBODY,
            ":grp": "401 403 403 403 403 200",
            "admin,:grp": "401 403 403 403 403 200",
            "empty": NOBODY,
        },
    ),
}
CELLS = [
    pytest.param(mode, action, actor, int(status), id=f"{mode}-{action}-{actor}")
    for action, (_, table) in ACTIONS.items()
    for mode, row in table.items()
    for actor, status in zip(ACTORS, row.split(), strict=True)
    if status != "-" and (actor != "anon" or ("itself" not in action and "own" not in action.split()))
]


class Company:
    """A plugin that knows in which group gina is."""

    name = "company"

    def groups(self, username: str) -> frozenset[str]:
        """Return the groups of a user."""
        return frozenset({"grp"} if username == "gina" else ())

    @hookimpl
    def wheelgate_group_sources(self) -> Iterable[GroupSource]:
        """Bring itself."""
        return [self]


@pytest.fixture(scope="module")
def furnished(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a server with all actors, and for each of them users and indices to be touched."""
    folder = tmp_path_factory.mktemp("furnished") / "server"
    shutil.copytree(template, folder)
    with Site(folder) as site:
        assert site.request("PATCH", "/root", {"password": PASSWORD}, auth=("root", "")).status == 200
        root = ("root", PASSWORD)
        users = [actor for actor in ACTORS if actor not in ("anon", "root")]
        users += [f"{kind}-{actor}" for kind in ("victim", "doomed") for actor in ACTORS]
        indices = [f"owner/{kind}-{actor}" for kind in ("mod", "del") for actor in ACTORS]
        indices += [f"{actor}/{kind}" for kind in ("mod", "del") for actor in ACTORS[1:]]
        created = [site.request("PUT", f"/{user}", {"password": PASSWORD}).status for user in users]
        created += [site.request("PUT", f"/{index}", {}, auth=root).status for index in indices]
    assert set(created) == {201, 200}
    return folder


Restricted = Callable[[str, str], Site]


@pytest.fixture(scope="module")
def restricted(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restricted]:
    """Return a function that returns the server of a mode; a separate one for those who delete themselves."""
    sites: dict[tuple[str, bool], Site] = {}

    def server(mode: str, action: str) -> Site:
        key = (mode, action == "delete itself")
        if key not in sites:
            folder = tmp_path_factory.mktemp("mode") / "server"
            shutil.copytree(furnished, folder)
            option: dict[str, Any] = {} if MODES[mode] is None else {"restrict_modify": MODES[mode]}
            sites[key] = Site(folder, extra={"company": Company()}, **option)
        return sites[key]

    yield server
    for site in sites.values():
        site.application.close()


@pytest.mark.parametrize(("mode", "action", "actor", "status"), CELLS)
def test_who_may_do_what(restricted: Restricted, mode: str, action: str, actor: str, status: int) -> None:
    """Each cell: under this option, this actor's request for this action is answered with this status."""
    (method, path, body), _ = ACTIONS[action]
    if isinstance(body, dict) and "user" in body:
        body = {**body, "user": actor}
    auth = None if actor == "anon" else (actor, PASSWORD)

    answer = restricted(mode, action).request(method, path.format(actor), body, auth=auth)

    assert answer.status == status, answer.content
    if status in (401, 403):
        assert len(answer.message) > 10
