"""A notice to all users: the state file declares it in the table ``[notice]``, and ``/+x/tiny_notice`` shows it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wheelgate import Server, hookimpl
from wheelgate.errors import BadInput
from wheelgate.providers import Route, RouteResponse
from wheelgate.state_sections import StateChange, StateOptions, StateSection, refuse_unknown_keys


class NoticeSection(StateSection):
    """The table ``[notice]`` with its only key, ``text``."""

    name = "notice"

    def __init__(self, server: Server) -> None:
        self.database = server.database

    def read(self) -> str:
        return str(self.database.read("SELECT text FROM tiny_notice")[0][0])

    def export(self) -> Mapping[str, Any]:
        return {"text": self.read()}

    def prepare(self, declared: Mapping[str, Any], options: StateOptions) -> "PreparedNotice":
        refuse_unknown_keys("[notice]", declared, ["text"])
        text = declared.get("text")
        if not isinstance(text, str | None):
            raise BadInput("[notice]: text must be text")
        return PreparedNotice(self, text)


class PreparedNotice:
    """A notice that a file declares."""

    def __init__(self, section: NoticeSection, text: str | None) -> None:
        self.section = section
        self.text = text

    def delete(self) -> Iterator[StateChange]:
        yield from ()

    def write(self) -> Iterator[StateChange]:
        before = self.section.read()
        if self.text is not None and self.text != before:
            self.section.database.write("UPDATE tiny_notice SET text = ?", (self.text,))
            yield StateChange("modify", "notice", "", {"text": (before, self.text)})


@hookimpl
def wheelgate_migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
def wheelgate_state_sections(server: Server) -> list[StateSection]:
    return [NoticeSection(server)]


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    section = NoticeSection(server)
    return [
        Route(
            "GET",
            "/",
            lambda request: RouteResponse({"text": section.read()}, "notice"),
            public=True,
            summary="Read it",
        )
    ]
