"""Log in to the server; the login ends after some hours, with 'devpi logoff', or when the password changes."""

from __future__ import annotations

import argparse
from contextlib import closing

from wheelgate_client import passwords
from wheelgate_client.errors import ClientError, NotAnIndexServerError, RefusedError, UsageError
from wheelgate_client.server import urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext

SECONDS_PER_HOUR = 3600
SECONDS_PER_MINUTE = 60


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("username", help="user to log in as")
    parser.add_argument(
        "--url", help="server or index to select first, as 'devpi use' does (default: the server in use)"
    )
    passwords.add_password_options(parser, "password")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Log in, and select the index that needed the login."""
    if options.url is None:
        if context.selection.server_url is None:
            raise ClientError("not connected to a server: give --url URL, or type 'devpi use URL' first")
        _log_in(options, context)
        return _select_requested_index(context)
    if not urls.is_absolute(options.url):
        raise UsageError("devpi login: error: --url takes a URL, which starts with http:// or https://")
    from wheelgate_client import server_selection

    with closing(context.without_variable("DEVPI_INDEX")) as before:
        server_selection.remember(before, options.url)
    with closing(context.without_variable("DEVPI_INDEX")) as selected:
        _log_in(options, selected)
        return _select_requested_index(selected)


def _log_in(options: argparse.Namespace, context: ClientContext) -> None:
    """Exchange the password for a token, and store that."""
    url = f"{context.server_url}+login"
    body = {"user": options.username, "password": passwords.password_for_login(options, context)}
    # Do not send the stored login, because this one replaces it.
    login = context.api.send("POST", url, body, login=context.credentials.basic_login(url)).login_token()
    if login is None:
        raise NotAnIndexServerError(url, "it sent no token")
    username = login.username or options.username
    context.logins.log_in(context.server_url, username, login.token)
    context.selection_file.save({"username": username})
    lifetime = _format_lifetime(login.lifetime_seconds)
    context.terminal.print_line(f"logged in '{username}', credentials valid for {lifetime}")
    if context.environ.get("DEVPI_TOKEN"):
        context.terminal.note("commands go on sending the token in DEVPI_TOKEN instead, until you unset it")


def _format_lifetime(seconds: float) -> str:
    if seconds >= SECONDS_PER_HOUR:
        return f"{seconds / SECONDS_PER_HOUR:.2f} hours"
    if seconds >= 2 * SECONDS_PER_MINUTE:
        return f"{seconds / SECONDS_PER_MINUTE:.0f} minutes"
    return f"{seconds:.0f} seconds"


def _select_requested_index(context: ClientContext) -> int:
    requested = context.selection.requested_index
    if requested is None:
        _note_missing_index(context)
        return 0
    from wheelgate_client.commands.use import use_index

    with closing(context.without_variable("DEVPI_INDEX")) as logged_in:
        try:
            return use_index(logged_in, requested)
        except ClientError:
            logged_in.selection_file.save({"requested_index": None})
            raise


def _note_missing_index(context: ClientContext) -> None:
    if context.selection.index is None:
        return
    try:
        context.api.get(f"{context.selection.index}?no_projects=")
    except RefusedError as refused:
        context.terminal.note(refused.summary)
        context.terminal.note("Connected index does not exist.")
