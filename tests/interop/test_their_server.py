"""The incumbent's released server, used with this client, and with both clients in turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
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
