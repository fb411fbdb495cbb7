"""Points the configuration of pip, uv and other tools at the index in use, for ``devpi use``."""

from __future__ import annotations

import argparse

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import ClientError, UsageError
from wheelgate_client.hookspecs import Target
from wheelgate_client.server import urls
from wheelgate_client.state.selection import Selection
from wheelgate_client.tools.config_files import ConfigFiles, EditPlanner
from wheelgate_client.tools.venvs import find_venv


def warn_about_insecure_host(options: argparse.Namespace, context: ClientContext, selection: Selection) -> None:
    """Warn if pip will trust a host without TLS because the user did not decide about that."""
    is_about_server = options.index is not None or _sets_config(options, selection)
    server_url = selection.server_url
    if is_about_server and _trust(options, selection) == "auto" and server_url and urls.is_insecure(server_url):
        context.terminal.note("Warning: insecure http host, trusted-host will be set for pip")


def configure_tools(options: argparse.Namespace, context: ClientContext, selection: Selection) -> int:
    """Edit the files as the options say and print the status of each; return the exit code.

    Raises:
        ClientError: if the options ask for a login and there is none, or no file that can store it.
    """
    plan_edit = _edit_planner(options, context, selection)
    print_line = context.terminal.print_line
    directory = selection.venvdir or context.active_venv
    venv = None if directory is None else find_venv(directory)
    if venv is not None:
        print_line(f"venv for install/set commands: {venv}")
        if not options.names:
            print_line("only setting venv pip/uv config, no global configuration changed")
    files = ConfigFiles(context, venv, options.names)
    if options.with_login and not files.can_store_login:
        raise UsageError(
            "devpi use: error: no file that --for names can store a login: add netrc, which pip and uv read, or pypirc"
        )
    if plan_edit is not None:
        (files.preview if options.dry_run else files.change)(plan_edit)
    failed = plan_edit is not None and files.failures > 0
    statuses = files.statuses()
    width = max((len(label) for label, _ in statuses), default=0)
    for label, status in statuses:
        print_line(f"{label:<{width}}: {status}")
    print_line(f"always-set-cfg: {'yes' if selection.always_setcfg else 'no'}")
    return 1 if failed else 0


def _sets_config(options: argparse.Namespace, selection: Selection) -> bool:
    # always-set-cfg must not change files that a user names only to see them.
    always = selection.always_setcfg and not options.names
    return (options.set_cfg or always) and not options.unset_cfg


def _trust(options: argparse.Namespace, selection: Selection) -> str:
    return options.pip_set_trusted or ("yes" if selection.settrusted else "auto")


def _edit_planner(options: argparse.Namespace, context: ClientContext, selection: Selection) -> EditPlanner | None:
    """Return the function that plans the edit of each file; None if no file is to be edited."""
    server_url = selection.server_url
    if options.unset_cfg and server_url is not None:
        return lambda writer, path: writer.plan_removal(path, server_url)
    if not _sets_config(options, selection):
        return None
    if selection.simpleindex is None or selection.index is None:
        if options.names or options.with_login:
            raise ClientError("no index in use, so no file was changed: type 'devpi use USER/INDEX' first")
        context.terminal.note("no index configured: cannot set pip/easy_install index")
        return None
    trusted = {"yes": True, "no": False, "auto": urls.is_insecure(selection.simpleindex) or None}
    username, password = _login_to_store(context, selection)
    if options.with_login and password is None:
        raise ClientError(
            f"you are not logged in at {server_url}, so there is no login to store: type 'devpi login USER' first"
        )
    target = Target(
        simple_url=_with_basic_login(context, selection.simpleindex),
        index_url=_with_basic_login(context, f"{selection.index}/"),
        trusted_host=trusted[_trust(options, selection)],
        upload_url=selection.pypisubmit and _with_basic_login(context, selection.pypisubmit),
        username=username,
        password=password if options.with_login else None,
    )
    return lambda writer, path: writer.plan(path, target)


def _with_basic_login(context: ClientContext, url: str) -> str:
    return urls.with_login(url, context.logins.basic(url))


def _login_to_store(context: ClientContext, selection: Selection) -> tuple[str | None, str | None]:
    """Return user name and password for the tools that install and upload; None for both if nobody is logged in."""
    # The server chooses both URLs: a login that is stored for one host must not be sent to another.
    logins = {context.credentials.login_for(url) for url in (selection.simpleindex, selection.pypisubmit) if url}
    login = logins.pop()
    if logins:
        return None, None
    # A proxy that requires HTTP basic authentication checks that before the server sees a login of its own.
    return login.basic or (login.username, login.token)
