"""Create, show, modify, delete and list users; without an option, show the user or change the given settings."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping

from wheelgate_client import key_values, passwords, resource_commands
from wheelgate_client.errors import ClientError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext

SECRET_SETTINGS = frozenset({"password", "pwhash"})


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    resource_commands.add_action_options(
        parser,
        "user",
        list_help="list the names of all users",
        delete_help="delete the user and all indices of the user",
    )
    passwords.add_stdin_option(parser, "user's password")
    parser.add_argument("arguments", nargs="*", metavar="NAME|KEY=VALUE", help="keys: email password title description")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Run the action that the options select."""
    name, settings = key_values.split_name(options.arguments)
    changes = key_values.parse_settings(settings)
    if options.list:
        if options.arguments:
            raise UsageError("devpi user: error: -l lists all users, it takes no name")
        _list(context)
        return 0
    if (options.create or options.delete) and name is None:
        raise ClientError("need to specify a username")
    resource_commands.check_deletion(options, settings)
    if options.password_stdin:
        changes["password"] = context.terminal.read_secret()
    passwords.require_new_password(changes.get("password"))
    username = named_or_current_user(context, name)
    if options.create:
        _create(context, username, changes)
    elif options.delete:
        _delete(context, username)
    elif options.modify or changes:
        modify_user(context, username, changes)
    else:
        url = context.user_url(username)
        config = context.api.get(url).result("userconfig")
        resource_commands.print_resource(context, url, config, without=("username", "indexes"))
    return 0


def named_or_current_user(context: ClientContext, name: str | None) -> str:
    """Return the given name, by default that of the user logged in.

    Raises:
        ClientError: if there is neither.
    """
    username = name or context.username
    if username is None:
        raise ClientError("no user specified and no user currently active")
    return username


def modify_user(context: ClientContext, username: str, changes: Mapping[str, str]) -> None:
    """Change settings of a user; users who change their own password stay logged in."""
    url = context.user_url(username)
    context.api.get(url).result("userconfig")
    for key, value in sorted(changes.items()):
        context.terminal.print_line(f"/{username} changing {key}: {'********' if key in SECRET_SETTINGS else value}")
    new_login = context.api.send("PATCH", url, dict(changes)).login_token()
    context.terminal.print_line(f"user modified: {username}")
    if new_login is not None:
        context.logins.renew(context.server_url, username, new_login.token)


def _create(context: ClientContext, username: str, settings: dict[str, str]) -> None:
    url = context.user_url(username)
    if "password" not in settings:
        # Asking for the password would hide that it was given under a wrong name.
        for key in difflib.get_close_matches("password", settings, n=1):
            raise ClientError(f"a user has no '{key}', did you mean 'password'?")
        settings["password"] = passwords.ask_new_password(context, username)
    context.api.send("PUT", url, settings)
    context.terminal.print_line(f"user created: {username}")


def _delete(context: ClientContext, username: str) -> None:
    url = context.user_url(username)
    if resource_commands.delete_resource(context, url, f"<URL '{url}'>"):
        context.terminal.print_line(f"user deleted: {username}")
        if username in context.logins.tokens(context.server_url):
            context.logins.log_off(context.server_url, username)


def _list(context: ClientContext) -> None:
    # The session that specifies this command lists the users in reverse order.
    for name in sorted(context.api.get(context.server_url).result("list:userconfig"), reverse=True):
        context.terminal.print_line(name)
