"""``uv-index``, ``poetry`` and ``pdm``: one table with a name in an array, among other settings."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from wheelgate_client.hookspecs import ConfigError, ConfigWriter, Target

SERVER = "http://pkgs.example:3141/"
INDEX = f"{SERVER}alice/dev/"
SIMPLE = f"{INDEX}+simple/"
OTHER = f"{SERVER}alice/prod/"
TARGET = Target(SIMPLE, INDEX, upload_url=INDEX)
MOVED = Target(f"{OTHER}+simple/", OTHER, upload_url=OTHER)
CORP = '[[index]]\nname = "corp"\nurl = "http://corp.example/"\ndefault = true\n'
UV = f'[[index]]\nname = "wheelgate"\nurl = "{SIMPLE}"\npublish-url = "{INDEX}"\ndefault = true\n'
POETRY = f'[[tool.poetry.source]]\nname = "wheelgate"\nurl = "{SIMPLE}"\npriority = "primary"\n'
PDM = f'[[tool.pdm.source]]\nname = "pypi"\nurl = "{SIMPLE}"\n'
PROJECT = "# mine\n[project]\nname = 'p' # [p]\n\n# black\n[tool.black]\nx = 1\n"
POETRY_INLINE = f'{{name = "wheelgate", url = "{SIMPLE}", priority = "primary"}}'


@pytest.mark.parametrize(
    ("tool", "before", "after", "undone"),
    [
        pytest.param("uv-index", None, UV, None, id="uv-fresh"),
        pytest.param("uv-index", "offline = false\n", f"offline = false\n{UV}", "offline = false\n", id="uv-key"),
        pytest.param("uv-index", CORP, f"{UV}\n{CORP}", CORP, id="uv-another-default"),
        pytest.param(
            "uv-index",
            CORP.replace("\n", "\r\n"),
            f"{UV}\n{CORP}".replace("\n", "\r\n"),
            CORP.replace("\n", "\r\n"),
            id="uv-crlf",
        ),
        pytest.param(
            "uv-index",
            '# c\nindex-url = "http://corp.example/"\n\n# p\n[pip]\nstrict = true\n',
            f'# c\nindex-url = "http://corp.example/"\n\n{UV}\n# p\n[pip]\nstrict = true\n',
            '# c\nindex-url = "http://corp.example/"\n\n# p\n[pip]\nstrict = true\n',
            id="uv-beside-index-url",
        ),
        pytest.param("poetry", PROJECT, f"{PROJECT}\n{POETRY}", PROJECT, id="poetry"),
        pytest.param("poetry", PROJECT[:-1], f"{PROJECT}\n{POETRY}", PROJECT, id="poetry-no-final-newline"),
        pytest.param(
            "poetry",
            PROJECT.replace("\n", "\r\n"),
            f"{PROJECT}\n{POETRY}".replace("\n", "\r\n"),
            PROJECT.replace("\n", "\r\n"),
            id="poetry-crlf",
        ),
        pytest.param(
            "poetry",
            f"[[tool.poetry.source]]\nname = 'corp'\nurl = 'http://corp.example/' # c\n\n{PROJECT}",
            f"[[tool.poetry.source]]\nname = 'corp'\nurl = 'http://corp.example/' # c\n\n{PROJECT}\n{POETRY}",
            f"[[tool.poetry.source]]\nname = 'corp'\nurl = 'http://corp.example/' # c\n\n{PROJECT}",
            id="poetry-another-source",
        ),
        pytest.param(
            "poetry",
            '[tool.poetry]\nsource = [\n  {name = "c", url = "u"}, # c\n]\n\n[x]\n',
            f'[tool.poetry]\nsource = [\n  {{name = "c", url = "u"}}, # c\n  {POETRY_INLINE},\n]\n\n[x]\n',
            '[tool.poetry]\nsource = [\n  {name = "c", url = "u"}, # c\n]\n\n[x]\n',
            id="poetry-inline",
        ),
        pytest.param("pdm", PROJECT, f"{PROJECT}\n{PDM}", PROJECT, id="pdm"),
        pytest.param(
            "pdm", f"{PROJECT}\n{PDM}\n# tail", f"{PROJECT}\n{PDM}\n# tail", f"{PROJECT}\n\n# tail", id="pdm-tail"
        ),
        pytest.param(
            "pdm",
            f"[[tool.pdm.source]]\nname = 'pypi'\nurl = 'x' # mine\nverify_ssl = false\n\n{PROJECT}",
            f"[[tool.pdm.source]]\nname = 'pypi'\nurl = \"{SIMPLE}\" # mine\nverify_ssl = false\n\n{PROJECT}",
            PROJECT,
            id="pdm-in-place",
        ),
    ],
)
def test_plan_and_removal(
    writers: dict[str, ConfigWriter], tmp_path: Path, tool: str, before: str | None, after: str, undone: str | None
) -> None:
    """The edits point the tool at the index, at another one, and away from it; every other byte stays."""
    path = tmp_path / "file.toml"
    if before is not None:
        path.write_bytes(before.encode())
    writer = writers[tool]

    edit = writer.plan(path, TARGET)

    assert edit.after is not None
    assert edit.after.decode() == after
    path.write_bytes(edit.after)
    assert writer.status(path) == SIMPLE
    assert writer.plan(path, TARGET).after == edit.after

    moved = writer.plan(path, MOVED).after
    assert moved is not None
    assert moved.decode() == after.replace(INDEX, OTHER)

    path.write_bytes(moved)
    assert writer.plan_removal(path, "http://elsewhere.example/").after == moved
    assert writer.plan_removal(path, SERVER).after == (None if undone is None else undone.encode())


@pytest.mark.parametrize(
    ("before", "target", "entry"),
    [
        pytest.param(UV, Target(SIMPLE, INDEX), {"url": SIMPLE}, id="no-uploads"),
        pytest.param(
            UV.replace("url", "explicit = false\nurl", 1),
            MOVED,
            {"url": f"{OTHER}+simple/", "publish-url": OTHER, "explicit": False},
            id="own-keys-stay",
        ),
        pytest.param(
            f"{CORP}\n{UV}", TARGET, {"url": SIMPLE, "publish-url": INDEX}, id="behind-another-default-it-comes-first"
        ),
        pytest.param(
            "",
            Target(SIMPLE, INDEX, upload_url=INDEX, username="alice", password="s3cret"),
            {"url": SIMPLE, "publish-url": INDEX, "authenticate": "always"},
            id="a-login-is-stored-elsewhere",
        ),
        pytest.param(
            "",
            Target(SIMPLE.replace("//", "//u:p@"), INDEX, upload_url=INDEX.replace("//", "//u:p@")),
            {
                "url": SIMPLE.replace("//", "//u:p@"),
                "publish-url": INDEX.replace("//", "//u:p@"),
                "authenticate": "always",
            },
            id="basic-authentication",
        ),
    ],
)
def test_entry_for_uv(
    writers: dict[str, ConfigWriter], tmp_path: Path, before: str, target: Target, entry: dict[str, object]
) -> None:
    """The first index is ours, once, with its upload URL if there is one; it requires a login if there is one."""
    path = tmp_path / "uv.toml"
    path.write_text(before)

    edit = writers["uv-index"].plan(path, target)

    first, *others = tomllib.loads((edit.after or b"").decode())["index"]
    assert first == {"name": "wheelgate", "default": True, **entry}
    assert "wheelgate" not in [other["name"] for other in others]
    assert edit.has_secret == ("@" in target.simple_url)
    assert b"s3cret" not in (edit.after or b"")


def test_plain_uv_changes_the_upload_url(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """``--set-cfg`` without a name also changes an existing upload URL."""
    path = tmp_path / "uv.toml"
    path.write_text(UV)

    edit = writers["uv"].plan(path, MOVED)

    assert (edit.after or b"").decode() == UV.replace(INDEX, OTHER)


@pytest.mark.parametrize("tool", ["poetry", "pdm"])
def test_a_project_gets_no_password(writers: dict[str, ConfigWriter], tmp_path: Path, tool: str) -> None:
    """Everybody who works on the project can read the file, so it contains no credentials."""
    path = tmp_path / "pyproject.toml"
    path.write_text(PROJECT)
    url = SIMPLE.replace("//", "//alice:s3cret@")

    edit = writers[tool].plan(path, Target(url, INDEX, username="alice", password="s3cret"))

    assert b"s3cret" not in (edit.after or b"s3cret")
    path.write_bytes(edit.after or b"")
    assert writers[tool].status(path) == SIMPLE


@pytest.mark.parametrize("tool", ["poetry", "pdm"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "neither it nor a folder above contains pyproject.toml", id="no-project"),
        pytest.param("a = \n", "is not TOML: .*line 1", id="not-toml"),
        pytest.param("tool = {black = {x = 1}}\n", "has an inline table", id="inline"),
    ],
)
def test_uneditable_files(
    writers: dict[str, ConfigWriter], tmp_path: Path, tool: str, content: str | None, said: str
) -> None:
    """The error names the file, the reason, and the remedy."""
    path = tmp_path / "pyproject.toml"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ConfigError, match=said) as caught:
        writers[tool].plan(path, TARGET)

    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("tool", ["uv-index", "poetry", "pdm"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param("index = 3\ntool = 4\n", id="numbers"),
        pytest.param("index = [3]\ntool.poetry.source = [5]\ntool.pdm = 6\n", id="deeper"),
        pytest.param(
            "[[index]]\nname = 3\n[[tool.poetry.source]]\nname = 'wheelgate'\nurl = 4\n[[tool.pdm.source]]\n",
            id="tables",
        ),
    ],
)
def test_values_of_other_types_are_left_alone(
    writers: dict[str, ConfigWriter], tmp_path: Path, tool: str, content: str
) -> None:
    """Values of another type at the path of the tables are neither read nor removed."""
    path = tmp_path / "file.toml"
    path.write_text(content)

    assert writers[tool].status(path) is None
    assert writers[tool].plan_removal(path, SERVER).after == content.encode()


@pytest.mark.parametrize("tool", ["uv-index", "poetry", "pdm", "pypirc", "netrc"])
@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://h.example/s3cret\n[x]", id="newline"),
        pytest.param("http://h.example/s3cret x", id="blank"),
        pytest.param("http://[h.example/s3cret", id="bad-host"),
        pytest.param("file:///s3cret", id="scheme"),
    ],
)
def test_hostile_url(writers: dict[str, ConfigWriter], tmp_path: Path, tool: str, url: str) -> None:
    """A URL, which the server chooses, cannot add lines to a file; the error does not repeat it."""
    path = tmp_path / "file"
    path.write_text("")

    with pytest.raises(ConfigError, match="not written to any configuration file") as caught:
        writers[tool].plan(path, Target(url, INDEX, upload_url=url, username="a", password="b"))

    assert "s3cret" not in str(caught.value)
