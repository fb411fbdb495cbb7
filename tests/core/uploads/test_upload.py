"""``POST /{user}/{index}``: uploads that are accepted, and refusals, which have a message and leave nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.core.uploads.conftest import Owned
from tests.helpers.distributions import Distribution, sdist, wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import BOUNDARY, address, encode, file_fields, submit, upload

from wheelgate.testing.site import Site

LENGTH = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def stored(site: Site) -> list[str]:
    """Return the names of all files on the server's disk."""
    folder = site.config.serverdir / "files"
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "dist",
    [wheel("My.Pkg", "1.0"), sdist("My.Pkg", "1.0"), wheel("my-pkg", "2.0", size=3_500_000)],
    ids=["wheel", "sdist", "in several batches"],
)
def test_an_uploaded_file_can_be_downloaded_at_once(owned: Owned, dist: Distribution) -> None:
    """An uploaded file can be downloaded unchanged; the answer to a successful upload is empty."""
    done = upload(owned.site, owned.index, dist, owned.auth)

    assert (done.status, done.content) == (200, b"")
    assert done.headers["content-type"] == "text/plain; charset=utf-8"
    assert owned.site.request("GET", f"/{owned.index}/{address(dist)}").content == dist.content


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_file_may_come_anywhere_in_the_form(owned: Owned, slash: str) -> None:
    """Neither the order of the fields matters, nor a slash at the end of the address."""
    dist = wheel("abc")
    *fields, content = file_fields(dist)
    body, headers = encode([*fields[3:], content, *fields[:3]])

    assert owned.site.request("POST", f"/{owned.index}{slash}", body, auth=owned.auth, headers=headers).status == 200
    assert owned.site.request("GET", f"/{owned.index}/{address(dist)}").status == 200


@pytest.mark.parametrize("encoded", [False, True], ids=["multipart", "urlencoded"])
def test_a_release_may_be_registered_without_a_file(owned: Owned, encoded: bool) -> None:
    """``submit`` registers a version, in both encodings of a form."""
    fields = {":action": "submit", "name": "abc", "version": "1.0", "summary": "größer"}
    if encoded:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        done = owned.site.request(
            "POST", f"/{owned.index}/", urlencode(fields).encode(), auth=owned.auth, headers=headers
        )
    else:
        done = submit(owned.site, owned.index, owned.auth, **fields)
    shown = owned.site.request("GET", f"/{owned.index}/abc/1.0", headers={"Accept": "application/json"})

    assert done.status == 200
    assert shown.result["summary"] == "größer"


LINE_FEED_FORM = """
--b
Content-Disposition: form-data; name=":action"

submit
--b
Content-Disposition: form-data; name="name"

abc
--b
Content-Disposition: form-data; name="version"

1.0
--b
Content-Disposition: form-data; name="description"

größer\r
und länger
--b--
"""
"""A form as ``setup.py register`` sends it."""


def test_setup_py_register(owned: Owned) -> None:
    """``setup.py register`` answers to the realm ``pypi`` only, and ends the lines of its form with LF."""
    form, headers = LINE_FEED_FORM.encode(), {"Content-Type": "multipart/form-data; boundary=b"}
    anonymous = owned.site.request("POST", f"/{owned.index}/", form, headers=headers)
    done = owned.site.request("POST", f"/{owned.index}/", form, auth=owned.auth, headers=headers)
    shown = owned.site.request("GET", f"/{owned.index}/abc/1.0", headers={"Accept": "application/json"})

    assert (anonymous.status, anonymous.headers["www-authenticate"]) == (401, 'Basic realm="pypi"')
    assert done.status == 200
    assert shown.result["description"] == "größer\r\nund länger"


@pytest.mark.parametrize("digest", ["md5_digest", "sha256_digest", "blake2_256_digest"])
@pytest.mark.parametrize("first", [True, False], ids=["before the file", "after the file"])
def test_a_wrong_digest_is_refused(lasting: Owned, digest: str, first: bool) -> None:
    """The message names the digest that does not match the file, whether it comes before or after the file."""
    dist = wheel("abc")
    *fields, content = file_fields(dist, **{digest: "0" * (32 if digest == "md5_digest" else 64)})
    body, headers = encode([*fields, content] if first else [content, *fields])

    refused = lasting.site.request("POST", f"/{lasting.index}/", body, auth=lasting.auth, headers=headers)

    assert refused.status == 400
    assert digest in refused.message


def raw(*parts: bytes, end: bytes = f"--{BOUNDARY}--\r\n".encode()) -> bytes:
    """Return a form of ready parts."""
    return b"".join(f"--{BOUNDARY}\r\n".encode() + part + b"\r\n" for part in parts) + end


