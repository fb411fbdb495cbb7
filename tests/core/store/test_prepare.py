"""What a start does with an existing database, and without one."""

from __future__ import annotations

import os
import random
import re
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from tests.helpers.postgres import PostgresServer

from wheelgate.errors import StartupError
from wheelgate.store.database import Database
from wheelgate.store.prepare import CORE_MIGRATIONS, exists, prepare

Migrations = list[tuple[str, Path]]

ADDS_COLOURS = """
import peewee

def up(migrator, db):
    class Colour(db.Model):
        name = peewee.TextField()

        class Meta:
            table_name = "colour"

    db.create_tables([Colour])
    Colour.insert(name="red").execute()
"""

FAILS_HALFWAY = """
def up(migrator, db):
    db.execute_sql("INSERT INTO colour (name) VALUES ('blue')")
    db.execute_sql("INSERT INTO flavour (name) VALUES ('sweet')")
"""


def nothing(database: Database) -> None:
    """Fill a new database with nothing."""


def colours(url: str) -> list[str]:
    """Return the rows that the plugin's migrations created."""
    with closing(Database(url)) as database:
        return [row[0] for row in database.read("SELECT name FROM colour ORDER BY name")]


@pytest.fixture
def plugin(tmp_path: Path, migrations: Migrations) -> tuple[Path, Migrations]:
    """Return the empty folder of a plugin's migrations, and the list of all migrations."""
    folder = tmp_path / "plugin [1]"  # characters that a search for files must not take for a pattern
    folder.mkdir()
    return folder, [*migrations, ("paint", folder)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a SQLite file that does not exist yet, in a folder of its own."""
    folder = tmp_path / "server"
    folder.mkdir()
    return folder / "wheelgate.db"


class TestFirstStart:
    """The first start."""

    def test_makes_everything_at_once(self, new_url: str, migrations: Migrations) -> None:
        """A new database has its tables, an identity, the first rows, and serial 1."""

        def fill(database: Database) -> None:
            database.write("INSERT INTO ended_session (id, expires) VALUES (?, ?)", ("first", 1))

        prepare(new_url, migrations, fill)
        with closing(Database(new_url)) as database:
            assert database.read("SELECT id FROM ended_session") == [("first",)]
            assert database.serial() == 1
            assert len(database.read("SELECT uuid FROM server_state")[0][0]) == 32

    def test_happens_once(self, new_url: str, migrations: Migrations) -> None:
        """A second start changes nothing, and does not fill the database again."""
        prepare(new_url, migrations, nothing)
        with closing(Database(new_url)) as database:
            before = database.read("SELECT uuid, serial FROM server_state")

        def fill(database: Database) -> None:
            pytest.fail("filled twice")

        prepare(new_url, migrations, fill)
        with closing(Database(new_url)) as database:
            assert database.read("SELECT uuid, serial FROM server_state") == before

    def test_keeps_nothing_if_it_fails(self, new_url: str, tmp_path: Path, migrations: Migrations) -> None:
        """If filling the database fails, the start fails with the reason, and the next start is the first again."""

        def fail(database: Database) -> None:
            raise StartupError("root needs a password")

        with pytest.raises(StartupError, match="root needs a password"):
            prepare(new_url, migrations, fail)
        assert not list(tmp_path.glob("wheelgate.db.new*"))
        filled: list[Database] = []
        prepare(new_url, migrations, filled.append)
        assert len(filled) == 1

    def test_makes_files_for_the_owner_only(self, path: Path, migrations: Migrations) -> None:
        """Other users can never read the database, not even while it is created; no temporary file is left."""
        seen = []

        def look(database: Database) -> None:
            database.write("INSERT INTO ended_session (id, expires) VALUES ('x', 1)")
            seen.append({file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()})

        umask = os.umask(0)
        try:
            prepare(f"sqlite:///{path}", migrations, look)
            with closing(Database(f"sqlite:///{path}")) as database, database.transaction():
                database.write("DELETE FROM ended_session")
                look(database)
        finally:
            os.umask(umask)
        suffixes = [(".lock", ".new", ".new-journal"), (".lock", "", "-wal", "-shm", "-beacon")]
        assert seen == [{f"wheelgate.db{suffix}": 0o600 for suffix in each} for each in suffixes]

    @pytest.mark.slow
    def test_of_several_processes_at_once(self, new_url: str, run: Any) -> None:
        """If several servers start at once, one creates the database and the others use it."""
        starts = [run("prepare", new_url) for _ in range(4)]
        assert [(start.communicate(timeout=60)[1], start.returncode) for start in starts] == [("", 0)] * 4
        with closing(Database(new_url)) as database:
            assert database.read("SELECT id, count(*) FROM ended_session GROUP BY id") == [("mark", 1)]

    @pytest.mark.slow
    def test_may_be_killed_at_any_moment(self, path: Path, run: Any) -> None:
        """Wherever a first start is killed, the next one works and removes all temporary files."""
        killing = run("kill", f"sqlite:///{path}")
        out, err = killing.communicate(timeout=100)
        assert (err, killing.returncode) == ("", 0)
        assert int(out) > 50


class TestMigrations:
    """Later starts."""

    def test_are_applied_once_in_order(self, url: str, plugin: tuple[Path, Migrations]) -> None:
        """Missing migrations are applied once, in the order of their numbers."""
        folder, migrations = plugin
        (folder / "0002_more.py").write_text(
            "def up(m, db): db.execute_sql(\"INSERT INTO colour (name) VALUES ('a')\")"
        )
        (folder / "0001_colours.py").write_text(ADDS_COLOURS)
        prepare(url, migrations, nothing)
        assert colours(url) == ["a", "red"]
        (folder / "0010_last.py").write_text("def up(m, db): db.execute_sql(\"UPDATE colour SET name = name || '!'\")")
        prepare(url, migrations, nothing)
        prepare(url, migrations, nothing)
        assert colours(url) == ["a!", "red!"]

    def test_that_fail_leave_no_trace(self, url: str, plugin: tuple[Path, Migrations]) -> None:
        """A failing migration stops the start and is rolled back; earlier migrations and all data stay."""
        folder, migrations = plugin
        (folder / "0001_colours.py").write_text(ADDS_COLOURS)
        (folder / "0002_flavours.py").write_text(FAILS_HALFWAY)
        with pytest.raises(StartupError, match=r"a migration of paint failed: .*flavour.*changed nothing"):
            prepare(url, migrations, nothing)
        assert colours(url) == ["red"]
        (folder / "0002_flavours.py").unlink()
        prepare(url, migrations, nothing)

    def test_of_a_newer_version_stop_the_start(self, url: str, plugin: tuple[Path, Migrations]) -> None:
        """A database with unknown migrations is refused with their names, and not changed."""
        folder, migrations = plugin
        (folder / "0001_colours.py").write_text(ADDS_COLOURS)
        (folder / "0007_shades.py").write_text("def up(m, db): db.execute_sql(\"UPDATE colour SET name = 'pink'\")")
        prepare(url, migrations, nothing)
        (folder / "0007_shades.py").unlink()
        (folder / "0002_more.py").write_text('def up(m, db): db.execute_sql("DELETE FROM colour")')
        with pytest.raises(
            StartupError, match=r"newer version .*: it has paint 0007_shades, which .* restore a backup"
        ):
            prepare(url, migrations, nothing)
        assert colours(url) == ["pink"]

    def test_of_a_plugin_that_is_gone_do_no_harm(
        self, url: str, plugin: tuple[Path, Migrations], migrations: Migrations
    ) -> None:
        """If a plugin is left out, its tables stay."""
        folder, all_migrations = plugin
        (folder / "0001_colours.py").write_text(ADDS_COLOURS)
        prepare(url, all_migrations, nothing)
        prepare(url, migrations, nothing)
        assert colours(url) == ["red"]

    def test_must_be_where_the_plugin_says(self, url: str, tmp_path: Path, migrations: Migrations) -> None:
        """If the folder of a plugin's migrations is missing, the message names the plugin."""
        with pytest.raises(StartupError, match=r"migrations of paint .*'.*nowhere'"):
            prepare(url, [*migrations, ("paint", tmp_path / "nowhere")], nothing)

    @pytest.mark.slow
    def test_may_be_killed_at_any_moment(self, path: Path, plugin: tuple[Path, Migrations], run: Any) -> None:
        """Wherever an upgrade is killed, the next start completes it."""
        folder, _ = plugin
        assert run("prepare", f"sqlite:///{path}").wait(60) == 0
        (folder / "0001_colours.py").write_text(ADDS_COLOURS)
        killing = run("kill", f"sqlite:///{path}", "--migrations", f"paint={folder}")
        out, err = killing.communicate(timeout=100)
        assert (err, killing.returncode) == ("", 0)
        assert int(out) > 20
        assert colours(f"sqlite:///{path}") == ["red"]


def cut(path: Path, size: int) -> None:
    """Cut off the end of a file."""
    os.truncate(path, size)


def overwrite(path: Path, start: int, length: int) -> None:
    """Write random bytes into a file, the same in every run."""
    with path.open("r+b") as file:
        file.seek(start)
        file.write(random.Random(7).randbytes(length))


def replace_by_another(path: Path) -> None:
    """Replace it with the database of another program."""
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")


def lose(path: Path) -> None:
    """Leave only the log of a database."""
    path.rename(f"{path}-wal")


def link_to_nothing(path: Path) -> None:
    """Replace it with a link without a target, as if a disk were not mounted."""
    path.unlink()
    path.symlink_to("unmounted/wheelgate.db")


DAMAGES = [
    pytest.param(lambda path: cut(path, 0), "is empty", id="zero length"),
    pytest.param(lambda path: cut(path, 10), "is not a SQLite database", id="cut in the header"),
    pytest.param(lambda path: cut(path, 4096), "malformed", id="cut after the first page"),
    pytest.param(lambda path: cut(path, path.stat().st_size // 2), "(malformed|is cut off)", id="cut in half"),
    pytest.param(lambda path: cut(path, path.stat().st_size - 100), "is cut off", id="cut at the end"),
    pytest.param(lambda path: overwrite(path, 0, 16), "is not a SQLite database", id="noise in the header"),
    pytest.param(lambda path: overwrite(path, 0, 4096), "is not a SQLite database", id="noise in the first page"),
    pytest.param(lambda path: overwrite(path, 16, 84), "(malformed|not a database)", id="noise after the magic"),
    pytest.param(lambda path: overwrite(path, 8192, 4096), "(is damaged|malformed)", id="noise in the middle"),
    pytest.param(lambda path: path.write_text("SQLite format 2"), "is not a SQLite database", id="text"),
    pytest.param(lambda path: path.write_bytes(bytes(40960)), "is not a SQLite database", id="zeros"),
    pytest.param(replace_by_another, "is not a wheelgate database", id="of another program"),
    pytest.param(lose, "is missing, but its log", id="lost, with its log left"),
    pytest.param(link_to_nothing, "cannot be read", id="link to nothing"),
]


class TestDamagedFiles:
    """Damaged and restored SQLite files."""

    @pytest.mark.parametrize(("damage", "says"), DAMAGES)
    def test_stop_the_start(
        self, path: Path, migrations: Migrations, damage: Callable[[Path], object], says: str
    ) -> None:
        """The message names a damaged file, the damage and the remedy; nothing is changed or created."""
        prepare(f"sqlite:///{path}", migrations, nothing)
        damage(path)
        before = contents(path.parent)
        with pytest.raises(StartupError, match=f"wheelgate.db' {says}|wheelgate.db' .*{says}") as refused:
            prepare(f"sqlite:///{path}", migrations, nothing)
        assert "estore" in str(refused.value)
        assert contents(path.parent) == before

    def test_of_a_restored_backup_are_fine(self, path: Path, migrations: Migrations) -> None:
        """A backup made with SQLite's own tools works, and gets its log and the right permissions."""
        prepare(f"sqlite:///{path}", migrations, nothing)
        backup = path.with_name("backup.db")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(backup),))
        backup.chmod(0o644)
        backup.replace(path)
        prepare(f"sqlite:///{path}", migrations, nothing)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with closing(Database(f"sqlite:///{path}")) as database:
            assert database.read("PRAGMA journal_mode") == [("wal",)]
            assert database.serial() == 1


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return the content of every file in a folder."""
    return {file.name: file.read_bytes() if file.exists() else None for file in folder.iterdir()}


@pytest.fixture
def shared(migrations: Migrations) -> Iterator[Path]:
    """Return a prepared SQLite file in a folder that every user of the machine can reach."""
    folder = Path(tempfile.mkdtemp(prefix="wheelgate"))
    folder.chmod(0o755)
    prepare(f"sqlite:///{folder}/wheelgate.db", migrations, nothing)
    yield folder / "wheelgate.db"
    folder.chmod(0o755)
    rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "says"),
    [
        pytest.param(0o444, 0o777, "'wheelgate.db' cannot be written to .*Make the file", id="read-only file"),
        pytest.param(0o000, 0o777, "'wheelgate.db' cannot be read .*Permission denied", id="unreadable file"),
        pytest.param(0o666, 0o555, "folder of the database 'wheelgate.db' cannot be written to", id="read-only folder"),
    ],
)
def test_missing_permissions_stop_the_start(
    shared: Path, run: Any, file_mode: int, folder_mode: int, says: str
) -> None:
    """The message names a file or folder that is not writable, and the remedy; nothing is changed."""
    Path(f"{shared}.lock").unlink()
    shared.chmod(file_mode)
    shared.parent.chmod(folder_mode)
    before = shared.read_bytes()
    start = run("prepare", f"sqlite:///{shared}", "--as-nobody")
    _, err = start.communicate(timeout=60)
    assert start.returncode == 1
    assert re.search(says, err), err
    assert shared.read_bytes() == before


@contextmanager
def nothing_listens(url: str, postgres: Any) -> Iterator[str]:
    """Return the URL of a port where nothing listens."""
    yield "postgresql://postgres:swordfish@127.0.0.1:1/wheelgate"


@contextmanager
def no_such_database(url: str, postgres: Any) -> Iterator[str]:
    """Return the URL of a database that was not created."""
    yield postgres.url("absent")


@contextmanager
def no_such_user(url: str, postgres: Any) -> Iterator[str]:
    """Return the URL of a user that was not created."""
    yield url.replace("postgres:swordfish", "stranger:swordfish")


@contextmanager
def no_connection_left(url: str, postgres: Any) -> Iterator[str]:
    """Return the URL of a database that takes no more connections."""
    database = url.partition("@/")[2].partition("?")[0]
    postgres.execute("CREATE ROLE guest LOGIN")
    postgres.execute(f"ALTER DATABASE {database} CONNECTION LIMIT 0")
    yield url.replace("postgres:swordfish", "guest:swordfish")
    postgres.execute(f"ALTER DATABASE {database} CONNECTION LIMIT -1")
    postgres.execute("DROP ROLE guest")


@contextmanager
def no_right_to_create(url: str, postgres: Any) -> Iterator[str]:
    """Return the URL of a user who may connect, but not create tables."""
    postgres.execute("CREATE ROLE guest LOGIN")
    yield url.replace("postgres:swordfish", "guest:swordfish")
    postgres.execute("DROP ROLE guest")


@contextmanager
def only_reads(url: str, postgres: Any) -> Iterator[str]:
    """Return the URL of a read-only database, such as a standby."""
    yield f"{url}&options=-c%20default_transaction_read_only%3Don"


@pytest.mark.slow
class TestPostgresql:
    """Unusable PostgreSQL databases."""

    @pytest.mark.parametrize(
        ("fault", "says"),
        [
            pytest.param(
                nothing_listens,
                r"cannot connect .* 'wheelgate' on 127.0.0.1: .*Connection refused.* Start it, or correct --database",
                id="down",
            ),
            pytest.param(
                no_such_database, "'absent' on .*: .*does not exist. Create it with createdb", id="no such database"
            ),
            pytest.param(no_such_user, "does not exist. Correct user and password in --database", id="no such user"),
            pytest.param(no_connection_left, "too many .*. Lower --database-connections", id="no connection left"),
            pytest.param(no_right_to_create, "permission denied", id="no right to create tables"),
            pytest.param(only_reads, "read-only", id="read-only"),
        ],
    )
    def test_stops_the_start(
        self, postgres: Any, postgres_url: str, migrations: Migrations, fault: Any, says: str
    ) -> None:
        """The start fails with the reason but without the password, and leaves nothing in the database."""
        with fault(postgres_url, postgres) as url, pytest.raises(StartupError, match=says) as refused:
            prepare(url, migrations, nothing)
        assert "swordfish" not in str(refused.value)
        assert "\n" not in str(refused.value)
        with closing(Database(postgres_url)) as database:
            assert database.read("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []

    def test_needs_a_driver(self, run: Any) -> None:
        """Without psycopg the start fails with the command that installs it."""
        start = run("prepare", "postgresql://postgres:swordfish@127.0.0.1:1/x", "--without-psycopg")
        _, err = start.communicate(timeout=60)
        assert (start.returncode, "pip install 'wheelgate[postgresql]'" in err) == (1, True), err
        assert "swordfish" not in err

    def test_is_not_needed_for_sqlite(self, run: Any, path: Path) -> None:
        """Without psycopg a server with SQLite starts."""
        assert run("prepare", f"sqlite:///{path}", "--without-psycopg").wait(60) == 0


@pytest.mark.slow
@pytest.mark.parametrize("left", [0, 8192, 20480, 40960])
def test_first_start_on_a_full_disk(tiny_disk: Path, migrations: Migrations, left: int) -> None:
    """A first start on a full disk fails with that reason; with free space it works."""
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(bytes(1024 * 1024 - left))
    url = f"sqlite:///{tiny_disk / 'wheelgate.db'}"
    with pytest.raises(StartupError, match=r"could not .*: no space is left"):
        prepare(url, migrations, nothing)
    ballast.unlink()
    prepare(url, migrations, nothing)
    with closing(Database(url)) as database:
        assert database.serial() == 1
    assert not list(tiny_disk.glob("*.new*"))


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_store_all_text_is_refused(postgres: PostgresServer, encoding: str) -> None:
    """Nothing is created, and the message has the command for a right database, which then works."""
    name, right = f"made{next(postgres.numbers)}", f"made{next(postgres.numbers)}"
    postgres.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")

    with pytest.raises(StartupError, match=f"has the encoding {encoding}, but wheelgate needs UTF8") as refused:
        prepare(postgres.url(name), [("core", CORE_MIGRATIONS)], lambda _: None)

    assert "createdb --encoding UTF8 --template template0 --owner postgres NAME" in str(refused.value)
    assert not exists(postgres.url(name))
    postgres.execute(f"CREATE DATABASE {right} ENCODING 'UTF8' TEMPLATE template0 OWNER postgres")
    prepare(f"{postgres.url(right)}&client_encoding=LATIN1", [("core", CORE_MIGRATIONS)], lambda _: None)
