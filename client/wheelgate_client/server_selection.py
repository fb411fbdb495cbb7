"""Selects the server and the index for ``devpi use``: asks the server, stores its reply and shows it."""

from __future__ import annotations

import argparse
from http import HTTPStatus
from itertools import islice
from typing import Any

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import ClientError, NotAnIndexServerError, RefusedError
from wheelgate_client.server import urls
from wheelgate_client.server_info import ServerInfo, fetch_server_info
from wheelgate_client.state.atomic_files import expanded_path
from wheelgate_client.state.selection import Selection
from wheelgate_client.tools.venvs import find_venv

MAX_ANCESTORS = 5
"""Addresses above the one that was typed that are tried, if that is neither a server nor an index."""


def select(options: argparse.Namespace, context: ClientContext) -> tuple[Selection, ServerInfo | None]:
    """Select what the options name; return that with the server's reply, or None if no server is in use."""
    preferences = _preferences(options)
    parsed = _requested_url(options.index, context)
    info, requested_index = None, None
    certificate = _choose_certificate(options.client_cert, context, parsed)
    if parsed is not None:
        info, requested_index = _fetch(context, parsed, named=options.index is not None)
    if parsed is not None and urls.is_absolute(options.index or ""):
        _note_basic_authentication(context, parsed)
    if options.unset_cfg and info is None:
        raise ClientError("not connected to a server, see 'devpi use'")
    selected = {} if info is None else _changes(context.selection, info, requested_index)
    if not options.dry_run:
        if options.local and context.move_selection_to_venv():
            context.terminal.print_line(f"Creating local configuration at {context.selection_file.path}")
        # DEVPI_INDEX names an index for one command; later commands must not find it in use.
        _save(context, {} if context.environ.get("DEVPI_INDEX") else selected, preferences)
        if parsed is not None and info is not None:
            _save_login(context, parsed, info)
            if options.client_cert is not None:
                context.logins.set_certificate(parsed.url, certificate)
    return context.selection.changed({**selected, **preferences}), info


def remember(context: ClientContext, text: str) -> None:
    """Keep the server of a URL; if that names an index, leave it to ``devpi login`` to select it after the login."""
    parsed = urls.parse_index(text, "--url {}")
    info, requested_index = _fetch(context, parsed, named=True)
    _save(context, {**_changes(context.selection, info, requested_index or info.index), "index": None}, {})
    _save_login(context, parsed, info)


def show(options: argparse.Namespace, context: ClientContext, selection: Selection, info: ServerInfo | None) -> None:
    """Print which server and index are in use, and as whom."""
    print_line = context.terminal.print_line
    if info is None:
        print_line("no server: type 'devpi use URL' with a URL pointing to a server or directly to an index.")
        return
    login = "not logged in" if info.username is None else f"logged in as {info.username}"
    if selection.index is None:
        print_line(f"using server: {selection.server_url} ({login})")
        if selection.requested_index is None:
            print_line("no current index: type 'devpi use -l' to discover indices")
        else:
            print_line(
                f"no current index: {selection.requested_index} needs a login, type 'devpi login USER', which then"
                " selects it"
            )
        return
    print_line(f"current devpi index: {selection.index} ({login})")
    if options.urls or context.debugging:
        for name in ("login", "pypisubmit", "simpleindex"):
            print_line(f"{name:>19}: {getattr(selection, name)}")
        print_line(f"supported features: {', '.join(sorted(info.features))}")


def _fetch(context: ClientContext, parsed: urls.ParsedUrl, *, named: bool) -> tuple[ServerInfo, str | None]:
    """Ask the URL; return the reply, and the URL if it is an index that only the users of its server may read.

    The reply is then that of its server: without a server in use, nobody could log in to read the index.
    """
    if named:
        context.credentials.name_server(parsed.url)
    try:
        return fetch_server_info(context, parsed.url, parsed.basic), None
    except NotAnIndexServerError as error:
        if not named:
            raise
        raise _with_nearest_index(context, parsed, error) from None
    except RefusedError as refused:
        if refused.status == HTTPStatus.NOT_FOUND and named:
            raise _with_nearest_index(context, parsed, refused) from None
        if refused.status != HTTPStatus.UNAUTHORIZED or not named or not urls.may_be_index(parsed.url):
            raise
        first_refusal = refused
    try:
        info = fetch_server_info(context, urls.server_of_index(parsed.url), parsed.basic)
    except ClientError:
        raise first_refusal from None
    if info.username is not None:
        raise first_refusal
    return info, parsed.url


