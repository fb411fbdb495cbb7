"""The incumbent's released server, used with this client, and with both clients in turns."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.helpers import incumbent, login_tokens, release_files
from tests.helpers.terminal import SitDown, Terminal
from tests.helpers.transcripts import Session, read

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PYPIRC = """[distutils]
index-servers = there
[there]
repository = http://localhost:{port}/rosa/target/
username = rosa
password = secret123
"""


@pytest.fixture(scope="module")
def port(theirs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Start the server, and return where it listens."""
    with incumbent.running(theirs, tmp_path_factory.mktemp("theirs")) as port:
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
    tools = {name: Path(sys.executable).with_name(name) for name in ("python", "tox", "virtualenv")}
    terminal = sit_down(port, devpi=clients["ours"], **tools)
    release_files.lay_out(terminal.home)

    assert not terminal.differences(session)


@pytest.mark.parametrize("from_ours", [True, False], ids=["from ours to theirs", "from theirs to ours"])
def test_a_release_goes_from_server_to_server(
    from_ours: bool, port: int, clients: Mapping[str, Path], tmp_path: Path
) -> None:
    """What one server pushes, the other takes with its metadata and documentation."""
    waits, pushes, arrived = read(HERE / "between_servers.txt")
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING) as ours:
        ports = (ours.port, port) if from_ours else (port, ours.port)
        here, there = (_new_home(tmp_path / str(port), port, clients["theirs"]) for port in ports)
        release_files.lay_out(here.home)
        (here.home / ".pypirc").write_text(PYPIRC.format(port=there.port))

        assert not there.differences(waits)
        assert not here.differences(pushes)
        assert not there.differences(arrived)


def _new_home(folder: Path, port: int, client: Path) -> Terminal:
    folder.mkdir()
    return Terminal.new(folder, port, {"devpi": client})


@pytest.mark.parametrize("session", read(HERE / "both_clients.txt"), ids=str)
def test_both_clients_share_a_state(
    session: Session, port: int, clients: Mapping[str, Path], sit_down: SitDown
) -> None:
    """What one client has selected and whom it has logged in, the other finds, and can end."""
    assert not sit_down(port, **clients).differences(session)


def test_a_token_is_good_in_both_headers(port: int, clients: Mapping[str, Path], sit_down: SitDown) -> None:
    """The token that this client keeps proves its user, and nobody else, to what can send a name and a password."""
    name, token = sit_down(port, **clients).log_in("ours", "token-holder")

    assert login_tokens.statuses(f"http://127.0.0.1:{port}", name, token) == [200, 200, 403, 403]
