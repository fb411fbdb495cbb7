"""The plugin of the page "Write an authentication plugin in 40 lines" does what the page says."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import argon2
import pytest

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parent / "company_directory" / "wheelgate_company_directory" / "__init__.py"


@pytest.fixture
def visit(serve: Callable[..., Any], cheap: tuple[str, ...], tmp_path: Path) -> Any:
    """A server that knows two people from the directory; ``:admins`` alone may create users."""
    hasher = argon2.PasswordHasher(1, 8, 1)
    (tmp_path / "people.toml").write_text(
        f'''
        [ada]
        password_hash = "{hasher.hash("analytical")}"
        email = "ada@company.example"
        groups = ["admins"]
        [bob]
        password_hash = "{hasher.hash("builder")}"
        '''
    )
    return serve(
        "--restrict-modify", ":admins", "--directory-file", "people.toml", *cheap, plugins=("company_directory",)
    )


def test_people_of_the_directory_log_in(visit: Any) -> None:
    """The first login makes the user, with the address that the directory knows; a wrong password makes nothing."""
    assert visit("POST", "/+login", {"user": "ada", "password": "wrong"})[0] == 401
    assert visit("GET", "/ada")[0] == 404

    ada = visit.login("ada", "analytical")

    assert visit("GET", "/ada")[1]["result"]["email"] == "ada@company.example"
    assert visit("GET", "/+api", auth=ada)[1]["result"]["authstatus"] == ["ok", "ada", ["admins"]]


def test_groups_of_the_directory_have_rights(visit: Any) -> None:
    """Who is in the group may create users, and nobody else, not even root."""
    who = [visit.login("ada", "analytical"), visit.login("bob", "builder"), visit.login("root", "")]

    made = [visit("PUT", f"/new{n}", {"password": "correct horse"}, auth)[0] for n, auth in enumerate(who)]

    assert made == [201, 403, 403]


def test_a_name_belongs_to_the_directory(visit: Any) -> None:
    """A user of the directory has no password here, and nobody but the directory vouches for it."""
    visit.login("bob", "builder")
    ada = visit.login("ada", "analytical")

    status, answer = visit("PATCH", "/bob", {"password": "another one"}, ada)

    assert (status, "company_directory" in answer["message"]) == (409, True)


def test_a_directory_that_is_away_locks_nobody_else_out(visit: Any, tmp_path: Path) -> None:
    """While the directory cannot be read its people get 503, and local users log in."""
    (tmp_path / "people.toml").rename(tmp_path / "gone.toml")

    status, answer = visit("POST", "/+login", {"user": "ada", "password": "analytical"})

    assert (status, "company_directory" in answer["message"]) == (503, True)
    visit.login("root", "")


def test_it_has_40_lines() -> None:
    """The code, without blank lines and docstrings, has at most 40 lines."""
    tree = ast.parse(SOURCE.read_text())
    docstrings = {
        node.body[0].lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef) and ast.get_docstring(node)
    }
    lines = [number for number, line in enumerate(SOURCE.read_text().splitlines(), 1) if line.strip()]

    assert len([number for number in lines if number not in docstrings]) <= 40
