"""Who may do what, without ``--restrict-modify`` and with each kind of list, cell by cell.

The tables are the incumbent's, with a few intended differences: anonymous gets 401 where the incumbent answers 403; a
user who may not push gets 403 where it answers 401; and no user can delete root, also not one whom the option lists.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.distributions import Distribution, wheel
from tests.helpers.upload_forms import address, upload

from wheelgate import hookimpl
from wheelgate.providers import GroupSource
from wheelgate.testing.site import Site

ACTORS = ("anon", "other", "owner", "root", "admin", "gina")
"""The option lists admin and gina's group; owner owns the index that is changed."""
MODES = {"absent": None, "root": "root", "admin": "admin", ":grp": ":grp", "admin,:grp": "admin,:grp", "empty": ""}
FAST_ACTORS = {"absent": ACTORS, "admin": ("owner", "root", "admin"), ":grp": ("gina",), "empty": ("root",)}
"""Whom the fast tests take in each mode: everybody without a list, and with one those on whom it makes a difference."""
PASSWORD = "correct horse"

ROOT_ONLY = "401 403 403 200 403 403"
NO_USER = "401 403 403 403 403 403"
LISTED = {
    "admin": "401 403 403 403 200 403",
    ":grp": "401 403 403 403 403 200",
    "admin,:grp": "401 403 403 403 200 200",
}
BY_OTHERS = {"absent": ROOT_ONLY, "root": ROOT_ONLY, **LISTED, "empty": NO_USER}
BY_OWNER = {**BY_OTHERS, "absent": "401 403 200 200 403 403"}
OWN = {**BY_OTHERS, "absent": "  - 200 200 200 200 200"}
ALL_USERS = dict.fromkeys(MODES, "200 200 200 200 200 200")
UPLOADED = {
    "absent": "401 403 200 200 403 403",
    "root": "401 403 200 200 403 403",
    "admin": "401 403 200 403 200 403",
    ":grp": "401 403 200 403 403 200",
    "admin,:grp": "401 403 200 403 200 200",
    "empty": "401 403 200 403 403 403",
}
"""Statuses of deleting and yanking on an index whose ``acl_upload`` lists its owner."""
UPLOADED_BY_OTHERS = {
    "absent": "401 200 200 200 403 200",
    "root": "401 200 403 200 403 200",
    "admin": "401 200 403 403 200 200",
    ":grp": "401 200 403 403 403 200",
    "admin,:grp": "401 200 403 403 200 200",
    "empty": "401 200 403 403 403 200",
}
"""The same on an index whose ``acl_upload`` lists other and the group."""
UPLOADS = {
    "owner": ("[owner]", ["owner"], "401 403 200 403 403 403"),
    "listed": ("[other, :grp]", ["other", ":grp"], "401 200 403 403 403 200"),
    "open": ("[:ANONYMOUS:]", [":ANONYMOUS:"], "200 200 200 200 200 200"),
    "users": ("[:AUTHENTICATED:]", [":AUTHENTICATED:"], "401 200 200 200 200 200"),
    "closed": ("[]", [], "401 403 403 403 403 403"),
}
"""By the index's name: ``acl_upload`` as text and as a list, and the statuses of uploads in every mode."""
ABC = wheel("abc")


def with_success(table: dict[str, str], status: str) -> dict[str, str]:
    """Return a table with another status for success."""
    return {mode: row.replace("200", status) for mode, row in table.items()}


