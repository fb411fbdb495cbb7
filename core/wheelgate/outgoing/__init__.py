"""Requests that the server itself sends: to the upstreams of mirrors, and to the targets of a push."""

from wheelgate.outgoing.credentials import shares_login
from wheelgate.outgoing.sessions import Outgoing

__all__ = ["Outgoing", "shares_login"]
