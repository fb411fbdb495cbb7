"""The comparison of printed sessions: which differences it allows, and which it reports."""

from __future__ import annotations

import pytest
from tests.helpers.session_transcript import ShellCommand, from_markdown, from_text, same_lines, shows_json


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        pytest.param(["a", "b"], ["a", "b"], True, id="equal"),
        pytest.param(["a"], ["a", "b"], False, id="a line more"),
        pytest.param(["a", "b"], ["a"], False, id="a line less"),
        pytest.param(["a."], ["ab"], False, id="a dot is a dot"),
        pytest.param(["at … o'clock"], ["at ten o'clock"], True, id="anything within a line"),
        pytest.param(["at … o'clock"], ["at", "ten o'clock"], False, id="but not beyond it"),
        pytest.param(["a", "…", "z"], ["a", "b", "c", "z"], True, id="any lines"),
        pytest.param(["a", "…"], ["b", "a"], False, id="in their order"),
    ],
)
def test_lines(expected: list[str], printed: list[str], same: bool) -> None:
    """Lines must be equal, except where the expected lines have an ellipsis."""
    assert same_lines(tuple(expected), printed) == same


@pytest.mark.parametrize(
    ("printed", "same"),
    [
        pytest.param('{"b": 2, "a": {"c": 1, "new": 0}}', True, id="more keys, another order"),
        pytest.param('{"a": {"c": 1}}', False, id="a key less"),
        pytest.param('{"a": {"c": 2}, "b": 2}', False, id="another value"),
        pytest.param('{"a": [], "b": 2}', False, id="another type"),
    ],
)
def test_json(printed: str, same: bool) -> None:
    """Documented keys must have equal values; there may be other keys."""
    assert shows_json(('{"a": {"c": 1},', '"b": 2}'), [printed]) == same


def test_a_text_is_read() -> None:
    """The lines after a command, up to an empty line, are its output."""
    text = "Say:\n\n$ one\n$ two\nfirst\nsecond\n\nAnd so on.\n"

    assert from_text(text) == [ShellCommand(3, "one", ()), ShellCommand(4, "two", ("first", "second"))]


def test_a_page_is_read() -> None:
    """Only ``console`` blocks are read, including their empty lines."""
    text = "```sh\n$ no\n```\n\n```console\n$ yes\nfirst\n\nsecond\n```\n\nAnd so on.\n"

    assert from_markdown(text) == [ShellCommand(6, "yes", ("first", "", "second"))]