Call = tuple[str, str, object]
ACTIONS: dict[str, tuple[Call, dict[str, str]]] = {
    "create user": (
        ("PUT", "/new-{}", {"password": PASSWORD}),
        with_success({**BY_OTHERS, "absent": "200 200 200 200 200 200"}, "201"),
    ),
    "modify other user": (("PATCH", "/victim-{}", {"email": "1@mail.example"}), BY_OTHERS),
    "modify other user with password": (
        ("PATCH", "/victim-{}", {"email": "2@mail.example", "password": PASSWORD}),
        BY_OTHERS,
    ),
    "change other user's password": (("PATCH", "/victim-{}", {"password": PASSWORD}), BY_OTHERS),
    "delete other user": (("DELETE", "/doomed-{}", None), BY_OTHERS),
    "create index under owner": (("PUT", "/owner/new-{}", {}), BY_OWNER),
    "modify index": (("PATCH", "/owner/mod-{}", {"title": "x"}), BY_OWNER),
    "modify index by a list": (("PATCH", "/owner/mod-{}", ["title=y"]), BY_OWNER),
    "delete index": (("DELETE", "/owner/del-{}", None), with_success(BY_OWNER, "201")),
    "list users": (("GET", "/", None), ALL_USERS),
    "show user": (("GET", "/owner", None), ALL_USERS),
    "show index": (("GET", "/owner/mod-{}", None), ALL_USERS),
    "log in": (
        ("POST", "/+login", {"user": "{}", "password": PASSWORD}),
        dict.fromkeys(MODES, "401 200 200 200 200 200"),
    ),
    "modify oneself": (("PATCH", "/{}", {"email": "3@mail.example"}), OWN),
    "modify oneself with password": (("PATCH", "/{}", {"email": "4@mail.example", "password": PASSWORD}), OWN),
    "change one's own password": (
        ("PATCH", "/{}", {"password": PASSWORD}),
        dict.fromkeys(MODES, "  - 200 200 200 200 200"),
    ),
    "create one's own index": (("PUT", "/{}/new", {}), OWN),
    "modify one's own index": (("PATCH", "/{}/mod", {"title": "x"}), OWN),
    "delete one's own index": (("DELETE", "/{}/del", None), with_success(OWN, "201")),
    "delete root": (("DELETE", "/root", None), dict.fromkeys(MODES, NO_USER)),
    "delete oneself": (
        ("DELETE", "/{}", None),
        {
            "absent": "  - 200 200 403 200 200",
            "root": NO_USER,
            "admin": NO_USER,
            ":grp": "401 403 403 403 403 200",
            "admin,:grp": "401 403 403 403 403 200",
            "empty": NO_USER,
        },
    ),
    **{
        f"upload, acl_upload={shown}": (("POST", f"/owner/{name}", ABC), dict.fromkeys(MODES, row))
        for name, (shown, _, row) in UPLOADS.items()
    },
    "upload to one's own index": (("POST", "/{}/mod", ABC), dict.fromkeys(MODES, "  - 200 200 200 200 200")),
    "push to owner's index": (
        ("PUSH", "/owner/owner", {"name": "abc", "version": "1.0", "targetindex": "owner/listed"}),
        dict.fromkeys(MODES, UPLOADS["listed"][2]),
    ),
    "download file": (("GET", "/owner/owner/{file}", None), ALL_USERS),
    "upload test result": (("POST", "/owner/owner/{file}", {}), ALL_USERS),
    "yank version": (("PATCH", "/owner/owner/project-{}/1.0", {"yanked": True}), UPLOADED),
    "set status": (("PATCH", "/owner/owner/project-{}", {"status": "deprecated"}), UPLOADED),
    "delete file": (("DELETE", "/owner/owner/{file}", None), UPLOADED),
    "delete version": (("DELETE", "/owner/owner/version-{}/1.0", None), UPLOADED),
    "delete project": (("DELETE", "/owner/owner/project-{}", None), UPLOADED),
    "delete project of others": (("DELETE", "/owner/listed/project-{}", None), UPLOADED_BY_OTHERS),
    "delete one's own project": (
        ("DELETE", "/{}/mod/project-{}", None),
        dict.fromkeys(MODES, "  - 200 200 200 200 200"),
    ),
}
CELLS = [
    pytest.param(
        mode,
        action,
        actor,
        int(status),
        id=f"{mode}-{action}-{actor}",
        marks=[] if actor in FAST_ACTORS.get(mode, ()) else [pytest.mark.slow],
    )
    for action, (_, table) in ACTIONS.items()
    for mode, row in table.items()
    for actor, status in zip(ACTORS, row.split(), strict=True)
    if status != "-" and (actor != "anon" or ("oneself" not in action and "own" not in action.split()))
]


class CompanyGroups(GroupSource):
    """A plugin that reports gina's group."""

    name = "company"

    def groups(self, username: str) -> frozenset[str]:
        """Return the groups of a user."""
        return frozenset({"grp"} if username == "gina" else ())

    @hookimpl
    def wheelgate_group_sources(self) -> Iterable[GroupSource]:
        """Provide this source."""
        return [self]


@pytest.fixture(scope="module")
def prepared_folder(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a server with all actors, and with users and indices for each of them to change."""
    folder = tmp_path_factory.mktemp("prepared") / "server"
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
        created += [
            site.request("PUT", f"/owner/{name}", {"acl_upload": acl}, auth=root).status
            for name, (_, acl, _) in UPLOADS.items()
        ]
        created += [
            upload(site, "owner/owner", dist, ("owner", PASSWORD)).status for dist in (ABC, *map(own_file, ACTORS))
        ]
        for actor in ACTORS:
            for kind in ("version", "project"):
                dist = wheel(f"{kind}-{actor}")
                created.append(upload(site, "owner/owner", dist, ("owner", PASSWORD)).status)
            created.append(upload(site, "owner/listed", dist, ("other", PASSWORD)).status)
            if actor != "anon":
                created.append(upload(site, f"{actor}/mod", dist, (actor, PASSWORD)).status)
    assert set(created) == {201, 200}
    return folder


def own_file(actor: str) -> Distribution:
    """Return the file that only this actor tries to delete."""
    return wheel(f"file-{actor}")


Restricted = Callable[[str, str], Site]


@pytest.fixture(scope="module")
def restricted(prepared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restricted]:
    """Return a function that returns the server of a mode, a separate one for users who delete themselves."""
    sites: dict[tuple[str, bool], Site] = {}

    def server(mode: str, action: str) -> Site:
        key = (mode, action == "delete oneself")
        if key not in sites:
            folder = tmp_path_factory.mktemp("mode") / "server"
            shutil.copytree(prepared_folder, folder)
            option: dict[str, Any] = {} if MODES[mode] is None else {"restrict_modify": MODES[mode]}
            sites[key] = Site(folder, extra={"company": CompanyGroups()}, **option)
        return sites[key]

    yield server
    for site in sites.values():
        site.application.close()


@pytest.mark.parametrize(("mode", "action", "actor", "status"), CELLS)
def test_who_may_do_what(restricted: Restricted, mode: str, action: str, actor: str, status: int) -> None:
    """Each cell: with this option, this actor's request for this action gets this status."""
    (method, path, body), _ = ACTIONS[action]
    if isinstance(body, dict) and "user" in body:
        body = {**body, "user": actor}
    auth = None if actor == "anon" else (actor, PASSWORD)
    site, path = restricted(mode, action), path.format(actor, actor, file=address(own_file(actor)))

    answer = (
        upload(site, path[1:], body, auth)
        if isinstance(body, Distribution)
        else site.request(method, path, body, auth=auth)
    )

    assert answer.status == status, answer.content
    if status in (401, 403):
        assert len(answer.message) > 10
