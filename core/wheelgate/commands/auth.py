"""``devpi-server auth test USER``: what each authenticator says of a password; nothing is changed."""

from __future__ import annotations

import getpass
import queue
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from wheelgate.app import AUTHENTICATOR_BUDGET
from wheelgate.config import Config
from wheelgate.errors import BackendUnavailable, BadInput, StartupError
from wheelgate.identity.authentication import belongs
from wheelgate.identity.groups import group_names
from wheelgate.logs import escaped
from wheelgate.names import check_name
from wheelgate.plugin_host.discovery import Plugins, in_order
from wheelgate.process.startup import open_stores
from wheelgate.providers import Authenticator, GroupSource
from wheelgate.services.provisioning import who_is_created
from wheelgate.store.database import Database
from wheelgate.values import Credentials, Ok, Outcome, Reject, RequestInfo, Unavailable, Unknown, User

INFO = RequestInfo("POST", "/+login", {}, "127.0.0.1")


def try_login(config: Config, plugins: Plugins, user: str, *, password_stdin: bool = False) -> int:
    """Ask every authenticator as a login would, and print the answers; return 0 if the login would succeed."""
    if config["database"] is None and not Path(config.database_url.removeprefix("sqlite:///")).exists():
        raise StartupError(f"no server was started in {config.serverdir} yet; name its folder with --serverdir")
    database = Database(config.database_url, read_only=True)
    try:
        server = open_stores(config, plugins, database)
        found = plugins.collect("wheelgate_authenticators", lambda each: each.name, server=server)
        authenticators = in_order([each for _, each in found], config["auth-order"], "--auth-order")
        sources = [
            each for _, each in plugins.collect("wheelgate_group_sources", lambda each: each.name, server=server)
        ]
        created = who_is_created(config["autocreate-users"], [each.name for each in authenticators])
        known = server.users.get(user)
        print(f"user {user!a}: {standing(known)}")
        credentials = Credentials("password", user, ask(user, password_stdin=password_stdin), "auth test")
        winner = ask_all(authenticators, credentials, known)
        if winner is None:
            print(f"result: nobody logs in user {user!a}")
            return 1
        show_groups(sources, user, winner, authenticators)
        problem = "" if known else obstacle(user, winner, created)
        print(f"result: '{winner.name}' knows user {user!a}" + (f", but {problem}" if problem else ", who can log in"))
        return 1 if problem else 0
    finally:
        database.close()


def standing(user: User | None) -> str:
    """Say what the server knows of a user."""
    if user is None:
        return "not on this server yet"
    return f"belongs to '{user.provider}'" if user.provider else "a local user"


def ask(user: str, *, password_stdin: bool) -> str:
    """Read the password, from a terminal or from a pipe, in Unicode's normal form NFC."""
    if password_stdin:
        return unicodedata.normalize("NFC", sys.stdin.readline().rstrip("\r\n"))
    if not sys.stdin.isatty():
        raise StartupError("there is no terminal to ask for the password; pipe it in with --password-stdin")
    return unicodedata.normalize("NFC", getpass.getpass(f"password for user {user}: "))


def ask_all(
    authenticators: Sequence[Authenticator], credentials: Credentials, known: User | None
) -> Authenticator | None:
    """Print what each says, and return the one that would log the user in."""
    winner, decided = None, False
    for each in authenticators:
        if credentials.kind not in each.accepts:
            print(f"{each.name}: not asked, it does not judge passwords")
        elif not belongs(credentials.username, known, each):
            print(f"{each.name}: not asked, the name is not its own")
        else:
            outcome, took = timed(each.authenticate, credentials, INFO, known)
            if not isinstance(outcome, Ok | Unknown | Reject | Unavailable):
                outcome = Unavailable(f"it answered {type(outcome).__name__}, which is no outcome")
            print(escaped(f"{each.name}: {told(outcome, credentials.username)} ({took} ms)"))
            good = isinstance(outcome, Ok) and outcome.username == credentials.username
            if good and not decided:
                winner = each
            decided = decided or good or isinstance(outcome, Reject)
    return winner


def show_groups(
    sources: Sequence[GroupSource], user: str, winner: Authenticator, authenticators: Sequence[Authenticator]
) -> None:
    """Print the groups that the user would have, by who reports them."""
    others = {each.name for each in authenticators if not each.local} - {winner.name}
    for source in sources:
        if source.name not in others:
            groups, took = timed(lambda source: group_names(source.groups(user)), source)
            if isinstance(groups, Unavailable):
                text = f"cannot tell: {groups.reason}"
            else:
                text = ", ".join(sorted(groups)) or "none"
            print(escaped(f"groups from '{source.name}': {text} ({took} ms)"))


def obstacle(user: str, winner: Authenticator, created: frozenset[str]) -> str:
    """Say why somebody who is no user yet cannot become one; nothing if that can be."""
    if winner.name not in created:
        return "--autocreate-users does not name it, and there is no such user"
    try:
        check_name("username", user)
    except BadInput as refusal:
        return str(refusal)
    return ""


def told(outcome: Outcome, user: str) -> str:
    """Put an outcome into words."""
    match outcome:
        case Ok(username) if username == user:
            known = [
                f"{name} {value!a}" for name, value in (("email", outcome.email), ("title", outcome.title)) if value
            ]
            return ", ".join(["ok", *known])
        case Ok(username):
            return f"no, these are credentials of {username!a}"
        case Unknown():
            return "no, it does not know them"
        case Reject(reason):
            return f"no, and nobody else is asked: {reason}"
        case Unavailable(reason):
            return f"cannot tell: {reason}"


def timed(function: Callable[..., Any], *given: Any) -> tuple[Any, int]:
    """Call a plugin within the time that it has in the server; return its answer and the milliseconds it took."""
    answers: queue.Queue[Any] = queue.Queue()

    def call() -> None:
        try:
            answers.put(function(*given))
        except BackendUnavailable as error:
            answers.put(Unavailable(error.message))
        except Exception as error:  # noqa: BLE001 - a stranger's code: whatever it raises is an answer here
            answers.put(Unavailable(f"it raised {type(error).__name__}"))

    begun = time.monotonic()
    # Not one of a pool's: the process would wait for it at the end, and a plugin that hangs never ends.
    threading.Thread(target=call, daemon=True).start()
    try:
        answer = answers.get(timeout=AUTHENTICATOR_BUDGET)
    except queue.Empty:
        answer = Unavailable(f"it took longer than {AUTHENTICATOR_BUDGET:g} s")
    return answer, round((time.monotonic() - begun) * 1000)
