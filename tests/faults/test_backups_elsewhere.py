"""Backups of servers on PostgreSQL and with files in a bucket, in a schema of their own and with a password."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.postgres import PostgresServer, postgres  # noqa: F401 - a fixture
from tests.helpers.s3 import CREDENTIALS, ObjectStore, object_store  # noqa: F401 - a fixture
from tests.helpers.upload_forms import address
from tests.helpers.wire import call, login, wait_until
from tests.helpers.wire_uploads import send

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment

pytestmark = pytest.mark.slow

PROGRAM = str(Path(sys.executable).with_name("devpi-server"))
KEPT = [wheel("abc", "1.0"), wheel("abc", "2.0", size=9_000_000)]
SCHEMA = "own schema"
SEARCH_PATH = "&options=-csearch_path%3D%22own%5C%20schema%22"
PASSWORD = "canary d'or %"
"""The password of the database, which no command line and no output may have."""
PASSWORD_IN_URL = "canary%20d%27or%20%25"


@dataclass(frozen=True)
class Place:
    """Where a server keeps its data besides its folder: settings and environment."""

    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@pytest.fixture
def tools(postgres: PostgresServer, tmp_path: Path) -> Path:  # noqa: F811
    """Return a folder with ``pg_dump`` and ``pg_restore``, which write down their command lines."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (folder / name).write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$0 $*" >> "{folder}/lines"\nexec "{postgres.programs / name}" "$@"\n'
        )
        (folder / name).chmod(0o755)
    return folder


