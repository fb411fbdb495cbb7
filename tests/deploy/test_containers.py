"""The container files in ``deploy/``: every variable is a setting, and the compose tool accepts its file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from wheelgate.core_options import CORE_OPTIONS
from wheelgate.plugin_host.discovery import discover
from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
FILES = ["Containerfile", "compose.yaml", "wheelgate.service"]
OPTIONS = [*CORE_OPTIONS, *(option for _, option in discover(()).options())]
SECRETS = {"ROOT_PASSWORD": "1234", "DATABASE_PASSWORD": "5678", "OBJECTS_PASSWORD": "9012"}


READ_ONLY = """mount -o remount,ro,bind / && mount -t tmpfs tmpfs "$0" && exec "$@" """
"""Makes the file system read-only but for one folder, as ``docker run --read-only --volume data:/data`` does."""


def can_unshare() -> bool:
    """Say whether this user may have a file system of their own."""
    command = ["unshare", "--mount", "mount", "-o", "remount,ro,bind", "/"]
    return shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0


def compose() -> list[str]:
    """Return the command of the machine's compose tool, whichever of the two it has; skip without one."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.skip("docker compose is not installed")


@pytest.mark.parametrize("name", FILES)
def test_every_variable_is_a_setting(name: str) -> None:
    """Every variable in the files is a setting; the server would not start with an unknown one."""
    variables = set(re.findall(r"DEVPISERVER_\w+", (DEPLOY / name).read_text("utf-8")))

    assert variables
    assert variables <= {option.variable for option in OPTIONS}


def test_the_image_has_every_extra_of_the_server_and_every_plugin() -> None:
    """The image has all libraries that settings may need."""
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    projects = [
        tomllib.loads(path.read_text("utf-8"))["project"]["name"] for path in ROOT.glob("plugins/*/pyproject.toml")
    ]

    assert text.count("[fast,postgresql,s3]") == 2
    assert [name for name in projects if f" {name} " not in text] == []


@pytest.mark.parametrize("secret", ["root_password", "deploy/.env", "deploy/tls/packages.example.key", ".secret"])
def test_no_secret_becomes_part_of_an_image(secret: str) -> None:
    """The files with secrets that the page makes in the checkout are not copied into the build, nor into its cache."""
    patterns = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] != "#"]
    paths = [Path(secret), *Path(secret).parents]

    assert any(path.match(pattern.removeprefix("**/")) for path in paths for pattern in patterns if path.name)


def test_the_compose_file_trusts_only_its_own_network() -> None:
    """The server trusts a proxy's headers only from the network of the containers."""
    file = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    (network,) = file["networks"]["inside"]["ipam"]["config"]

    assert file["services"]["server"]["environment"]["DEVPISERVER_TRUSTED_PROXY"] == network["subnet"]
    assert [name for name, service in file["services"].items() if "ports" in service] == ["nginx"]


@pytest.mark.slow
def test_the_compose_tool_accepts_the_file(tmp_path: Path) -> None:
    """The compose tool accepts the file without a warning, and requires every secret; this needs no engine."""
    command = [*compose(), "--file", str(DEPLOY / "compose.yaml"), "config"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment | SECRETS)

    assert (done.stderr, done.returncode) == ("", 0)
    config = yaml.safe_load(done.stdout)
    assert set(config["services"]) == {"server", "database", "objects", "bucket", "nginx"}
    assert config["services"]["server"]["environment"]["DEVPISERVER_ROOT_PASSWD"] == SECRETS["ROOT_PASSWORD"]
    for name in SECRETS:
        others = {key: value for key, value in SECRETS.items() if key != name}
        refused = subprocess.run(command, capture_output=True, text=True, env=environment | others)
        assert refused.returncode != 0
        assert f"{name}" in refused.stderr


@pytest.mark.slow
def test_the_server_runs_in_a_read_only_container(tmp_path: Path) -> None:
    """Without a writable folder for temporary files, the server uses its own folder."""
    if not can_unshare():
        pytest.skip("this user may not mount file systems")
    data = tmp_path / "data"
    data.mkdir()
    inner = ServerProcess(data / "server").command
    command = ("unshare", "--mount", "sh", "-c", READ_ONLY, str(data), *inner)
    server = ServerProcess(data / "server", *CHEAP_HASHING, command=command, cwd="/")
    server.log = tmp_path / "log"
    with server:
        token = server.login("root", "")
        assert server.request("PUT", "/emilie", {"password": "1234"}, auth=token).status == 201
