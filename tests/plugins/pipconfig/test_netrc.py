"""netrc: one login among others, in a format that each reader parses differently."""

from __future__ import annotations

import netrc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wheelgate_client.hookspecs import ConfigError, ConfigWriter, Target

SERVER = "http://pkgs.example:3141/"
INDEX = f"{SERVER}alice/dev/"
TARGET = Target(f"{INDEX}+simple/", INDEX, username="alice", password="new")
LINE = "machine pkgs.example login alice password new\n"
MACRO = "macdef init\ncd /tmp\nmachine pkgs.example\n\n"

KEYS = {"login": "login", "user": "login", "password": "password", "account": "account"}
words = st.sampled_from(["a", "b.example", "x#y", '"q r"', '""', r"a\ b", r'"a\"b"', "machine", "default", "macdef"])
names = st.sampled_from(["b.example", "pkgs.example", '"pkgs.example"', "c.example"])
gaps = st.sampled_from([" ", "\t", "\n", "\n  ", "\r\n"])


@st.composite
def files(draw: st.DrawFn) -> str:
    """Return a file with entries, macros and comments, on one line or several."""
    text = draw(st.sampled_from(["", "# a machine\n", "#x\n"]))
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["machine", "machine", "default", "macro"]))
        if kind == "macro":
            text += MACRO
            continue
        text += kind if kind == "default" else f"machine{draw(gaps)}{draw(names)}"
        for key in draw(st.lists(st.sampled_from(sorted(KEYS)), max_size=3)):
            text += f"{draw(gaps)}{key}{draw(gaps)}{draw(words)}"
        text += draw(st.sampled_from(["\n", " ", "\n# note machine\n", " # login x\n", "\r\n"]))
    return text + draw(st.sampled_from(["", "machine last.example login l password p"]))


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one path for all examples of a test."""
    return tmp_path_factory.mktemp("netrc") / "file"


def said(path: Path, content: bytes | None) -> dict[str, tuple[str, str, str]]:
    """Return the logins that the standard library reads."""
    path.write_bytes(content or b"")
    return dict(netrc.netrc(str(path)).hosts)


@pytest.mark.parametrize(
    ("before", "after", "undone"),
    [
        pytest.param(None, LINE, None, id="fresh"),
        pytest.param("machine a login b password c", f"machine a login b password c\n{LINE}", None, id="no-newline"),
        pytest.param(
            "machine a\r\n  login b\r\n  password c\r\n",
            "machine a\r\n  login b\r\n  password c\r\n" + LINE.replace("\n", "\r\n"),
            None,
            id="crlf",
        ),
        pytest.param(
            "# mine\nmachine pkgs.example\n  login bob # who\n  password old\nmachine a login b password c\n",
            "# mine\nmachine pkgs.example\n  login alice # who\n  password new\nmachine a login b password c\n",
            "# mine\nmachine a login b password c\n",
            id="in-place",
        ),
        pytest.param(
            "machine pkgs.example account x\n",
            "machine pkgs.example login alice password new account x\n",
            "",
            id="half",
        ),
        pytest.param(
            "default login b password c\n", f"{LINE}default login b password c\n", None, id="before-the-default"
        ),
        pytest.param(MACRO, f"{MACRO}{LINE}", None, id="behind-a-macro"),
        pytest.param(
            "machine pkgs.example login b password c # mine\n# x y\nmachine a login b password c\n",
            "machine pkgs.example login alice password new # mine\n# x y\nmachine a login b password c\n",
            "# x y\nmachine a login b password c\n",
            id="comment-on-the-line",
        ),
        pytest.param(
            "machine pkgs.example login x password y machine a login b password c\n",
            "machine pkgs.example login alice password new machine a login b password c\n",
            " machine a login b password c\n",
            id="on-one-line",
        ),
    ],
)
def test_plan_and_removal(
    writers: dict[str, ConfigWriter], tmp_path: Path, before: str | None, after: str, undone: str | None
) -> None:
    """The login is set and removed; every other byte stays, and the file is private."""
    path = tmp_path / ".netrc"
    if before is not None:
        path.write_bytes(before.encode())

    edit = writers["netrc"].plan(path, TARGET)

    assert (edit.after or b"").decode() == after
    assert edit.has_secret
    assert said(path, edit.after)["pkgs.example"][::2] == ("alice", "new")
    assert writers["netrc"].plan(path, TARGET).after == edit.after
    assert writers["netrc"].plan_removal(path, "http://elsewhere.example/").after == edit.after
    back = writers["netrc"].plan_removal(path, SERVER).after
    expected = before if undone is None and before is not None else undone
    assert (back or b"").decode().rstrip("\n") == (expected or "").rstrip("\n")


def test_status_shows_no_password(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """`devpi use --for netrc` lists users and hosts, and no password."""
    path = tmp_path / ".netrc"
    shown = [writers["netrc"].status(path)]
    path.write_text('machine a login "b" password s3cret\ndefault login c password s3cret\n')
    shown.append(writers["netrc"].status(path))

    assert shown == [None, "b at a, c at any host"]


def test_a_dry_run_hides_passwords(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """It hides all passwords, old, new and of other machines, as they appear in the file."""
    path = tmp_path / ".netrc"
    path.write_text('machine pkgs.example login b password old\nmachine a login c password "x y" account z\n')

    assert writers["netrc"].plan(path, TARGET).secrets == {"old", "new", '"x y"', "z"}


@settings(deadline=None)
@given(text=files())
def test_other_logins_stay(writers: dict[str, ConfigWriter], file: Path, text: str) -> None:
    """Python reads the same logins except the edited one; removing it leaves the others."""
    try:
        expected = said(file, text.encode())
    except netrc.NetrcParseError:
        with pytest.raises(ConfigError):
            writers["netrc"].plan(file, TARGET)
        return
    account = expected.get("pkgs.example", ("", "", ""))[1]

    after = writers["netrc"].plan(file, TARGET).after

    assert said(file, after) == {**expected, "pkgs.example": ("alice", account, "new")}
    assert writers["netrc"].plan(file, TARGET).after == after
    expected.pop("pkgs.example", None)
    try:
        undone = writers["netrc"].plan_removal(file, SERVER).after
    except ConfigError as error:
        assert "#" in text, error  # noqa: PT017 - where a comment stands to an entry decides whether Python takes it
    else:
        assert said(file, undone) == expected


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        pytest.param(Target(TARGET.simple_url, INDEX, username="alice"), "Add --with-login", id="not-asked-for"),
        pytest.param(Target(TARGET.simple_url, INDEX), "Add --with-login", id="not-logged-in"),
        *[
            pytest.param(
                Target(TARGET.simple_url, INDEX, username="alice", password=password),
                "some readers of netrc misread",
                id=name,
            )
            for name, password in {
                "blank": "s3cret x",
                "newline": "s3cret\nmachine",
                "quote": '"s3cret"',
                "backslash": "s3cret\\x",
                "hash": "#s3cret",
                "umlaut": "s3crät",
                "empty": "",
            }.items()
        ],
    ],
)
def test_unwritable_logins(writers: dict[str, ConfigWriter], tmp_path: Path, target: Target, complaint: str) -> None:
    """The error says what to do and does not show the password."""
    with pytest.raises(ConfigError, match=complaint) as caught:
        writers["netrc"].plan(tmp_path / ".netrc", target)

    assert "s3cr" not in str(caught.value)


def test_edits_that_python_would_misread(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """If the removal would turn a comment into part of another login, the file is left alone."""
    path = tmp_path / ".netrc"
    path.write_text('machine a account "x"\nmachine pkgs.example\n# login bob\n')

    with pytest.raises(ConfigError, match="Python would misread a comment") as caught:
        writers["netrc"].plan_removal(path, SERVER)

    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param("machine a login b s3cret c\n", "line 1 has a misplaced word", id="key"),
        pytest.param("machine a login b password c\n\n# s3cret d\n", "a comment below an empty line", id="comment"),
    ],
)
def test_files_that_python_refuses(
    writers: dict[str, ConfigWriter], tmp_path: Path, content: str, complaint: str
) -> None:
    """If pip would ignore all logins of a file, it is left alone; the error names the line and repeats no word."""
    path = tmp_path / ".netrc"
    path.write_text(content)

    with pytest.raises(ConfigError, match=complaint) as caught:
        writers["netrc"].plan(path, TARGET)

    assert str(path) in str(caught.value)
    assert "s3cret" not in str(caught.value)
