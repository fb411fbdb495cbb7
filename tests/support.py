"""What tests of several folders share: a real ``devpi-server``, which the kit for authors of plugins has."""

from wheelgate.testing.server import CHEAP_HASHING, RunningServer, clean_environment, free_port

__all__ = ["CHEAP_HASHING", "RunningServer", "clean_environment", "free_port"]
