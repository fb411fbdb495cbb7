"""What a :class:`~wheelgate_client.hookspecs.ConfigWriter` promises, as tests for any of them. It needs pytest.

Subclass, and say by a fixture how the writer is made::

    class TestHatch(ConfigWriterContract):
        @pytest.fixture
        def writer(self) -> ConfigWriter:
            return HatchWriter()

        @pytest.fixture
        def content(self) -> bytes:
            return b"# a file as somebody has it, with settings of other kinds"

Whoever wants failures to show values calls ``pytest.register_assert_rewrite("wheelgate_client.contracts")`` first.
"""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from wheelgate_client.hookspecs import ConfigError, ConfigWriter, Edit, Location, Target

SERVER = "http://packages.example:3141/"
TARGET = Target(
    f"{SERVER}alice/dev/+simple/", f"{SERVER}alice/dev/", upload_url=f"{SERVER}alice/dev/", username="alice"
)
SECRET = "s3cret-horse"  # noqa: S105 - of a server in a test


class ConfigWriterContract:
    """What a writer of configuration promises."""

    @pytest.fixture
    def writer(self) -> ConfigWriter:
        """Return the writer under test."""
        raise NotImplementedError("the class that tests a writer defines the fixture 'writer'")

    @pytest.fixture
    def content(self) -> bytes:
        """Return a file with settings that are not the writer's: override it, or nothing is tried with one."""
        return b""

    @pytest.fixture
    def target(self) -> Target:
        """Return what to point at; override it if the writer needs a password."""
        return TARGET

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Return where the file is; there is none yet. Override it if the writer edits only a file that is there."""
        return tmp_path / "file"

    @pytest.fixture
    def apply(self) -> Callable[[Edit], None]:
        """Return what makes an edit, as the client does."""

        def apply(edit: Edit) -> None:
            if edit.after is None:
                edit.path.unlink(missing_ok=True)
            else:
                edit.path.write_bytes(edit.after)

        return apply

    def test_it_says_what_it_is(self, writer: ConfigWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The name can stand after ``--for``; the file is an absolute path, or there is none."""
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

    def test_a_fresh_file_says_nothing(self, writer: ConfigWriter, path: Path) -> None:
        """To look makes no file, and there is nothing to take out."""
        before = bytes_of(path)

        assert writer.read(path) is None
        edit = writer.unplan(path, SERVER)
        assert edit.before == edit.after == bytes_of(path) == before

    def test_a_plan_changes_nothing_by_itself(self, writer: ConfigWriter, path: Path, target: Target) -> None:
        """The client makes the edit, or shows it."""
        before = bytes_of(path)

        edit = writer.plan(path, target)

        assert (edit.path, edit.before, bytes_of(path)) == (path, before, before)
        assert edit.after
        assert edit.after != before

    def test_what_is_written_is_read(
        self, writer: ConfigWriter, path: Path, target: Target, apply: Callable[[Edit], None]
    ) -> None:
        """After the edit the file says something, and a second edit changes nothing."""
        apply(writer.plan(path, target))

        assert writer.read(path)
        again = writer.plan(path, target)
        assert again.before == again.after == path.read_bytes()

    def test_it_can_be_taken_out(
        self, writer: ConfigWriter, path: Path, target: Target, apply: Callable[[Edit], None]
    ) -> None:
        """What points at the server goes; what points at another one stays."""
        apply(writer.plan(path, target))

        other = writer.unplan(path, "http://other.example/")
        assert other.before == other.after
        apply(writer.unplan(path, SERVER))
        assert writer.read(path) is None

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
        """A file that somebody wrote by hand keeps every line of its own, in its order, through both edits."""
        if not content:
            pytest.skip("override 'content' with a file as somebody has it")
        path.write_bytes(content.replace(b"\n", end))
        lines = path.read_bytes().splitlines(keepends=True)

        apply(writer.plan(path, target))
        assert in_order(lines, path.read_bytes())
        apply(writer.unplan(path, SERVER))
        assert path.read_bytes().splitlines() == [line.rstrip(b"\r\n") for line in lines]

    def test_a_secret_is_marked(self, writer: ConfigWriter, path: Path, target: Target) -> None:
        """A file that holds a password is said to, so that nobody else may read it and ``--dry-run`` hides it."""
        with_login = target.simple_url.replace("://", f"://alice:{SECRET}@")
        for asked in (replace(target, password=SECRET), replace(target, simple_url=with_login)):
            edit = writer.plan(path, asked)
            after = (edit.after or b"").decode()
            if SECRET in after:
                assert edit.has_secret
                assert after.count(SECRET) == after.count(f":{SECRET}@") or SECRET in edit.secrets
        assert SECRET not in repr(replace(target, password=SECRET))

    def test_no_address_is_a_trick(self, writer: ConfigWriter, path: Path, target: Target) -> None:
        """An address with a line break is refused, or written so that it stays one line."""
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
    def test_a_file_that_cannot_be_read_is_said_so(
        self, writer: ConfigWriter, path: Path, target: Target, junk: bytes | None
    ) -> None:
        """Whatever is there, the answer is an edit or a ``ConfigError`` that names the file, never another error."""
        path.unlink(missing_ok=True)
        if junk is None:
            path.mkdir()
        else:
            path.write_bytes(junk)
        for ask in (
            lambda: writer.read(path),
            lambda: writer.plan(path, target),
            lambda: writer.unplan(path, SERVER),
        ):
            refusal = ""
            try:
                ask()
            except ConfigError as error:
                refusal = str(error)
            assert (str(path) in refusal) if refusal else (junk is not None)


def bytes_of(path: Path) -> bytes | None:
    """Return what a file holds; None if there is none."""
    return path.read_bytes() if path.exists() else None


def in_order(lines: list[bytes], text: bytes) -> bool:
    """Whether the lines stand in a text, in their order; a last one without an end may have got one."""
    there = iter(text.splitlines())
    return all(line.rstrip(b"\r\n") in there for line in lines)
