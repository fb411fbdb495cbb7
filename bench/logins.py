"""What a login costs, and what logins in a loop leave to the others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import answers, driver
from bench.environments import variables
from bench.loops import LOOPS, looping
from bench.report import Bar, Row
from bench.sampling import Contender, Sample, compare, enough, sample
from bench.servers import NAME, PASSWORD, Server
from bench.site import Site
from bench.tree import Tree, running


def cost(site: Site) -> list[Row]:
    """Compare a login with what it cannot do without: one verification of argon2."""
    folder = site.folder()
    command = [str(site.binaries / "python"), str(Path(__file__).parent / "verify.py")]
    with running(command, folder, variables(site.binaries, folder), piped=True) as tree:
        hear(tree)
        contenders = {
            "ours": answers.contender(site.few, log_in),
            "bare argon2": Contender(tree, lambda times: verify(tree, times)),
            "incumbent": answers.contender(site.incumbent, log_in),
        }
        samples = compare(contenders, site.rounds)
    return [
        answers.row("POST /+login", samples, "ours", "bare argon2", Bar(1.05)),
        answers.row("POST /+login", samples, "ours", "incumbent"),
    ]


def beside(site: Site) -> list[Row]:
    """Compare the time on the wall of reads and changes beside logins in a loop with that of an idle server."""
    rows = []
    for what, make in (("GET /{user}", answers.read), ("PATCH /{user}", answers.change)):
        asked = answers.contender(site.few, make)
        times = enough(asked)
        idle: list[Sample] = []
        busy: list[Sample] = []
        for _ in range(site.rounds):
            idle.append(sample(asked, times))
            with looping(partial(logging_in, site.few)):
                busy.append(sample(asked, times))
        wall = [one.wall for one in busy], [one.wall for one in idle]
        rows.append(Row(f"{what} on the wall, beside {LOOPS} looping logins", "ms", wall[0], "idle", wall[1], Bar(2)))
    return rows


def log_in(server: Server, number: int) -> bytes:
    """Log in with the password."""
    return driver.request("POST", "/+login", {"user": NAME, "password": PASSWORD})


def logging_in(server: Server, number: int) -> Callable[[int], None]:
    """Make what logs in over a new connection, as so many commands do."""
    return lambda turn: driver.ask_once(server.port, log_in(server, turn))


def verify(tree: Tree, times: int) -> None:
    """Let the bare process verify."""
    if tree.process.stdin is None:
        raise ValueError("the process has no pipe")
    tree.process.stdin.write(b"%d\n" % times)
    tree.process.stdin.flush()
    hear(tree)


def hear(tree: Tree) -> None:
    """Wait for a line of the bare process."""
    if tree.process.stdout is None or not tree.process.stdout.readline():
        raise ConnectionError("the process that verifies has ended")
