"""Forms that two readers could understand differently are refused."""

from __future__ import annotations

import pytest
from tests.core.uploads.conftest import Owned
from tests.helpers.distributions import wheel
from tests.helpers.upload_forms import encode, file_fields

REPEATED = [":action", "name", "version", "sha256_digest", "attestations"]


@pytest.mark.parametrize("name", REPEATED)
def test_a_field_that_decides_must_occur_once(lasting: Owned, name: str) -> None:
    """A form that gives its action, its version or the like twice is refused, even if both values are the same."""
    fields = file_fields(wheel("demo"), attestations="[]")
    body, headers = encode([*fields, (name, dict(fields)[name])])
    refused = lasting.site.request("POST", f"/{lasting.index}/", body, auth=lasting.auth, headers=headers)

    assert (refused.status, refused.message) == (400, f"the form has the field '{name}' 2 times; send it once")


@pytest.mark.parametrize("action", ["file_upload", "doc_upload"])
@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b'name="summary"', b'name="sum\0ary"', "the name 'sum\\x00ary' of a field contains control characters"),
        (b'filename="demo', b'filename="de\0o', "the name of the file contains NUL"),
        (b"\r\ndemo\r\n", b"\r\nde\0o\r\n", "the field 'name' contains NUL"),
        (b"\r\n1.0\r\n", b"\r\n1\0o\r\n", "the field 'version' contains NUL"),
    ],
    ids=["field", "file", "project", "version"],
)
def test_a_name_with_nul_is_refused(lasting: Owned, action: str, old: bytes, new: bytes, sentence: str) -> None:
    """NUL ends a text for some programs, so it is refused in all names of a form."""
    body, headers = encode(file_fields(wheel("demo"), summary="x", **{":action": action}))
    assert old in body
    refused = lasting.site.request(
        "POST", f"/{lasting.index}/", body.replace(old, new), auth=lasting.auth, headers=headers
    )

    assert refused.status == 400
    assert sentence in refused.message
