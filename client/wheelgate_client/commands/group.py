"""Create, show, modify, delete and list groups; without an option, show the group or change what is given."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wheelgate_client import keyvalues
from wheelgate_client.errors import ClientError, UsageError
from wheelgate_client.server import config_values as values

if TYPE_CHECKING:
    from wheelgate_client.session import Session

KIND = "groupconfig"


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument("-c", "--create", action="store_true", help="create the group")
    action.add_argument("-m", "--modify", action="store_true", help="change what is given")
    action.add_argument("-l", "--list", action="store_true", help="list the names of all groups")
    action.add_argument("--delete", action="store_true", help="delete the group, and its name from every access list")
    parser.add_argument(
        "arguments",
        nargs="*",
        metavar="NAME|KEY=VALUE",
        help="group; settings, as KEY=VALUE, members+=NAMES or members-=NAMES, for example"
        " members=alice,:testers title=Developers",
    )


def run(options: argparse.Namespace, session: Session) -> int:
    """Do what the options say."""
    name, changes = keyvalues.split_name(options.arguments)
    keyvalues.check(changes)
    if options.list:
        if options.arguments:
            raise UsageError("devpi group: error: -l lists all groups, it takes no name")
        for known in sorted(session.api.get(session.groups_url()).result(f"list:{KIND}")):
            session.terminal.line(known)
        return 0
    if name is None:
        raise ClientError("need to specify a group")
    name = name.removeprefix(":")
    if options.create:
        session.api.send("PUT", session.groups_url(name), keyvalues.as_dict(changes))
        session.terminal.line(f"group created: {name}")
    elif options.delete:
        if changes:
            raise ClientError("cannot delete if you specify key=values")
        _delete(session, name)
    elif options.modify or changes:
        _modify(session, name, changes)
    else:
        _show(session, name)
    return 0


def _modify(session: Session, name: str, changes: Sequence[str]) -> None:
    for change in changes:
        session.terminal.line(f":{name} {change}")
    session.api.send("PATCH", session.groups_url(name), list(changes))
    session.terminal.line(f"group modified: {name}")


def _delete(session: Session, name: str) -> None:
    url = session.groups_url(name)
    session.terminal.line(f"About to remove: {url}")
    if session.confirm("Are you sure"):
        session.api.send("DELETE", url)
        session.terminal.line(f"group deleted: {name}")


def _show(session: Session, name: str) -> None:
    url = session.groups_url(name)
    config = session.api.get(url).result(KIND)
    session.terminal.line(f"{url}:")
    for line in values.lines(config, first=("members",)):
        session.terminal.line(line)
