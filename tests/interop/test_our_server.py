"""This server, used with the incumbent's released client, and with both clients in turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.helpers import login_tokens
from tests.helpers.terminal import SitDown
from tests.helpers.transcripts import Session, read

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
    """Start a server on which root alone may change users and indices."""
    folder = tmp_path_factory.mktemp("restricted") / "server"
    with ServerProcess(folder, *CHEAP_HASHING, "--restrict-modify", "root", workers=2) as server:
        yield server


@pytest.mark.parametrize("session", read(HERE / "their_client.txt"), ids=str)
def test_their_client_works(
    session: Session, server: ServerProcess, clients: Mapping[str, Path], sit_down: SitDown
) -> None:
    """The incumbent's client prints every line of the session, and ends with its exit codes."""
    assert not sit_down(server.port, devpi=clients["theirs"]).differences(session)


@pytest.mark.parametrize("session", read(HERE / "their_client_restricted.txt"), ids=str)
def test_their_client_is_told_what_is_restricted(
    session: Session, restricted: ServerProcess, clients: Mapping[str, Path], sit_down: SitDown
) -> None:
    """The incumbent's client shows why something is not allowed, and users can change their own password with it."""
    assert not sit_down(restricted.port, devpi=clients["theirs"]).differences(session)


@pytest.mark.parametrize("session", read(HERE / "their_client_private.txt"), ids=str)
def test_their_client_lives_with_private_indices(
    session: Session,
    tmp_path: Path,
    clients: Mapping[str, Path],
    sit_down: SitDown,
) -> None:
    """The incumbent's client works with an index that only some may read, and shows the others that there is none."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, workers=2) as server:
        assert not sit_down(server.port, devpi=clients["theirs"]).differences(session)


@pytest.mark.parametrize("session", read(HERE / "both_clients.txt"), ids=str)
def test_both_clients_share_a_state(
    session: Session, server: ServerProcess, clients: Mapping[str, Path], sit_down: SitDown
) -> None:
    """What one client has selected and whom it has logged in, the other finds, and can end."""
    assert not sit_down(server.port, **clients).differences(session)


@pytest.mark.parametrize("client", ["ours", "theirs"])
def test_a_token_is_good_in_both_headers(
    client: str, server: ServerProcess, clients: Mapping[str, Path], sit_down: SitDown
) -> None:
    """The token that a client keeps proves its user, and nobody else, to whatever can send a name and a password."""
    name, token = sit_down(server.port, **clients).log_in(client, f"token-of-{client}")

    assert login_tokens.statuses(server.url.rstrip("/"), name, token) == [200, 200, 401, 401]