def field(name: str, value: bytes = b"x") -> bytes:
    """Return one field."""
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value


FILE = b'Content-Disposition: form-data; name="content"; filename="abc-1.0.tar.gz"\r\n\r\nx'
ACTION = field(":action", b"file_upload")
MALFORMED = [
    pytest.param({"Content-Type": "multipart/form-data"}, raw(ACTION), "boundary", id="no boundary"),
    pytest.param({"Content-Type": f"multipart/form-data; boundary={'y' * 71}"}, b"", "boundary", id="long boundary"),
    pytest.param(LENGTH, b"", "ends before its last boundary", id="empty"),
    pytest.param(LENGTH, b"nothing like a form", "cannot be read", id="no form"),
    pytest.param(LENGTH, raw(ACTION, end=b""), "ends before its last boundary", id="cut after a field"),
    pytest.param(LENGTH, raw(ACTION, FILE, end=b"")[:-2], "ends before its last boundary", id="cut in the file"),
    pytest.param(LENGTH, raw(ACTION, b"Content-Disposition: form-data"), "cannot be read", id="cut in a head"),
    pytest.param(LENGTH, raw(b"Content-Type: text/plain\r\n\r\nx"), "cannot be read", id="no disposition"),
    pytest.param(LENGTH, raw(b"Content-Disposition: form-data\r\n\r\nx"), "no name", id="no name"),
    pytest.param(LENGTH, b"x" * 100_000, "cannot be read", id="long preamble"),
    pytest.param(LENGTH, raw(b"x: " + b"y" * 9000 + b"\r\n\r\nx"), "a head of more than 4096 bytes", id="long head"),
    pytest.param(
        LENGTH,
        raw(b'Content-Disposition: form-data; name="\xff"\r\n\r\nx'),
        "cannot be read",
        id="name in another encoding",
    ),
    pytest.param(LENGTH, raw(field("summary", b"\xff")), "'summary' is not UTF-8", id="text in another encoding"),
    pytest.param(LENGTH, raw(field("summary", b"a\0b")), "'summary' contains NUL", id="NUL"),
    pytest.param(LENGTH, raw(ACTION, FILE, FILE), "more than one file", id="two files"),
    pytest.param(LENGTH, raw(ACTION, FILE.replace(b"content", b"other")), "'other' contains a file", id="other file"),
    pytest.param(LENGTH, raw(field("name", b"abc")), ":action", id="no action"),
    pytest.param(LENGTH, raw(field(":action", b"foo")), "'foo'", id="unknown action"),
    pytest.param(LENGTH, raw(ACTION, field("name", b"abc"), field("version", b"1.0")), "content", id="no file"),
    pytest.param(LENGTH, raw(*[field("classifiers")] * 2100), "more than 2000 fields", id="too many fields"),
    pytest.param(
        {"Content-Type": "application/x-www-form-urlencoded"}, b"name=%ff", "cannot be read", id="urlencoded not UTF-8"
    ),
    pytest.param({"Content-Type": "application/x-www-form-urlencoded"}, b"name=%00", "NUL", id="urlencoded NUL"),
    pytest.param(
        {"Content-Type": "application/x-www-form-urlencoded"},
        b"a=b&" * 2100,
        "more than 2000 fields",
        id="urlencoded, many fields",
    ),
    pytest.param(LENGTH, b"\n--" + BOUNDARY.encode() + b"\nx", "cannot be read", id="line feeds, cut"),
    pytest.param(
        LENGTH,
        b"\n" + raw(ACTION, FILE, FILE).replace(b"\r\n", b"\n"),
        "more than one file",
        id="line feeds, with two files",
    ),
    pytest.param({"Content-Type": "text/plain"}, b"hello", "could not decode json", id="no form at all: a push"),
]


@pytest.mark.parametrize(("headers", "body", "said"), MALFORMED)
def test_a_malformed_form_is_refused(lasting: Owned, headers: dict[str, str], body: bytes, said: str) -> None:
    """A malformed form answers 400 with a sentence, and nothing of it is kept."""
    before = stored(lasting.site)

    refused = lasting.site.request("POST", f"/{lasting.index}/", body, auth=lasting.auth, headers=headers)

    assert refused.status == 400, refused.content
    assert said in refused.message
    assert stored(lasting.site) == before


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([("summary", "x" * 300_000)], "'summary' has more than 256000 bytes"),
        ([("description", "x" * 4_100_000)], "'description' has more than 4000000 bytes"),
        ([(f"field{number}", "x" * 255_000) for number in range(70)], "together"),
    ],
    ids=["field", "description", "all together"],
)
def test_too_much_text_is_refused(lasting: Owned, fields: list[tuple[str, str]], said: str) -> None:
    """Each field has a limit, and so have all fields together."""
    body, headers = encode([(":action", "submit"), ("name", "abc"), ("version", "1.0"), *fields])

    refused = lasting.site.request("POST", f"/{lasting.index}/", body, auth=lasting.auth, headers=headers)

    assert refused.status == 413
    assert said in refused.message


