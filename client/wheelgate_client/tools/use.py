"""What ``devpi use`` does: ask the server, remember the answer, show it, and configure the tools."""

from __future__ import annotations

import argparse
from typing import Any

from wheelgate_client import serverinfo
from wheelgate_client.errors import ClientError, UsageError
from wheelgate_client.hookspecs import Target
from wheelgate_client.server import urls
from wheelgate_client.serverinfo import ServerInfo
from wheelgate_client.session import Session
from wheelgate_client.state.files import Current
from wheelgate_client.tools import venvs
from wheelgate_client.tools.config_files import ConfigFiles, Plan


def run(options: argparse.Namespace, session: Session) -> int:
    """Select what the options say, and show what is then in use."""
    preferences = _preferences(options)
    address = _wanted(options.index, session)
    info = None if address is None else serverinfo.ask(session, address.url, address.basic)
    if address is not None and urls.is_absolute(options.index or ""):
        _tell_basic(session, address)
    if options.unset_cfg and info is None:
        raise ClientError("not connected to a server, see 'devpi use'")
    selected = {} if info is None else _selected(session.current, info)
    current = session.current.changed({**selected, **preferences})
    if not options.dry_run:
        if options.local and session.keep_in_venv():
            session.terminal.line(f"Creating local configuration at {session.current_file.path}")
        # An index that the environment names for this once is not to be found in use the next time.
        _remember(session, {} if session.environ.get("DEVPI_INDEX") else selected, preferences)
        if address is not None and info is not None:
            _remember_credentials(session, address, info)
    _warn(options, session, current)
    _show_server(options, session, current, info)
    return _configure(options, session, current, _plan(options, session, current))


def _wanted(text: str | None, session: Session) -> urls.Address | None:
    root = session.current.root
    if text is None:
        url = session.current.index or root
        return None if url is None else urls.Address(url, None)
    if urls.is_absolute(text):
        return urls.parse(text)
    if ":" in text:
        raise ClientError(f"invalid URL: {text} (a URL starts with http:// or https://)")
    if root is None:
        raise ClientError(f"invalid URL: {text.rstrip('/')}/ (no server is in use: type 'devpi use URL' first)")
    return urls.Address(session.index_url(text) if text.strip("/") else root, None)


def _tell_basic(session: Session, address: urls.Address) -> None:
    if address.basic is not None:
        session.terminal.note(f"Using basic authentication for '{address.url}/'.")
    elif session.auth_file.basic(address.url) is not None:
        session.terminal.note(f"Using existing basic auth for '{address.url}/'.")
    else:
        return
    session.terminal.note("The password is stored unencrypted!")


def _preferences(options: argparse.Namespace) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if options.venv is not None:
        changes["venvdir"] = None if options.venv == "-" else str(venvs.found(options.venv))
    if options.always_set_cfg is not None:
        changes["always_setcfg"] = options.always_set_cfg == "yes"
        changes["settrusted"] = options.pip_set_trusted == "yes"
    return changes


def _selected(before: Current, info: ServerInfo) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "login": info.login,
        "index": info.index,
        "simpleindex": info.simpleindex,
        "pypisubmit": info.pypisubmit,
        "features": info.features,
    }
    if before.root is not None and before.root != urls.parent(info.login):
        changes["username"] = None  # it is the name of a user of the other server
    return changes


def _remember(session: Session, selected: dict[str, Any], preferences: dict[str, Any]) -> None:
    """Save what changes; showing what is in use needs no right to write."""
    news = {name: value for name, value in selected.items() if getattr(session.current, name) != value}
    if news or preferences:
        session.current_file.save({**news, **preferences})


def _remember_credentials(session: Session, address: urls.Address, info: ServerInfo) -> None:
    if address.basic is not None:
        session.auth_file.set_basic(address.url, *address.basic)
    root = session.auth_file.root_of(address.url)
    if info.rejected is not None and root is not None:
        session.auth_file.log_off(root, info.rejected)
        session.terminal.note(f"the login of '{info.rejected}' is no longer valid: type 'devpi login {info.rejected}'")