def run(place: Place, tools: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a subcommand of ``devpi-server``."""
    environment = clean_environment(**place.environment)
    environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
    command = [PROGRAM, *map(str, arguments), *place.options, *CHEAP_HASHING]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def served(folder: Path, place: Place) -> ServerProcess:
    """Return a server that is not started yet."""
    environment = clean_environment(**place.environment)
    return ServerProcess(folder, *CHEAP_HASHING, *place.options, workers=2, env=environment)


def fill(server: ServerProcess) -> None:
    """Upload two files."""
    auth = login(server)
    assert call(server, "PUT", "/root/dev", {"acl_upload": ["root"]}, auth).status == 200
    assert [send(server, auth, "root/dev", made).status for made in KEPT] == [200, 200]


def check_restored(folder: Path, place: Place) -> None:
    """Check that a restored server has the two files and takes another one."""
    with served(folder, place) as server:
        for made in KEPT:
            assert call(server, "GET", f"/root/dev/{address(made)}").content == made.content
        assert send(server, login(server), "root/dev", wheel("new")).status == 200


def in_bucket(object_store: ObjectStore) -> Place:  # noqa: F811
    """Return a bucket."""
    bucket = f"s3://{object_store.bucket()}/wheelgate"
    return Place(("--files", bucket, "--files-endpoint", object_store.url), CREDENTIALS)


@pytest.fixture(params=["postgresql", "bucket", "both", "schema"])
def places(
    request: pytest.FixtureRequest,
    postgres: PostgresServer,  # noqa: F811
) -> tuple[Place, Place]:
    """Return where a server keeps its data, and where it is restored."""

    def database() -> Place:
        if request.param == "bucket":
            return Place()
        url = postgres.new_database()
        if request.param == "schema":
            create_schema(postgres, url)
            url += SEARCH_PATH
        return Place(environment={"DEVPISERVER_DATABASE": url})

    def files() -> Place:
        return in_bucket(request.getfixturevalue("object_store")) if request.param in ("bucket", "both") else Place()

    def place() -> Place:
        one, other = database(), files()
        return Place((*one.options, *other.options), {**one.environment, **other.environment})

    return place(), place()


def create_schema(postgres: PostgresServer, url: str) -> None:  # noqa: F811
    """Create a schema, and a table of somebody else in the other one."""
    name = url.partition("@/")[2].partition("?")[0]
    sql = f'CREATE SCHEMA "{SCHEMA}"; CREATE TABLE public.server_state (nothing int)'
    subprocess.run(
        [postgres.programs / "psql", "-h", postgres.folder, "-U", "postgres", "-d", name, "-c", sql],
        check=True,
        capture_output=True,
    )


def test_a_server_that_keeps_its_data_elsewhere(places: tuple[Place, Place], tools: Path, tmp_path: Path) -> None:
    """A server on PostgreSQL, in a schema or with a bucket is backed up while it runs, and restored elsewhere."""
    here, there = places
    with served(tmp_path / "server", here) as server:
        fill(server)
        made = run(here, tools, "backup", "--serverdir", tmp_path / "server", tmp_path / "monday")
        second = run(here, tools, "backup", "--serverdir", tmp_path / "server", tmp_path / "tuesday")
        occupied = run(here, tools, "restore", "--serverdir", tmp_path / "other", tmp_path / "monday")
    shutil.rmtree(tmp_path / "monday")

    check = run(Place(), tools, "restore", "--check", tmp_path / "tuesday")
    restored = run(there, tools, "restore", "--serverdir", tmp_path / "restored", tmp_path / "tuesday")

    assert (made.returncode, second.returncode) == (0, 0), (made, second)
    assert "database copied; 0 files copied, 2 linked to" in second.stdout
    assert occupied.returncode == ("DEVPISERVER_DATABASE" in here.environment)
    assert check.stdout.endswith(": 2 files, database and secret are intact\n")
    assert "2 stored files checked, nothing is wrong" in restored.stdout, restored
    check_restored(tmp_path / "restored", there)


def test_a_schema_is_restored_into_one_of_the_same_name(
    postgres: PostgresServer,  # noqa: F811
    tools: Path,
    tmp_path: Path,
) -> None:
    """A restore refuses a database whose ``search_path`` has another schema, and makes nothing."""
    url = postgres.new_database()
    create_schema(postgres, url)
    here, there = (
        Place(environment={"DEVPISERVER_DATABASE": url}) for url in (url + SEARCH_PATH, postgres.new_database())
    )
    assert run(here, tools, "init", "--serverdir", tmp_path / "server").returncode == 0
    assert run(here, tools, "backup", "--serverdir", tmp_path / "server", tmp_path / "backup").returncode == 0

    restored = run(there, tools, "restore", "--serverdir", tmp_path / "restored", tmp_path / "backup")

    assert restored.returncode == 1
    assert (
        f"the backup is one of the schema '{SCHEMA}', but the first of the search_path is 'public'" in restored.stderr
    )
    assert not (tmp_path / "restored").exists()


@pytest.fixture
def guarded(postgres: PostgresServer, tmp_path: Path) -> Iterator[str]:  # noqa: F811
    """Return the address of a database that asks for a password, without the password."""
    guard = postgres.folder / "data" / "pg_hba.conf"
    before = guard.read_text()
    number = next(postgres.numbers)
    user = f"guarded{number}"
    postgres.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'")
    postgres.execute(f"CREATE DATABASE {user} OWNER {user}")
    postgres.execute(f"CREATE DATABASE {user}_restored OWNER {user}")
    guard.write_text(f"local all {user} scram-sha-256\n{before}")
    postgres.execute("SELECT pg_reload_conf()")
    refused = [str(postgres.programs / "psql"), "-w", "-h", str(postgres.folder), "-U", user, "-c", "SELECT 1"]
    wait_until(lambda: subprocess.run(refused, capture_output=True).returncode, "the database asks for a password")
    yield f"postgresql://{user}@/{user}?host={postgres.folder}"
    guard.write_text(before)
    postgres.execute("SELECT pg_reload_conf()")


def by_url_in_file(url: str, folder: Path) -> Place:
    """Write the URL with the password into a file."""
    (folder / "database").write_text(url.replace("@", f":{PASSWORD_IN_URL}@") + "\n")
    return Place(("--database", f"file:{folder / 'database'}"))


def by_url_in_environment(url: str, folder: Path) -> Place:
    """Put the URL with the password into a variable that the setting names."""
    return Place(("--database", "env:OUR_DATABASE"), {"OUR_DATABASE": url.replace("@", f":{PASSWORD_IN_URL}@")})


def by_pgpassword(url: str, folder: Path) -> Place:
    """Put the password alone into PostgreSQL's own variable."""
    return Place(("--database", url), {"PGPASSWORD": PASSWORD})


def by_passfile(url: str, folder: Path) -> Place:
    """Put the password into a password file of PostgreSQL."""
    (folder / "passfile").write_text(f"*:*:*:*:{PASSWORD}\n")
    (folder / "passfile").chmod(0o600)
    return Place(("--database", f"{url}&passfile={folder / 'passfile'}"))


Give = Callable[[str, Path], Place]


@pytest.mark.parametrize(
    "give", [by_url_in_file, by_url_in_environment, by_pgpassword, by_passfile], ids=lambda give: give.__name__
)
def test_the_password_of_the_database(guarded: str, tools: Path, tmp_path: Path, give: Give) -> None:
    """The password may be in a file or a variable; no command line, output or file of the backup has it."""
    name = guarded.partition("@/")[2].partition("?")[0]
    urls = {"here": guarded, "there": guarded.replace(f"@/{name}?", f"@/{name}_restored?")}
    for folder in urls:
        (tmp_path / folder).mkdir()
    here, there = (give(url, tmp_path / folder) for folder, url in urls.items())

    made = [
        run(here, tools, "init", "--serverdir", tmp_path / "server"),
        run(here, tools, "backup", "--serverdir", tmp_path / "server", tmp_path / "backup"),
        run(there, tools, "restore", "--serverdir", tmp_path / "restored", tmp_path / "backup"),
    ]
    failed = run(Place(("--database", guarded)), tools, "backup", "--serverdir", tmp_path / "server", tmp_path / "no")

    assert [done.returncode for done in made] == [0, 0, 0], made
    assert failed.returncode == 1
    lines = (tools / "lines").read_text()
    assert lines.count("--dbname=") == 2
    told = "".join(done.stdout + done.stderr for done in (*made, failed)) + lines
    assert not [word for word in (PASSWORD, PASSWORD_IN_URL) if word in told]
    for path in (path for path in (tmp_path / "backup").rglob("*") if path.is_file()):
        assert PASSWORD.encode() not in path.read_bytes()


@pytest.mark.parametrize("schema", [False, True], ids=["public", "own schema"])
def test_two_nodes_start_at_once_on_an_empty_database(
    postgres: PostgresServer,  # noqa: F811
    tmp_path: Path,
    schema: bool,
) -> None:
    """If two nodes start at once on an empty database, both serve one set of tables, with one root."""
    url = postgres.new_database()
    if schema:
        create_schema(postgres, url)
        url += SEARCH_PATH
    (tmp_path / "secret").write_text("0123456789abcdefghijklmnopqrstuvwxyz")
    (tmp_path / "secret").chmod(0o600)
    place = Place(("--secretfile", str(tmp_path / "secret")), {"DEVPISERVER_DATABASE": url})
    nodes = [served(tmp_path / name, place) for name in ("one", "other")]
    try:
        with ThreadPoolExecutor() as starts:
            list(starts.map(ServerProcess.start, nodes))
        auth = login(nodes[0])
        assert call(nodes[0], "PUT", "/alice", {"password": "correct horse"}, auth).status == 201
        listed = [call(node, "GET", "/", auth=auth).result for node in nodes]
    finally:
        for node in nodes:
            node.stop()
    assert listed[0] == listed[1]
    assert set(listed[0]) == {"alice", "root"}


def test_a_dump_that_fails(postgres: PostgresServer, tools: Path, tmp_path: Path) -> None:  # noqa: F811
    """Without ``pg_dump``, or if it fails, the backup stays unfinished, and the message says why in one line."""
    place = Place(environment={"DEVPISERVER_DATABASE": postgres.new_database()})
    assert run(place, tools, "init", "--serverdir", tmp_path / "server").returncode == 0
    empty = tmp_path / "empty"
    empty.mkdir()
    no_tools = Place(environment={**place.environment, "PATH": str(empty)})
    (tools / "pg_dump").write_text("#!/bin/sh\necho 'no room: swordfish' >&2; exit 1\n")

    failed = run(place, tools, "backup", "--serverdir", tmp_path / "server", tmp_path / "backup")
    absent = run(no_tools, empty, "backup", "--serverdir", tmp_path / "server", tmp_path / "backup")

    assert (failed.returncode, failed.stderr) == (1, "devpi-server: pg_dump failed: no room: …\n")
    assert absent.returncode == 1
    assert "devpi-server: the program pg_dump is not installed" in absent.stderr
    assert not (tmp_path / "backup" / "manifest.json").exists()
