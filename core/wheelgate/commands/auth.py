"""``devpi-server auth test USER``: show what each authenticator answers to a password; nothing is changed."""

from __future__ import annotations

import argparse
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wheelgate.commands.context import ServerContext
from wheelgate.commands.password_input import add_password_stdin, read_password
from wheelgate.errors import BackendUnavailable, BadInput
from wheelgate.identity.authentication import may_verify
from wheelgate.identity.groups import group_names
from wheelgate.logs import escape_unprintable
from wheelgate.names import check_name, is_spelling
from wheelgate.plugin_host import provider_hooks
from wheelgate.plugin_host.budgets import AUTHENTICATOR_SECONDS
from wheelgate.providers import Authenticator, GroupSource
from wheelgate.services.provisioning import autocreating_authenticators
from wheelgate.values import Credentials, Ok, Outcome, Reject, RequestInfo, SecretCheck, Unavailable, Unknown, User

LOGIN_REQUEST = RequestInfo("POST", "/+login", {}, "127.0.0.1")
"""The request that authenticators see: a login from this machine."""


@dataclass(frozen=True, slots=True)
class Winner:
    """The authenticator that would log a user in."""

    name: str
    """The name of the authenticator."""
    username: str
    """The user's name, as the authenticator spells it."""
    user: User | None
    """The user of that name on this server; None before the first login."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand ``test`` with its arguments."""
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    test = subparsers.add_parser(
        "test", help="show what each login service answers to a user's password; changes nothing"
    )
    test.add_argument("user", metavar="USER", help="name of the user")
    add_password_stdin(test)


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Ask every authenticator as a login would, and print the answers.

    Return 0 if the login would succeed and every group source has answered.
    """
    name, plugins, config = arguments.user, context.plugins, context.config
    with context.open_server_or_new() as server:
        authenticators = provider_hooks.authenticators(plugins, server)
        sources = provider_hooks.group_sources(plugins, server)
        created = autocreating_authenticators(config["autocreate-users"], [each.name for each in authenticators])
        user = server.users.get(name)
        print(f"user {name!a}: {standing(user)}")
        password = read_password(f"password for user {name}", from_stdin=arguments.password_stdin)
        credentials = Credentials("password", name, password, "auth test")
        winner = ask_all(authenticators, credentials, user, server.users.get)
        if winner is None:
            print(f"result: no login service logs in user {name!a}")
            return 1
        silent = show_groups(sources, winner, authenticators)
        problem = "" if winner.user else obstacle(winner, created, server.users.lookalike(winner.username))
        end = f", but {problem}" if problem else ", who can log in"
        if silent and not problem:
            problem = "no group comes from " + " or ".join(f"'{name}'" for name in silent)
            end += f", but {problem}: the user lacks the rights of these groups"
        print(escape_unprintable(f"result: '{winner.name}' knows user {winner.username!a}{end}"))
        return 1 if problem else 0


def standing(user: User | None) -> str:
    """Say what the server knows about a user."""
    if user is None:
        return "not on this server yet"
    return f"belongs to '{user.provider}'" if user.provider else "a local user"


def ask_all(
    authenticators: Sequence[Authenticator],
    credentials: Credentials,
    known: User | None,
    find_user: Callable[[str], User | None],
) -> Winner | None:
    """Print each answer, and return who would log the user in."""
    winner, decided = None, False
    for each in authenticators:
        if credentials.kind not in each.accepts:
            print(f"{each.name}: not asked, it does not verify passwords")
        elif not may_verify(each, credentials.username, known):
            print(f"{each.name}: not asked, the user belongs elsewhere")
        else:
            outcome, took = timed(each.authenticate, credentials, LOGIN_REQUEST, known)
            if not isinstance(outcome, Ok | Unknown | Reject | Unavailable):
                outcome = Unavailable(f"it answered {type(outcome).__name__}, which is not an outcome")
            good = vouched(each, outcome, credentials.username, known, find_user)
            text = described(outcome, credentials.username, counts=good is not None)
            print(escape_unprintable(f"{each.name}: {text} ({took} ms)"))
            if good is not None and not decided:
                winner = good
            decided = decided or good is not None or isinstance(outcome, Reject)
    return winner


def vouched(
    authenticator: Authenticator,
    outcome: Outcome,
    name: str,
    known: User | None,
    find_user: Callable[[str], User | None],
) -> Winner | None:
    """Return the user for whom an authenticator may vouch; None if its answer logs nobody in."""
    if not isinstance(outcome, Ok) or not is_spelling(outcome.username, name):
        return None
    user = known if outcome.username == name else find_user(outcome.username)
    if not may_verify(authenticator, outcome.username, user):
        return None
    return Winner(authenticator.name, outcome.username, user)


def show_groups(
    sources: Sequence[GroupSource], winner: Winner, authenticators: Sequence[Authenticator]
) -> Sequence[str]:
    """Print the groups of the user, by group source; return the names of the sources that cannot tell."""
    silent = []
    others = {each.name for each in authenticators if not each.local} - {winner.name}
    for source in sources:
        if source.name not in others:
            groups, took = timed(lambda source: group_names(source.groups(winner.username)), source)
            if isinstance(groups, Unavailable):
                silent.append(source.name)
                text = f"cannot tell: {groups.reason}"
            else:
                text = ", ".join(sorted(groups.names)) or "none"
                if groups.left_out:
                    left_out = ", ".join(f"{name!a}" for name in sorted(groups.left_out))
                    text += f"; without {left_out}, because ':' and ',' separate names in access lists"
            print(escape_unprintable(f"groups from '{source.name}': {text} ({took} ms)"))
    return silent


def obstacle(winner: Winner, created: frozenset[str], lookalike: str | None) -> str:
    """Say why a new user would not get an account; return an empty string if they would."""
    if winner.name not in created:
        return "--autocreate-users does not name it, so no account is created"
    try:
        check_name("username", winner.username)
    except BadInput as refusal:
        return str(refusal)
    return f"it looks like the existing user '{lookalike}'" if lookalike is not None else ""


def described(outcome: Outcome, name: str, *, counts: bool) -> str:
    """Describe an outcome for a name; ``counts`` says whether an ``Ok`` logs the user in."""
    match outcome:
        case Ok(username) if counts:
            spelling = (("user", username if username != name else None),)
            fields = (*spelling, ("email", outcome.email), ("title", outcome.title))
            return ", ".join(["ok", *(f"{what} {value!a}" for what, value in fields if value)])
        case Ok(username):
            return f"no, these are the credentials of {username!a}"
        case Unknown():
            return "no, it does not know the user"
        case Reject(reason, SecretCheck.RIGHT):
            return f"no, and no other service is asked: the password is right, but {reason}"
        case Reject(reason):
            return f"no, and no other service is asked: {reason}"
        case Unavailable(reason):
            return f"cannot tell: {reason}"


def timed(function: Callable[..., Any], *given: Any) -> tuple[Any, int]:
    """Call a plugin with the time budget of the server; return its answer and the milliseconds that it took."""
    answers: queue.Queue[Any] = queue.Queue()

    def call() -> None:
        try:
            answers.put(function(*given))
        except BackendUnavailable as error:
            answers.put(Unavailable(error.message))
        except Exception as error:  # noqa: BLE001 - third-party code: whatever it raises is an answer here
            answers.put(Unavailable(f"it raised {type(error).__name__}"))

    begun = time.monotonic()
    # A daemon thread: the process would wait at its end for a pool, and so for a plugin that hangs.
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    try:
        answer = answers.get(timeout=AUTHENTICATOR_SECONDS)
        thread.join()  # it has nothing left to do; once it has ended, its database connection can be closed
    except queue.Empty:
        answer = Unavailable(f"it took longer than {AUTHENTICATOR_SECONDS:g} s")
    return answer, round((time.monotonic() - begun) * 1000)
