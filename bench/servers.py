"""Starts the servers to measure: ours, the incumbent, and the empty responder, each on a free loopback port."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import driver
from bench.environments import variables
from bench.tree import Tree, running

USER, PASSWORD = "bench", "a rather long password"
CHEAP_HASHING_OPTIONS = ("--argon2-memory-cost", "8", "--argon2-time-cost", "1", "--argon2-parallelism", "1")
UNMATCHABLE_HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
"""A hash that no password matches; with it the incumbent creates users without hashing."""
START_TIMEOUT_SECONDS = 60.0
PROBE_REQUEST = driver.request("GET", "/+api")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    tree: Tree
    port: int
    users: int = 0
    """The number of users, not counting root and the user who sends the requests."""
    credentials: str = ""
    """The name and the login token of the user who sends the requests."""


@contextmanager
def ours(binaries: Path, folder: Path, *options: str, path: Path | None = None) -> Iterator[Server]:
    """Run our server with its data in a folder; ``path`` is a folder with more distributions."""
    port = free_port()
    place = ("--host", driver.HOST, "--port", str(port), "--serverdir", str(folder / "data"))
    command = [str(binaries / "devpi-server"), *place, *options]
    more = {} if path is None else {"PYTHONPATH": str(path)}
    with running(command, folder, variables(binaries, folder) | more) as tree:
        await_answer(tree, port)
        yield Server(tree, port)


@contextmanager
def ours_with(binaries: Path, folder: Path, users: int) -> Iterator[Server]:
    """Run our server with this many users, including root and the user who sends the requests."""
    with ours(binaries, folder, *CHEAP_HASHING_OPTIONS) as server:
        fill(server.port, users - 2, {"password": PASSWORD})
    with ours(binaries, folder) as server:
        yield Server(server.tree, server.port, users - 2, join(server.port))


@contextmanager
def incumbent_with(binaries: Path, folder: Path, users: int) -> Iterator[Server]:
    """Run the incumbent's server with this many users, without its mirror, which would ask the public index."""
    env, data, secret = variables(binaries, folder), str(folder / "data"), str(folder / "secret")
    for command in (
        [str(binaries / "devpi-init"), "--no-root-pypi", "--serverdir", data],
        [str(binaries / "devpi-gen-secret"), "--secretfile", secret],
    ):
        subprocess.run(command, env=env, cwd=folder, check=True, capture_output=True)
    port = free_port()
    place = ("--host", driver.HOST, "--port", str(port), "--serverdir", data, "--secretfile", secret)
    command = [str(binaries / "devpi-server"), *place]
    with running(command, folder, env) as tree:
        await_answer(tree, port)
        fill(port, users - 2, {"password": PASSWORD, "pwhash": UNMATCHABLE_HASH})
        yield Server(tree, port, users - 2, join(port))


@contextmanager
def empty(binaries: Path, folder: Path) -> Iterator[Server]:
    """Run the empty responder with the settings that our server gives gunicorn."""
    port = free_port()
    place = ("--bind", f"{driver.HOST}:{port}", "--chdir", str(Path(__file__).parent))
    settings = "--worker-class asgi --workers 2 --keep-alive 5 --timeout 60 --asgi-lifespan off --no-control-socket"
    command = [str(binaries / "gunicorn"), *settings.split(), *place, "empty:make_app()"]
    with running(command, folder, variables(binaries, folder)) as tree:
        await_answer(tree, port)
        yield Server(tree, port)


def user_name(number: int) -> str:
    """Return the name of a user by number."""
    return f"user{number:05}"


def fill(port: int, users: int, body: dict[str, str]) -> None:
    """Create users."""
    with driver.Connection(port) as connection:
        for number in range(users):
            name = user_name(number)
            sent = driver.request("PUT", f"/{name}", {**body, "email": f"{name}@mail.example"})
            driver.check(sent, *connection.ask(sent), expected=201)


def join(port: int) -> str:
    """Create the user who sends the requests, log in, and return the credentials."""
    body = {"password": PASSWORD, "email": f"{USER}@mail.example"}
    driver.ask_once(port, driver.request("PUT", f"/{USER}", body), expected=201)
    return driver.login(port, USER, PASSWORD)


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind((driver.HOST, 0))
        return int(probe.getsockname()[1])


def await_answer(tree: Tree, port: int) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and tree.process.poll() is None:
        try:
            driver.ask_once(port, PROBE_REQUEST)
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise TimeoutError("the server does not answer, or has ended")
