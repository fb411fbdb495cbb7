"""Select the server and the index, or show them; point pip, uv and other tools at the index."""

from __future__ import annotations

import argparse
from contextlib import closing

from wheelgate_client.errors import ClientError, UsageError
from wheelgate_client.server.json_values import format_value, objects_by_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "index",
        nargs="?",
        help="URL of a server or an index, USER/INDEX, or INDEX of the logged-in user;"
        " http://USER:PASSWORD@... for a server behind HTTP basic authentication",
    )
    parser.add_argument(
        "--client-cert",
        metavar="FILE",
        help="PEM file with the certificate and the key to show to this server from now on; '-' for none",
    )
    show = parser.add_argument_group("output")
    show.add_argument("-l", "--list", action="store_true", help="list the indices of the server")
    show.add_argument("-u", "--user", metavar="USER", help="with -l: only those of this user")
    show.add_argument("--urls", action="store_true", help="also show the URLs of login, upload and simple index")
    config = parser.add_argument_group("configuration of pip, uv and other tools")
    change = config.add_mutually_exclusive_group()
    change.add_argument("--set-cfg", action="store_true", help="make the tools install from the index")
    change.add_argument("--unset-cfg", action="store_true", help="remove the settings that point at the server")
    config.add_argument(
        "--for",
        dest="names",
        action="extend",
        type=_split_names,
        default=[],
        metavar="NAME[,NAME...]",
        help="set, unset or show only these: setuptools, pip, buildout, uv and, only when named here, uv-index, pypirc,"
        " netrc, poetry, pdm",
    )
    config.add_argument(
        "--with-login",
        action="store_true",
        help="with --set-cfg and --for: also store the login, in a file that only you can read (netrc, pypirc)",
    )
    config.add_argument(
        "--always-set-cfg", choices=("yes", "no"), help="make every later 'devpi use' imply --set-cfg, or stop that"
    )
    config.add_argument(
        "-t",
        "--pip-set-trusted",
        choices=("yes", "no", "auto"),
        help="with --set-cfg: make pip trust the host without TLS; auto: for http:// hosts except this machine",
    )
    config.add_argument("--dry-run", action="store_true", help="change no file, print the differences instead")
    config.add_argument("--venv", metavar="DIR", help="only configure this virtual environment; '-' to unset")
    state = parser.add_argument_group("what devpi remembers")
    state.add_argument(
        "--local", action="store_true", help="store the selection in the active virtual environment from now on"
    )
    state.add_argument("--delete", action="store_true", help="forget the server and index in use, but keep the logins")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Run the action that the options select."""
    if options.delete:
        return _delete(context)
    if options.list and options.index is not None:
        raise UsageError("devpi use: error: -l lists the indices of the server in use, it takes no INDEX")
    if options.list:
        return _list(context, options.user)
    if options.with_login and not (options.set_cfg and options.names):
        raise UsageError(
            "devpi use: error: --with-login needs --set-cfg, and --for to name the file that stores the login"
        )
    if options.names:
        from wheelgate_client.tools import config_files

        config_files.check_writer_names(context, options.names)
    if options.index is None:
        return _select_and_configure(options, context)
    # The command line takes precedence over the environment.
    with closing(context.without_variable("DEVPI_INDEX")) as changed:
        return _select_and_configure(options, changed)


def _select_and_configure(options: argparse.Namespace, context: ClientContext) -> int:
    from wheelgate_client import server_selection
    from wheelgate_client.tools import configure

    selection, info = server_selection.select(options, context)
    configure.warn_about_insecure_host(options, context, selection)
    server_selection.show(options, context, selection, info)
    return configure.configure_tools(options, context, selection)


def use_index(context: ClientContext, url: str) -> int:
    """Do what ``devpi use URL`` does, for commands that select an index on the way; return the exit code."""
    parser = argparse.ArgumentParser()
    register(parser)
    return run(parser.parse_args(["--", url]), context)


def _split_names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _delete(context: ClientContext) -> int:
    path = context.selection_file.path
    if not context.selection_file.remove():
        raise ClientError(f"nothing to delete: there is no {path}")
    context.terminal.print_line(f"REMOVED configuration at {path}")
    return 0


def _list(context: ClientContext, username: str | None) -> int:
    if context.selection.server_url is None:
        raise ClientError("not connected to any server: type 'devpi use URL' first")
    if username is None:
        users = objects_by_name(context.api.get(context.server_url).result("list:userconfig"))
    else:
        users = {username: context.api.get(context.user_url(username)).result("userconfig")}
    for user, config in sorted(users.items()):
        for name, index in sorted(objects_by_name(config.get("indexes")).items()):
            bases, volatile = format_value(index.get("bases", "")), index.get("volatile")
            context.terminal.print_line(f"{user + '/' + name:<15} bases={bases:<15} volatile={volatile}")
    return 0
