"""Create, show, modify, delete and list indices; without an option, show the index or change what is given."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wheelgate_client import keyvalues
from wheelgate_client.errors import ClientError
from wheelgate_client.server import config_values as values

if TYPE_CHECKING:
    from wheelgate_client.session import Session

FIRST = ("type", "bases", "volatile", "acl_upload", "acl_read", "acl_toxresult_upload")
WITHOUT_PROJECTS = "?no_projects="


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument("-c", "--create", action="store_true", help="create the index")
    action.add_argument("-m", "--modify", action="store_true", help="change what is given")
    action.add_argument("-l", "--list", action="store_true", help="list the indices of a user")
    action.add_argument("--delete", action="store_true", help="delete the index with all that was uploaded to it")
    action.add_argument("--no-projects", action="store_true", help="show the index without asking for its projects")
    parser.add_argument(
        "arguments",
        nargs="*",
        metavar="NAME|KEY=VALUE",
        help="index, as NAME or USER/NAME (default: the one in use); settings, as KEY=VALUE, KEY+=VALUE or KEY-=VALUE,"
        " for example bases=root/pypi volatile=False acl_upload+=bob",
    )


def run(options: argparse.Namespace, session: Session) -> int:
    """Do what the options say."""
    name, changes = keyvalues.split_name(options.arguments)
    if options.list:
        _list(session, name or session.username)
        return 0
    if options.create or options.delete:
        if name is None:
            raise ClientError("need to explicitly specify index for deletion/creation")
        if options.delete and changes:
            raise ClientError("cannot delete if you specify key=values")
    keyvalues.check(changes)
    url = session.index_url(name)
    if options.create:
        config = session.api.send("PUT", url, keyvalues.as_dict(changes)).result("indexconfig")
        _show(session, url + WITHOUT_PROJECTS, config)
    elif options.delete:
        _delete(session, url)
    elif changes:
        _modify(session, url, changes)
    else:
        config = session.api.get(url + WITHOUT_PROJECTS).result("indexconfig")
        _show(session, url + WITHOUT_PROJECTS if options.no_projects else url, config)
    return 0


def _modify(session: Session, url: str, changes: Sequence[str]) -> None:
    for change in changes:
        session.terminal.line(f"/{url.removeprefix(session.root)} {change}")
    config = session.api.send("PATCH", url, list(changes)).result("indexconfig")
    _show(session, url + WITHOUT_PROJECTS, config)


def _delete(session: Session, url: str) -> None:
    session.terminal.line(f"About to remove: {url}")
    if session.confirm("Are you sure"):
        session.api.send("DELETE", url)
        session.terminal.line(f"index deleted: {url}")


def _show(session: Session, url: str, config: Mapping[str, object]) -> None:
    session.terminal.line(f"{url}:")
    for line in values.lines(config, first=FIRST, without=("projects",)):
        session.terminal.line(line)


def _list(session: Session, username: str | None) -> None:
    if username is None:
        raise ClientError("no current authenticated user")
    config = session.api.get(session.user_url(username)).result("userconfig")
    for name in sorted(values.objects(config.get("indexes"))):
        session.terminal.line(f"{username}/{name}")
