"""Starts a real 389 Directory Server on a free port, in a folder of its own, with a password policy and no people."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ldap3
from ldap3.utils.dn import escape_rdn

from wheelgate.testing.server_process import free_port

PROGRAM = shutil.which("ns-slapd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
DATA = Path("/usr/share/dirsrv/data")
START_TIMEOUT_SECONDS = 15

BASE = "dc=company,dc=example"
PEOPLE = f"ou=people,{BASE}"
ROOT = "cn=Directory Manager"
PASSWORD = "swordfish"

FOLDERS = ("lock", "tmp", "cert", "ldif", "bak", "run", "inst", "log", "db", "db_home", "config", "config/schema")
"""The folders that the template names, ``%schema_dir%`` and so on."""
POLICY = """nsslapd-listenhost: 127.0.0.1
nsslapd-security: off
passwordExp: on
passwordMaxAge: 8640000
passwordMustChange: on
passwordLockout: on
passwordMaxFailure: 3
"""


@dataclass
class NsSlapd:
    """A 389 Directory Server."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, without TLS."""
        return f"ldap://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Write its configuration from Debian's template, start it, and wait until it answers."""
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True)
        shutil.copy(DATA / "template-dse.ldif", self.folder / "template")
        shutil.copy("/etc/dirsrv/config/slapd-collations.conf", self.folder / "config")
        shutil.copy("/etc/dirsrv/schema/99user.ldif", self.folder / "config/schema")
        values = {
            **{f"{name}_dir": str(self.folder / name) for name in FOLDERS},
            "schema_dir": str(self.folder / "config/schema"),
            "fqdn": "localhost",
            "ds_port": str(self.port),
            "ds_user": pwd.getpwuid(os.getuid()).pw_name,
            "rootdn": ROOT,
            "ds_suffix": BASE,
            "db_lib": "bdb",
            "ds_passwd": f"{{CLEAR}}{PASSWORD}",
            "ldapi_enabled": "off",
            "ldapi": str(self.folder / "ldapi"),
            "ldapi_autobind": "off",
        }
        text = (self.folder / "template").read_text()
        for name, value in values.items():
            text = text.replace(f"%{name}%", value)
        head, blank, rest = text.partition("\n\n")
        (self.folder / "config/dse.ldif").write_text(head + "\n" + POLICY + blank[1:] + rest)
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [str(PROGRAM), "-D", self.folder / "config", "-i", self.folder / "run/pid", "-d", "16384"],
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=START_TIMEOUT_SECONDS).close()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"ns-slapd does not answer: {(self.folder / 'output').read_text()}") from None
                time.sleep(0.1)
            else:
                break
        with self.connect() as connection:
            self._add_suffix(connection)

    def _add_suffix(self, connection: ldap3.Connection) -> None:
        name, base = "userRoot", BASE
        connection.add(
            f"cn={name},cn=ldbm database,cn=plugins,cn=config",
            ["nsBackendInstance", "extensibleObject"],
            {"cn": name, "nsslapd-suffix": base, "nsslapd-directory": str(self.folder / "db" / name)},
        )
        connection.add(
            f"cn={escape_rdn(base)},cn=mapping tree,cn=config",
            ["nsMappingTree", "extensibleObject"],
            {"cn": base, "nsslapd-state": "backend", "nsslapd-backend": name},
        )
        connection.add(base, ["domain"], {"dc": "company"})
        connection.add(PEOPLE, ["organizationalUnit"], {"ou": "people"})

    def stop(self) -> None:
        """Stop it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(START_TIMEOUT_SECONDS)
            self.process = None

    @contextmanager
    def connect(self) -> Iterator[ldap3.Connection]:
        """Connect as root."""
        server = ldap3.Server("127.0.0.1", self.port, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, ROOT, PASSWORD, raise_exceptions=True, receive_timeout=10)
        connection.bind()
        yield connection
        connection.unbind()

    def add_person(self, name: str, password: str) -> None:
        """Add a person with a login name."""
        kinds = ["inetOrgPerson"]
        with self.connect() as connection:
            connection.add(
                f"uid={name},{PEOPLE}", kinds, {"sn": "x", "cn": name, "uid": name, "userPassword": password}
            )

    def modify(self, name: str, **changes: Any) -> None:
        """Replace attributes of a person's entry."""
        with self.connect() as connection:
            connection.modify(
                f"uid={name},{PEOPLE}", {key: [(ldap3.MODIFY_REPLACE, [value])] for key, value in changes.items()}
            )
