"""The master process of gunicorn: it starts and stops the workers, and reloads the settings on SIGHUP."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from gunicorn import glogging
from gunicorn.app.base import BaseApplication

from wheelgate.app import Application
from wheelgate.config import Config
from wheelgate.errors import BackendUnavailable, StartupError
from wheelgate.http.scope import CLIENT_ADDRESS, USER
from wheelgate.logs import ACCESS_SCOPE, UnwrittenLines, configure_logging
from wheelgate.metrics.shared_memory import SharedNumbers
from wheelgate.metrics.worker_metrics import worker_metrics
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.process.listeners import BACKLOG_CONNECTIONS, make_ready
from wheelgate.process.startup import rehearse
from wheelgate.process.worker import Worker

log = logging.getLogger("wheelgate.server")

ACCESS_LOG_FORMAT = '%(h)s %(u)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
"""Without query and headers, so that no secret gets into the log."""
MAX_WORKERS_AT_ONCE = 136
"""Workers that have numbers of their own; a reload starts the new workers before the old ones end."""
WORKER_RETRY_SECONDS = 1.0
"""Seconds that a worker without its database waits before it ends, and the master starts the next one."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT)
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""
SPARE_HEAP_BYTES = 8 << 20
"""Freed memory that the C library keeps for later requests."""
FIXED_SETTINGS = ("serverdir", "host", "port")
"""Settings that a reload cannot change, because the folder is locked and the address is bound at the start."""


class GunicornLogger(glogging.Logger):  # type: ignore[misc]
    """The two logs of gunicorn, in the format of the server's own log; the access log names client and user."""

    def setup(self, cfg: Any) -> None:
        """Set up the logs, also at each reload."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(logging.getLogger().handlers[0].formatter)
        for handler in self.access_log.handlers:
            handler.handleError = UnwrittenLines(log, "the access log")

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """Return what the access log may show: the client as the main log has it, and the user."""
        scope = ACCESS_SCOPE.get({})
        client = scope.get(CLIENT_ADDRESS) or environ.get("REMOTE_ADDR", "-")
        return {**super().atoms(resp, req, environ, request_time), "h": client, "u": scope.get(USER, "-")}


class GunicornMaster(BaseApplication):  # type: ignore[misc]
    """The master process; each worker makes its own application after the fork."""

    def __init__(self, load: Callable[[], tuple[Config, Plugins]], lock: int, sockets: Sequence[str]) -> None:
        """Read the settings and plugins.

        Args:
            load: reads them, now and at each SIGHUP.
            lock: the file descriptor of the folder's lock.
            sockets: where to listen, as :func:`~wheelgate.process.listeners.start_listening` returns it; empty for the
                sockets that systemd passes.
        """
        self._sockets = list(sockets)
        self._read = load
        self._config, self._plugins = load()
        self._config.read_secret()
        self._lock = lock
        self._application: Application | None = None
        self._numbers = SharedNumbers(MAX_WORKERS_AT_ONCE)
        self._part = 0
        """The part of the numbers that the next worker writes to."""
        super().__init__()

    def load_config(self) -> None:
        """Set the options of gunicorn from the settings."""
        config = self._config
        settings: dict[str, Any] = {
            "bind": self._sockets,
            "backlog": BACKLOG_CONNECTIONS,
            "workers": config["workers"],
            "worker_class": Worker,
            "logger_class": GunicornLogger,
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
            "pre_fork": self._before_fork,
            "post_fork": self._after_fork,
        }
        for key, value in settings.items():
            self.cfg.set(key, value)

    def reload(self) -> None:
        """Read the settings again; called at SIGHUP, before new workers start."""
        try:
            config, plugins = self._read()
            refuse_fixed_changes(self._config, config)
            config.read_secret()
            rehearse(config, plugins)
        except StartupError as error:
            log.error("reload refused, the old settings stay: %s", error)
        else:
            self._config, self._plugins = config, plugins
            log.info("the settings were read again")
            configure_logging(config["log-level"], config["log-format"])
        super().reload()

    @property
    def head_timeout(self) -> float:
        """Seconds that a client has to send the head of its first request."""
        return float(self._config["head-timeout"])

    @property
    def body_timeout(self) -> float:
        """Seconds that a client has to send a body, before the minimum rate counts."""
        return float(self._config["body-timeout"])

    @property
    def send_timeout(self) -> float:
        """Seconds for which a client may stop receiving an answer."""
        return float(self._config["send-timeout"])

    def load(self) -> Any:
        """Make the application of a worker; without its database the worker ends, and the master starts another."""
        try:
            metrics = worker_metrics(self._numbers, self._part)
            self._application = Application(self._config, self._plugins, metrics=metrics)
        except BackendUnavailable as error:
            log.error("a worker cannot start, the next one will try again: %s", error.message)
            time.sleep(WORKER_RETRY_SECONDS)
            # With any other exit code the master would end, too.
            sys.exit(0)
        self._application.start_jobs()
        return self._application.asgi

    def close_application(self) -> None:
        """Close the application of a worker."""
        if self._application is not None:
            self._application.close()

    def run(self) -> None:
        """Serve until a signal ends the process."""
        # The garbage collector ignores everything that is loaded by now, so that the workers keep sharing its memory.
        # Reference counting frees the objects of a request; a search for cycles every 700 objects would find nothing.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        keep_spare_heap()
        # Until a worker has its own signal handlers, it has those of the master, which would swallow the signal to
        # stop. So the signal is blocked from before the fork until the worker has the default handlers.
        os.register_at_fork(
            before=block_stop_signals, after_in_parent=unblock_stop_signals, after_in_child=reset_stop_signals
        )
        super().run()

    def _before_fork(self, arbiter: Any, worker: Any) -> None:
        """Give the worker a part of the numbers that no running worker has."""
        taken = {running.numbers_part for running in arbiter.WORKERS.values()}
        worker.numbers_part = next((part for part in range(MAX_WORKERS_AT_ONCE) if part not in taken), 0)
        self._part = worker.numbers_part

    def _after_fork(self, arbiter: Any, worker: Any) -> None:
        # The lock must end with the master, not with the last worker.
        os.close(self._lock)


def keep_spare_heap() -> None:
    """Let the C library keep a few MiB of freed memory, which a large upload allocates again for each of its chunks.

    Otherwise a third of the CPU time of such an upload goes into memory pages that the kernel clears. Only glibc has
    this.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(M_TRIM_THRESHOLD, SPARE_HEAP_BYTES)
        library.mallopt(M_MMAP_THRESHOLD, SPARE_HEAP_BYTES // 2)


def block_stop_signals() -> None:
    """Hold back the signals that end a process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def unblock_stop_signals() -> None:
    """Deliver the signals that end a process, also those held back."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def reset_stop_signals() -> None:
    """Let the signals end this process, also those held back."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    unblock_stop_signals()


def refuse_fixed_changes(before: Config, after: Config) -> None:
    """Refuse a change of a setting that is fixed at the start.

    Raises:
        StartupError: a setting has changed; the text names it.
    """
    for key in FIXED_SETTINGS:
        if before[key] != after[key]:
            raise StartupError(f"'{key}' cannot change while the server runs; stop the server and start it again")
