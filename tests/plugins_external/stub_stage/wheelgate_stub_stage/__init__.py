"""A third-party index type that accepts uploads, with two keys."""

from wheelgate import hookimpl
from wheelgate.fields import Field, IndexType, parse_bool, parse_principals


@hookimpl
def wheelgate_index_types() -> list[IndexType]:
    volatile = Field("volatile", parse_bool, {"type": "boolean"}, lambda owner: True)
    readers = {"type": "array", "items": {"type": "string"}}
    uploaders = Field("acl_upload", parse_principals, readers, lambda owner: [owner], many=True, refers_to="principals")
    return [IndexType("stage", (volatile, uploaders), takes_uploads=True)]
