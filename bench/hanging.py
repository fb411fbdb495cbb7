"""The cost of a hanging provider for users of other providers: its time budget, once per circuit period."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from bench import driver, servers
from bench.loops import looping
from bench.report import Bar, Row
from bench.servers import CHEAP_HASHING_OPTIONS, PASSWORD, USER, Server
from bench.site import Site

PROVIDER_BUDGET_SECONDS = 5.0
"""Time that an authenticator or group source may take."""
CIRCUIT_PERIOD_SECONDS = 30.0
"""Time for which a provider that exceeded its budget is not asked."""
CIRCUIT_PERIODS = 2
PAUSE_SECONDS = 0.02
"""Time between two requests."""
MIN_WAIT_MILLISECONDS = 1000.0
"""Duration from which a request counts as having waited for the provider."""
REQUESTS_PER_LOGIN = 50

HANGING_PLUGIN = """
import time

from wheelgate import hookimpl
from wheelgate.providers import Authenticator, GroupSource


class Hanging(Authenticator, GroupSource):
    accepts = frozenset({"password"})

    def __init__(self, name):
        self.name = name

    def authenticate(self, credentials, request, user):
        time.sleep(3600)

    def groups(self, username):
        time.sleep(3600)


@hookimpl
def wheelgate_authenticators():
    return [Hanging("directory")]


@hookimpl
def wheelgate_group_sources():
    return [Hanging("groups")]
"""
"""A directory that never answers, and a group source that never answers and is asked about all users."""


def hanging(site: Site) -> list[Row]:
    """Send requests as a local user, while other clients try to log in by the directory, and without the plugin."""
    folder = site.folder()
    with servers.ours(site.binaries, folder, *CHEAP_HASHING_OPTIONS, "--workers", "1") as server:
        servers.join(server.port)
        idle = ask(server, 3.0)
    with (
        servers.ours(
            site.binaries, folder, *CHEAP_HASHING_OPTIONS, "--workers", "1", path=install(folder / "plugin")
        ) as server,
        looping(lambda number: lambda turn: try_login(server, number)),
    ):
        busy = ask(server, CIRCUIT_PERIODS * (CIRCUIT_PERIOD_SECONDS + PROVIDER_BUDGET_SECONDS))
    waited = [each for each in busy if each >= MIN_WAIT_MILLISECONDS]
    others = statistics.median(each for each in busy if each < MIN_WAIT_MILLISECONDS)
    what = "a local user while providers hang"
    return [
        Row(f"{what}: requests that wait, per circuit period", "requests", [len(waited) / CIRCUIT_PERIODS], bar=Bar(1)),
        Row(f"{what}: their duration", "ms", waited or [0.0], bar=Bar(1000 * PROVIDER_BUDGET_SECONDS * 1.1)),
        Row(f"{what}: all other requests, wall time", "ms", [others], "idle", [statistics.median(idle)], Bar(2)),
    ]


def ask(server: Server, seconds: float) -> list[float]:
    """Send requests with a login token, and some logins, for a while; return the milliseconds of each."""
    first = time.perf_counter()
    took = []
    login = driver.request("POST", "/+login", {"user": USER, "password": PASSWORD})
    begun = time.perf_counter()
    token = driver.login(server.port, USER, PASSWORD)
    took.append(1000 * (time.perf_counter() - begun))
    read = driver.request("GET", "/+api", credentials=token)
    while time.perf_counter() - first < seconds:
        sent = read if len(took) % REQUESTS_PER_LOGIN else login
        begun = time.perf_counter()
        driver.ask_once(server.port, sent)
        took.append(1000 * (time.perf_counter() - begun))
        time.sleep(PAUSE_SECONDS)
    return took


def try_login(server: Server, number: int) -> None:
    """Try to log in as a user whom only the directory could know."""
    with driver.Connection(server.port) as connection:
        sent = driver.request("POST", "/+login", {"user": f"nobody{number}", "password": "x"})
        status, body = connection.ask(sent)
    driver.check(sent, status, body, expected=503)
    time.sleep(10 * PAUSE_SECONDS)


def install(folder: Path) -> Path:
    """Write the plugin as an installed distribution, and return its folder."""
    about = folder / "wheelgate_hanging-1.dist-info"
    about.mkdir(parents=True)
    (folder / "wheelgate_hanging.py").write_text(HANGING_PLUGIN)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: wheelgate-hanging\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[wheelgate]\nhanging = wheelgate_hanging\n")
    return folder
