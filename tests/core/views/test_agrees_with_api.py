"""``request.view`` shows a caller what the API shows, no more and no less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.helpers.memory_indices import ShelvesPlugin
from tests.helpers.private_worlds import CALLERS, OWNERS, PATHS, Groups, Plan, World, worlds
from tests.helpers.view_reader import ViewReader, call_view

from wheelgate.testing.site import Response, Site


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a server for all examples."""
    plugin = ShelvesPlugin()
    plugins = {"shelves": plugin, "fixed": Groups(), "reader": ViewReader()}
    with Site(tmp_path_factory.mktemp("views"), extra=plugins) as site:
        yield World(site, plugin)


def outcome(answer: Response, extract: Callable[[Any], Any] = lambda document: document) -> Any:
    """Return the extracted part of an answer's document, or its refusal."""
    return extract(answer.json) if answer.status == 200 else (answer.status, answer.message)


def names(document: Any) -> list[str]:
    """Return the names of the entries of a view's list."""
    return [each["name"] for each in document["result"]["entries"]]


def result(document: Any) -> Any:
    """Return what a view returned."""
    return document["result"]


def differences(get: Callable[[str], Response], view: Callable[..., Response]) -> Iterator[tuple[str, Any, Any]]:
    """Yield what the API and the view show of everything on a server, in the same form, with a label."""
    api, own = get("/"), view("users", "", "", 200)
    listed = outcome(
        own,
        lambda all_: {each["user"]["name"]: [i["name"] for i in each["indices"]] for each in all_["result"]["entries"]},
    )
    yield (
        "/",
        outcome(api, lambda all_: {name: sorted(user["indexes"]) for name, user in all_["result"].items()}),
        listed,
    )
    paths = outcome(
        api, lambda all_: [f"{name}/{index}" for name, user in all_["result"].items() for index in user["indexes"]]
    )
    yield "readable", paths if isinstance(paths, tuple) else sorted(paths), outcome(view("readable"), result)
    for owner in (*OWNERS, "root", "nobody"):
        api = get(f"/{owner}")
        yield (
            owner,
            outcome(api, lambda user: sorted(user["result"]["indexes"])),
            outcome(view("indices", owner), names),
        )
        yield (
            owner,
            outcome(api, lambda user: user["result"]["username"]),
            outcome(view("user", owner), lambda user: user["result"]["user"]["name"]),
        )
    for path in [*PATHS, "alice/never", "root/always"]:
        config = outcome(get(f"/{path}?no_projects="), lambda index: without_type(index["result"]))
        yield path, config, outcome(view("index", path), lambda index: index["result"]["config"])
        yield from list_differences(path, get, view)
        for name in ("demo", "absent"):
            yield from project_differences(path, name, get, view)


def without_type(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration of the API as a view has it."""
    return {key: value for key, value in config.items() if key != "type"}


def list_differences(
    path: str, get: Callable[[str], Response], view: Callable[..., Response]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield the same for the list of projects of one index; of a mirror, a view shows none."""
    api, own = get(f"/{path}"), view("projects", path)
    listed = (
        [] if path == "root/mirror" and api.status == 200 else outcome(api, lambda index: index["result"]["projects"])
    )
    yield f"{path} projects", listed, outcome(own, names)
    count = view("project_counts", [path]).result.get(path)
    yield f"{path} count", own.result["total"] if own.status == 200 else None, count


def project_differences(
    path: str, name: str, get: Callable[[str], Response], view: Callable[..., Response]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield the same for one project on one index."""
    versions = outcome(get(f"/{path}/{name}"), lambda project: sorted(project["result"], reverse=True))
    seen = outcome(view("releases", path, name), lambda found: [each["version"] for each in found["result"]])
    yield f"{path}/{name}", versions, seen

    def layers(entries: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
        return [(each["index"], each["state"], each["reason"]) for each in entries]

    why = outcome(get(f"/{path}/+why/{name}"), lambda why: layers(why["result"]["indices"]))
    yield f"{path}/+why/{name}", why, outcome(view("why", path, name), lambda why: layers(why["result"]))
    page = get(f"/{path}/+simple/{name}/")
    files = outcome(view("files", path, name), lambda all_: [each["file"]["name"] for each in all_["result"]["files"]])
    yield f"{path}/+simple/{name}", outcome(page, lambda page: [each["filename"] for each in page["files"]]), files
    serves = view("serves", path, [name])
    yield f"{path} serves {name}", get(f"/{path}?no_projects=").status, serves.status
    if serves.status == 200 and serves.result:
        yield f"{path} serves {name}", page.status, 200


@pytest.mark.slow
@settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))
@given(plans=worlds(), caller=st.sampled_from([*CALLERS, "root"]))
def test_a_view_shows_what_the_api_shows(world: World, plans: list[Plan], caller: str | None) -> None:
    """In random worlds, users, indices, projects, versions, files and refusals are those of the API."""
    world.build(plans)
    compare(world.site, world.auth(caller))


@pytest.mark.parametrize("caller", [*CALLERS, "root"], ids=str)
def test_a_view_of_one_world_is_that_of_the_api(world: World, caller: str | None) -> None:
    """The same in one world with a private base and a private mirror, for each caller."""
    world.build(
        [
            Plan("root/mirror", (), ("carol",), "far"),
            Plan("alice/dev", (), ("bob", ":makers")),
            Plan("alice/prod", ("alice/dev",), None),
            Plan("bob/dev", (), None),
            Plan("bob/prod", ("bob/dev", "root/mirror"), None),
        ]
    )
    compare(world.site, world.auth(caller))


@pytest.mark.parametrize("scope", [{}, {"indices": ["alice/dev"]}, {"indices": ["bob/dev"], "projects": ["other"]}])
def test_a_view_of_a_token_is_that_of_the_api(world: World, scope: dict[str, Any]) -> None:
    """An API token sees through a view what it sees through the API."""
    world.build(
        [
            Plan("alice/dev", (), ("bob",)),
            Plan("bob/dev", (), ("bob",)),
            Plan("bob/prod", ("bob/dev",), None),
        ]
    )
    made = world.site.request("POST", "/+x/tokens/", {"scopes": ["read"], **scope}, auth=world.auth("bob"))
    assert "token" in made.json["result"]

    compare(world.site, ("__token__", made.result["token"]))


def compare(site: Site, auth: tuple[str, str] | None) -> None:
    """Fail if the API and the view differ for a caller."""
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}

    def get(path: str) -> Response:
        return site.request("GET", path, auth=auth, headers=accept if "+simple" in path else None)

    found = list(differences(get, lambda method, *args: call_view(site, auth, method, *args)))

    assert [label for label, api, view in found if api != view] == [], [each for each in found if each[1] != each[2]]
