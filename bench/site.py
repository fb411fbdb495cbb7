"""The environments and servers of a run, started when they are first needed and stopped at the end."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from pathlib import Path

from bench import servers, stock
from bench.environments import Environments
from bench.servers import Server

FEW_USERS, MANY_USERS = 10, 1000


class Site(ExitStack):
    """The programs under test."""

    def __init__(self, extra: str, given: Path | None, rounds: int, connections: int) -> None:
        """Set what to measure and how.

        Args:
            extra: the extra to install ours with; empty for none.
            given: ``bin`` folder of an environment to measure instead of installing ours.
            rounds: the number of measurements.
            connections: the number of concurrent requests, except in measurements of a single client.
        """
        super().__init__()
        self._environments = Environments()
        self._extra = extra
        self._given = given
        self.rounds = rounds
        self.connections = connections

    @cached_property
    def binaries(self) -> Path:
        """Our programs."""
        return self._given or self._environments.ours(self._extra)

    @cached_property
    def incumbent_binaries(self) -> Path:
        """The incumbent's programs."""
        return self._environments.incumbent

    @cached_property
    def installations(self) -> dict[str, Path]:
        """Our programs without extras and with the ``fast`` extra."""
        if self._given is not None:
            return {"as given": self._given}
        return {"plain": self._environments.ours(), "fast": self._environments.ours("fast")}

    @cached_property
    def few(self) -> Server:
        """Our server with few users."""
        return self._start(servers.ours_with(self.binaries, self.folder(), FEW_USERS))

    @cached_property
    def many(self) -> Server:
        """Our server with many users."""
        return self._start(servers.ours_with(self.binaries, self.folder(), MANY_USERS))

    @cached_property
    def incumbent(self) -> Server:
        """The incumbent's server with many users."""
        return self._start(servers.incumbent_with(self.incumbent_binaries, self.folder(), MANY_USERS))

    @cached_property
    def empty(self) -> Server:
        """The empty responder."""
        return self._start(servers.empty(self.binaries, self.folder()))

    @cached_property
    def stocked(self) -> Mapping[str, Server]:
        """Our server and the incumbent's with packages."""
        ours = servers.ours_with(self.binaries, self.folder(), FEW_USERS)
        incumbent = servers.incumbent_with(self.incumbent_binaries, self.folder(), FEW_USERS)
        return self._filled({"ours": self._start(ours), "incumbent": self._start(incumbent)}, stock.begin)

    @cached_property
    def with_many_files(self) -> Mapping[str, Server]:
        """The same servers, also with a project of many files."""
        return self._filled(self.stocked, stock.many_files)

    @cached_property
    def with_many_names(self) -> Mapping[str, Server]:
        """The same servers, also with an index of many projects."""
        return self._filled(self.stocked, stock.many_names)

    def folder(self) -> Path:
        """Make a folder that is deleted at the end of the run."""
        return Path(self.enter_context(tempfile.TemporaryDirectory(prefix="wheelgate-bench-")))

    def _filled(self, filled: Mapping[str, Server], fill: Callable[[Server], None]) -> Mapping[str, Server]:
        for server in filled.values():
            fill(server)
        return filled

    def _start(self, server: AbstractContextManager[Server]) -> Server:
        return self.enter_context(server)
