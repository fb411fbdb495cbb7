"""Create, list, inspect and revoke API tokens, and derive narrower ones. CI uses a token instead of a password.

The command shows a token once, when it is created, and stores it nowhere: put it where your CI keeps its secrets.
Upload tools and installers take it as the password of the user __token__; this command takes it in DEVPI_TOKEN. With a
token, a client may do what the user of the token may do at that time, within --scope, --index, --project and
--read-project. 'derive' needs no server: the holder of a token can narrow it further, but cannot widen it.
"""

from __future__ import annotations

import argparse
from typing import Any

from wheelgate_client.errors import ClientError, RefusedError, UsageError
from wheelgate_client.server import urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelgate_client.context import ClientContext

ACTIONS = ("create", "list", "inspect", "revoke", "derive")
NARROWING_OPTIONS = ("scope", "index", "project", "read_project", "expires")


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("action", choices=ACTIONS, metavar="|".join(ACTIONS), help="action")
    parser.add_argument(
        "token",
        nargs="?",
        metavar="ID|TOKEN",
        help="token to inspect, revoke or derive from; by default inspect and derive read it from DEVPI_TOKEN or "
        "standard input, where other users of this machine cannot see it",
    )
    parser.add_argument(
        "--scope",
        action="append",
        metavar="SCOPE",
        help="what the token allows: read, upload, yank or delete; several with commas, or repeat the option",
    )
    parser.add_argument(
        "--index", action="append", metavar="USER/NAME", help="index that it is valid for (default: all); repeatable"
    )
    parser.add_argument(
        "--project",
        action="append",
        metavar="NAME",
        help="project that it may change: upload, yank, delete (default: all); repeatable",
    )
    parser.add_argument(
        "--read-project",
        action="append",
        metavar="NAME",
        help="project that it may read on private indices (default: all, because a project needs its dependencies); "
        "repeatable",
    )
    parser.add_argument(
        "--expires", metavar="TIME", help="lifetime: 12h, 30d, 8w (default: 90d, if the server allows that)"
    )
    parser.add_argument("--comment", metavar="TEXT", help="text that 'list' shows, such as where the token is used")
    parser.add_argument("--user", metavar="USER", help="list the tokens of this user; only root may name others")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Run the action."""
    _check_options(options)
    {"create": _create, "list": _list, "inspect": _inspect, "revoke": _revoke, "derive": _derive}[options.action](
        options, context
    )
    return 0


def _check_options(options: argparse.Namespace) -> None:
    """Raise ``UsageError`` for options that the action does not take."""
    accepted = {"create": {*NARROWING_OPTIONS, "comment"}, "derive": {*NARROWING_OPTIONS, "token"}, "list": {"user"}}
    allowed = accepted.get(options.action, {"token"})
    for name in (*NARROWING_OPTIONS, "comment", "user"):
        if getattr(options, name) is not None and name not in allowed:
            raise UsageError(f"devpi token {options.action}: error: it takes no --{name.replace('_', '-')}")
    if options.token is not None and "token" not in allowed:
        raise UsageError(f"devpi token {options.action}: error: it takes no token")
    if options.action == "create" and options.scope is None:
        raise UsageError("devpi token create: error: say what it allows with --scope, for example --scope upload")
    if options.action == "derive" and all(getattr(options, name) is None for name in NARROWING_OPTIONS):
        raise UsageError(
            "devpi token derive: error: say how to narrow it: --scope, --index, --project, --read-project or --expires"
        )
    if options.action == "revoke" and options.token is None:
        raise UsageError("devpi token revoke: error: name the token; 'devpi token list' shows the IDs")


def _create(options: argparse.Namespace, context: ClientContext) -> None:
    from wheelgate_client.server import api_tokens

    body = _conditions(options, context)
    if options.expires is not None:
        body["expires_in"] = _expires_seconds(options, context)
    if options.comment is not None:
        body["comment"] = options.comment
    created = context.api.send("POST", _tokens_url(context), body).result("token")
    context.terminal.note(f"token {created.get('id')} of {created.get('user')}: {api_tokens.describe(created)}")
    _note_missing_indices(context, body.get("indices", ()))
    context.terminal.note("it is shown only once, and stored nowhere:")
    context.terminal.print_line(str(created.get("token")))


def _note_missing_indices(context: ClientContext, paths: Iterable[str]) -> None:
    """Name the indices of a new token that do not exist: it works once they do, but more often their name is wrong."""
    from http import HTTPStatus

    for path in paths:
        try:
            context.api.get(f"{context.index_url(path)}?no_projects=")
        except RefusedError as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                context.terminal.note(f"but there is no index {path} yet {refused.hint}")


def _list(options: argparse.Namespace, context: ClientContext) -> None:
    from urllib.parse import quote

    from wheelgate_client.server import api_tokens

    url = _tokens_url(context) + (f"?user={quote(options.user, safe='')}" if options.user else "")
    found = context.api.get(url).content.get("result")
    if not found:
        context.terminal.note("there are no tokens; 'devpi token create' makes one")
    for token in found if isinstance(found, list) else []:
        if isinstance(token, dict):
            used = f"last used {token.get('last_used') or 'never'}"
            comment = f"; {token['comment']}" if token.get("comment") else ""
            context.terminal.print_line(f"{token.get('id')}: {api_tokens.describe(token)}; {used}{comment}")


def _inspect(options: argparse.Namespace, context: ClientContext) -> None:
    from wheelgate_client.server import api_tokens
    from wheelgate_client.server.json_values import setting_lines

    text = options.token or _token_off_the_command_line(context)
    if text.startswith(api_tokens.API_TOKEN_PREFIX):
        token = api_tokens.parse_token(text)
        context.terminal.print_line(f"{token.id}: {api_tokens.describe(api_tokens.combined_caveats(token))}")
        context.terminal.note("this is the content of the token; only the server knows whether it is still valid")
        return
    config = context.api.get(_tokens_url(context, text)).result("token")
    context.terminal.print_line(f"{config.get('id')}:")
    for line in setting_lines(
        {key: value for key, value in config.items() if value not in (None, "")}, without=("id",)
    ):
        context.terminal.print_line(line)


def _revoke(options: argparse.Namespace, context: ClientContext) -> None:
    from wheelgate_client.server import api_tokens

    identifier = (
        api_tokens.parse_token(options.token).id
        if options.token.startswith(api_tokens.API_TOKEN_PREFIX)
        else options.token
    )
    context.api.send("DELETE", _tokens_url(context, identifier))
    context.terminal.print_line(f"token {identifier} revoked, and all tokens derived from it")


def _derive(options: argparse.Namespace, context: ClientContext) -> None:
    import time

    from wheelgate_client.server import api_tokens

    caveat = _conditions(options, context)
    if options.expires is not None:
        caveat["expires"] = int(time.time()) + _expires_seconds(options, context)
    text = options.token or _token_off_the_command_line(context)
    derived = api_tokens.narrow(text, caveat)
    conditions = api_tokens.combined_caveats(api_tokens.parse_token(derived))
    if [] in conditions.values():
        current = api_tokens.describe(api_tokens.combined_caveats(api_tokens.parse_token(text)))
        raise ClientError(
            f"the derived token would allow nothing, because the token is only for {current}:"
            " a token can be narrowed, not widened"
        )
    context.terminal.note(f"derived: {api_tokens.describe(conditions)}")
    context.terminal.print_line(derived)


def _conditions(options: argparse.Namespace, context: ClientContext) -> dict[str, Any]:
    """Return the conditions that the options describe."""
    from wheelgate_client.packages import requirements

    conditions: dict[str, Any] = {}
    if options.scope is not None:
        conditions["scopes"] = sorted({scope.strip() for scope in ",".join(options.scope).split(",") if scope.strip()})
    if options.index is not None:
        conditions["indices"] = sorted({_index_path(name, context) for name in options.index})
    for key, names in (("change_projects", options.project), ("read_projects", options.read_project)):
        if names is not None:
            conditions[key] = sorted({requirements.normalize_name(name) for name in names})
    return conditions


def _index_path(name: str, context: ClientContext) -> str:
    """Return the path of an index, given as NAME or USER/NAME."""
    path = name.strip("/")
    if "/" in path:
        return path
    if context.username is None:
        raise ClientError(f"you are not logged in, so it is unclear whose index '{name}' is: give it as USER/NAME")
    return f"{context.username}/{path}"


def _expires_seconds(options: argparse.Namespace, context: ClientContext) -> int:
    """Return the seconds of ``--expires``; say so if it has no unit, because most people think of days."""
    from wheelgate_client.server import api_tokens

    try:
        seconds = api_tokens.parse_seconds(options.expires)
    except ValueError:
        raise UsageError(
            f"devpi token {options.action}: error: --expires takes a time span such as 12h, 30d or 8w, "
            f"not '{options.expires}'"
        ) from None
    number = options.expires.strip()
    if number.isdecimal():
        context.terminal.note(f"--expires {number} means {seconds} seconds; for days, write {number}d")
    return seconds


def _token_off_the_command_line(context: ClientContext) -> str:
    """Return the token of the environment, or ask for one or read it from standard input."""
    token = context.credentials.secret_variable("DEVPI_TOKEN")
    return (token or context.terminal.ask_or_read_secret("token: ", otherwise="DEVPI_TOKEN")).strip()


def _tokens_url(context: ClientContext, *identifier: str) -> str:
    """Return the URL of all tokens, or of one.

    Raises:
        ClientError: if the server does not support tokens.
    """
    from wheelgate_client import server_info

    if "api-tokens" not in server_info.fetch_server_info(context, context.server_url, None).features:
        raise ClientError(
            f"the server at {context.server_url} has no API tokens (it lacks: api-tokens); nothing was changed"
        )
    return urls.join(context.server_url, "+x", "tokens", *identifier)
