"""Requests that the server sends itself: to upstreams of mirrors, and to indices that releases are pushed to."""

from wheelgate.outgoing.sessions import Outgoing

__all__ = ["Outgoing"]
