"""What single requests cost: where a client begins, one user, a change, the list of all users."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from functools import partial

from bench import driver
from bench.report import Bar, Row
from bench.sampling import Contender, Sample, compare
from bench.servers import NAME, Server, user_name
from bench.site import FEW, MANY, Site

FLAT = 1.15
"""How many times as much passes for the same, as far as such measurements can tell."""

Make = Callable[[Server, int], bytes]


def begin(server: Server, number: int) -> bytes:
    """Ask where to log in, and whether the login is good."""
    return driver.request("GET", "/+api", credentials=server.credentials)


def read(server: Server, number: int) -> bytes:
    """Ask for one user after the other."""
    return driver.request("GET", f"/{user_name(number % server.users)}", credentials=server.credentials)


def change(server: Server, number: int) -> bytes:
    """Change a user; each change differs from the one before."""
    return driver.request("PATCH", f"/{NAME}", {"email": f"{number}@mail.example"}, server.credentials)


def listing(server: Server, number: int) -> bytes:
    """Ask for all users."""
    return driver.request("GET", "/", credentials=server.credentials)


def change_and_list(server: Server, number: int) -> bytes:
    """Change a user and ask for all users, in turn."""
    return listing(server, number) if number % 2 else change(server, number // 2)


def api(site: Site) -> list[Row]:
    """Compare the cheapest answer."""
    what = "GET /+api with a token"
    compared, flat = compared_and_flat(site, what, begin, Bar(8, at_least=True))
    samples = take(site, begin, {"ours": site.many, "empty": site.empty})
    return [row(what, samples, "ours", "empty", Bar(1.6)), compared, flat]


def user(site: Site) -> list[Row]:
    """Compare reading one user."""
    return compared_and_flat(site, "GET /{user}", read, Bar(7, at_least=True))


def patch(site: Site) -> list[Row]:
    """Compare changing one user."""
    return compared_and_flat(site, "PATCH /{user}", change, Bar(6, at_least=True))


def all_users(site: Site) -> list[Row]:
    """Compare the list of all users, unchanged and after each change."""
    both = {"ours": site.many, "incumbent": site.incumbent}
    return [
        row(f"GET / of {MANY} users", take(site, listing, both), "ours", "incumbent", Bar(50, at_least=True)),
        row("a change and that list, in turn", take(site, change_and_list, both), "ours", "incumbent"),
    ]


def compared_and_flat(site: Site, what: str, make: Make, bar: Bar) -> list[Row]:
    """Compare with the incumbent, and with ourselves when there are few users."""
    fewer = f"{FEW} users"
    samples = take(site, make, {"ours": site.many, fewer: site.few, "incumbent": site.incumbent})
    return [
        row(what, samples, "ours", "incumbent", bar),
        row(f"{what} among {MANY} users", samples, "ours", fewer, Bar(FLAT)),
    ]


def take(site: Site, make: Make, asked: Mapping[str, Server]) -> dict[str, list[Sample]]:
    """Ask the servers in turn."""
    return compare({name: contender(server, make, site.connections) for name, server in asked.items()}, site.rounds)


def contender(server: Server, make: Make, connections: int = 1, expected: int = 200) -> Contender:
    """Let a server answer over so many connections, with one status."""
    return Contender(server.tree, partial(driver.ask_often, server.port, partial(make, server), connections, expected))


def row(what: str, samples: Mapping[str, list[Sample]], ours: str, other: str, bar: Bar | None = None) -> Row:
    """Compare CPU, and note the time on the wall."""
    wall = tuple(statistics.median(sample.wall for sample in samples[name]) for name in (ours, other))
    return Row(
        what,
        "ms",
        [sample.cpu for sample in samples[ours]],
        other,
        [sample.cpu for sample in samples[other]],
        bar,
        (wall[0], wall[1]),
    )
