"""The index type ``mirror``: a read-only index whose packages come from an upstream."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wheelgate import Index, Option, Server, hookimpl
from wheelgate.fields import (
    BOOLEAN_SCHEMA,
    MAX_LINE_CHARS,
    STRING_LIST_SCHEMA,
    STRING_SCHEMA,
    Field,
    IndexType,
    parse_bool,
    parse_int,
    parse_json,
    parse_modifiers,
    parse_principals,
    parse_text,
)
from wheelgate.option_types import positive_time_span
from wheelgate_mirror.cooldown import parse_exceptions, parse_min_age
from wheelgate_mirror.source import MirrorPackages
from wheelgate_mirror.upstream_urls import default_upstream, mirror_url_parser, root_pypi_url

EXISTS_ANYWAY = (
    "there is an index root/pypi, because --no-root-pypi counts at the first start only; to delete it, log in as root "
    "and run 'devpi index root/pypi volatile=True' and 'devpi index --delete root/pypi'"
)
MIRRORS_ANOTHER = (
    "root/pypi mirrors another URL than that of --root-pypi-url, which counts at the first start only; to change it, "
    "log in as root and run 'devpi index root/pypi mirror_url=URL'"
)


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare the upstream of ``root/pypi``, whether that index is created, and the timeout for upstreams."""
    return [
        Option(
            "root-pypi-url",
            "simple index that root/pypi mirrors, set at the first start; the public index if not given",
            None,
            root_pypi_url,
            metavar="URL",
            secret=True,
        ),
        Option("no-root-pypi", "do not create root/pypi at the first start", False),
        Option(
            "mirror-timeout",
            "how long to wait for an upstream that sends nothing",
            10,
            positive_time_span,
            metavar="TIME",
        ),
    ]


@hookimpl
def wheelgate_migrations() -> Path:
    """Return the folder with the migrations of the plugin's tables."""
    return Path(__file__).parent / "migrations"


@hookimpl
def wheelgate_index_types(server: Server) -> list[IndexType]:
    """Provide the type ``mirror``."""
    fields = (
        Field("volatile", parse_bool, BOOLEAN_SCHEMA, lambda owner: True),
        Field("acl_modify", parse_modifiers, STRING_LIST_SCHEMA, many=True, refers_to="principals"),
        Field("acl_read", parse_principals, STRING_LIST_SCHEMA, many=True, refers_to="principals"),
        Field("mirror_url", mirror_url_parser(server.outgoing), {"type": "string", "format": "uri"}),
        Field("mirror_cache_expiry", parse_int("mirror_cache_expiry", -1, 10**9), {"type": "integer"}),
        Field("mirror_web_url_fmt", parse_text("mirror_web_url_fmt", MAX_LINE_CHARS), STRING_SCHEMA),
        Field("mirror_no_project_list", parse_bool, BOOLEAN_SCHEMA),
        Field("mirror_use_external_urls", parse_bool, BOOLEAN_SCHEMA),
        Field("mirror_ignore_serial_header", parse_bool, BOOLEAN_SCHEMA),
        Field("mirror_provides_core_metadata", parse_bool, BOOLEAN_SCHEMA),
        Field("min_age", parse_min_age, STRING_SCHEMA),
        Field("min_age_exceptions", parse_exceptions, STRING_LIST_SCHEMA, many=True),
        Field("title", parse_text("title", MAX_LINE_CHARS), STRING_SCHEMA),
        Field("description", parse_text("description"), STRING_SCHEMA),
        Field("custom_data", parse_json("custom_data"), {}),
    )
    dropped = frozenset({"bases", "acl_upload", "mirror_whitelist", "pypi_whitelist"})
    return [IndexType("mirror", fields, takes_uploads=False, dropped=dropped, packages=MirrorPackages(server))]


@hookimpl
def wheelgate_warnings(server: Server) -> list[str]:
    """Say that a setting about ``root/pypi`` does nothing: packages would come from an upstream nobody asked for.

    The database may be older than the setting, for example because ``passwd`` made it.
    """
    index = server.indices.get("root", "pypi")
    given = server.config["root-pypi-url"]
    if index is not None and server.config["no-root-pypi"]:
        return [EXISTS_ANYWAY]
    if index is not None and given and index.config.get("mirror_url") != given:
        return [MIRRORS_ANOTHER]
    return []


@hookimpl
def wheelgate_first_indices(server: Server) -> Sequence[Index]:
    """Give a new server ``root/pypi``, a mirror of the public index or of the one in ``--root-pypi-url``."""
    if server.config["no-root-pypi"]:
        return ()
    config = {"volatile": False, "title": "PyPI"}
    if given := server.config["root-pypi-url"]:
        return (Index("root", "pypi", "mirror", {**config, "mirror_url": given}),)
    simple, web = default_upstream()
    return (Index("root", "pypi", "mirror", {**config, "mirror_url": simple, "mirror_web_url_fmt": web}),)
