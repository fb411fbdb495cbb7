"""The incumbent's released server, used with this client, and with both clients in turns."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests import made
from tests.interop import peer, tokens
from tests.interop.terminal import SitDown
from tests.interop.transcripts import Session, read

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def port(theirs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Start the server, and return where it listens."""
    with peer.running(theirs, tmp_path_factory.mktemp("theirs")) as port:
        yield port


@pytest.mark.parametrize("session", read(HERE / "our_client.txt"), ids=str)
def test_our_client_works(session: Session, port: int, clients: Mapping[str, Path], sit_down: SitDown) -> None:
    """This client prints every line of the session, and ends with its exit codes."""
    assert not sit_down(port, devpi=clients["ours"]).differences(session)


@pytest.mark.parametrize("session", read(HERE / "our_client_packages.txt"), ids=str)
def test_our_client_handles_packages(
    session: Session, port: int, clients: Mapping[str, Path], sit_down: SitDown
) -> None:
    """This client uploads, lists, pushes, removes, installs and tests as the session says."""
    tools = Path(sys.executable).parent
    terminal = sit_down(port, devpi=clients["ours"], tox=tools / "tox", python=Path(sys.executable))
    for file in releases():
        path = terminal.home / "dist" / file.filename
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(file.content)
    with zipfile.ZipFile(terminal.home / "dist" / "tinypkg-1.0.doc.zip", "w") as documentation:
        documentation.writestr("index.html", "<p>tiny")
    (terminal.home / "other").mkdir()
    another = made.wheel("tinypkg", "1.0", seed=1)
    (terminal.home / "other" / another.filename).write_bytes(another.content)

    assert not terminal.differences(session)


def releases() -> Iterator[made.Made]:
    """Make five releases of a package with tests."""
    ini = b"[testenv]\ncommands = python -c 'import tinypkg'\n"
    for version in ("1.0", "1.1", "1.2", "1.3", "1.4"):
        yield made.wheel("tinypkg", version)
        yield made.sdist("tinypkg", version, more={f"tinypkg-{version}/tox.ini": ini})


@pytest.mark.parametrize("session", read(HERE / "both_clients.txt"), ids=str)
def test_both_clients_share_a_state(
    session: Session, port: int, clients: Mapping[str, Path], sit_down: SitDown
) -> None:
    """What one client has selected and whom it has logged in, the other finds, and can end."""
    assert not sit_down(port, **clients).differences(session)


def test_a_token_is_good_in_both_headers(port: int, clients: Mapping[str, Path], sit_down: SitDown) -> None:
    """The token that this client keeps proves its user, and nobody else, to what can send a name and a password."""
    name, token = sit_down(port, **clients).log_in("ours", "token-holder")

    assert tokens.statuses(f"http://127.0.0.1:{port}", name, token) == [200, 200, 403, 403]
