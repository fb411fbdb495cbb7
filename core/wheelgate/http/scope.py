"""The interface between the application and its worker: keys of the ASGI scope, and the reason phrase.

The worker of this server sets the functions. Another ASGI server does not, and the application works without them.
"""

from __future__ import annotations

CLIENT_IS_GONE = "wheelgate.client_is_gone"
"""Key of a function that returns whether the client has closed the connection."""
FILE_SENDER = "wheelgate.file_sender"
"""Key of a function that returns a :class:`~wheelgate.files.sendfile.SendfileTransfer` for the connection, or None."""
ADD_HEAD_LINES = "wheelgate.add_head_lines"
"""Key of a function that takes ready header lines and adds them to the head of the response as they are."""
SHOW_SERIAL = "wheelgate.show_serial"
"""Key that the application sets if the response may show the change serial although some index is private."""
PRIVATE_RESPONSE = "wheelgate.private_response"
"""Key that the application sets if shared caches must not store the response."""
REQUEST_ID = "wheelgate.request_id"
"""Key of the ID of the request, which the application sets."""
ROUTE_TEMPLATE = "wheelgate.route_template"
"""Key of the address template of the request, such as ``/{user}/{index}``, which the router sets."""
STATUS = "wheelgate.status"
"""Key of the status of the answer, which the application sets when the answer begins."""
CLIENT_ADDRESS = "wheelgate.client_address"
"""Key of the address of the client, which the application sets if a trusted proxy may have reported another one."""
USER = "wheelgate.user"
"""Key of the name of the user who sent the request, which the application sets; absent for anonymous."""
UPLOAD_BODY_BYTES = "wheelgate.upload_body_bytes"
"""Key of the length that an upload announces, which the application sets; None if it announces none."""
ROUTE_BODY = "wheelgate.route_body"
"""Key of the decoded body, which the application sets before it calls a plugin's route: the log must not show it."""

REASON_PHRASE_HEADER = "x-wheelgate-reason"
"""Header of an answer that the worker turns into the reason phrase, for which ASGI has no field."""
MAX_REASON_PHRASE_BYTES = 500
"""Longer reason phrases are cut."""
