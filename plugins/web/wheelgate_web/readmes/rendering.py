"""Turns the description of a release into HTML, or says that it has to be shown as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

from wheelgate.store.database import Database
from wheelgate_web.readmes.child_process import Busy, ReadmeChild, TooSlow
from wheelgate_web.readmes.outcomes import Outcomes

MAX_RENDERED_BYTES = 256_000
"""Bytes of a description in UTF-8; of a longer one, this much is shown as it is."""
MARKDOWN, RST = "text/markdown", "text/x-rst"
VARIANTS = {"gfm": "GFM", "commonmark": "CommonMark"}


@dataclass(frozen=True, slots=True)
class Readme:
    """A rendered description."""

    html: str | None
    """None to show :func:`description_text` as it is."""
    is_final: bool
    """Whether it stays like this; False if the renderer was busy."""


AS_IT_IS, NOT_NOW = Readme(None, is_final=True), Readme(None, is_final=False)


class Readmes:
    """Renders descriptions, each at most once."""

    def __init__(self, database: Database) -> None:
        self._outcomes = Outcomes(database)
        self.child = ReadmeChild()

    def html(self, metadata: Mapping[str, Any]) -> Readme:
        """Return the description of a release."""
        text = description_of(metadata)
        media_type, variant = content_type(metadata)
        if media_type not in (MARKDOWN, RST) or not text.strip() or is_too_long(text):
            return AS_IT_IS
        key = self._outcomes.key(text, media_type, variant)
        outcome = self._outcomes.find(key)
        if outcome is None:
            outcome = self._render(key, media_type, variant, text)
        return Readme(outcome[0], is_final=True) if outcome is not None else NOT_NOW

    def _render(self, key: str, media_type: str, variant: str, text: str) -> tuple[str | None] | None:
        """Render a description and record the outcome; None if there is none yet."""
        try:
            html = self.child.render(media_type, variant, text)
        except TooSlow:
            if not self._outcomes.was_slow_before(key):
                return None
            html = None
        except Busy:
            return None
        self._outcomes.record(key, html)
        return (html,)


def description_of(metadata: Mapping[str, Any]) -> str:
    """Return the description in the metadata of a release; empty if there is none."""
    text = metadata.get("description")
    return "" if not isinstance(text, str) or text.strip() in ("", "UNKNOWN") else text


def description_text(metadata: Mapping[str, Any]) -> str:
    """Return the description as it is, without characters that no page can hold, and not too long."""
    kept = description_of(metadata)[:MAX_RENDERED_BYTES].encode("utf-8", "replace")[:MAX_RENDERED_BYTES]
    return kept.decode("utf-8", "ignore").replace("\0", "\N{REPLACEMENT CHARACTER}")


def is_too_long(text: str) -> bool:
    """Return whether a description is too long to be rendered."""
    return len(text) > MAX_RENDERED_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_RENDERED_BYTES


def content_type(metadata: Mapping[str, Any]) -> tuple[str, str]:
    """Return the media type of a description, and the variant of Markdown. Without a type it is reStructuredText."""
    message = Message()
    message["Content-Type"] = str(metadata.get("description_content_type") or RST)[:200].splitlines()[0]
    media_type = message.get_content_type()
    variant = str(message.get_param("variant", "GFM")).lower()
    return media_type, VARIANTS.get(variant, "GFM") if media_type == MARKDOWN else ""
