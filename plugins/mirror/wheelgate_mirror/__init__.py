"""The index type ``mirror``: a read-only index whose packages come from an upstream."""

from wheelgate import Index, hookimpl
from wheelgate.fields import Field, IndexType, parse_bool, parse_int, parse_json, parse_text
from wheelgate_mirror.addresses import default_upstream, parse_mirror_url

FLAG = {"type": "boolean"}
TEXT = {"type": "string"}

MIRROR = IndexType(
    "mirror",
    (
        Field("volatile", parse_bool, FLAG, lambda owner: True),
        Field("mirror_url", parse_mirror_url, {"type": "string", "format": "uri"}),
        Field("mirror_cache_expiry", parse_int("mirror_cache_expiry", -1, 10**9), {"type": "integer"}),
        Field("mirror_web_url_fmt", parse_text("mirror_web_url_fmt"), TEXT),
        Field("mirror_no_project_list", parse_bool, FLAG),
        Field("mirror_use_external_urls", parse_bool, FLAG),
        Field("mirror_ignore_serial_header", parse_bool, FLAG),
        Field("mirror_provides_core_metadata", parse_bool, FLAG),
        Field("title", parse_text("title"), TEXT),
        Field("description", parse_text("description"), TEXT),
        Field("custom_data", parse_json("custom_data"), {}),
    ),
    takes_uploads=False,
    dropped=frozenset({"bases", "acl_upload", "mirror_whitelist", "pypi_whitelist"}),
)


@hookimpl
def wheelgate_index_types() -> list[IndexType]:
    """Bring the type ``mirror``."""
    return [MIRROR]


@hookimpl
def wheelgate_first_indices() -> list[Index]:
    """Give a new server ``root/pypi``, a mirror of the public index."""
    simple, web = default_upstream()
    config = {"volatile": False, "mirror_url": simple, "mirror_web_url_fmt": web, "title": "PyPI"}
    return [Index("root", "pypi", "mirror", config)]
