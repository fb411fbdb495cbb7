"""The server and index in use, which ``devpi use`` selects and ``current.json`` keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wheelgate_client.server import urls
from wheelgate_client.state.state_file import StateFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.server.json_values import JsonObject


class Selection:
    """The server and index in use; None for values that nobody set. The attributes are the keys of the file."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.index: Final[str | None] = content.get("index")
        self.simpleindex: Final[str | None] = content.get("simpleindex")
        self.pypisubmit: Final[str | None] = content.get("pypisubmit")
        """The URL to upload to; None for a mirror."""
        self.login: Final[str | None] = content.get("login")
        """The URL to log in at."""
        self.features: Final[list[str]] = content.get("features") or []
        self.username: Final[str | None] = content.get("username")
        self.requested_index: Final[str | None] = content.get("requested_index")
        """The URL of an index that ``devpi use`` could not read before a login; ``devpi login`` selects it."""
        self.venvdir: Final[str | None] = content.get("venvdir")
        self.always_setcfg: Final[bool] = bool(content.get("always_setcfg"))
        self.settrusted: Final[bool] = bool(content.get("settrusted"))

    def changed(self, changes: Mapping[str, Any]) -> Selection:
        """Return a selection with these changes."""
        return Selection({**vars(self), **changes})

    @property
    def server_url(self) -> str | None:
        """The server's URL with a trailing slash, or None if no server is in use."""
        return urls.parent(self.login) if self.login else None


class SelectionFile(StateFile):
    """``current.json``, or ``devpi.json`` in a virtual environment."""

    def load(self) -> Selection:
        """Return the selection.

        Raises:
            StateError: if the file cannot be read, or a value has the wrong type.
        """
        content = self.read()
        for name in vars(Selection({})).keys() & content.keys():
            value = content[name]
            if value is not None and not _HAS_VALID_TYPE.get(name, _is_string)(value):
                raise self.damaged(f"'{name}' has no usable value")
        return Selection(content)

    def save(self, changes: Mapping[str, object]) -> None:
        """Change these attributes of :class:`Selection`; other clients may change the others at the same time."""

        def change(content: JsonObject) -> None:
            for name, value in changes.items():
                if value is not None or name in content:
                    content[name] = value

        self.change(change)


def _is_string(value: object) -> bool:
    return isinstance(value, str)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_list_of_strings(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_string, value))


_HAS_VALID_TYPE = {"features": _is_list_of_strings, "always_setcfg": _is_boolean, "settrusted": _is_boolean}
