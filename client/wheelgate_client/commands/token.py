"""Create, list, inspect and revoke API tokens, and derive narrower ones: what CI sends in place of a password.

A token is shown once, when it is created, and stored nowhere: put it where your CI keeps its secrets. Upload tools and
installers take it as the password of the user __token__; this command takes it in DEVPI_TOKEN. What it may do is what
its user may do, at that moment, as far as --scope, --index and --project go. 'derive' needs no server: whoever has a
token can narrow it further, and nobody can widen it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from wheelgate_client.errors import ClientError, UsageError
from wheelgate_client.server import urls

if TYPE_CHECKING:
    from wheelgate_client.session import Session

ACTIONS = ("create", "list", "inspect", "revoke", "derive")
NARROWING = ("scope", "index", "project", "expires")


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("action", choices=ACTIONS, metavar="|".join(ACTIONS), help="what to do")
    parser.add_argument(
        "token",
        nargs="?",
        metavar="ID|TOKEN",
        help="which one to inspect or revoke; inspect and derive read a whole token from DEVPI_TOKEN or standard input "
        "if none is given, where other users of this machine cannot see it",
    )
    parser.add_argument(
        "--scope",
        action="append",
        metavar="SCOPE",
        help="what it is for, of read, upload, yank and delete; separated by commas, or given several times",
    )
    parser.add_argument(
        "--index", action="append", metavar="USER/NAME", help="index that it is for (default: all), several times"
    )
    parser.add_argument(
        "--project", action="append", metavar="NAME", help="project that it is for (default: all), several times"
    )
    parser.add_argument(
        "--expires", metavar="TIME", help="when it ends: 12h, 30d, 8w (default: 90d, if the server lets)"
    )
    parser.add_argument("--comment", metavar="TEXT", help="what 'list' is to show of it, such as where it is used")
    parser.add_argument("--user", metavar="USER", help="whose tokens to list; root may name others")


def run(options: argparse.Namespace, session: Session) -> int:
    """Do what the action says."""
    _check(options)
    {"create": _create, "list": _list, "inspect": _inspect, "revoke": _revoke, "derive": _derive}[options.action](
        options, session
    )
    return 0


def _check(options: argparse.Namespace) -> None:
    """Raise ``UsageError`` for options that the action does not take."""
    taken = {"create": {*NARROWING, "comment"}, "derive": {*NARROWING, "token"}, "list": {"user"}}
    allowed = taken.get(options.action, {"token"})
    for name in (*NARROWING, "comment", "user"):
        if getattr(options, name) is not None and name not in allowed:
            raise UsageError(f"devpi token {options.action}: error: it takes no --{name}")
    if options.token is not None and "token" not in allowed:
        raise UsageError(f"devpi token {options.action}: error: it takes no token")
    if options.action == "create" and options.scope is None:
        raise UsageError("devpi token create: error: say what it is for with --scope, for example --scope upload")
    if options.action == "derive" and all(getattr(options, name) is None for name in NARROWING):
        raise UsageError("devpi token derive: error: say how to narrow it: --scope, --index, --project or --expires")
    if options.action == "revoke" and options.token is None:
        raise UsageError("devpi token revoke: error: say which one; 'devpi token list' shows the IDs")


def _create(options: argparse.Namespace, session: Session) -> None:
    from wheelgate_client.server import api_tokens as tokens

    body = _narrowing(options, session)
    if options.expires is not None:
        body["expires_in"] = _span(options)
    if options.comment is not None:
        body["comment"] = options.comment
    made = session.api.send("POST", _address(session), body).result("token")
    session.terminal.note(f"token {made.get('id')} of {made.get('user')}: {tokens.sentence(made)}")
    session.terminal.note("it is shown this once, and stored nowhere:")
    session.terminal.line(str(made.get("token")))


def _list(options: argparse.Namespace, session: Session) -> None:
    from urllib.parse import quote

    from wheelgate_client.server import api_tokens as tokens

    url = _address(session) + (f"?user={quote(options.user, safe='')}" if options.user else "")
    found = session.api.get(url).content.get("result")
    for token in found if isinstance(found, list) else []:
        if isinstance(token, dict):
            used = f"last used {token.get('last_used') or 'never'}"
            comment = f"; {token['comment']}" if token.get("comment") else ""
            session.terminal.line(f"{token.get('id')}: {tokens.sentence(token)}; {used}{comment}")


def _inspect(options: argparse.Namespace, session: Session) -> None:
    from wheelgate_client.server import api_tokens as tokens
    from wheelgate_client.server import config_values as values

    given = options.token or _secret(session)
    if given.startswith(tokens.PREFIX):
        token = tokens.read(given)
        session.terminal.line(f"{token.id}: {tokens.sentence(tokens.together(token))}")
        session.terminal.note("this is what the token says; whether it still holds, the server knows")
        return
    shown = session.api.get(_address(session, given)).result("token")
    session.terminal.line(f"{shown.get('id')}:")
    for line in values.lines({key: value for key, value in shown.items() if value not in (None, "")}, without=("id",)):
        session.terminal.line(line)


def _revoke(options: argparse.Namespace, session: Session) -> None:
    from wheelgate_client.server import api_tokens as tokens

    identifier = tokens.read(options.token).id if options.token.startswith(tokens.PREFIX) else options.token
    session.api.send("DELETE", _address(session, identifier))
    session.terminal.line(f"token {identifier} revoked, and all that was derived from it")


def _derive(options: argparse.Namespace, session: Session) -> None:
    import time

    from wheelgate_client.server import api_tokens as tokens

    caveat = _narrowing(options, session)
    if options.expires is not None:
        caveat["expires"] = int(time.time()) + _span(options)
    given = options.token or _secret(session)
    derived = tokens.narrowed(given, caveat)
    left = tokens.together(tokens.read(derived))
    if [] in left.values():
        had = tokens.sentence(tokens.together(tokens.read(given)))
        raise ClientError(f"nothing would be left of a token for {had}: a token can be narrowed, not widened")
    session.terminal.note(f"derived: {tokens.sentence(left)}")
    session.terminal.line(derived)


def _narrowing(options: argparse.Namespace, session: Session) -> dict[str, Any]:
    """Return what the options narrow a token to."""
    from wheelgate_client.packages import requirements as specs

    said: dict[str, Any] = {}
    if options.scope is not None:
        said["scopes"] = sorted({scope.strip() for scope in ",".join(options.scope).split(",") if scope.strip()})
    if options.index is not None:
        said["indices"] = sorted({_path(name, session) for name in options.index})
    if options.project is not None:
        said["projects"] = sorted({specs.normalised(name) for name in options.project})
    return said


def _path(name: str, session: Session) -> str:
    """Return the path of an index, given as NAME or USER/NAME."""
    path = name.strip("/")
    if "/" in path:
        return path
    if session.username is None:
        raise ClientError(f"nobody is logged in, so it is not clear whose index '{name}' is: name it as USER/NAME")
    return f"{session.username}/{path}"


def _span(options: argparse.Namespace) -> int:
    """Return the seconds of ``--expires``."""
    from wheelgate_client.server import api_tokens as tokens

    try:
        return tokens.seconds(options.expires)
    except ValueError:
        raise UsageError(
            f"devpi token {options.action}: error: --expires takes a time span such as 12h, 30d or 8w, "
            f"not '{options.expires}'"
        ) from None


def _secret(session: Session) -> str:
    """Return a token that does not stand on the command line."""
    given = session.environ.get("DEVPI_TOKEN")
    return (given or session.terminal.hidden("token: ", otherwise="DEVPI_TOKEN")).strip()


def _address(session: Session, *identifier: str) -> str:
    """Return the address of tokens, or of one.

    Raises:
        ClientError: if the server has no tokens.
    """
    from wheelgate_client import serverinfo

    if "api-tokens" not in serverinfo.ask(session, session.root, None).features:
        raise ClientError(f"the server at {session.root} has no API tokens (it lacks: api-tokens); nothing was changed")
    return urls.join(session.root, "+x", "tokens", *identifier)
