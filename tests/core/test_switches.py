"""Settings without a value: flag, opposite flag, variable and file, whatever the option is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.commands import CHEAPLY, Run

from wheelgate import Option
from wheelgate.config import Config, add_flags, resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.errors import StartupError
from wheelgate.main import Parser
from wheelgate.plugin_host.discovery import discover
from wheelgate.testing.site import Site

INVENTED = (
    Option("shout", "an ordinary switch", default=False),
    Option("whisper", "a switch that is on by default", default=True),
    Option("no-noise", "a switch whose name says no", default=False),
    Option("no-echo", "a switch whose name says no, and that is on by default", default=True),
    Option("no-echo", "the same in a section", default=False, section="hall"),
    Option("nostalgia", "a switch whose name only begins like no", default=False),
)
BUNDLED = (*CORE_OPTIONS, *(option for _, option in discover(()).options()))
SWITCHES = [option for option in (*INVENTED, *BUNDLED) if option.metavar is None]
CONFIG = next(option for option in CORE_OPTIONS if option.name == "config")
WORDS = [(word, True) for word in ("1", "yes", "true", "on", "TRUE", " On ")]
WORDS += [(word, False) for word in ("0", "no", "false", "off", "No")]


def settled(option: Option, flags: list[str], environment: dict[str, str]) -> bool:
    """Return the value of a switch."""
    parser = Parser()
    add_flags(parser, [*SWITCHES, CONFIG])
    config: Config = resolve([*SWITCHES, CONFIG], vars(parser.parse_args(flags)), environment)
    value: bool = config[option.key]
    return value


@pytest.mark.parametrize("flag", [None, True, False], ids=["no flag", "flag", "opposite flag"])
@pytest.mark.parametrize("variable", [None, True, False], ids=["no variable", "variable yes", "variable no"])
@pytest.mark.parametrize("line", [None, True, False], ids=["no file", "file yes", "file no"])
@pytest.mark.parametrize(
    "option",
    [
        *(pytest.param(option, id=option.key) for option in INVENTED),
        *(pytest.param(option, id=option.key, marks=pytest.mark.slow) for option in SWITCHES if option in BUNDLED),
    ],
)
def test_a_switch_is_on_or_off_as_the_first_place_says(
    tmp_path: Path, option: Option, line: bool | None, variable: bool | None, flag: bool | None
) -> None:
    """The flag comes before the variable, the variable before the file, and the file before the default."""
    flags = [] if flag is None else [option.flag if flag else option.negated_flag]
    environment = {} if variable is None else {option.variable: "yes" if variable else "no"}
    if line is not None:
        section = f"[plugins.{option.section}]\n" if option.section else ""
        file = tmp_path / "wheelgate.toml"
        file.write_text(f"{section}{option.name} = {'true' if line else 'false'}\n")
        flags += ["--config", str(file)]

    expected = next(value for value in (flag, variable, line, option.default) if value is not None)

    assert settled(option, flags, environment) is expected


@pytest.mark.parametrize(("word", "value"), WORDS, ids=[ascii(word) for word, _ in WORDS])
def test_the_words_of_a_switch(word: str, value: bool) -> None:
    """A variable takes four words for each of the two values, in upper and lower case."""
    (option,) = (each for each in SWITCHES if each.key == "no-root-pypi")

    assert settled(option, [], {"DEVPISERVER_NO_ROOT_PYPI": word}) is value


@pytest.mark.parametrize("word", ["", "2", "-1", "maybe", "y", "none", "yes no"], ids=ascii)
def test_other_words_are_refused(word: str) -> None:
    """Any other text is refused with the words that the variable takes."""
    (option,) = (each for each in SWITCHES if each.key == "no-root-pypi")

    with pytest.raises(StartupError) as refused:
        settled(option, [], {"DEVPISERVER_NO_ROOT_PYPI": word})

    assert str(refused.value) == (
        "environment variable DEVPISERVER_NO_ROOT_PYPI: expected true, yes, on or 1, or false, no, off or 0, "
        f"not {word!r}"
    )


def test_the_last_flag_counts() -> None:
    """A script can append the flag that it wants."""
    shout = INVENTED[0]

    assert settled(shout, ["--shout", "--no-shout"], {}) is False
    assert settled(shout, ["--no-shout", "--shout"], {}) is True


def test_an_option_may_be_the_opposite_of_another() -> None:
    """If a plugin has both ``x`` and ``no-x``, each flag sets the option of its name, and neither unsets the other."""
    both = [Option("noise", "make noise", default=False), Option("no-noise", "make none", default=False)]
    parser = Parser()
    add_flags(parser, both)

    assert dict(resolve(both, vars(parser.parse_args(["--no-noise"])), {})) == {"noise": False, "no-noise": True}
    assert dict(resolve(both, vars(parser.parse_args(["--noise"])), {})) == {"noise": True, "no-noise": False}


def test_help_shows_each_switch_with_its_opposite(run: Run) -> None:
    """``--help`` shows both flags of a switch, and no flag that says no twice."""
    shown = run("--help").out

    assert "--no-root-pypi, --root-pypi" in shown
    assert "--absolute-urls, --no-absolute-urls" in shown
    assert "--no-no-" not in shown
    assert "default: False" not in shown


@pytest.mark.parametrize(
    ("flags", "variable", "there"),
    [
        (["--no-root-pypi"], None, False),
        (["--no-root-pypi"], "yes", False),
        (["--no-root-pypi"], "no", False),
        (["--root-pypi"], "yes", True),
        ([], "1", False),
        ([], "0", True),
        ([], None, True),
    ],
    ids=["flag", "flag and yes", "flag and no", "opposite and yes", "1", "0", "neither"],
)
def test_no_root_pypi(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    variable: str | None,
    there: bool,
) -> None:
    """The option for the first index works on the command line and in the environment."""
    if variable is not None:
        monkeypatch.setenv("DEVPISERVER_NO_ROOT_PYPI", variable)
    command = ["passwd", "root", "--password-stdin", "--serverdir", str(tmp_path / "server"), *CHEAPLY, *flags]

    assert run(*command, stdin="correct horse\n").code == 0

    monkeypatch.delenv("DEVPISERVER_NO_ROOT_PYPI", raising=False)
    with Site(tmp_path / "server") as site:
        assert site.request("GET", "/root/pypi?no_projects=").status == (200 if there else 404)
