"""gunicorn, embedded: pre-forked workers, graceful stop, reload on SIGHUP."""

from __future__ import annotations

import gc
import ipaddress
import logging
import os
import socket
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication

from wheelgate.app import Application
from wheelgate.config import Config
from wheelgate.errors import StartupError
from wheelgate.plugins import Plugins
from wheelgate.startup import rehearse
from wheelgate.worker import Worker

log = logging.getLogger("wheelgate.server")

ACCESS_LOG_FORMAT = '%(h)s [%(t)s] "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
"""Without query and headers: no secret can stand in it."""


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
            "when_ready": announce,
            "post_fork": self._after_fork,
        }
        for key, value in settings.items():
            self.cfg.set(key, value)

    def reload(self) -> None:
        """Read the settings again; called at SIGHUP, before new workers take over."""
        try:
            config, plugins = self._read()
            rehearse(config, plugins)
        except StartupError as error:
            log.error("reload refused, the old settings hold on: %s", error)
        else:
            self._config, self._plugins = config, plugins
        super().reload()

    def load(self) -> Any:
        """Wire the application of a worker."""
        self._application = Application(self._config, self._plugins)
        return self._application.asgi

    def close_application(self) -> None:
        """Close the application of a worker."""
        if self._application is not None:
            self._application.close()

    def run(self) -> None:
        """Serve until told to stop."""
        # What is loaded by now is never collected, so that workers go on sharing its memory.
        gc.collect()
        gc.freeze()
        super().run()

    def _after_fork(self, arbiter: Any, worker: Any) -> None:
        # The lock must end with the master, not with its last worker.
        os.close(self._lock)


def announce(arbiter: Any) -> None:
    """Say where the server listens."""
    for listener in arbiter.LISTENERS:
        address = listener.sock.getsockname()
        host = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
        print(f"devpi-server listens on http://{host}:{address[1]}", flush=True)


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
