"""The keys of indices of the type ``stage``."""

from wheelgate.fields import (
    Field,
    parse_bases,
    parse_bool,
    parse_choice,
    parse_json,
    parse_principals,
    parse_projects,
    parse_text,
)

LIST = {"type": "array", "items": {"type": "string"}}
TEXT = {"type": "string"}

FIELDS = (
    Field("bases", parse_bases, LIST, lambda owner: [], many=True, refers_to="indices"),
    Field("volatile", parse_bool, {"type": "boolean"}, lambda owner: True),
    Field("acl_upload", parse_principals, LIST, lambda owner: [owner], many=True, refers_to="principals"),
    Field("acl_read", parse_principals, LIST, many=True, refers_to="principals"),
    Field(
        "acl_toxresult_upload",
        parse_principals,
        LIST,
        lambda owner: [":ANONYMOUS:"],
        many=True,
        refers_to="principals",
    ),
    Field("mirror_whitelist", parse_projects, LIST, lambda owner: [], many=True),
    Field(
        "mirror_whitelist_inheritance",
        parse_choice("mirror_whitelist_inheritance", ("intersection", "union")),
        {"type": "string", "enum": ["intersection", "union"]},
        lambda owner: "intersection",
    ),
    Field("title", parse_text("title"), TEXT),
    Field("description", parse_text("description"), TEXT),
    Field("custom_data", parse_json("custom_data"), {}),
)