def test_a_long_description_is_accepted(owned: Owned) -> None:
    """The description of a project may be longer than other fields."""
    done = submit(
        owned.site,
        owned.index,
        owned.auth,
        **{":action": "submit", "name": "abc", "version": "1"},
        description="x" * 10**6,
    )

    assert done.status == 200


@pytest.mark.parametrize(("size", "status"), [(1_500_000, 200), (2_500_000, 413)])
def test_the_largest_file(serve: Serve, size: int, status: int) -> None:
    """``--max-upload`` limits the length of files, and nothing of a longer one is kept."""
    site = serve(max_upload="2M")
    alice = site.add_user("alice")
    site.request("PUT", "/alice/dev", {}, auth=alice)

    done = upload(site, "alice/dev", wheel("abc", size=size), alice)

    assert done.status == status
    assert len(stored(site)) == (1 if status == 200 else 0)
    if status == 413:
        assert "--max-upload" in done.message


@pytest.mark.parametrize(
    ("who", "config", "status"),
    [
        ("owner", {}, 200),
        ("other", {}, 403),
        ("root", {}, 403),
        (None, {}, 401),
        ("other", {"acl_upload": "{other}"}, 200),
        ("owner", {"acl_upload": "{other}"}, 403),
        ("other", {"acl_upload": [":AUTHENTICATED:"]}, 200),
        (None, {"acl_upload": [":AUTHENTICATED:"]}, 401),
        (None, {"acl_upload": [":ANONYMOUS:"]}, 200),
    ],
)
def test_who_may_upload(
    owned: Owned, other: tuple[str, str], who: str | None, config: dict[str, Any], status: int
) -> None:
    """Only the users in ``acl_upload`` may: neither the owner nor root, unless they are listed."""
    index = owned.add_index(
        "guarded", **{key: value if isinstance(value, list) else [other[0]] for key, value in config.items()}
    )
    auth = {"owner": owned.auth, "other": other, "root": ("root", ""), None: None}[who]

    done = upload(owned.site, index, wheel("abc"), auth)

    assert done.status == status
    if status != 200:
        assert "acl_upload" in done.message
        assert done.headers["x-wheelgate-reason"].removeprefix("Unauthorized: ") == done.message
    assert ("www-authenticate" in done.headers) == (status == 401)
    if status == 401:
        assert "Basic realm=" in done.headers["www-authenticate"]


def test_bad_credentials_are_refused(lasting: Owned) -> None:
    """A wrong password answers 401 and says so, even if the user has the right."""
    refused = upload(lasting.site, lasting.index, wheel("abc"), (lasting.owner, "wrong"))

    assert refused.status == 401
    assert refused.message == f"user '{lasting.owner}' could not be authenticated"


@pytest.mark.parametrize(
    ("index", "status", "said"),
    [
        ("{owner}/none", 404, "could not be found"),
        ("nobody/dev", 404, "could not be found"),
        ("root/pypi", 404, "cannot submit to mirror index"),
    ],
)
@pytest.mark.parametrize("anonymous", [False, True])
def test_where_nothing_can_be_uploaded(lasting: Owned, index: str, status: int, said: str, anonymous: bool) -> None:
    """An index that does not exist, or takes no uploads, answers 404 to all callers."""
    auth = None if anonymous else lasting.auth

    refused = upload(lasting.site, index.format(owner=lasting.owner), wheel("abc"), auth)

    assert refused.status == status
    assert said in refused.message


