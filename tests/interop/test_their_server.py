"""The incumbent's released server with this client, and with both clients in turn."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.helpers import incumbent, login_tokens, release_files
from tests.helpers.terminal import OpenTerminal, PseudoTerminal
from tests.helpers.transcripts import TerminalSession, read_sessions

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
    """Start the server and return its port."""
    with incumbent.running(theirs, tmp_path_factory.mktemp("theirs")) as port:
        yield port


@pytest.mark.parametrize("session", read_sessions(HERE / "our_client.txt"), ids=str)
def test_our_client_works(
    session: TerminalSession, port: int, clients: Mapping[str, Path], open_terminal: OpenTerminal
) -> None:
    """This client prints every line of the session, and ends with its exit codes."""
    assert not open_terminal(port, devpi=clients["ours"]).differences(session)


@pytest.mark.parametrize("session", read_sessions(HERE / "our_client_packages.txt"), ids=str)
def test_our_client_handles_packages(
    session: TerminalSession, port: int, clients: Mapping[str, Path], open_terminal: OpenTerminal
) -> None:
    """This client uploads, lists, pushes, removes, installs and tests as in the session."""
    tools = {name: Path(sys.executable).with_name(name) for name in ("python", "tox", "virtualenv")}
    terminal = open_terminal(port, devpi=clients["ours"], **tools)
    release_files.lay_out(terminal.home)

    assert not terminal.differences(session)


@pytest.mark.parametrize("from_ours", [True, False], ids=["from ours to theirs", "from theirs to ours"])
def test_pushes_between_servers(from_ours: bool, port: int, clients: Mapping[str, Path], tmp_path: Path) -> None:
    """Each server accepts the releases that the other pushes, with metadata and documentation."""
    waits, pushes, arrived = read_sessions(HERE / "between_servers.txt")
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING) as ours:
        ports = (ours.port, port) if from_ours else (port, ours.port)
        here, there = (_new_home(tmp_path / str(port), port, clients["theirs"]) for port in ports)
        release_files.lay_out(here.home)
        (here.home / ".pypirc").write_text(PYPIRC.format(port=there.port))

        assert not there.differences(waits)
        assert not here.differences(pushes)
        assert not there.differences(arrived)


def _new_home(folder: Path, port: int, client: Path) -> PseudoTerminal:
    folder.mkdir()
    return PseudoTerminal.new(folder, port, {"devpi": client})


@pytest.mark.parametrize("session", read_sessions(HERE / "both_clients.txt"), ids=str)
def test_both_clients_share_a_state(
    session: TerminalSession, port: int, clients: Mapping[str, Path], open_terminal: OpenTerminal
) -> None:
    """Each client uses the selected index and the login of the other, and can log out."""
    assert not open_terminal(port, **clients).differences(session)


def test_a_token_works_in_both_headers(port: int, clients: Mapping[str, Path], open_terminal: OpenTerminal) -> None:
    """The login token that this client stores works in both headers, only unchanged and only with its user's name."""
    name, token = open_terminal(port, **clients).log_in("ours", "token-holder")

    assert login_tokens.statuses(f"http://127.0.0.1:{port}", name, token) == [200, 200, 403, 403]
