"""A JSON file that keeps state between two commands, in the format of the incumbent's client.

Keys that this client does not know stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import py

from wheelgate_client.errors import StateError, os_reason
from wheelgate_client.state.atomic_files import PRIVATE_FILE_MODE, lock_directory, replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.server.json_values import JsonObject


class StateFile:
    """A JSON object in a file of its own, which only its owner may read."""

    def __init__(self, path: py.path.local, directory_to_lock: py.path.local) -> None:
        self.path = path
        self._directory_to_lock = directory_to_lock

    def read(self) -> JsonObject:
        """Return the object, empty if there is no such file.

        Raises:
            StateError: if the file cannot be read, or contains anything else.
        """
        try:
            content = json.loads(self.path.read_binary())
        except py.error.ENOENT:
            return {}
        except OSError as error:
            raise StateError(f"cannot read {self.path}: {os_reason(error)}") from None
        except (ValueError, RecursionError) as error:
            raise self.damaged(str(error)) from None
        if not isinstance(content, dict):
            raise self.damaged("it contains no JSON object")
        return content

    def change(self, change: Callable[[JsonObject], None]) -> None:
        """Read, ``change`` and write in one step: no other client of this user can change the file in between.

        Raises:
            StateError: if that fails; the file is then unchanged.
        """
        with lock_directory(self._directory_to_lock):
            content = self.read()
            change(content)
            data = json.dumps(content, indent=2, sort_keys=True).encode()
            try:
                replace_file(self.path, data, PRIVATE_FILE_MODE)
            except OSError as error:
                raise StateError(f"cannot write {self.path}: {os_reason(error)}; it was not changed") from None

    def remove(self) -> bool:
        """Delete the file; return False if there was none."""
        with lock_directory(self._directory_to_lock):
            try:
                self.path.remove()
            except py.error.ENOENT:
                return False
            except OSError as error:
                raise StateError(f"cannot remove {self.path}: {os_reason(error)}") from None
        return True

    def damaged(self, reason: str) -> StateError:
        """Return the error that reports invalid content of the file."""
        return StateError(
            f"{self.path} is damaged ({reason}): repair it, or remove it and start again with 'devpi use URL'"
        )
