"""``uv.toml``: the changes of an edit, and the lines that stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from wheelgate_client.hookspecs import ConfigError, ConfigWriter, Target

SIMPLE = "http://pkgs.example:3141/alice/dev/+simple/"
OTHER = "http://pkgs.example:3141/alice/prod/+simple/"
INDEX = "http://pkgs.example:3141/alice/dev/"
SERVER = "http://pkgs.example:3141/"
KEY = f'index-url = "{SIMPLE}"\n'
TABLE = f'[[index]]\nname = "wheelgate"\nurl = "{SIMPLE}"\ndefault = true\n'
INLINE = f'{{name = "wheelgate", url = "{SIMPLE}", default = true}}'
CORP = '[[index]]\nname = "corp"\nurl = "http://corp.example/"\ndefault = true\n'


@pytest.mark.parametrize(
    ("before", "after", "undone"),
    [
        pytest.param(None, KEY, None, id="fresh"),
        pytest.param("# c", f"# c\n{KEY}", "# c\n", id="comment-without-newline"),
        pytest.param("offline = false", f"offline = false\n{KEY}", "offline = false\n", id="no-final-newline"),
        pytest.param(
            "offline = false\n\n# pip\n[pip]\nstrict = true\n",
            f"offline = false\n{KEY}\n# pip\n[pip]\nstrict = true\n",
            "offline = false\n\n# pip\n[pip]\nstrict = true\n",
            id="above-a-table",
        ),
        pytest.param("# pip\n[pip]\n", f"{KEY}# pip\n[pip]\n", "# pip\n[pip]\n", id="above-the-comment-of-a-table"),
        pytest.param(
            '[[index]]\nurl = "http://corp.example/"\n',
            f'{KEY}[[index]]\nurl = "http://corp.example/"\n',
            '[[index]]\nurl = "http://corp.example/"\n',
            id="above-an-index",
        ),
        pytest.param(
            'index-url = "x" # mine\r\noffline = false\r\n',
            f'index-url = "{SIMPLE}" # mine\r\noffline = false\r\n',
            "offline = false\r\n",
            id="in-place-crlf",
        ),
        pytest.param("\ufeffoffline = false\n", f"\ufeffoffline = false\n{KEY}", "\ufeffoffline = false\n", id="bom"),
        pytest.param(CORP, f"{TABLE}\n{CORP}", CORP, id="default-index"),
        pytest.param(
            CORP.replace("\n", "\r\n"),
            f"{TABLE}\n{CORP}".replace("\n", "\r\n"),
            CORP.replace("\n", "\r\n"),
            id="default-index-crlf",
        ),
        pytest.param(
            f"offline = false\n\n# corp\n{CORP}\n# pip\n[pip]\nstrict = true\n\n[[index]]\nurl = 'http://z.example/'",
            f"offline = false\n\n{TABLE}\n# corp\n{CORP}\n# pip\n[pip]\nstrict = true\n\n"
            "[[index]]\nurl = 'http://z.example/'",
            f"offline = false\n\n# corp\n{CORP}\n# pip\n[pip]\nstrict = true\n\n[[index]]\nurl = 'http://z.example/'",
            id="default-index-apart-from-others",
        ),
        pytest.param(
            'index = [\n  {url = "http://corp.example/", default = true}, # corp\n]\n[pip]\n',
            f'index = [\n  {INLINE},\n  {{url = "http://corp.example/", default = true}}, # corp\n]\n[pip]\n',
            'index = [\n  {url = "http://corp.example/", default = true}, # corp\n]\n[pip]\n',
            id="default-index-inline",
        ),
        pytest.param(
            '[pip]\nindex-url = "http://corp.example/"\n',
            f'{TABLE}\n[pip]\nindex-url = "http://corp.example/"\n',
            '[pip]\nindex-url = "http://corp.example/"\n',
            id="pip-index-url",
        ),
        pytest.param(
            'pip.index-url = "http://corp.example/"',
            f'pip.index-url = "http://corp.example/"\n{TABLE}',
            'pip.index-url = "http://corp.example/"\n',
            id="pip-index-url-dotted",
        ),
        pytest.param(
            'environments = [\n  "a", # [b]\n]\nx = """\n# c"""\n[pip]\n',
            f'environments = [\n  "a", # [b]\n]\nx = """\n# c"""\n{KEY}[pip]\n',
            'environments = [\n  "a", # [b]\n]\nx = """\n# c"""\n[pip]\n',
            id="brackets-and-comments-that-are-none",
        ),
        pytest.param("index = []\n", f"index = []\n{KEY}", "index = []\n", id="no-index-in-the-list"),
    ],
)
def test_plan_and_removal(
    writers: dict[str, ConfigWriter], tmp_path: Path, before: str | None, after: str, undone: str | None
) -> None:
    """The edits point the tool at the index, at another one, and away from it; every other byte stays."""
    path = tmp_path / "uv.toml"
    if before is not None:
        path.write_bytes(before.encode())
    uv = writers["uv"]

    edit = uv.plan(path, Target(SIMPLE, INDEX))

    assert edit.after is not None
    assert edit.after.decode() == after
    path.write_bytes(edit.after)
    assert uv.status(path) == SIMPLE
    assert uv.plan(path, Target(SIMPLE, INDEX)).after == edit.after

    moved = uv.plan(path, Target(OTHER, INDEX)).after
    assert moved is not None
    assert moved.decode() == after.replace(SIMPLE, OTHER)

    path.write_bytes(moved)
    assert uv.plan_removal(path, SERVER).after == (None if undone is None else undone.encode())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param('index-url = "http://corp.example/"\n', id="index-url"),
        pytest.param(f'[pip]\nindex-url = "{SIMPLE}"\n', id="pip"),
        pytest.param(f'[[index]]\nname = "mine"\nurl = "{SIMPLE}"\ndefault = true\n', id="named-otherwise"),
        pytest.param('[[index]]\nname = "wheelgate"\nurl = "http://corp.example/"\n', id="named-but-elsewhere"),
        pytest.param("index-url = 3\nindex = 4\n", id="other-types"),
        pytest.param("index = [5]\n", id="other-types-of-index"),
    ],
)
def test_removal_leaves_other_settings(writers: dict[str, ConfigWriter], tmp_path: Path, content: str) -> None:
    """Settings that point elsewhere, and the user's tables, stay."""
    path = tmp_path / "uv.toml"
    path.write_text(content)

    edit = writers["uv"].plan_removal(path, SERVER)

    assert edit.after == edit.before == content.encode()


