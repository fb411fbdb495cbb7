"""The index type ``mirror``: a read-only index whose packages come from an upstream."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wheelgate import Index, Option, Server, hookimpl
from wheelgate.fields import Field, IndexType, parse_bool, parse_int, parse_json, parse_principals, parse_text
from wheelgate.option_types import positive_time_span
from wheelgate_mirror.cooldown import parse_exceptions, parse_min_age
from wheelgate_mirror.source import MirrorPackages
from wheelgate_mirror.upstream_urls import default_upstream, mirror_url_parser, root_pypi_url

FLAG = {"type": "boolean"}
TEXT = {"type": "string"}
LIST = {"type": "array", "items": {"type": "string"}}


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare where ``root/pypi`` mirrors from, and whether there is one."""
    return [
        Option(
            "root-pypi-url",
            "simple index that root/pypi mirrors, from the first start on; the public index if not given",
            None,
            root_pypi_url,
            metavar="URL",
            secret=True,
        ),
        Option("no-root-pypi", "make no root/pypi at the first start", False),
        Option("mirror-timeout", "how long an upstream may keep silent", 10, positive_time_span, metavar="TIME"),
    ]


@hookimpl
def wheelgate_migrations() -> Path:
    """Name the folder with the tables' history."""
    return Path(__file__).parent / "migrations"


@hookimpl
def wheelgate_index_types(server: Server) -> list[IndexType]:
    """Bring the type ``mirror``."""
    fields = (
        Field("volatile", parse_bool, FLAG, lambda owner: True),
        Field("acl_read", parse_principals, LIST, many=True, refers_to="principals"),
        Field("mirror_url", mirror_url_parser(server.outgoing), {"type": "string", "format": "uri"}),
        Field("mirror_cache_expiry", parse_int("mirror_cache_expiry", -1, 10**9), {"type": "integer"}),
        Field("mirror_web_url_fmt", parse_text("mirror_web_url_fmt"), TEXT),
        Field("mirror_no_project_list", parse_bool, FLAG),
        Field("mirror_use_external_urls", parse_bool, FLAG),
        Field("mirror_ignore_serial_header", parse_bool, FLAG),
        Field("mirror_provides_core_metadata", parse_bool, FLAG),
        Field("min_age", parse_min_age, TEXT),
        Field("min_age_exceptions", parse_exceptions, LIST, many=True),
        Field("title", parse_text("title"), TEXT),
        Field("description", parse_text("description"), TEXT),
        Field("custom_data", parse_json("custom_data"), {}),
    )
    dropped = frozenset({"bases", "acl_upload", "mirror_whitelist", "pypi_whitelist"})
    return [IndexType("mirror", fields, takes_uploads=False, dropped=dropped, packages=MirrorPackages(server))]


@hookimpl
def wheelgate_first_indices(server: Server) -> Sequence[Index]:
    """Give a new server ``root/pypi``, a mirror of the public index or of the one that is named in its place."""
    if server.config["no-root-pypi"]:
        return ()
    config = {"volatile": False, "title": "PyPI"}
    if given := server.config["root-pypi-url"]:
        return (Index("root", "pypi", "mirror", {**config, "mirror_url": given}),)
    simple, web = default_upstream()
    return (Index("root", "pypi", "mirror", {**config, "mirror_url": simple, "mirror_web_url_fmt": web}),)
