"""The cost of single requests: the first request of a client, one user, a change, and the list of all users."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from functools import partial

from bench import driver
from bench.report import Bar, Row
from bench.sampling import Contender, Sample, compare
from bench.servers import USER, Server, user_name
from bench.site import FEW_USERS, MANY_USERS, Site

MAX_NOISE_RATIO = 1.15
"""Ratio up to which two figures count as equal, given the noise of the measurements."""

Make = Callable[[Server, int], bytes]


def begin(server: Server, number: int) -> bytes:
    """Request the login address and the state of the login."""
    return driver.request("GET", "/+api", credentials=server.credentials)


def read(server: Server, number: int) -> bytes:
    """Request one user after the other."""
    return driver.request("GET", f"/{user_name(number % server.users)}", credentials=server.credentials)


def change(server: Server, number: int) -> bytes:
    """Change a user; each change differs from the one before."""
    return driver.request("PATCH", f"/{USER}", {"email": f"{number}@mail.example"}, server.credentials)


def listing(server: Server, number: int) -> bytes:
    """Request all users."""
    return driver.request("GET", "/", credentials=server.credentials)


def change_and_list(server: Server, number: int) -> bytes:
    """Change a user and request all users, in turn."""
    return listing(server, number) if number % 2 else change(server, number // 2)


def api(site: Site) -> list[Row]:
    """Compare the cheapest answer."""
    what = "GET /+api with a token"
    compared, flat = compared_and_flat(site, what, begin, Bar(8, at_least=True))
    samples = measure(site, begin, {"ours": site.many, "empty": site.empty})
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
        row(f"GET / of {MANY_USERS} users", measure(site, listing, both), "ours", "incumbent", Bar(50, at_least=True)),
        row("a change and that list, in turn", measure(site, change_and_list, both), "ours", "incumbent"),
    ]


def compared_and_flat(site: Site, what: str, make: Make, bar: Bar) -> list[Row]:
    """Compare with the incumbent, and with our server with few users."""
    fewer = f"{FEW_USERS} users"
    samples = measure(site, make, {"ours": site.many, fewer: site.few, "incumbent": site.incumbent})
    return [
        row(what, samples, "ours", "incumbent", bar),
        row(f"{what} among {MANY_USERS} users", samples, "ours", fewer, Bar(MAX_NOISE_RATIO)),
    ]


def measure(site: Site, make: Make, asked: Mapping[str, Server]) -> dict[str, list[Sample]]:
    """Measure the servers in turn."""
    return compare({name: contender(server, make, site.connections) for name, server in asked.items()}, site.rounds)


def contender(server: Server, make: Make, connections: int = 1, expected: int = 200) -> Contender:
    """Return a contender: a server that answers over some connections with an expected status."""
    return Contender(server.tree, partial(driver.ask_often, server.port, partial(make, server), connections, expected))


def row(what: str, samples: Mapping[str, list[Sample]], ours: str, other: str, bar: Bar | None = None) -> Row:
    """Compare CPU, and include the wall time."""
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
