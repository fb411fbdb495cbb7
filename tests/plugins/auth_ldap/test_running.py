"""A real server with two workers and a real directory, used through ``devpi``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.helpers.slapd import PASSWORD, Slapd
from tests.plugins.auth_ldap.conftest import settings

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment

pytestmark = pytest.mark.slow

CONFIGURATION = """
[plugins.ldap]
url = ["{ldap_url[0]}"]
ca-file = "{ldap_ca_file}"
user-base = "{ldap_user_base}"
group-base = "{ldap_group_base}"
bind-dn = "{ldap_bind_dn}"
bind-password = "env:LDAP_PASSWORD"
"""


def test_people_log_in_with_devpi(directory: Slapd, tmp_path: Path) -> None:
    """With a few lines of configuration people log in with ``devpi``, and the directory's ``:admins`` administer."""
    file = tmp_path / "wheelgate.toml"
    file.write_text(CONFIGURATION.format(**settings(directory)))
    options = ("--config", str(file), "--restrict-modify", "root,:admins", *CHEAP_HASHING)
    program = str(Path(sys.executable).with_name("devpi"))

    def devpi(*arguments: str) -> str:
        """Run a command and return its output."""
        home = clean_environment(HOME=str(tmp_path))
        done = subprocess.run([program, *arguments], env=home, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    environment = clean_environment(LDAP_PASSWORD=PASSWORD)
    with ServerProcess(tmp_path / "server", *options, workers=2, env=environment) as server:
        devpi("use", server.url)
        assert "logged in 'bob'" in devpi("login", "bob", "--password", "builder")
        assert "403 Forbidden" in devpi("index", "-c", "dev")
        assert "logged in 'ada'" in devpi("login", "ada", "--password", "analytical")
        for number in range(6):  # any of the workers may answer
            assert f"ada/dev{number}" in devpi("index", "-c", f"dev{number}")
        directory.stop()
        assert "503" in devpi("login", "ada", "--password", "analytical")
        assert "logged in 'root'" in devpi("login", "root", "--password", "")

    log = server.log.read_text()
    assert PASSWORD not in log
    assert "analytical" not in log
    assert "Traceback" not in log
