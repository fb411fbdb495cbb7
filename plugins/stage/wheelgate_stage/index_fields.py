"""The keys of indices of the type ``stage``."""

from wheelgate.fields import (
    BOOLEAN_SCHEMA,
    MAX_LINE_CHARS,
    STRING_LIST_SCHEMA,
    STRING_SCHEMA,
    Field,
    parse_bases,
    parse_bool,
    parse_choice,
    parse_json,
    parse_modifiers,
    parse_principals,
    parse_projects,
    parse_text,
)
from wheelgate_stage.upload_checks import UPLOAD_CHECKS

STAGE_FIELDS = (
    Field("bases", parse_bases, STRING_LIST_SCHEMA, lambda owner: [], many=True, refers_to="indices"),
    Field("volatile", parse_bool, BOOLEAN_SCHEMA, lambda owner: True),
    Field("acl_upload", parse_principals, STRING_LIST_SCHEMA, lambda owner: [owner], many=True, refers_to="principals"),
    Field("acl_modify", parse_modifiers, STRING_LIST_SCHEMA, many=True, refers_to="principals"),
    Field("acl_read", parse_principals, STRING_LIST_SCHEMA, many=True, refers_to="principals"),
    Field(
        "acl_toxresult_upload",
        parse_principals,
        STRING_LIST_SCHEMA,
        lambda owner: [":ANONYMOUS:"],
        many=True,
        refers_to="principals",
    ),
    Field("mirror_whitelist", parse_projects, STRING_LIST_SCHEMA, lambda owner: [], many=True),
    Field(
        "mirror_whitelist_inheritance",
        parse_choice("mirror_whitelist_inheritance", ("intersection", "union")),
        {"type": "string", "enum": ["intersection", "union"]},
        lambda owner: "intersection",
    ),
    Field(
        "upload_checks",
        parse_choice("upload_checks", UPLOAD_CHECKS),
        {"type": "string", "enum": list(UPLOAD_CHECKS)},
    ),
    Field("title", parse_text("title", MAX_LINE_CHARS), STRING_SCHEMA),
    Field("description", parse_text("description"), STRING_SCHEMA),
    Field("custom_data", parse_json("custom_data"), {}),
)
