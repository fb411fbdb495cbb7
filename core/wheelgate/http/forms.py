"""Bodies of HTML forms: URL-encoded fields, decoded within limits."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import falcon
import falcon.asgi

from wheelgate.errors import BadInput
from wheelgate.http.request import read_body

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FORM_BYTES = 1_000_000
"""Bytes of a body."""
MAX_FORM_FIELDS = 100


async def read_form(req: falcon.asgi.Request) -> Mapping[str, str]:
    """Read and decode the body of a form.

    Raises:
        TooLarge: it has more than ``MAX_FORM_BYTES`` bytes.
        BadInput: it has another media type, is not UTF-8, has more than ``MAX_FORM_FIELDS`` fields, or one of them
            twice.
    """
    media_type = req.get_header("content-type", default="").partition(";")[0].strip().lower()
    data = await read_body(req, MAX_FORM_BYTES)
    if data and media_type != FORM_TYPE:
        raise BadInput(f"the body must be a form ({FORM_TYPE})")
    try:
        pairs = parse_qsl(data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except UnicodeError:
        raise BadInput("the form is not UTF-8") from None
    except ValueError:
        raise BadInput(f"the form has more than {MAX_FORM_FIELDS} fields") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadInput("a field occurs twice in the form")
    return fields