def _with_nearest_index(context: ClientContext, parsed: urls.ParsedUrl, error: ClientError) -> ClientError:
    """Return the error with the index or the server above the URL: a user may have copied that of a project."""
    for url in islice(urls.ancestors(parsed.url), MAX_ANCESTORS):
        try:
            info = fetch_server_info(context, url, parsed.basic)
        except ClientError:
            continue
        if info.index is not None:
            return ClientError(f"'{parsed.url}' is not an index, but below one: type 'devpi use {info.index}'")
        server_url = urls.parent(info.login)
        if server_url == context.selection.server_url:
            return error
        advice = f"there is an index server: type 'devpi use {server_url}', then 'devpi use -l' to list its indices"
        return ClientError(f"{error}\n{advice}")
    return error


def _requested_url(text: str | None, context: ClientContext) -> urls.ParsedUrl | None:
    server_url = context.selection.server_url
    if text is None:
        url = context.index or server_url
        return None if url is None else urls.ParsedUrl(url, None)
    if urls.is_absolute(text):
        return urls.parse_index(text, "devpi use {}")
    if ":" in text:
        raise ClientError(f"invalid URL: {text} (a URL starts with http:// or https://)")
    if server_url is None:
        raise ClientError(f"invalid URL: {text.rstrip('/')}/ (no server is in use: type 'devpi use URL' first)")
    return urls.ParsedUrl(context.index_url(text) if text.strip("/") else server_url, None)


def _note_basic_authentication(context: ClientContext, parsed: urls.ParsedUrl) -> None:
    if parsed.basic is not None:
        context.terminal.note(f"Using basic authentication for '{parsed.url}/'.")
    elif context.logins.basic(parsed.url) is not None:
        context.terminal.note(f"Using existing basic auth for '{parsed.url}/'.")
    else:
        return
    context.terminal.note("The password is stored unencrypted!")


def _choose_certificate(given: str | None, context: ClientContext, parsed: urls.ParsedUrl | None) -> str | None:
    """Show the given certificate to the server from now on; return its absolute path, or None for no certificate."""
    if given is None:
        return None
    if parsed is None or not parsed.url.startswith("https:"):
        raise ClientError("a client certificate needs a server with TLS: type 'devpi use https://… --client-cert FILE'")
    path = None if given == "-" else str(expanded_path(given))
    context.credentials.use_certificate(parsed.url, path)
    return path


def _preferences(options: argparse.Namespace) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if options.venv is not None:
        changes["venvdir"] = None if options.venv == "-" else str(find_venv(options.venv))
    if options.always_set_cfg is not None:
        changes["always_setcfg"] = options.always_set_cfg == "yes"
        changes["settrusted"] = options.pip_set_trusted == "yes"
    return changes


def _changes(before: Selection, info: ServerInfo, requested_index: str | None) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "login": info.login,
        "index": info.index,
        "requested_index": requested_index,
        "simpleindex": info.simpleindex,
        "pypisubmit": info.pypisubmit,
        "features": info.features,
    }
    if before.server_url is not None and before.server_url != urls.parent(info.login):
        changes["username"] = None  # the stored name is that of a user on the previous server
    return changes


def _save(context: ClientContext, selected: dict[str, Any], preferences: dict[str, Any]) -> None:
    """Save changed values only: showing the selection must not need the right to write."""
    changed = {name: value for name, value in selected.items() if getattr(context.selection, name) != value}
    if changed or preferences:
        context.selection_file.save({**changed, **preferences})


def _save_login(context: ClientContext, parsed: urls.ParsedUrl, info: ServerInfo) -> None:
    if parsed.basic is not None:
        context.logins.set_basic(parsed.url, *parsed.basic)
    server_url = context.logins.server_url_of(parsed.url)
    if info.rejected is not None and server_url is not None:
        context.logins.log_off(server_url, info.rejected)
    if info.rejected is not None:
        context.terminal.note(context.credentials.rejection(info.rejected))
