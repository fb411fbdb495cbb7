"""What an import says about an export before it changes anything, and the decisions that it waits for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.core.moving.conftest import Import, Imported, first_fast
from tests.helpers.distributions import wheel
from tests.helpers.exports import Export

Fill = Callable[[Export], object]


def index(path: str = "alice/dev", **config: object) -> Fill:
    """Return a function that adds an index."""

    def fill(export: Export) -> None:
        export.user("alice")
        export.index(path, **config)

    return fill


def user(name: str, **fields: object) -> Fill:
    """Return a function that adds a user."""
    return lambda export: export.user(name, **fields)


def file(name: str, content: bytes = b"no archive") -> Fill:
    """Return a function that adds a file with a name and a content."""

    def fill(export: Export) -> None:
        index()(export)
        made = wheel("hello", "1.0")
        export.file("alice/dev", type(made)(name, content, b"", "hello", "1.0"))

    return fill


def circle(export: Export) -> None:
    """Add three indices that inherit from each other in a circle."""
    for name, base in (("a", "b"), ("b", "c"), ("c", "a")):
        index(f"alice/{name}", bases=[f"alice/{base}"])(export)


EXPENSIVE = "$argon2id$v=19$m=5000000,t=50,p=4$c2FsdHNhbHRzYWx0$" + "A" * 43
UNDECIDED: dict[str, tuple[Fill, str, str]] = {
    "a hidden user": (user(".hidden"), "name-refused", ".hidden"),
    "a user that is an option": (user("-dash"), "name-refused", "-dash"),
    "the user of tokens": (user("__token__"), "name-refused", "__token__"),
    "the user of uv": (user("_"), "name-refused", "_"),
    "a long user": (user("x" * 150), "name-refused", "x" * 150),
    "a user with an invisible character": (user("al\u200bice"), "name-refused", "al\\u200bice"),
    "a user in full-width letters": (user("\uff41lice"), "name-refused", "\uff41lice"),
    "the user ..": (user(".."), "name-refused", ".."),
    "a hidden index": (index("alice/.dev"), "name-refused", "alice/.dev"),
    "two users that look alike": (lambda e: (user("Alice")(e), user("alice")(e)), "name-lookalike", "alice"),
    "two indices that look alike": (
        lambda e: (index("alice/Dev")(e), index("alice/dev")(e)),
        "name-lookalike",
        "alice/dev",
    ),
    "a plugin's index": (index(type="constrained"), "type-unknown", "alice/dev"),
    "an index with a strange type": (index(type=["stage"]), "type-unknown", "alice/dev"),
    "a password in clear": (user("bob", pwhash="plain text"), "hash-unusable", "bob"),
    "a hash of 5 GB": (user("bob", pwhash=EXPENSIVE), "hash-unusable", "bob"),
    "an old hash without salt": (user("bob", pwhash="0" * 64), "hash-unusable", "bob"),
}


@pytest.mark.parametrize("name", first_fast(UNDECIDED))
def test_a_finding_that_needs_a_decision(export: Export, import_export: Import, tmp_path: Path, name: str) -> None:
    """The import names what needs a decision with the options that make it, changes nothing, and exits with 1."""
    fill, kind, subject = UNDECIDED[name]
    fill(export)
    export.write()

    asked = import_export()

    assert asked.code == 1
    assert [line.split()[:2] for line in asked.out.splitlines() if line.startswith(kind)] == [[kind, f"{subject}:"]]
    assert "1 finding needs a decision; nothing was changed. Repeat the command with:" in asked.out
    assert not (tmp_path / "imported").exists()


DECIDED: dict[str, tuple[Fill, list[str], str, str]] = {
    "a user is renamed": (user(".hidden"), ["--rename", ".hidden=hidden"], "user-renamed .hidden", "hidden"),
    "a user is skipped": (user(".hidden"), ["--skip", ".hidden"], "skipped .hidden", ""),
    "a look-alike is renamed": (
        lambda e: (user("Alice")(e), user("alice")(e)),
        ["--rename", "Alice=alice2"],
        "user-renamed Alice",
        "alice2",
    ),
    "an index is skipped": (index(type="constrained"), ["--skip", "alice/dev"], "skipped alice/dev", "alice"),
    "a type is mapped": (index(type="constrained"), ["--map-type", "constrained=stage"], "", "alice/dev"),
    "an index is renamed": (index("alice/.dev"), ["--rename", "alice/.dev=dev"], "", "alice/dev"),
    "a password is skipped": (
        user("bob", pwhash="plain text"),
        ["--skip-password", "bob"],
        "password-none bob",
        "bob",
    ),
}


@pytest.mark.parametrize("name", first_fast(DECIDED))
def test_a_decision(export: Export, imported: Imported, name: str) -> None:
    """With its decision the export is imported; what a decision has done is said."""
    fill, options, _, there = DECIDED[name]
    fill(export)

    site = imported(*options)

    assert not there or site.request("GET", f"/{there}").status == 200


FOUND: dict[str, tuple[Fill, str]] = {
    "an unknown user in an access list": (
        index(acl_upload=["alice", "ghost", ":developers"]),
        "acl-entry-dropped alice/dev: 'acl_upload' names 'ghost', who does not exist",
    ),
    "a base that is gone": (index(bases=["bob/dev"]), "base-dropped alice/dev: its base 'bob/dev' does not exist"),
    "a circle": (circle, "circle-broken alice/c: it no longer inherits from alice/a: they were a circle"),
    "an index of itself": (
        index(bases=["alice/dev"]),
        "circle-broken alice/dev: it no longer inherits from alice/dev: they were a circle",
    ),
    "a key of a plugin": (index(theme="dark"), "key-dropped alice/dev: an index of type stage has no 'theme'"),
    "a key of a user": (user("bob", phone="1"), "key-dropped bob: this server keeps no 'phone' of users"),
    "a title that is none": (index(title=[1]), "key-dropped alice/dev: the value of 'title' is refused"),
    "an empty password of old": (
        user("bob", pwsalt="c2FsdA==", pwhash="6fca7b3ef28ca41d0e04b9a6fb4ca56bb8ba79b2"),
        "hash-unusable bob",
    ),
    "no password": (user("bob", pwhash=None), "password-none bob: this user has no password here"),
    "an egg": (file("hello-1.0-py2.7.egg"), "file-legacy alice/dev/hello/1.0/hello-1.0-py2.7.egg: eggs are no longer"),
    "an installer": (file("hello-1.0.win32.exe"), "file-legacy alice/dev/hello/1.0/hello-1.0.win32.exe: installers"),
    "a tar of old": (file("hello-1.0.tar.bz2"), "file-legacy alice/dev/hello/1.0/hello-1.0.tar.bz2: sdists in other"),
    "a wheel that is none": (
        file("hello-1.0-py3-none-any.whl"),
        "file-unreadable alice/dev/hello/1.0/hello-1.0-py3-none-any.whl: it is kept without metadata",
    ),
    "a wheel of another version": (
        file("hello-2.0-py3-none-any.whl", wheel("hello", "2.0").content),
        "file-unreadable alice/dev/hello/1.0/hello-2.0-py3-none-any.whl: it is kept without metadata",
    ),
    "a mirror with a login": (
        index(type="mirror", mirror_url="http://bot:swordfish@127.0.0.1:9/simple/"),
        "mirror-credentials alice/dev: its mirror_url has a login",
    ),
}


@pytest.mark.parametrize("name", first_fast(FOUND))
def test_a_finding(export: Export, import_export: Import, name: str) -> None:
    """A dry run says what this server stores in another way, or not at all, and never a secret."""
    fill, sentence = FOUND[name]
    fill(export)
    export.write()

    said = import_export("--dry-run")

    assert sentence in " ".join(said.out.split()), said
    assert "swordfish" not in said.out


def test_a_dry_run_changes_nothing(export: Export, import_export: Import, tmp_path: Path) -> None:
    """A dry run of an export without faults says how much there is, and exits with 0."""
    index()(export)
    export.file("alice/dev", wheel("hello", "1.0"))
    export.write()

    said = import_export("--dry-run")

    assert (said.code, said.err) == (0, "")
    assert "2 users, 1 indices, 1 projects, 1 versions and 1 files" in said.out
    assert not (tmp_path / "imported").exists()


def test_a_report(export: Export, import_export: Import, tmp_path: Path) -> None:
    """The report has counts and findings with the values that were left out, but no secret; only its owner reads it."""
    index(hook_url="https://bot:swordfish@ci.example/?token=1", api_token="swordfish", theme={"a": [1]})(export)
    export.write()
    place = tmp_path / "report.json"

    assert import_export("--report", str(place)).code == 0

    report = json.loads(place.read_text())
    assert [each["value"] for each in report["findings"]] == [
        {"api_token": "***"},
        {"hook_url": "https://bot:***@ci.example/?***"},
        {"theme": {"a": [1]}},
    ]
    assert report["counts"] == {"users": 2, "indices": 1, "projects": 0, "versions": 0, "files": 0, "bytes": 0}
    assert "swordfish" not in place.read_text()
    assert place.stat().st_mode & 0o777 == 0o600


WRONG_USAGE = {
    "no folder": [],
    "a rename without name": ["DIR", "--rename", "alice="],
    "a rename to another user": ["DIR", "--rename", "alice/dev=bob/dev"],
    "a type that cannot be": ["DIR", "--map-type", "constrained=frog"],
}


@pytest.mark.parametrize("name", WRONG_USAGE)
def test_wrong_usage(run: Callable[..., object], name: str) -> None:
    """Wrong options end with 2 and one line."""
    outcome = run("import", *WRONG_USAGE[name])

    assert (outcome.code, outcome.err.count("\n")) == (2, 1)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--skip", "bob"], "the export has no user or index 'bob'"),
        (["--rename", "alice/prod=x"], "the export has no user or index 'alice/prod'"),
        (["--skip-password", "bob"], "the export has no user 'bob'"),
        (["--skip", "root"], "root cannot be skipped or renamed"),
    ],
    ids=str,
)
def test_a_decision_about_nothing(export: Export, import_export: Import, options: list[str], sentence: str) -> None:
    """A decision about a name that the export does not have is refused: it is a typing error."""
    index()(export)
    export.write()

    assert sentence in import_export(*options).err
