"""Choose the server and the index, or show them; point pip, uv and other tools at the index."""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import TYPE_CHECKING

from wheelgate_client.errors import ClientError, UsageError
from wheelgate_client.server import config_values as values

if TYPE_CHECKING:
    from wheelgate_client.session import Session


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "index",
        nargs="?",
        help="URL of a server or an index, USER/INDEX, or INDEX of the user logged in;"
        " http://USER:PASSWORD@... for a server behind HTTP basic authentication",
    )
    show = parser.add_argument_group("what to show")
    show.add_argument("-l", "--list", action="store_true", help="list the indices of the server")
    show.add_argument("-u", "--user", metavar="USER", help="with -l: only those of this user")
    show.add_argument("--urls", action="store_true", help="show the URLs of login, upload and simple index too")
    config = parser.add_argument_group("configuration of pip, uv and other tools")
    change = config.add_mutually_exclusive_group()
    change.add_argument("--set-cfg", action="store_true", help="make them install from the index")
    change.add_argument("--unset-cfg", action="store_true", help="take out what points at the server")
    config.add_argument(
        "--for",
        dest="names",
        action="extend",
        type=_names,
        default=[],
        metavar="NAME[,NAME...]",
        help="set, unset or show these only: setuptools, pip, buildout, uv and, only when named here, uv-index, pypirc,"
        " netrc, poetry, pdm",
    )
    config.add_argument(
        "--with-login",
        action="store_true",
        help="with --set-cfg and --for: store the login too, in a file that only you can read (netrc, pypirc)",
    )
    config.add_argument(
        "--always-set-cfg", choices=("yes", "no"), help="make every later 'devpi use' imply --set-cfg, or stop that"
    )
    config.add_argument(
        "-t",
        "--pip-set-trusted",
        choices=("yes", "no", "auto"),
        help="with --set-cfg: make pip trust the host without TLS; auto does so for http:// hosts but this machine",
    )
    config.add_argument("--dry-run", action="store_true", help="change no file, print the differences instead")
    config.add_argument(
        "--venv", metavar="DIR", help="set the configuration of this virtual environment only; '-' to unset"
    )
    state = parser.add_argument_group("what devpi remembers")
    state.add_argument("--local", action="store_true", help="keep it in the active virtual environment from now on")
    state.add_argument("--delete", action="store_true", help="forget the server and index in use, but no login")


def run(options: argparse.Namespace, session: Session) -> int:
    """Do what the options say."""
    if options.delete:
        return _delete(session)
    if options.list and options.index is not None:
        raise UsageError("devpi use: error: -l lists the indices of the server in use, it takes no INDEX")
    if options.list:
        return _list(session, options.user)
    if options.with_login and not (options.set_cfg and options.names):
        raise UsageError("devpi use: error: --with-login needs --set-cfg, and --for to say which file is to keep it")
    if options.names:
        from wheelgate_client.tools import config_files as configfiles

        configfiles.check_names(session, options.names)
    from wheelgate_client.tools import use as selection

    if options.index is None:
        return selection.run(options, session)
    # What is typed counts more than what the environment says.
    with closing(session.without("DEVPI_INDEX")) as unbiased:
        return selection.run(options, unbiased)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _delete(session: Session) -> int:
    path = session.current_file.path
    if not session.current_file.remove():
        raise ClientError(f"nothing to delete: there is no {path}")
    session.terminal.line(f"REMOVED configuration at {path}")
    return 0


def _list(session: Session, username: str | None) -> int:
    if session.current.root is None:
        raise ClientError("not connected to any server")
    if username is None:
        users = values.objects(session.api.get(session.root).result("list:userconfig"))
    else:
        users = {username: session.api.get(session.user_url(username)).result("userconfig")}
    for user, config in sorted(users.items()):
        for name, index in sorted(values.objects(config.get("indexes")).items()):
            bases, volatile = values.shown(index.get("bases", "")), index.get("volatile")
            session.terminal.line(f"{user + '/' + name:<15} bases={bases:<15} volatile={volatile}")
    return 0
