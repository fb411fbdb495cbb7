"""gunicorn, embedded: pre-forked workers, graceful stop, reload on SIGHUP."""

from __future__ import annotations

import ctypes
import gc
import ipaddress
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gunicorn import glogging
from gunicorn.app.base import BaseApplication

from wheelgate.app import Application
from wheelgate.config import Config
from wheelgate.errors import BackendUnavailable, StartupError
from wheelgate.logs import OneLine
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.process.passed_sockets import refuse_other_addresses
from wheelgate.process.startup import rehearse
from wheelgate.process.worker import Worker

log = logging.getLogger("wheelgate.server")

ACCESS_LOG_FORMAT = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
"""Without query and headers: no secret can stand in it."""
PAUSE = 1.0
"""Seconds between two tries to start a worker whose database does not answer."""
ENDING = (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT)
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names of ``mallopt`` (see mallopt(3))."""
KEPT_OF_HEAP = 8 << 20
"""Bytes."""
AT_START_ONLY = ("serverdir", "host", "port")
"""Settings that a reload cannot change: the folder is locked and the address bound once."""


class Log(glogging.Logger):  # type: ignore[misc]
    """gunicorn's two logs, written as the server's own."""

    def setup(self, cfg: Any) -> None:
        """Set them up, also at each reload."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(OneLine())


class WebServer(BaseApplication):  # type: ignore[misc]
    """The master process; each worker wires an application of its own after the fork."""

    def __init__(self, load: Callable[[], tuple[Config, Plugins]], lock: int) -> None:
        """Take a way to read settings and plugins (again at SIGHUP), and the lock's file descriptor."""
        self._read = load
        self._config, self._plugins = load()
        self._lock = lock
        self._application: Application | None = None
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn what the settings mean for it."""
        config = self._config
        settings: dict[str, Any] = {
            "bind": addresses(config["host"], config["port"]),
            "workers": config["workers"],
            "worker_class": Worker,
            "logger_class": Log,
            "proc_name": "devpi-server",
            "accesslog": config["access-log"] or None,
            "access_log_format": ACCESS_LOG_FORMAT,
            "errorlog": "-",
            "loglevel": "warning",
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "asgi_lifespan": "off",
            "graceful_timeout": 30,
            "timeout": 60,
            "keepalive": 5,
            "control_socket_disable": True,
            "when_ready": make_ready,
            "post_fork": self._after_fork,
        }
        for key, value in settings.items():
            self.cfg.set(key, value)

    def reload(self) -> None:
        """Read the settings again; called at SIGHUP, before new workers take over."""
        try:
            config, plugins = self._read()
            refuse_late(self._config, config)
            rehearse(config, plugins)
        except StartupError as error:
            log.error("reload refused, the old settings hold on: %s", error)
        else:
            self._config, self._plugins = config, plugins
            log.info("the settings were read again")
        super().reload()

    @property
    def head_timeout(self) -> float:
        """How many seconds a client may take for the head of its first request."""
        return float(self._config["head-timeout"])

    @property
    def send_timeout(self) -> float:
        """How many seconds a client may take nothing of an answer."""
        return float(self._config["send-timeout"])

    def load(self) -> Any:
        """Wire the application of a worker; without its database it ends, and the master starts the next one."""
        try:
            self._application = Application(self._config, self._plugins)
        except BackendUnavailable as error:
            log.error("a worker cannot start, the next one will try again: %s", error.message)
            time.sleep(PAUSE)
            # Any other exit code would end the master too.
            sys.exit(0)
        return self._application.asgi

    def close_application(self) -> None:
        """Close the application of a worker."""
        if self._application is not None:
            self._application.close()

    def run(self) -> None:
        """Serve until told to stop.

        Raises:
            StartupError: systemd passes a socket that listens elsewhere than the settings say.
        """
        refuse_other_addresses(addresses(self._config["host"], self._config["port"]))
        # What is loaded by now is never collected, so that workers go on sharing its memory; and what a request leaves
        # behind is freed by counting references, so that looking for cycles every 700 objects would find nothing.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        keep_heap()
        # Until a worker has handlers of its own, those of the master would swallow the signal that ends it: such a
        # signal waits from before the fork until it does in the worker what it does by default.
        os.register_at_fork(before=hold_signals, after_in_parent=release_signals, after_in_child=begin_anew)
        super().run()

    def _after_fork(self, arbiter: Any, worker: Any) -> None:
        # The lock must end with the master, not with its last worker.
        os.close(self._lock)


def keep_heap() -> None:
    """Let the C library keep a few MiB that a large upload gives back and takes again for each of its pieces.

    A third of such an upload's CPU went into the pages that the kernel empties each time. Only glibc has this.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(M_TRIM_THRESHOLD, KEPT_OF_HEAP)
        library.mallopt(M_MMAP_THRESHOLD, KEPT_OF_HEAP // 2)


def hold_signals() -> None:
    """Let the signals that end a process wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


def release_signals() -> None:
    """Let them arrive."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def begin_anew() -> None:
    """Let them arrive, and end the process."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    release_signals()


def refuse_late(before: Config, after: Config) -> None:
    """Refuse a change that a running server cannot make.

    Raises:
        StartupError: the text names the setting.
    """
    for key in AT_START_ONLY:
        if before[key] != after[key]:
            raise StartupError(f"'{key}' can change at a start only; stop the server and start it again")


def make_ready(arbiter: Any) -> None:
    """Set up the sockets, and say where the server listens."""
    for listener in arbiter.LISTENERS:
        address = listener.sock.getsockname()
        if ipaddress.ip_address(address[0]).is_loopback:
            send_at_once(listener.sock)
        host = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
        print(f"devpi-server listens on http://{host}:{address[1]}", flush=True)


def send_at_once(listener: socket.socket) -> None:
    """Let connections over the loopback send as fast as the other side reads, as to a proxy on the same machine.

    Where the machine's default for networks paces what it sends (BBR), its timers cost more there than the sending: a
    large download takes twice the CPU and ten times as long. Every kernel has Reno, and it has no timer. Only Linux
    has this.
    """
    with suppress(OSError, AttributeError):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")


def addresses(host: str, port: int) -> list[str]:
    """Return what to bind to; ``localhost`` is both loopback addresses, where the machine has both."""
    if host != "localhost":
        try:
            version = ipaddress.ip_address(host).version
        except ValueError:
            return [f"{host}:{port}"]
        return [f"[{host}]:{port}" if version == 6 else f"{host}:{port}"]
    both = [f"127.0.0.1:{port}"]
    if port and socket.has_ipv6:
        with socket.socket(socket.AF_INET6) as probe:
            try:
                probe.bind(("::1", 0))
            except OSError:
                return both
        both.append(f"[::1]:{port}")
    return both
