"""Create, show, modify, delete and list groups; without an option, show the group or change the given settings."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from wheelgate_client import key_values, resource_commands
from wheelgate_client.errors import ClientError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    resource_commands.add_action_options(
        parser,
        "group",
        list_help="list the names of all groups",
        delete_help="delete the group, and its name from every access list",
    )
    parser.add_argument(
        "arguments",
        nargs="*",
        metavar="NAME|KEY=VALUE",
        help="group; settings, as KEY=VALUE, members+=NAMES or members-=NAMES, for example"
        " members=alice,:testers title=Developers",
    )


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Run the action that the options select."""
    name, changes = key_values.split_name(options.arguments)
    key_values.check_settings(changes)
    if options.list:
        if options.arguments:
            raise UsageError("devpi group: error: -l lists all groups, it takes no name")
        groups = sorted(context.api.get(context.groups_url()).result("list:groupconfig"))
        if not groups:
            context.terminal.note("there are no groups; 'devpi group -c NAME' creates one")
        for listed in groups:
            context.terminal.print_line(listed)
        return 0
    if name is None:
        raise ClientError("need to specify a group")
    name = name.removeprefix(":")
    url = context.group_url(name)
    resource_commands.check_deletion(options, changes)
    if options.create:
        context.api.send("PUT", url, key_values.parse_settings(changes))
        context.terminal.print_line(f"group created: {name}")
    elif options.delete:
        if resource_commands.delete_resource(context, url, url):
            context.terminal.print_line(f"group deleted: {name}")
    elif options.modify or changes:
        _modify(context, name, changes)
    else:
        config = context.api.get(url).result("groupconfig")
        resource_commands.print_resource(context, url, config, first=("members",))
    return 0


def _modify(context: ClientContext, name: str, changes: Sequence[str]) -> None:
    for change in changes:
        context.terminal.print_line(f":{name} {change}")
    context.api.send("PATCH", context.group_url(name), list(changes))
    context.terminal.print_line(f"group modified: {name}")
