"""Create, show, modify, delete and list indices; without an option, show the index or change the given settings."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping, Sequence

from wheelgate_client import key_values, resource_commands
from wheelgate_client.errors import ClientError
from wheelgate_client.server.json_values import objects_by_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext

SETTINGS_SHOWN_FIRST = ("type", "bases", "volatile", "acl_upload", "acl_read", "acl_modify", "acl_toxresult_upload")
WITHOUT_PROJECTS = "?no_projects="


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    action = resource_commands.add_action_options(
        parser,
        "index",
        list_help="list the indices of a user",
        delete_help="delete the index and everything uploaded to it",
    )
    action.add_argument("--no-projects", action="store_true", help="show the index without asking for its projects")
    parser.add_argument(
        "arguments",
        nargs="*",
        metavar="NAME|KEY=VALUE",
        help="index, as NAME or USER/NAME (default: the one in use); settings, as KEY=VALUE, KEY+=VALUE or KEY-=VALUE,"
        " for example bases=root/pypi volatile=False acl_upload+=bob",
    )


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Run the action that the options select."""
    name, changes = key_values.split_name(options.arguments)
    if options.list:
        _list(context, name or context.username)
        return 0
    if (options.create or options.delete) and name is None:
        raise ClientError("need to explicitly specify index for deletion/creation")
    resource_commands.check_deletion(options, changes)
    key_values.check_settings(changes)
    url = context.index_url(name)
    if options.create:
        config = context.api.send("PUT", url, key_values.parse_settings(changes)).result("indexconfig")
        _show(context, url + WITHOUT_PROJECTS, config)
        _note_unknown_groups(context, changes)
    elif options.delete:
        if resource_commands.delete_resource(context, url, url, WITHOUT_PROJECTS):
            context.terminal.print_line(f"index deleted: {url}")
    elif changes:
        _modify(context, url, changes)
    else:
        config = context.api.get(url + WITHOUT_PROJECTS).result("indexconfig")
        _show(context, url + WITHOUT_PROJECTS if options.no_projects else url, config)
    return 0


def _modify(context: ClientContext, url: str, changes: Sequence[str]) -> None:
    for change in changes:
        context.terminal.print_line(f"/{url.removeprefix(context.server_url)} {change}")
    config = context.api.send("PATCH", url, list(changes)).result("indexconfig")
    _show(context, url + WITHOUT_PROJECTS, config)
    _note_unknown_groups(context, changes)


def _note_unknown_groups(context: ClientContext, changes: Sequence[str]) -> None:
    """Name the groups in new access lists that the server does not store; a directory may know them, or a typo is."""
    settings = [change.partition("=") for change in changes if change.startswith("acl_")]
    listed = {name.strip() for key, _, names in settings if not key.endswith("-") for name in names.split(",")}
    groups = sorted(name[1:] for name in listed if name.startswith(":") and not name.endswith(":"))
    if not groups:
        return
    try:
        known = context.api.get(context.groups_url()).result("list:groupconfig")
    except ClientError:
        return  # a server without stored groups, or a user who may not see them
    for group in groups:
        if group not in known:
            near = difflib.get_close_matches(group, known, n=1)
            meant = f"did you mean ':{near[0]}'? Otherwise " if near else ""
            advice = f"{meant}root creates it with 'devpi group -c {group}', unless a directory reports it"
            context.terminal.note(f"this server has no group ':{group}': {advice}")


def _show(context: ClientContext, url: str, config: Mapping[str, object]) -> None:
    resource_commands.print_resource(context, url, config, first=SETTINGS_SHOWN_FIRST, without=("projects",))


def _list(context: ClientContext, username: str | None) -> None:
    if username is None:
        raise ClientError("no current authenticated user")
    config = context.api.get(context.user_url(username)).result("userconfig")
    names = sorted(objects_by_name(config.get("indexes")))
    if not names:
        context.terminal.note(f"{username} has no indices; 'devpi index -c {username}/NAME' creates one")
    for name in names:
        context.terminal.print_line(f"{username}/{name}")