@pytest.mark.parametrize(
    ("address", "status", "right"),
    [
        ("/", 405, "/USER/INDEX/"),
        ("/legacy/", 405, "/USER/INDEX/"),
        ("/{index}/+simple/", 405, "/{index}/"),
        ("/{index}/+simple/abc/", 405, "/{index}/"),
        ("/{index}/legacy", 405, "/{index}/"),
        ("/{index}/a/b/c/d/", 404, "/{index}/"),
        ("/{owner}/+simple/", 404, "/USER/INDEX/"),
        ("/+simple/", 405, "/USER/INDEX/"),
        ("/a%0d%0aX-Evil:%20b/dev/x/", 405, "/USER/INDEX/"),
        ("/%C3%A4/d%20v/x/", 405, "/%C3%A4/d%20v/"),
    ],
)
def test_a_wrong_address_gets_the_right_one(lasting: Owned, address: str, status: int, right: str) -> None:
    """An upload to another address than that of an index is refused, and message and reason name the right address."""
    body, headers = encode(file_fields(wheel("abc")))
    names = {"index": lasting.index, "owner": lasting.owner}
    host = {"Host": "packages.example"}

    refused = lasting.site.request("POST", address.format(**names), body, auth=lasting.auth, headers=headers | host)
    other = lasting.site.request("POST", address.format(**names), {}, auth=lasting.auth)

    assert refused.status == other.status == status
    assert refused.message.endswith(f"; upload to http://packages.example{right.format(**names)}")
    assert refused.headers["x-wheelgate-reason"] == refused.message
    assert "upload" not in other.message


def test_rights_are_checked_before_the_form(lasting: Owned) -> None:
    """A caller who may not upload does not learn what is wrong with the form."""
    refused = lasting.site.request("POST", f"/{lasting.index}/", b"nothing like a form", headers=LENGTH)

    assert refused.status == 401


def test_a_refusal_at_the_last_moment_leaves_nothing(owned: Owned) -> None:
    """An upload that is refused when it is recorded, after its file was stored, leaves neither file nor metadata."""
    index = owned.add_index("prod", volatile=False)
    assert upload(owned.site, index, wheel("abc"), owned.auth).status == 200
    before = stored(owned.site)
    page = f"/{index}/abc/1.0"

    refused = upload(owned.site, index, wheel("abc", seed=1), owned.auth, summary="another one")

    assert (refused.status, stored(owned.site)) == (409, before)
    assert refused.headers["x-wheelgate-reason"] == refused.message
    shown = owned.site.request("GET", page, headers={"Accept": "application/json"})
    assert "another one" not in shown.content.decode()


def test_uploading_the_same_file_again_succeeds(owned: Owned) -> None:
    """It succeeds on a non-volatile index too; the answer says that the file exists already."""
    index = owned.add_index("prod", volatile=False)
    first, again = (upload(owned.site, index, wheel("abc"), owned.auth) for _ in range(2))

    assert (first.status, again.status) == (200, 200)
    assert again.headers["x-wheelgate-reason"] == again.content.decode().strip() != ""


def test_the_answer_says_what_became_of_the_file(owned: Owned) -> None:
    """A header tells a new file from a replaced one, and from one that the index keeps."""
    prod = owned.add_index("prod", volatile=False)
    sent = [(owned.index, 0), (owned.index, 1), (prod, 0), (prod, 0), (prod, 1)]

    answers = [upload(owned.site, index, wheel("abc", seed=seed), owned.auth) for index, seed in sent]
    registered = submit(owned.site, prod, owned.auth, **{":action": "submit"}, name="abc", version="2.0")

    outcomes = [answer.headers.get("x-wheelgate-upload") for answer in (*answers, registered)]
    assert outcomes == ["uploaded", "replaced", "uploaded", "kept", None, None]


def test_the_reason_is_one_line_of_ascii(lasting: Owned) -> None:
    """The reason phrase cannot break the status line, whatever the request contains."""
    body, headers = encode([(":action", "naïve\r\nX-Evil: yes " + "x" * 1000)])

    refused = lasting.site.request("POST", f"/{lasting.index}/", body, auth=lasting.auth, headers=headers)

    reason = refused.headers["x-wheelgate-reason"]
    assert refused.status == 400
    assert reason.isascii()
    assert reason.isprintable()
    assert len(reason) <= 500


def test_a_large_file_that_is_cut_off_leaves_nothing(owned: Owned) -> None:
    """Not even a draft is left of which some batches were written already."""
    body, headers = encode(file_fields(wheel("abc", size=4_000_000)))
    before = stored(owned.site)

    refused = owned.site.request("POST", f"/{owned.index}/", body[:3_500_000], auth=owned.auth, headers=headers)

    assert (refused.status, stored(owned.site)) == (400, before)


def test_no_drafts_are_left_and_files_are_private(owned: Owned) -> None:
    """After accepted and refused uploads no draft is left, and only the server's owner can read stored files."""
    upload(owned.site, owned.index, wheel("abc"), owned.auth)
    upload(owned.site, owned.index, wheel("abc", metadata=b"rubbish"), owned.auth)
    folder: Path = owned.site.config.serverdir / "files"

    assert [path for path in (folder / "drafts").rglob("*") if path.is_file()] == []
    assert {path.stat().st_mode & 0o077 for path in folder.rglob("*") if path.is_file()} == {0}
