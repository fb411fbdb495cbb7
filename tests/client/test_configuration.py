"""``devpi use --set-cfg`` and related options, with bundled and third-party writers."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.client.conftest import Devpi, FakeServer, Outcome

WRITER = """
    from pathlib import Path
    from wheelgate_client.hookspecs import ConfigError, Edit, Location, hookimpl

    class Writer:
        name = "{name}"

        def location(self, venv):
            path = Path.home() / ".{name}rc"
            return Location(path, "~/.{name}rc", listed_when_unset=True)

        def status(self, path):
            {read}

        def plan(self, path, target):
            {plan}

        def plan_removal(self, path, server_url):
            before = path.read_bytes() if path.exists() else None
            return Edit(path, before, None, has_secret=False)

    @hookimpl
    def wheelgate_client_config_writers():
        return [Writer()]
"""
READ = "return path.read_text() if path.exists() else None"
PLAN = """before = path.read_bytes() if path.exists() else None
            return Edit(path, before, target.simple_url.encode(), has_secret="@" in target.simple_url)"""


@pytest.fixture
def used(devpi: Devpi, fake_server: FakeServer) -> Devpi:
    """Use an index, only with the writers that a test installs."""
    fake_server.act_as_index_server("alice")
    devpi("use", f"{fake_server.url}/alice/dev").ok()
    devpi.monkeypatch.setenv("DEVPI_NO_PLUGIN", "pipconfig")
    return devpi


@pytest.fixture
def toolrc(used: Devpi, install_plugin: Callable[[str, str], None]) -> Path:
    """Install the writer of a tool, and return the path of its file."""
    install_plugin("tool", WRITER.format(name="tool", read=READ, plan=PLAN))
    return used.home / ".toolrc"


def configuration(outcome: Outcome) -> list[str]:
    """Return the lines about configuration files."""
    return outcome.out.splitlines()[1:]


class TestBundledWriters:
    """The writers for pip, uv and other tools that come with the client."""

    @pytest.fixture(autouse=True)
    def _bundled(self, used: Devpi) -> None:
        used.monkeypatch.delenv("DEVPI_NO_PLUGIN")

    def test_all_tools_are_pointed_at_the_index_and_back(self, used: Devpi, fake_server: FakeServer) -> None:
        """``--set-cfg`` shows the index of each tool; ``--unset-cfg`` removes it again."""
        url = f"{fake_server.url}/alice/dev/+simple/"

        assert configuration(used("use", "--set-cfg").ok()) == [
            f"~/.pydistutils.cfg     : {url}",
            f"~/.pip/pip.conf        : {url}",
            f"~/.buildout/default.cfg: {url}",
            f"~/.config/uv/uv.toml   : {url}",
            "always-set-cfg: no",
        ]
        assert url in (used.home / ".pip" / "pip.conf").read_text()
        assert url not in used("use", "--unset-cfg").ok().out

    def test_a_writer_can_be_replaced(self, used: Devpi, install_plugin: Callable[[str, str], None]) -> None:
        """With the bundled writers blocked, only the others are listed."""
        install_plugin("other", WRITER.format(name="pip", read=READ, plan=PLAN))

        outcome = used("use", DEVPI_NO_PLUGIN="pipconfig").ok()

        assert configuration(outcome) == ["~/.piprc: no config file exists", "always-set-cfg: no"]

    def test_two_writers_of_one_tool_are_refused(self, used: Devpi, install_plugin: Callable[[str, str], None]) -> None:
        """The message names both plugins and the remedy."""
        install_plugin("other", WRITER.format(name="pip", read=READ, plan=PLAN))

        outcome = used("use").fails()

        assert "both write the configuration of pip: uninstall one, or name it in DEVPI_NO_PLUGIN" in outcome.err
        assert "'other'" in outcome.err
        assert "'pipconfig'" in outcome.err


def test_the_index_in_a_file_is_shown(used: Devpi, toolrc: Path) -> None:
    """A missing file, and a URL in the file, with its password masked."""
    shown = [configuration(used("use").ok())[0]]
    toolrc.write_text("http://u:secret@other/+simple/")
    shown.append(configuration(used("use").ok())[0])

    assert shown == ["~/.toolrc: no config file exists", "~/.toolrc: http://u:****@other/+simple/"]


def test_a_file_without_an_index_is_shown(used: Devpi, install_plugin: Callable[[str, str], None]) -> None:
    """The file exists and names no index."""
    install_plugin("tool", WRITER.format(name="tool", read="return None", plan=PLAN))
    (used.home / ".toolrc").write_text("")

    assert configuration(used("use").ok())[0] == "~/.toolrc: no index server configured"


def test_always_set_cfg_is_remembered(used: Devpi, toolrc: Path, fake_server: FakeServer) -> None:
    """After ``--always-set-cfg=yes`` every ``use`` writes the files, until ``no``."""
    url = f"{fake_server.url}/alice/dev/+simple/"

    assert configuration(used("use", "--always-set-cfg=yes").ok()) == [f"~/.toolrc: {url}", "always-set-cfg: yes"]
    toolrc.unlink()
    assert configuration(used("use").ok()) == [f"~/.toolrc: {url}", "always-set-cfg: yes"]
    toolrc.unlink()
    assert configuration(used("use", "--always-set-cfg=no").ok())[-1] == "always-set-cfg: no"
    assert not toolrc.exists()
    state = used.state("current.json")
    assert (state["always_setcfg"], state["settrusted"]) == (False, False)


def test_a_dry_run_changes_nothing(used: Devpi, toolrc: Path, fake_server: FakeServer) -> None:
    """It prints the differences and writes neither files nor state."""
    toolrc.write_text("http://old/\n")
    state = {path: path.read_bytes() for path in used.clientdir.iterdir()}

    outcome = used("use", fake_server.url + "/alice/dev", "--always-set-cfg=yes", "--dry-run").ok()

    assert configuration(outcome) == [
        "--- ~/.toolrc",
        "+++ ~/.toolrc",
        "@@ -1 +1 @@",
        "-http://old/",
        f"+{fake_server.url}/alice/dev/+simple/",
        "~/.toolrc: http://old/\\n",
        "always-set-cfg: yes",
    ]
    assert toolrc.read_text() == "http://old/\n"
    assert {path: path.read_bytes() for path in used.clientdir.iterdir()} == state


def test_a_dry_run_hides_credentials(used: Devpi, toolrc: Path, fake_server: FakeServer) -> None:
    """The printed differences contain no password."""
    host = fake_server.url.removeprefix("http://")
    used("use", f"http://u:secret@{host}/alice/dev")

    outcome = used("use", "--set-cfg", "--dry-run").ok()

    assert f"+http://u:****@{host}/alice/dev/+simple/" in outcome.out
    assert "secret" not in outcome.out


def test_the_original_is_kept_once(used: Devpi, toolrc: Path) -> None:
    """``FILE-bak`` keeps the content from before the first change, with the same mode."""
    backup = used.home / ".toolrc-bak"
    toolrc.write_text("mine")
    toolrc.chmod(0o640)

    used("use", "--set-cfg").ok()
    toolrc.write_text("changed")
    used("use", "--set-cfg").ok()

    assert backup.read_text() == "mine"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (backup, toolrc)] == [0o640, 0o640]


def test_a_new_file_needs_no_backup(used: Devpi, toolrc: Path) -> None:
    """There is no backup, and the mode follows the umask."""
    before = os.umask(0o027)
    try:
        used("use", "--set-cfg").ok()
    finally:
        os.umask(before)

    assert stat.S_IMODE(toolrc.stat().st_mode) == 0o640
    assert not (used.home / ".toolrc-bak").exists()


def test_an_unchanged_file_is_not_written(used: Devpi, toolrc: Path) -> None:
    """A second run changes neither the file nor makes a backup."""
    used("use", "--set-cfg").ok()
    before = toolrc.stat()

    used("use", "--set-cfg").ok()

    assert toolrc.stat() == before
    assert not (used.home / ".toolrc-bak").exists()


@pytest.mark.parametrize("content", [None, "http://old/", "{url}"], ids=["new", "changed", "unchanged"])
def test_a_file_with_a_password_is_private(
    used: Devpi, toolrc: Path, fake_server: FakeServer, content: str | None
) -> None:
    """Once a file contains a credential only its owner can read it, whatever its mode was before."""
    url = fake_server.url.replace("http://", "http://u:secret@")
    used("use", f"{url}/alice/dev")
    if content is not None:
        toolrc.write_text(content.replace("{url}", f"{url}/alice/dev/+simple/"))
        toolrc.chmod(0o644)

    used("use", "--set-cfg").ok()

    assert toolrc.read_text() == f"{url}/alice/dev/+simple/"
    assert stat.S_IMODE(toolrc.stat().st_mode) == 0o600


def test_a_symbolic_link_stays_one(used: Devpi, toolrc: Path, tmp_path: Path) -> None:
    """Users who keep dotfiles elsewhere find the change there."""
    real = tmp_path / "dotfiles-toolrc"
    real.write_text("mine")
    toolrc.symlink_to(real)

    used("use", "--set-cfg").ok()

    assert toolrc.is_symlink()
    assert real.read_text().endswith("/+simple/")


def test_unset_makes_the_edit_of_the_writer(used: Devpi, toolrc: Path) -> None:
    """A writer may remove the whole file; the backup keeps its content."""
    toolrc.write_text("mine")

    assert configuration(used("use", "--unset-cfg").ok())[0] == "~/.toolrc: no config file exists"
    assert (used.home / ".toolrc-bak").read_text() == "mine"


@pytest.mark.parametrize(
    ("plan", "complaint"),
    [
        pytest.param(
            "raise ConfigError('~/.toolrc is not TOML: mend it')", "~/.toolrc is not TOML: mend it", id="told"
        ),
        pytest.param("raise KeyError('x')", "~/.toolrc: KeyError: 'x'; the file was not changed", id="defect"),
        pytest.param(
            "return Edit(Path('/proc/nowhere/x'), None, b'', has_secret=False)",
            "~/.toolrc: No such file or directory; the file was not changed",
            id="cannot be written",
        ),
    ],
)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["", "dry"])
def test_a_writer_that_fails_does_not_stop_the_others(
    used: Devpi,
    install_plugin: Callable[[str, str], None],
    fake_server: FakeServer,
    plan: str,
    complaint: str,
    dry: list[str],
) -> None:
    """Its message goes to standard error, the other files are written, and the exit code is 1."""
    install_plugin("tool", WRITER.format(name="tool", read=READ, plan=plan))
    install_plugin("good", WRITER.format(name="good", read=READ, plan=PLAN))

    outcome = used("use", "--set-cfg", *dry)

    if not (dry and "nowhere" in plan):
        assert (outcome.code, outcome.err) == (1, f"{complaint}\n")
    good = "no config file exists" if dry else f"{fake_server.url}/alice/dev/+simple/"
    assert f"~/.goodrc: {good}" in outcome.out


def test_a_writer_without_a_location_is_left_out(used: Devpi, install_plugin: Callable[[str, str], None]) -> None:
    """A tool without a file is not listed; a writer that raises is reported."""
    nowhere = WRITER.replace('return Location(path, "~/.{name}rc", listed_when_unset=True)', "return None")
    failing = WRITER.replace(
        'return Location(path, "~/.{name}rc", listed_when_unset=True)', "raise KeyError(path.name)"
    )
    install_plugin("nowhere", nowhere.format(name="nowhere", read=READ, plan=PLAN))
    install_plugin("failing", failing.format(name="failing", read=READ, plan=PLAN))

    outcome = used("use")

    assert (outcome.code, configuration(outcome)) == (0, ["always-set-cfg: no"])
    assert outcome.err == "failing: KeyError: '.failingrc'; the file was not changed\n"


def test_an_unreadable_file_is_reported_and_listed(used: Devpi, install_plugin: Callable[[str, str], None]) -> None:
    """``use`` without options still succeeds."""
    install_plugin("tool", WRITER.format(name="tool", read="raise ConfigError('~/.toolrc is not text')", plan=PLAN))

    outcome = used("use")

    assert (outcome.code, outcome.err) == (0, "~/.toolrc is not text\n")
    assert configuration(outcome)[0] == "~/.toolrc: cannot be read"


def test_without_an_index_there_is_nothing_to_set(used: Devpi, toolrc: Path, fake_server: FakeServer) -> None:
    """Tools cannot install from a server without an index."""
    outcome = used("use", fake_server.url, "--set-cfg")

    assert (outcome.code, outcome.err) == (0, "no index configured: cannot set pip/easy_install index\n")
    assert not toolrc.exists()


def test_without_a_server_there_is_nothing_to_unset(devpi: Devpi) -> None:
    """Without a server it is unknown which settings to remove."""
    assert devpi("use", "--unset-cfg").fails().err == "not connected to a server, see 'devpi use'\n"


class TestTrust:
    """The setting that makes pip trust a host."""

    @pytest.fixture(autouse=True)
    def _writer(self, used: Devpi, install_plugin: Callable[[str, str], None]) -> None:
        plan = PLAN.replace("target.simple_url.encode()", "repr(target.trusted_host).encode()")
        install_plugin("tool", WRITER.format(name="tool", read=READ, plan=plan))

    @pytest.mark.parametrize(
        ("option", "trusted"),
        [
            ([], "None"),
            (["-t", "auto"], "None"),
            (["--pip-set-trusted=yes"], "True"),
            (["--pip-set-trusted=no"], "False"),
        ],
        ids=["not given", "auto", "yes", "no"],
    )
    def test_this_machine_needs_no_trust(self, used: Devpi, option: list[str], trusted: str) -> None:
        """Nothing is written about loopback addresses unless the user asks for it."""
        assert configuration(used("use", "--set-cfg", *option).ok())[0] == f"~/.toolrc: {trusted}"

    def test_trust_is_remembered_with_always(self, used: Devpi) -> None:
        """``--always-set-cfg=yes`` stores the decision for later."""
        used("use", "--always-set-cfg=yes", "--pip-set-trusted=yes").ok()

        assert used.state("current.json")["settrusted"] is True
        assert configuration(used("use").ok())[0] == "~/.toolrc: True"

    @pytest.mark.parametrize("option", [[], ["-t", "no"]], ids=["auto", "no"])
    def test_another_host_without_tls_is_trusted_with_a_warning(
        self, used: Devpi, fake_server: FakeServer, option: list[str]
    ) -> None:
        """Otherwise pip could not use an http:// index on another machine."""
        fake_server.rewrite_urls("http://index.example")

        outcome = used("use", f"{fake_server.url}/alice/dev", "--set-cfg", *option)

        warned = outcome.err == "Warning: insecure http host, trusted-host will be set for pip\n"
        assert (warned, configuration(outcome)[0]) == (not option, f"~/.toolrc: {not option}")
