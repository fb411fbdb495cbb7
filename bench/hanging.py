"""What a provider that hangs costs the users whom it is not about: its time budget, once per circuit period."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from bench import driver, servers
from bench.loops import looping
from bench.report import Bar, Row
from bench.servers import CHEAP, NAME, PASSWORD, Server
from bench.site import Site

BUDGET = 5.0
PERIOD = 30.0
"""Seconds: what an authenticator or a source of groups may take, and for how long it is then left out."""
PERIODS = 2
PAUSE = 0.02
"""Seconds between two requests."""
WAITED = 1000.0
"""Milliseconds from which a request has waited for the provider."""
LOGIN_EVERY = 50
"""One request in so many is a login."""

PLUGIN = """
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
"""A directory that never answers, and a source of groups that is asked about everybody."""


def hanging(site: Site) -> list[Row]:
    """Ask as a local user, while others try to log in by the directory; and the same without the plugin."""
    folder = site.folder()
    with servers.ours(site.binaries, folder, *CHEAP, "--workers", "1") as server:
        servers.join(server.port)
        idle = ask(server, 3.0)
    with (
        servers.ours(site.binaries, folder, *CHEAP, "--workers", "1", path=install(folder / "plugin")) as server,
        looping(lambda number: lambda turn: knock(server, number)),
    ):
        busy = ask(server, PERIODS * (PERIOD + BUDGET))
    waited = [each for each in busy if each >= WAITED]
    others = statistics.median(each for each in busy if each < WAITED)
    what = "a local user beside providers that hang"
    return [
        Row(f"{what}: requests that wait, per circuit period", "requests", [len(waited) / PERIODS], bar=Bar(1)),
        Row(f"{what}: how long these wait", "ms", waited or [0.0], bar=Bar(1000 * BUDGET * 1.1)),
        Row(f"{what}: all the others, on the wall", "ms", [others], "idle", [statistics.median(idle)], Bar(2)),
    ]


def ask(server: Server, seconds: float) -> list[float]:
    """Send requests with a login token, and logins among them, for a while; return the milliseconds that each took."""
    first = time.perf_counter()
    took = []
    login = driver.request("POST", "/+login", {"user": NAME, "password": PASSWORD})
    begun = time.perf_counter()
    token = driver.login(server.port, NAME, PASSWORD)
    took.append(1000 * (time.perf_counter() - begun))
    read = driver.request("GET", "/+api", credentials=token)
    while time.perf_counter() - first < seconds:
        sent = read if len(took) % LOGIN_EVERY else login
        begun = time.perf_counter()
        driver.ask_once(server.port, sent)
        took.append(1000 * (time.perf_counter() - begun))
        time.sleep(PAUSE)
    return took


def knock(server: Server, number: int) -> None:
    """Try to log in as somebody whom only the directory could know."""
    with driver.Connection(server.port) as connection:
        sent = driver.request("POST", "/+login", {"user": f"nobody{number}", "password": "x"})
        status, body = connection.ask(sent)
    driver.check(sent, status, body, expected=503)
    time.sleep(10 * PAUSE)


def install(folder: Path) -> Path:
    """Lay the plugin out as an installed distribution, and return its folder."""
    about = folder / "wheelgate_hanging-1.dist-info"
    about.mkdir(parents=True)
    (folder / "wheelgate_hanging.py").write_text(PLUGIN)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: wheelgate-hanging\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[wheelgate]\nhanging = wheelgate_hanging\n")
    return folder
