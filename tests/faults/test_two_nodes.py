"""Two servers on one PostgreSQL and one object store: each serves at once the files that the other accepted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.helpers.distributions import sdist, wheel
from tests.helpers.postgres import PostgresServer, postgres  # noqa: F401 - a fixture
from tests.helpers.s3 import CREDENTIALS, ObjectStore, object_store  # noqa: F401 - a fixture
from tests.helpers.upload_forms import address
from tests.helpers.upstream import Upstream, upstream  # noqa: F401 - a fixture
from tests.helpers.wire import call, login
from tests.helpers.wire_uploads import page, send

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nodes(
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresServer,  # noqa: F811
    object_store: ObjectStore,  # noqa: F811
) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """Return two servers that share their database and their files, and an index ``root/dev``."""
    folder = tmp_path_factory.mktemp("nodes")
    options = (
        *(*CHEAP_HASHING, "--database", postgres.new_database()),
        *("--files", f"s3://{object_store.bucket()}/wheelgate", "--files-endpoint", object_store.url),
    )
    environment = clean_environment(**CREDENTIALS)
    one = ServerProcess(folder / "one", *options, workers=2, env=environment)
    other = ServerProcess(folder / "other", *options, workers=2, env=environment)
    with one, other:
        assert call(one, "PUT", "/root/dev", {"acl_upload": ["root"]}, login(one)).status == 200
        yield one, other


def test_uploads_on_one_node_are_served_by_the_other(nodes: tuple[ServerProcess, ServerProcess]) -> None:
    """Each uploaded file is listed and served by the other node at the next request, in both directions."""
    logins = [login(node) for node in nodes]
    files = [wheel("both", f"1.{number}", size=1000) for number in range(6)] + [sdist("both", "2.0", size=9_000_000)]
    for number, made in enumerate(files):
        here, there = nodes[number % 2], nodes[1 - number % 2]
        assert made.filename not in page(there, "root/dev", "both")

        assert send(here, logins[number % 2], "root/dev", made).status == 200

        for node in (there, here):
            assert made.filename in page(node, "root/dev", "both")
            assert call(node, "GET", f"/root/dev/{address(made)}").content == made.content


def test_deletions_on_one_node_count_on_the_other(nodes: tuple[ServerProcess, ServerProcess]) -> None:
    """A deletion counts on both nodes at once, and the same file can be uploaded again through either."""
    one, other = nodes
    logins = [login(node) for node in nodes]
    made = wheel("gone")
    assert send(one, logins[0], "root/dev", made).status == 200
    assert call(other, "GET", f"/root/dev/{address(made)}").content == made.content

    assert call(one, "DELETE", f"/root/dev/{address(made)}", {}, logins[0]).status == 200
    assert [call(node, "GET", f"/root/dev/{address(made)}").status for node in (other, one)] == [410, 410]
    assert made.filename not in page(other, "root/dev", "gone")

    assert send(other, logins[1], "root/dev", made).status == 200
    assert [call(node, "GET", f"/root/dev/{address(made)}").content for node in nodes] == [made.content] * 2


def test_mirrored_files_are_shared(
    nodes: tuple[ServerProcess, ServerProcess],
    upstream: Upstream,  # noqa: F811
) -> None:
    """A file that was fetched through one node is served by the other while the upstream is unavailable."""
    one, other = nodes
    made = upstream.add(wheel("mirrored", size=2_000_000))
    config = {"type": "mirror", "mirror_url": upstream.url}
    assert call(one, "PUT", "/root/up", config, login(one)).status == 200
    path = f"/root/up/{address(made)}"
    assert call(one, "GET", "/root/up/+simple/mirrored/").status == 200
    assert call(one, "GET", path).content == made.content
    upstream.stop()

    assert call(other, "GET", path).content == made.content


def test_a_starting_node_deletes_no_files(nodes: tuple[ServerProcess, ServerProcess]) -> None:
    """A start only cleans up after a crash; files of packages are not touched."""
    one, other = nodes
    made = wheel("staying")
    assert send(one, login(one), "root/dev", made).status == 200

    other.stop()
    other.start()

    assert [call(node, "GET", f"/root/dev/{address(made)}").content for node in nodes] == [made.content] * 2
