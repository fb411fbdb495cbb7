"""The cost of a login, and the time of other requests during logins in a loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import answers, driver
from bench.environments import variables
from bench.loops import LOOP_THREADS, looping
from bench.report import Bar, Row
from bench.sampling import Contender, Sample, compare, repetitions_per_sample, sample
from bench.servers import PASSWORD, USER, Server
from bench.site import Site
from bench.tree import Tree, running


def cost(site: Site) -> list[Row]:
    """Compare a login with one verification of argon2, which it cannot do without."""
    folder = site.folder()
    command = [str(site.binaries / "python"), str(Path(__file__).parent / "verify.py")]
    with running(command, folder, variables(site.binaries, folder), piped=True) as tree:
        await_line(tree)
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
    """Compare the wall time of reads and changes during logins in a loop with that on an idle server."""
    rows = []
    for what, make in (("GET /{user}", answers.read), ("PATCH /{user}", answers.change)):
        asked = answers.contender(site.few, make)
        times = repetitions_per_sample(asked)
        idle: list[Sample] = []
        busy: list[Sample] = []
        for _ in range(site.rounds):
            idle.append(sample(asked, times))
            with looping(partial(logging_in, site.few)):
                busy.append(sample(asked, times))
        wall = [one.wall for one in busy], [one.wall for one in idle]
        rows.append(
            Row(f"{what}, wall time during {LOOP_THREADS} looping logins", "ms", wall[0], "idle", wall[1], Bar(2))
        )
    return rows


def log_in(server: Server, number: int) -> bytes:
    """Log in with the password."""
    return driver.request("POST", "/+login", {"user": USER, "password": PASSWORD})


def logging_in(server: Server, number: int) -> Callable[[int], None]:
    """Return a function that logs in over a new connection, as most commands do."""
    return lambda turn: driver.ask_once(server.port, log_in(server, turn))


def verify(tree: Tree, times: int) -> None:
    """Let the bare process verify a password."""
    if tree.process.stdin is None:
        raise ValueError("the process has no pipe")
    tree.process.stdin.write(b"%d\n" % times)
    tree.process.stdin.flush()
    await_line(tree)


def await_line(tree: Tree) -> None:
    """Wait for a line of the bare process."""
    if tree.process.stdout is None or not tree.process.stdout.readline():
        raise ConnectionError("the verifying process has ended")
