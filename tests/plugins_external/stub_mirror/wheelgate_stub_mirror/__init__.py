"""A third-party type ``mirror``, and an index of this type on a new server."""

from wheelgate import Index, hookimpl
from wheelgate.fields import Field, IndexType, parse_bool, parse_text


@hookimpl
def wheelgate_index_types() -> list[IndexType]:
    volatile = Field("volatile", parse_bool, {"type": "boolean"}, lambda owner: True)
    upstream = Field("upstream", parse_text("upstream"), {"type": "string"})
    return [IndexType("mirror", (volatile, upstream), takes_uploads=False)]


@hookimpl
def wheelgate_first_indices() -> list[Index]:
    return [Index("root", "outside", "mirror", {"volatile": False, "upstream": "https://index.example/"})]