def _show_server(options: argparse.Namespace, session: Session, current: Current, info: ServerInfo | None) -> None:
    line = session.terminal.line
    if info is None:
        line("no server: type 'devpi use URL' with a URL pointing to a server or directly to an index.")
        return
    login = "not logged in" if info.username is None else f"logged in as {info.username}"
    if current.index is None:
        line(f"using server: {current.root} ({login})")
        line("no current index: type 'devpi use -l' to discover indices")
        return
    line(f"current devpi index: {current.index} ({login})")
    if options.urls or session.debugging:
        for name in ("login", "pypisubmit", "simpleindex"):
            line(f"{name:>19}: {getattr(current, name)}")
        line(f"supported features: {', '.join(sorted(info.features))}")


def _is_setting(options: argparse.Namespace, current: Current) -> bool:
    # What has to be asked for by name is not set by the way, when somebody only wants to see it.
    always = current.always_setcfg and not options.names
    return (options.set_cfg or always) and not options.unset_cfg


def _trust(options: argparse.Namespace, current: Current) -> str:
    return options.pip_set_trusted or ("yes" if current.settrusted else "auto")


def _warn(options: argparse.Namespace, session: Session, current: Current) -> None:
    concerned = options.index is not None or _is_setting(options, current)
    if concerned and _trust(options, current) == "auto" and current.root and urls.is_insecure(current.root):
        session.terminal.note("Warning: insecure http host, trusted-host will be set for pip")


def _plan(options: argparse.Namespace, session: Session, current: Current) -> Plan | None:
    """Return how to edit each file, if they are to be edited."""
    root = current.root
    if options.unset_cfg and root is not None:
        return lambda writer, path: writer.unplan(path, root)
    if not _is_setting(options, current):
        return None
    if current.simpleindex is None or current.index is None:
        session.terminal.note("no index configured: cannot set pip/easy_install index")
        return None
    trusted = {"yes": True, "no": False, "auto": urls.is_insecure(current.simpleindex) or None}
    username, password = _login(session, current)
    if options.with_login and password is None:
        raise ClientError(
            f"nobody is logged in at {root}, so there is no login to store: type 'devpi login USER' first"
        )
    target = Target(
        simple_url=_with_basic(session, current.simpleindex),
        index_url=_with_basic(session, f"{current.index}/"),
        trusted_host=trusted[_trust(options, current)],
        upload_url=current.pypisubmit and _with_basic(session, current.pypisubmit),
        username=username,
        password=password if options.with_login else None,
    )
    return lambda writer, path: writer.plan(path, target)


def _with_basic(session: Session, url: str) -> str:
    return urls.with_credentials(url, session.auth_file.basic(url))


def _login(session: Session, current: Current) -> tuple[str | None, str | None]:
    """Return user name and password for the tools that install and upload; neither if nobody is logged in."""
    # Both addresses are the server's word: what is stored for one host must not be sent to another.
    logins = {session.credentials(url) for url in (current.simpleindex, current.pypisubmit) if url}
    login = logins.pop()
    if logins:
        return None, None
    # A server behind HTTP basic authentication sees what is sent there before it sees a login of its own.
    return login.basic or (login.username, login.token)


def _configure(options: argparse.Namespace, session: Session, current: Current, plan: Plan | None) -> int:
    line = session.terminal.line
    chosen = current.venvdir or session.active_venv
    venv = None if chosen is None else venvs.found(chosen)
    if venv is not None:
        line(f"venv for install/set commands: {venv}")
        if not options.names:
            line("only setting venv pip/uv config, no global configuration changed")
    files = ConfigFiles(session, venv, options.names)
    if options.with_login and not files.keep_a_login:
        raise UsageError(
            "devpi use: error: nothing that --for names keeps a login: add netrc, which pip and uv read, or pypirc"
        )
    if plan is not None:
        (files.preview if options.dry_run else files.change)(plan)
    failed = plan is not None and files.failures > 0
    statuses = files.statuses()
    width = max((len(label) for label, _ in statuses), default=0)
    for label, status in statuses:
        line(f"{label:<{width}}: {status}")
    line(f"always-set-cfg: {'yes' if current.always_setcfg else 'no'}")
    return 1 if failed else 0
