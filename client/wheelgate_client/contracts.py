"""The promises of a :class:`~wheelgate_client.hookspecs.ConfigWriter`, as tests for any writer. They need pytest.

Subclass, and return your writer from a fixture::

    class TestHatch(ConfigWriterContract):
        @pytest.fixture
        def writer(self) -> ConfigWriter:
            return HatchWriter()

        @pytest.fixture
        def content(self) -> bytes:
            return b"# a file as a user might have it, with other settings"

Call ``pytest.register_assert_rewrite("wheelgate_client.contracts")`` first if failures are to show values.
"""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from wheelgate_client.hookspecs import ConfigError, ConfigWriter, Edit, Location, Target

CONTRACT_SERVER_URL = "http://packages.example:3141/"
CONTRACT_TARGET = Target(
    f"{CONTRACT_SERVER_URL}alice/dev/+simple/",
    f"{CONTRACT_SERVER_URL}alice/dev/",
    upload_url=f"{CONTRACT_SERVER_URL}alice/dev/",
    username="alice",
)
CONTRACT_PASSWORD = "s3cret-horse"  # noqa: S105 - of a server in a test


class ConfigWriterContract:
    """The promises of a configuration writer."""

    @pytest.fixture
    def writer(self) -> ConfigWriter:
        """Return the writer under test."""
        raise NotImplementedError("the class that tests a writer defines the fixture 'writer'")

    @pytest.fixture
    def content(self) -> bytes:
        """Return a file with settings of the user; override it, because the default skips the test that needs one."""
        return b""

    @pytest.fixture
    def target(self) -> Target:
        """Return the index to point at; override it if the writer needs a password."""
        return CONTRACT_TARGET

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Return the path of a file that does not exist yet; override it if the writer edits only existing files."""
        return tmp_path / "file"

    @pytest.fixture
    def apply(self) -> Callable[[Edit], None]:
        """Return a function that makes an edit, as the client does."""

        def apply(edit: Edit) -> None:
            if edit.after is None:
                edit.path.unlink(missing_ok=True)
            else:
                edit.path.write_bytes(edit.after)

        return apply

    def test_name_and_location_are_usable(
        self, writer: ConfigWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """``--for`` accepts the name; the path of the file is absolute, if the writer has one; nothing is created."""
        monkeypatch.setenv("HOME", str(tmp_path))

        assert writer.name.isprintable()
        assert not set(writer.name) & set(" ,")
        assert writer.name
        for venv in (None, tmp_path / "venv"):
            location = writer.location(venv)
            if location is not None:
                assert isinstance(location, Location)
                assert location.path.is_absolute()
                assert location.label
        assert not list(tmp_path.iterdir())

    def test_a_missing_file_has_no_status(self, writer: ConfigWriter, path: Path) -> None:
        """Reading creates no file, and a removal changes nothing."""
        before = read_if_exists(path)

        assert writer.status(path) is None
        edit = writer.plan_removal(path, CONTRACT_SERVER_URL)
        assert edit.before == edit.after == read_if_exists(path) == before

    def test_a_plan_changes_no_file(self, writer: ConfigWriter, path: Path, target: Target) -> None:
        """The client makes the edit or shows it."""
        before = read_if_exists(path)

        edit = writer.plan(path, target)

        assert (edit.path, edit.before, read_if_exists(path)) == (path, before, before)
        assert edit.after
        assert edit.after != before

    def test_a_written_file_has_a_status(
        self, writer: ConfigWriter, path: Path, target: Target, apply: Callable[[Edit], None]
    ) -> None:
        """After the edit the file has a status, and a second edit changes nothing."""
        apply(writer.plan(path, target))

        assert writer.status(path)
        again = writer.plan(path, target)
        assert again.before == again.after == path.read_bytes()

    def test_a_removal_affects_one_server(
        self, writer: ConfigWriter, path: Path, target: Target, apply: Callable[[Edit], None]
    ) -> None:
        """A removal takes out the settings that point at the server; those that point at another one stay."""
        apply(writer.plan(path, target))

        other = writer.plan_removal(path, "http://other.example/")
        assert other.before == other.after
        apply(writer.plan_removal(path, CONTRACT_SERVER_URL))
        assert writer.status(path) is None

    @pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
    def test_every_other_line_stays(
        self,
        writer: ConfigWriter,
        path: Path,
        target: Target,
        content: bytes,
        apply: Callable[[Edit], None],
        end: bytes,
    ) -> None:
        """A file that a user wrote by hand keeps every line, in its order, through both edits."""
        if not content:
            pytest.skip("override 'content' with a file as a user might have it")
        path.write_bytes(content.replace(b"\n", end))
        lines = path.read_bytes().splitlines(keepends=True)

        apply(writer.plan(path, target))
        assert contains_in_order(lines, path.read_bytes())
        apply(writer.plan_removal(path, CONTRACT_SERVER_URL))
        assert path.read_bytes().splitlines() == [line.rstrip(b"\r\n") for line in lines]

    def test_a_secret_is_marked(self, writer: ConfigWriter, path: Path, target: Target) -> None:
        """The edit tells of a password, so that only the owner may read the file and ``--dry-run`` hides it."""
        with_login = target.simple_url.replace("://", f"://alice:{CONTRACT_PASSWORD}@")
        for requested in (replace(target, password=CONTRACT_PASSWORD), replace(target, simple_url=with_login)):
            edit = writer.plan(path, requested)
            after = (edit.after or b"").decode()
            if CONTRACT_PASSWORD in after:
                assert edit.has_secret
                assert (
                    after.count(CONTRACT_PASSWORD) == after.count(f":{CONTRACT_PASSWORD}@")
                    or CONTRACT_PASSWORD in edit.secrets
                )
        assert CONTRACT_PASSWORD not in repr(replace(target, password=CONTRACT_PASSWORD))

    def test_a_url_stays_on_one_line(self, writer: ConfigWriter, path: Path, target: Target) -> None:
        """The writer refuses a URL with a line break, or writes it on one line."""
        evil = replace(
            target, simple_url=f"{target.simple_url}\n[evil]\nx = 1", upload_url=f"{target.upload_url}\n[evil]"
        )
        try:
            after = writer.plan(path, evil).after or b""
        except ConfigError:
            return
        assert not any(line.strip().startswith(b"[evil]") for line in after.splitlines())

    @pytest.mark.parametrize(
        "junk", [None, b"\xff\xfe\x00", b"[[[\n= = =\n\0", b"\n" * 100], ids=["folder", "not text", "nonsense", "blank"]
    )
    def test_an_unreadable_file_is_reported(
        self, writer: ConfigWriter, path: Path, target: Target, junk: bytes | None
    ) -> None:
        """Every content leads to an edit or a ``ConfigError`` that names the file, never to another error."""
        path.unlink(missing_ok=True)
        if junk is None:
            path.mkdir()
        else:
            path.write_bytes(junk)
        for attempt in (
            lambda: writer.status(path),
            lambda: writer.plan(path, target),
            lambda: writer.plan_removal(path, CONTRACT_SERVER_URL),
        ):
            refusal = ""
            try:
                attempt()
            except ConfigError as error:
                refusal = str(error)
            assert (str(path) in refusal) if refusal else (junk is not None)


def read_if_exists(path: Path) -> bytes | None:
    """Return the content of a file; None if there is none."""
    return path.read_bytes() if path.exists() else None


def contains_in_order(lines: list[bytes], text: bytes) -> bool:
    """Tell whether the text contains the lines in their order; the last one may have got a line end."""
    there = iter(text.splitlines())
    return all(line.rstrip(b"\r\n") in there for line in lines)
