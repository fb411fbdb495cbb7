"""The page about PostgreSQL: its commands, typed as they stand there, make a database on which a server starts."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from tests.helpers.postgres import PostgresServer, postgres  # noqa: F401 - a fixture

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "postgresql.md").read_text("utf-8")
LINES = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def command(program: str) -> list[str]:
    """Return the words of the first command on the page that begins with this program."""
    return next(words for line in LINES if (words := shlex.split(line, comments=True))[:1] == [program])


@pytest.mark.slow
def test_the_commands_prepare_a_database(postgres: PostgresServer, tmp_path: Path) -> None:  # noqa: F811
    """The user and the database of the page are enough for the first start, which reads the URL from a file."""
    environment = clean_environment(
        PATH=f"{postgres.programs}:{os.environ['PATH']}", PGHOST=str(postgres.folder), PGUSER="postgres"
    )
    try:
        for words in (command("createuser"), command("createdb")):
            done = subprocess.run(
                words,
                env=environment,
                input="PASSWORD\nPASSWORD\n",  # from here, because there is no terminal in a new session
                start_new_session=True,
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
        (url,) = re.findall(r"holds one line, `(postgresql://\S+)`", PAGE)
        file = tmp_path / "database"
        file.touch(0o600)
        file.write_text(url.replace("db.packages.example/wheelgate", f"/wheelgate?host={postgres.folder}") + "\n")
        options = [word.replace("/etc/wheelgate/database", str(file)) for word in command("devpi-server")[1:]]
        with ServerProcess(tmp_path / "server", *CHEAP_HASHING, *options) as server:
            root = server.login("root", "")
            assert server.request("PUT", "/emilie", {"password": "1234"}, auth=root).status == 201
        assert "every user of this machine" not in server.log.read_text()
    finally:
        postgres.execute("DROP DATABASE IF EXISTS wheelgate WITH (FORCE)")
        postgres.execute("DROP ROLE IF EXISTS wheelgate")
