"""Many requests at once, on several workers and several servers: all clients see the same state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice

import pytest
from tests.helpers.postgres import postgres, postgres_url  # noqa: F401
from tests.helpers.wire import Auth, call, login

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

Nodes = list[ServerProcess]
SECRET_TEXT = "wheelgate tests: 48 characters, and many of them different."


@pytest.fixture(
    scope="module",
    params=[pytest.param(1, id="two workers"), pytest.param(2, id="two servers on one PostgreSQL")],
)
def nodes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Start one server with two workers, or two servers with two workers each that share database and secret."""
    folder = tmp_path_factory.mktemp("nodes")
    options = list(CHEAP_HASHING)
    if request.param > 1:
        database = request.getfixturevalue("postgres").new_database()
        secret = folder / "secret"
        secret.write_text(SECRET_TEXT)
        secret.chmod(0o600)
        options += ["--database", database, "--secretfile", str(secret)]
    with ExitStack() as stack:
        yield [
            stack.enter_context(ServerProcess(folder / f"node{number}", *options, workers=2))
            for number in range(request.param)
        ]


def test_one_of_many_creates_a_user(nodes: Nodes) -> None:
    """If 50 clients create the same user at once, one succeeds and 49 get a conflict."""
    with ThreadPoolExecutor(50) as pool:
        answers = pool.map(
            lambda server: call(server, "PUT", "/emilie", {"password": "1234"}), islice(cycle(nodes), 50)
        )
        assert Counter(answer.status for answer in answers) == {201: 1, 409: 49}
    assert call(nodes[-1], "GET", "/emilie").result["username"] == "emilie"


def test_one_of_many_creates_an_index(nodes: Nodes) -> None:
    """If 50 clients create the same index at once, one succeeds and 49 get a conflict."""
    root = login(nodes[0])
    with ThreadPoolExecutor(50) as pool:
        answers = pool.map(lambda server: call(server, "PUT", "/root/once", {}, root), islice(cycle(nodes), 50))
        assert Counter(answer.status for answer in answers) == {200: 1, 409: 49}


def test_no_change_is_lost(nodes: Nodes) -> None:
    """If clients add to the same list at once, each entry is in it, or its client gets a conflict."""
    root = login(nodes[0])
    assert call(nodes[0], "PUT", "/root/shared", {"mirror_whitelist": []}, root).status == 200
    names = [f"project-{number}" for number in range(30)]

    def add(name: str, server: ServerProcess) -> int:
        return call(server, "PATCH", "/root/shared", [f"mirror_whitelist+={name}"], root).status

    with ThreadPoolExecutor(30) as pool:
        statuses = list(pool.map(add, names, islice(cycle(nodes), 30)))
    assert set(statuses) <= {200, 409}
    added = {name for name, status in zip(names, statuses, strict=True) if status == 200}
    assert set(call(nodes[-1], "GET", "/root/shared").result["mirror_whitelist"]) == added
    assert added


def new_password(server: ServerProcess, user: Auth) -> None:
    assert call(server, "PATCH", f"/{user[0]}", {"password": "another"}, user).status == 200


def delete(server: ServerProcess, user: Auth) -> None:
    assert call(server, "DELETE", f"/{user[0]}", auth=login(server)).status == 200


def delete_and_create_again(server: ServerProcess, user: Auth) -> None:
    delete(server, user)
    assert call(server, "PUT", f"/{user[0]}", {"password": "1234"}).status == 201


def log_out(server: ServerProcess, user: Auth) -> None:
    assert call(server, "POST", "/+logout", auth=user).status == 200


@pytest.mark.parametrize("end", [new_password, delete, delete_and_create_again, log_out])
def test_an_ended_login_is_invalid_everywhere(nodes: Nodes, end: Callable[[ServerProcess, Auth], None]) -> None:
    """Every worker of every server refuses the next requests, even if the login was just used there."""
    name = f"user-{end.__name__}"
    assert call(nodes[0], "PUT", f"/{name}", {"password": "1234"}).status == 201
    user = login(nodes[0], name, "1234")
    before = [call(server, "PUT", f"/{name}/dev{number}", {}, user).status for number, server in around(nodes)]
    assert before == [200] * 40
    end(nodes[0], user)
    after = Counter(call(server, "PUT", f"/{name}/new{number}", {}, user).status for number, server in around(nodes))
    assert set(after) <= {401, 404}
    assert after[401] == (0 if end is delete else 40)
    seen = {call(server, "GET", "/+api", auth=user).result["authstatus"][0] for _, server in around(nodes)}
    assert "ok" not in seen


def around(nodes: Nodes) -> list[tuple[int, ServerProcess]]:
    """Return 40 numbered turns around the servers, starting with one that did not make the change."""
    return list(enumerate(islice(cycle(reversed(nodes)), 40)))
