"""An empty folder is a fresh one; in any other, a server whose database is gone is not replaced by an empty one."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.upload_forms import upload

from wheelgate.errors import StartupError
from wheelgate.testing.site import Site

GONE = r"^there is no database, but .* is not empty: it has {}\. If a server has used it, restore its database from"

OTHERS = (".lock", ".secret", "backup.db", "files", "wheelgate.db.lock", "wheelgate.db-beacon")
"""What a server leaves apart from its database."""
EXPECTED = (
    ".lock",
    ".secret.0123",
    "access",
    "server.log",
    "settings.toml",
    "wheelgate.db.lock",
    "wheelgate.db.new",
    "wheelgate.db.new-journal",
)
"""What a first start that was killed, the settings and the system leave."""


@pytest.fixture(scope="module")
def used(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a server that has a package and a backup; no test may change it."""
    folder = tmp_path_factory.mktemp("used") / "server"
    shutil.copytree(template, folder)
    with Site(folder) as site:
        alice = site.add_user("alice")
        assert site.request("PUT", "/alice/dev", {}, auth=alice).status == 200
        assert upload(site, "alice/dev", wheel("abc", "1.0"), alice).status == 200
    with closing(sqlite3.connect(folder / "wheelgate.db")) as database:
        database.execute("VACUUM INTO ?", (str(folder / "backup.db"),))
    return folder


def keep(*names: str) -> Callable[[Path], object]:
    """Return a function that removes all but some entries of a folder."""

    def remove(folder: Path) -> None:
        for path in folder.iterdir():
            if path.name not in names:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    return remove


def move(name: str) -> Callable[[Path], object]:
    """Return a function that gives the database another name."""
    return lambda folder: (folder / "wheelgate.db").rename(folder / name)


def empty_the_files(folder: Path) -> None:
    """Keep the secret, and the folder of files without any file."""
    keep(".secret", "files")(folder)
    shutil.rmtree(folder / "files" / "sha256")
    (folder / "files" / "sha256").mkdir()


@pytest.mark.parametrize(
    ("lose", "found"),
    [
        pytest.param(keep(*OTHERS), "backup.db, files, wheelgate.db-beacon", id="database"),
        pytest.param(keep(".secret", "files"), "files", id="secret and files", marks=pytest.mark.slow),
        pytest.param(empty_the_files, "files", id="files of a server without packages"),
        pytest.param(keep("backup.db"), "backup.db", id="backup"),
        pytest.param(
            keep(".secret", "wheelgate.db-beacon"), "wheelgate.db-beacon", id="beacon", marks=pytest.mark.slow
        ),
        pytest.param(move("wheelgate.db.old"), "backup.db, files, .*", id="renamed", marks=pytest.mark.slow),
        pytest.param(move("sub/wheelgate.db"), "backup.db, files, sub and more", id="misplaced"),
    ],
)
@pytest.mark.parametrize(
    "options",
    [
        {},
        pytest.param({"root_passwd": "correct horse"}, marks=pytest.mark.slow),
        pytest.param({"host": "0.0.0.0"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_folder_whose_database_is_gone_is_refused(
    used: Path, tmp_path: Path, lose: Callable[[Path], object], found: str, options: dict[str, Any]
) -> None:
    """A folder with files, backups or other remains and no database stops the start, and stays as it was."""
    folder = shutil.copytree(used, tmp_path / "server")
    (folder / "sub").mkdir()
    lose(folder)
    before = {path.name for path in folder.rglob("*")}

    for _ in range(2):
        with pytest.raises(StartupError, match=GONE.format(found)):
            Site(folder, **options)

    after = {path.name for path in folder.rglob("*")}
    assert after - before <= {".secret", "wheelgate.db.lock"}
    assert before <= after


def test_it_starts_once_the_database_is_back(used: Path, tmp_path: Path) -> None:
    """After the database was restored, everything is there."""
    folder = shutil.copytree(used, tmp_path / "server")
    (folder / "wheelgate.db").unlink()
    with pytest.raises(StartupError):
        Site(folder)
    shutil.copy(folder / "backup.db", folder / "wheelgate.db")

    with Site(folder) as site:
        assert site.request("GET", "/alice/dev/abc").status == 200


def test_a_refused_first_start_can_be_repeated(tmp_path: Path) -> None:
    """A first start that was refused leaves nothing that stops the next one."""
    for _ in range(2):
        with pytest.raises(StartupError, match=r"^root has no password yet"):
            Site(tmp_path / "server", host="0.0.0.0")

    with Site(tmp_path / "server", host="0.0.0.0", root_passwd="correct horse") as site:
        assert site.login("root", "correct horse")


def test_what_a_first_start_expects_in_its_folder(tmp_path: Path) -> None:
    """Empty folders, logs, the secret, locks, and the files that the settings name do not stop a first start."""
    folder = tmp_path / "server"
    for name in ("lost+found", "files/lost+found", "empty"):
        (folder / name).mkdir(parents=True)
    for name in EXPECTED:
        (folder / name).touch()

    with Site(folder, access_log=str(folder / "access"), config=str(folder / "settings.toml")) as site:
        assert site.request("GET", "/").status == 200
        assert not list(folder.glob("wheelgate.db.new*"))


@pytest.mark.slow
def test_an_empty_database_elsewhere_beside_package_files_is_refused(used: Path, tmp_path: Path, postgres: Any) -> None:
    """A PostgreSQL database that is empty is not filled beside package files, but is in a folder without any."""
    folder, url = shutil.copytree(used, tmp_path / "server"), postgres.new_database()

    with pytest.raises(StartupError, match=r"^the database is empty, but .*/server/files has package files\. Restore"):
        Site(folder, database=url)

    shutil.rmtree(folder / "files")
    with Site(folder, database=url) as site:
        assert site.request("GET", "/").status == 200