@pytest.mark.parametrize(
    ("content", "url"),
    [
        pytest.param("", None, id="empty"),
        pytest.param('index-url = "a"\n', "a", id="index-url"),
        pytest.param('index-url = "a"\n[pip]\nindex-url = "b"\n', "b", id="pip-before-index-url"),
        pytest.param(
            'index-url = "a"\n[pip]\nindex-url = "b"\n[[index]]\nurl = "c"\ndefault = true\n', "c", id="index"
        ),
        pytest.param('[[index]]\nurl = "b"\n[[index]]\nurl = "c"\ndefault = true\n', "c", id="default-only"),
        pytest.param('[[index]]\nurl = "b"\ndefault = true\n[[index]]\nurl = "c"\ndefault = true\n', "b", id="first"),
        pytest.param('index-url = "a"\n[[index]]\nurl = "b"\ndefault = true\nexplicit = true\n', None, id="explicit"),
        pytest.param("index-url = 3\npip = 4\nindex = 5\n", None, id="other-types"),
        pytest.param('index-url = "a"\nindex = [6]\n', "a", id="other-types-of-index"),
    ],
)
def test_status(writers: dict[str, ConfigWriter], tmp_path: Path, content: str, url: str | None) -> None:
    """The URL is the one that uv would use by default."""
    path = tmp_path / "uv.toml"
    path.write_text(content)

    assert writers["uv"].status(path) == url


def test_an_explicit_default_index_is_ignored(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """A default index that is explicit, and so no default in uv, does not stop ours from becoming the default one."""
    path = tmp_path / "uv.toml"
    path.write_text('[[index]]\nname = "c"\nurl = "http://corp.example/"\ndefault = true\nexplicit = true\n')

    edit = writers["uv"].plan(path, Target(SIMPLE, INDEX))

    assert edit.after is not None
    path.write_bytes(edit.after)
    assert writers["uv"].status(path) == SIMPLE


def test_credentials(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """A URL with credentials marks the edit as secret and is read back unchanged."""
    path = tmp_path / "uv.toml"
    url = SIMPLE.replace("//", '//u:p%40s"\\s@')

    edit = writers["uv"].plan(path, Target(url, INDEX))

    assert edit.has_secret
    assert edit.after is not None
    path.write_bytes(edit.after)
    assert writers["uv"].status(path) == url


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"a = 1\nindex-url 's3cret'\n", "is not TOML: .*line 2", id="syntax"),
        pytest.param(b"a = 1\na = 2\n", "is not TOML: .*line 2", id="key-twice"),
        pytest.param(b'a = "\xff"\n', "not UTF-8 text: see line 1", id="not-utf-8"),
    ],
)
def test_file_that_is_not_toml(writers: dict[str, ConfigWriter], tmp_path: Path, content: bytes, said: str) -> None:
    """For a file that uv cannot read, the error names file and line and shows no content."""
    path = tmp_path / "uv.toml"
    path.write_bytes(content)

    for attempt in (
        lambda: writers["uv"].status(path),
        lambda: writers["uv"].plan(path, Target(SIMPLE, INDEX)),
        lambda: writers["uv"].plan_removal(path, SERVER),
    ):
        with pytest.raises(ConfigError, match=said) as caught:
            attempt()
        assert str(path) in str(caught.value)
        assert "s3cret" not in str(caught.value)
