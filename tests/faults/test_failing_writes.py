"""A disk that is full, or that fails, from any write on: a refusal with a reason, nothing half done, and a recovery."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from tests.helpers.distributions import Distribution, wheel
from tests.helpers.upload_forms import address
from tests.helpers.upstream import Upstream, upstream  # noqa: F401 - a fixture
from tests.helpers.wire import NO_ANSWER_ERRORS, Answer, Auth, call, login, wait_until
from tests.helpers.wire_uploads import page, send
from tests.helpers.write_faults import WriteFaults, sampled, write_faults  # noqa: F401 - a fixture

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FAILURES = 12
"""Writes of each kind of request that are tried, spread over all of them."""
REFUSED = {errno.ENOSPC: {503, 507}, errno.EIO: {503}}
"""The statuses by the error of the disk."""


@dataclass
class Target:
    """A server whose writes can fail."""

    server: ServerProcess
    faults: WriteFaults
    auth: Auth

    def leftovers(self) -> list[str]:
        """Return the incomplete files in its store."""
        files = self.server.serverdir / "files"
        return [path.name for folder in ("drafts", "spool") for path in (files / folder).glob("*")]

    def stored(self, made: Distribution) -> bool:
        """Return whether a file is in the store."""
        return (self.server.serverdir / "files" / "sha256" / made.sha256[:2] / made.sha256[2:]).exists()


@pytest.fixture(scope="module")
def target(write_faults: WriteFaults, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:  # noqa: F811
    """Return a server with the index ``root/dev``."""
    folder = tmp_path_factory.mktemp("failing") / "server"
    write_faults.stop()
    environment = clean_environment(**write_faults.environment(folder))
    with ServerProcess(folder, *CHEAP_HASHING, env=environment) as server:
        auth = login(server)
        assert call(server, "PUT", "/root/dev", {"acl_upload": ["root"]}, auth).status == 200
        yield Target(server, write_faults, auth)


def each_failure(target: Target, kind: str, error: int, act: Callable[[str], Answer]) -> Iterator[tuple[str, Answer]]:
    """Yield a name and the answer to an action with that name, whose writes failed from one of them on.

    The first action counts the writes, and none of them fails.
    """
    points = [0]
    for at in points:
        name = f"{kind}-{errno.errorcode[error].lower()}-{at}"
        if at:
            target.faults.fail_from(at, error)
        else:
            target.faults.stop()
        answer = act(name)
        if not at:
            assert answer.status in {200, 201}
            points += sampled(target.faults.count, FAILURES)
        target.faults.stop()
        yield name, answer


@pytest.mark.parametrize("error", REFUSED, ids=errno.errorcode.get)
@pytest.mark.parametrize("size", [1000, 2_000_000])
def test_an_upload(target: Target, size: int, error: int) -> None:
    """An upload that was refused left nothing, and is accepted once the disk works."""

    def act(name: str) -> Answer:
        return send(target.server, target.auth, "root/dev", wheel(name, "1.0", size=size))

    for name, answer in each_failure(target, f"upload{size}", error, act):
        made = wheel(name, "1.0", size=size)
        assert answer.status in {200, *REFUSED[error]}, answer
        assert str(target.server.serverdir) not in answer.content.decode()
        listed = {made.filename: made.sha256} if answer.status == 200 else {}
        assert page(target.server, "root/dev", name) == listed
        assert (target.stored(made), target.leftovers()) == (bool(listed), []), (name, answer)
        if not listed:
            assert act(name).status == 200
        assert call(target.server, "GET", f"/root/dev/{address(made)}").content == made.content


@pytest.mark.parametrize("error", REFUSED, ids=errno.errorcode.get)
def test_a_user(target: Target, error: int) -> None:
    """A user whose creation was refused does not exist, and can be created once the disk works."""

    def act(name: str) -> Answer:
        return call(target.server, "PUT", f"/{name}", {"password": "correct horse"}, target.auth)

    for name, answer in each_failure(target, "user", error, act):
        assert answer.status in {201, *REFUSED[error]}, answer
        assert (call(target.server, "GET", f"/{name}").status == 200) is (answer.status == 201)
        if answer.status != 201:
            assert act(name).status == 201
        login(target.server, name, "correct horse")


@pytest.mark.parametrize("size", [1000, 3_000_000])
@pytest.mark.parametrize("error", REFUSED, ids=errno.errorcode.get)
def test_a_mirrored_file(target: Target, upstream: Upstream, size: int, error: int) -> None:  # noqa: F811
    """A mirrored file that cannot be stored leaves nothing, and is fetched once the disk works."""
    mirror = f"/root/up{size}e{error}"
    config = {"type": "mirror", "mirror_url": upstream.url}
    assert call(target.server, "PUT", mirror, config, target.auth).status == 200

    def act(name: str) -> Answer:
        made = upstream.add(wheel(name, "1.0", size=size))
        try:
            return call(target.server, "GET", f"{mirror}/{address(made)}")
        except NO_ANSWER_ERRORS:  # the answer had begun
            return Answer(503, {}, b"")

    for name, answer in each_failure(target, f"mirrored{size}", error, act):
        made = wheel(name, "1.0", size=size)
        assert answer.status in {200, *REFUSED[error]}, answer
        wait_until(lambda: not target.leftovers(), f"no leftovers of {name}")
        assert call(target.server, "GET", f"{mirror}/{address(made)}").content == made.content
