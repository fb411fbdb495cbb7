"""The values and the fixture that the contract tests of user stores and of index stores share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import pytest

Transaction = Callable[[], AbstractContextManager[None]]
"""Opens a transaction: ``server.database.transaction``, or a function that does nothing."""

LOOKALIKE_NAMES = [
    pytest.param("alice", "Alice", id="case"),
    pytest.param("straße", "STRASSE", id="sharp s"),
    pytest.param("fix", "\ufb01x", id="ligature"),
    pytest.param("caf\u00e9", "cafe\u0301", id="combining accent"),
    pytest.param("bob1", "bob\uff11", id="wide digit"),
    pytest.param("\u03c3", "\u03c2", id="final sigma"),
]
"""Pairs of names that are equal after NFKC normalisation and case folding."""

JSON_VALUES = [
    pytest.param({}, id="empty object"),
    pytest.param([], id="empty list"),
    pytest.param("", id="empty string"),
    pytest.param(0, id="zero"),
    pytest.param(False, id="false"),
    pytest.param([1, 2.5, -3, True, None, "x"], id="one of each"),
    pytest.param("? % ' \" \\ \u2028 \U0001f40d {} %s", id="quotes and format directives"),
    pytest.param(2**63 - 1, id="largest integer"),
    pytest.param({"b": 1, "a": {"\u00e4": [{"deep": [[[[[[]]]]]]}]}}, id="nested"),
    pytest.param(["x" * 1000] * 900, id="nearly a megabyte"),
]
"""Values of JSON that a store must return as they were."""


class StoreFixtures:
    """The fixture that both contracts use."""

    @pytest.fixture
    def transaction(self) -> Transaction:
        """Return the transaction that the core opens around a change; override this if the store is in the database."""
        return nullcontext
