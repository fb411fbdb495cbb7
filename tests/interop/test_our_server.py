"""This server with the incumbent's released client, and with both clients in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.helpers import login_tokens
from tests.helpers.terminal import OpenTerminal
from tests.helpers.transcripts import TerminalSession, read_sessions

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Start a server with two workers."""
    with ServerProcess(tmp_path_factory.mktemp("ours") / "server", *CHEAP_HASHING, workers=2) as server:
        yield server


@pytest.fixture(scope="module")
def restricted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Start a server on which only root may change users and indices."""
    folder = tmp_path_factory.mktemp("restricted") / "server"
    with ServerProcess(folder, *CHEAP_HASHING, "--restrict-modify", "root", workers=2) as server:
        yield server


@pytest.mark.parametrize("session", read_sessions(HERE / "their_client.txt"), ids=str)
def test_their_client_works(
    session: TerminalSession, server: ServerProcess, clients: Mapping[str, Path], open_terminal: OpenTerminal
) -> None:
    """The incumbent's client prints every line of the session, and ends with its exit codes."""
    assert not open_terminal(server.port, devpi=clients["theirs"]).differences(session)


@pytest.mark.parametrize("session", read_sessions(HERE / "their_client_restricted.txt"), ids=str)
def test_their_client_shows_restrictions(
    session: TerminalSession, restricted: ServerProcess, clients: Mapping[str, Path], open_terminal: OpenTerminal
) -> None:
    """The incumbent's client shows why a change is refused, and users can change their own passwords with it."""
    assert not open_terminal(restricted.port, devpi=clients["theirs"]).differences(session)


@pytest.mark.parametrize("session", read_sessions(HERE / "their_client_private.txt"), ids=str)
def test_their_client_works_with_private_indices(
    session: TerminalSession,
    tmp_path: Path,
    clients: Mapping[str, Path],
    open_terminal: OpenTerminal,
) -> None:
    """The incumbent's client works with a private index, which for other users does not exist."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, workers=2) as server:
        assert not open_terminal(server.port, devpi=clients["theirs"]).differences(session)


@pytest.mark.parametrize("session", read_sessions(HERE / "both_clients.txt"), ids=str)
def test_both_clients_share_a_state(
    session: TerminalSession, server: ServerProcess, clients: Mapping[str, Path], open_terminal: OpenTerminal
) -> None:
    """Each client uses the selected index and the login of the other, and can log out."""
    assert not open_terminal(server.port, **clients).differences(session)


@pytest.mark.parametrize("client", ["ours", "theirs"])
def test_a_token_works_in_both_headers(
    client: str, server: ServerProcess, clients: Mapping[str, Path], open_terminal: OpenTerminal
) -> None:
    """The login token that a client stores works in both headers, only unchanged and only with its user's name."""
    name, token = open_terminal(server.port, **clients).log_in(client, f"token-of-{client}")

    assert login_tokens.statuses(server.url.rstrip("/"), name, token) == [200, 200, 401, 401]
