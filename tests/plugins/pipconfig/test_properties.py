"""An edit only changes our settings, whatever the file contains."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wheelgate_client.hookspecs import ConfigWriter, Target

TARGET = Target("http://pkgs.example:3141/alice/dev/+simple/", "http://pkgs.example:3141/alice/dev/", trusted_host=True)
SERVER = "http://pkgs.example:3141/"
OTHERS = ["timeout", "find-links"]
OTHER_ROOTS = ["offline = false # note", 'environments = [\n  "a", # [b]\n]']
ROOTS = [*OTHER_ROOTS, 'index-url = "http://corp.example/"']
OPTIONS = ["index-url", "index", "trusted_host", *OTHERS]

noise = st.lists(st.sampled_from(["# note", "; note", "  # indented", "", "  "]), max_size=2)
values = st.sampled_from(["x", "a = b", "http://corp.example/", "äö", "1 # no comment", "[x]"])
more_values = st.lists(st.sampled_from(["    a", "\tb", "    # in a value"]), max_size=2)
line_ends = st.sampled_from(["\n", "\r\n"])


@st.composite
def pip_files(draw: st.DrawFn, names: Sequence[str] = OPTIONS) -> str:
    """Return a file for pip with some of these options."""
    lines = draw(noise)
    for section in draw(st.lists(st.sampled_from(["global", "install", "search", "freeze"]), unique=True)):
        lines += [f"[{section}]{draw(st.sampled_from(['', '  # note']))}", *draw(noise)]
        for name in draw(st.lists(st.sampled_from(names), unique=True)):
            delimiter = draw(st.sampled_from(["=", " = ", ": ", " :\t"]))
            lines += [f"{name}{delimiter}{draw(values)}", *draw(more_values), *draw(noise)]
    end = draw(line_ends)
    return end.join(lines) + draw(st.sampled_from(["", end]))


@st.composite
def uv_files(draw: st.DrawFn, roots: Sequence[str] = ROOTS) -> str:
    """Return a TOML file with or without indexes, in tables or inline, adjacent or not."""
    inline = 'index = [\n  { url = "http://inline.example/", default = true },\n]'
    tables = {
        "pip": '[pip]\nindex-url = "http://pip.example/"',
        "pip.strict": "[pip]\nstrict = true # note",
        "index": '[[index]]\nurl = "http://a.example/"',
        "default": '[[index]]\nname = "b"\nurl = "http://b.example/"\ndefault = true',
        "indented": '  [[index]]\n    url = "http://c.example/"\n    default = true',
        "other": "[cache-keys]\nx = '''\n# [y]\n'''",
    }
    parts = draw(st.lists(st.sampled_from(roots), unique=True))
    names = draw(st.lists(st.sampled_from(sorted(tables)), unique=True))
    if "pip" in names and "pip.strict" in names:
        names.remove("pip.strict")
    if not {"index", "default", "indented"} & set(names):
        parts += draw(st.lists(st.just(inline), max_size=1))
    spaced = [
        "\n".join([*draw(st.lists(st.sampled_from(["# note", ""]), max_size=2)), part])
        for part in [*parts, *(tables[name] for name in names)]
    ]
    end = draw(line_ends)
    return "\n".join(spaced).replace("\n", end) + draw(st.sampled_from(["", end, f"{end}# tail{end}"]))


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one path for all examples of a test."""
    return tmp_path_factory.mktemp("properties") / "file"


def said_by_ini(content: bytes | None) -> dict[str, dict[str, list[str]]]:
    """Return the words of each option; sections without options do not count."""
    parser = configparser.RawConfigParser()
    parser.optionxform = lambda name: name.lower().replace("_", "-")  # type: ignore[assignment, method-assign]
    parser.read_string((content or b"").decode())
    found = {name: {key: value.split() for key, value in parser.items(name)} for name in parser.sections()}
    return {name: options for name, options in found.items() if options}


def said_by_toml(content: bytes | None) -> dict[str, Any]:
    return tomllib.loads((content or b"").decode())


def lines_of(content: bytes | None) -> list[bytes]:
    return [line for line in (content or b"").splitlines() if line.strip()]


def are_in_order(some: list[bytes], within: list[bytes]) -> bool:
    remaining = iter(within)
    return all(line in remaining for line in some)


@settings(deadline=None)
@given(text=pip_files())
def test_pip_edit_changes_our_settings_only(writers: dict[str, ConfigWriter], file: Path, text: str) -> None:
    """Pip reads the same settings except index and trusted host; a second edit changes nothing."""
    before = text.encode()
    file.write_bytes(before)
    expected = said_by_ini(before)
    general, search = expected.setdefault("global", {}), expected.setdefault("search", {})
    general["index-url"], search["index"] = [TARGET.simple_url], [TARGET.index_url]
    general["trusted-host"] = [*general.get("trusted-host", []), "pkgs.example"]

    after = writers["pip"].plan(file, TARGET).after

    assert said_by_ini(after) == expected
    file.write_bytes(after or b"")
    assert writers["pip"].plan(file, TARGET).after == after


@settings(deadline=None)
@given(text=pip_files(OTHERS))
def test_pip_edit_keeps_all_lines(writers: dict[str, ConfigWriter], file: Path, text: str) -> None:
    """Every line stays with its line end, and removing our settings restores the file."""
    before = text.encode()
    file.write_bytes(before)

    after = writers["pip"].plan(file, TARGET).after
    assert after is not None
    file.write_bytes(after)
    back = writers["pip"].plan_removal(file, SERVER).after

    assert are_in_order(before.splitlines(keepends=True)[:-1], after.splitlines(keepends=True))
    assert are_in_order(before.splitlines()[-1:], after.splitlines())
    assert said_by_ini(back) == said_by_ini(before)
    bare = {b"[global]", b"[search]"}
    assert [line for line in lines_of(back) if line not in bare] == [
        line for line in lines_of(before) if line not in bare
    ]


@settings(deadline=None)
@given(text=uv_files())
def test_uv_edit_changes_our_settings_only(writers: dict[str, ConfigWriter], file: Path, text: str) -> None:
    """The settings for uv are the same except the default index; a second edit changes nothing."""
    before = text.encode()
    file.write_bytes(before)
    expected = said_by_toml(before)
    ours = {"name": "wheelgate", "url": TARGET.simple_url, "default": True}

    after = writers["uv"].plan(file, TARGET).after
    said = said_by_toml(after)

    assert said in ({**expected, "index-url": ours["url"]}, {**expected, "index": [ours, *expected.get("index", [])]})
    file.write_bytes(after or b"")
    assert writers["uv"].status(file) == TARGET.simple_url
    assert writers["uv"].plan(file, TARGET).after == after


@settings(deadline=None)
@given(text=uv_files(OTHER_ROOTS))
def test_uv_edit_keeps_all_lines(writers: dict[str, ConfigWriter], file: Path, text: str) -> None:
    """Every line stays with its line end, and removing our settings restores the file."""
    before = text.encode()
    file.write_bytes(before)

    after = writers["uv"].plan(file, TARGET).after
    assert after is not None
    file.write_bytes(after)
    back = writers["uv"].plan_removal(file, SERVER).after

    assert are_in_order(before.splitlines(keepends=True)[:-1], after.splitlines(keepends=True))
    assert are_in_order(before.splitlines()[-1:], after.splitlines())
    assert lines_of(back) == lines_of(before)
