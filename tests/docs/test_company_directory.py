"""People of the directory log in, and their groups count."""

from pathlib import Path

import pytest
import wheelgate_company_directory
from argon2 import PasswordHasher

from wheelgate.testing.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a server with a directory of one."""
    people = tmp_path / "people.toml"
    password_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("cobol")
    people.write_text(f'[grace]\npassword_hash = "{password_hash}"\ngroups = ["admins"]\n')
    return Site(
        tmp_path / "server",
        extra={"company_directory": wheelgate_company_directory},
        directory_file=str(people),
        restrict_modify="root,:admins",
    )


def test_the_directory_logs_in(site: Site) -> None:
    """The right password makes a user, whose groups have rights; a wrong one does not."""
    with site:
        grace = site.login("grace", "cobol")

        assert site.request("PUT", "/newcomer", {"password": "1234"}, auth=grace).status == 201
        assert site.request("GET", "/+api", auth=("GRACE", "cobol")).result["authstatus"][1] == "grace"
        assert site.request("POST", "/+login", {"user": "grace", "password": "fortran"}).status == 401


def test_root_stays_here(site: Site) -> None:
    """A directory that cannot be read is nothing to root."""
    with site:
        Path(site.config["directory-file"]).unlink()

        assert site.request("POST", "/+login", {"user": "grace", "password": "cobol"}).status == 503
        assert site.request("POST", "/+login", {"user": "root", "password": ""}).status == 200
