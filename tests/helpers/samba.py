"""Starts a real domain controller of Active Directory: Samba, in a network namespace of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ldap3
import trustme
from tests.helpers.fake_ldap_servers import relaying

PROGRAM = shutil.which("samba", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
PROVISION_FILES = Path("/usr/share/samba/setup")
PROVISION_TIMEOUT_SECONDS = 100
START_TIMEOUT_SECONDS = 30

BASE = "DC=company,DC=example"
PEOPLE = f"CN=Users,{BASE}"
ADMINISTRATOR = "Administrator@company.example"
DOWN_LEVEL_ADMINISTRATOR = "COMPANY\\Administrator"
PASSWORD = "Sw0rdfish-1"
"""The password of the administrator."""
USER_PASSWORD = "Analytical-1"
"""The password of each user: long and mixed, as the domain demands."""
NORMAL_ACCOUNT = 0x200
"""ADS_UF_NORMAL_ACCOUNT, a value of ``userAccountControl``."""

ISOLATED = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"')
"""The ports of a domain controller are fixed. In a network of its own it disturbs nobody; a relay uses its socket."""


def reason_to_skip() -> str | None:
    """Say why no domain controller can run here; None if one can."""
    if PROGRAM is None or shutil.which("samba-tool") is None:
        return "samba is not installed"
    isolated = subprocess.run([*ISOLATED, "true"], capture_output=True, check=False)
    return (
        None
        if isolated.returncode == 0
        else "a domain controller needs a network namespace, and this user may make none"
    )


@dataclass
class DomainController:
    """A domain controller with StartTLS."""

    folder: Path
    authority: trustme.CA = field(default_factory=trustme.CA)
    url: str = ""
    """Its address, while it runs."""

    @property
    def ca_file(self) -> Path:
        """The authority that signed its certificate."""
        return self.folder / "ca.pem"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Provision the domain, and run it until the end of the block."""
        self.folder.mkdir()
        settings = self._settings()
        with (self.folder / "log").open("ab") as log:
            output: dict[str, Any] = {"stdout": log, "stderr": log, "stdin": subprocess.DEVNULL}
            provision = [
                *("samba-tool", "domain", "provision", f"--targetdir={self.folder}", "--server-role=dc"),
                *("--realm=COMPANY.EXAMPLE", "--domain=COMPANY", f"--adminpass={PASSWORD}"),
                *("--dns-backend=NONE", "--host-name=dc", "--host-ip=127.0.0.1"),
            ]
            options = [f"--option={name}={value}" for name, value in settings.items()]
            command = [*ISOLATED, *provision, *options]
            subprocess.run(command, check=True, timeout=PROVISION_TIMEOUT_SECONDS, **output)
            configuration = self.folder / "etc/smb.conf"
            command = [*ISOLATED, str(PROGRAM), "--interactive", "--model=single", f"--configfile={configuration}"]
            process = subprocess.Popen([*command, *options], start_new_session=True, **output)
        try:
            self._wait(process)
            with relaying(self._open_socket) as self.url:
                yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(START_TIMEOUT_SECONDS)

    def _settings(self) -> dict[str, object]:
        """Write the certificate, and return settings that keep everything in the folder."""
        certificate = self.authority.issue_cert("127.0.0.1")
        self.authority.cert_pem.write_to_path(str(self.ca_file))
        certificate.cert_chain_pems[0].write_to_path(str(self.folder / "cert.pem"))
        certificate.private_key_pem.write_to_path(str(self.folder / "key.pem"))
        (self.folder / "key.pem").chmod(0o600)
        return {
            "interfaces": "lo",
            "bind interfaces only": "yes",
            "server services": "ldap",
            "log file": self.folder / "log",
            "pid directory": self.folder,
            "ncalrpc dir": self.folder / "ncalrpc",
            "tls cafile": self.ca_file,
            "tls certfile": self.folder / "cert.pem",
            "tls keyfile": self.folder / "key.pem",
        }

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            try:
                self._open_socket().close()
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"samba does not answer: {(self.folder / 'log').read_text()}") from None
                time.sleep(0.1)
            else:
                return

    def _open_socket(self) -> socket.socket:
        opened = socket.socket(socket.AF_UNIX)
        try:
            opened.connect(str(self.folder / "private/ldapi"))
        except OSError:
            opened.close()
            raise
        return opened

    @contextmanager
    def connect(self) -> Iterator[ldap3.Connection]:
        """Connect as the administrator, with StartTLS."""
        port = int(self.url.rpartition(":")[2])
        tls = ldap3.Tls(validate=ssl.CERT_NONE)
        server = ldap3.Server("127.0.0.1", port, get_info=ldap3.NONE, tls=tls)
        connection = ldap3.Connection(server, ADMINISTRATOR, PASSWORD, raise_exceptions=True, receive_timeout=10)
        connection.open()
        connection.start_tls()
        connection.bind()
        yield connection
        connection.unbind()

    def add_user(self, name: str, **attributes: Any) -> str:
        """Add a user, and return the DN."""
        dn = f"CN={name},{PEOPLE}"
        given = {
            "sAMAccountName": name,
            "unicodePwd": f'"{USER_PASSWORD}"'.encode("utf-16-le"),
            "userAccountControl": str(NORMAL_ACCOUNT),
            **attributes,
        }
        with self.connect() as connection:
            connection.add(dn, ["user"], given)
        return dn

    def add_group(self, name: str, *members: str) -> str:
        """Add a group, and return the DN."""
        dn = f"CN={name},{PEOPLE}"
        with self.connect() as connection:
            connection.add(dn, ["group"], {"sAMAccountName": name, "member": list(members)} if members else {})
        return dn

    def modify(self, dn: str, **changes: Any) -> None:
        """Replace attributes of an entry."""
        with self.connect() as connection:
            connection.modify(dn, {name: [(ldap3.MODIFY_REPLACE, [value])] for name, value in changes.items()})

    def read(self, dn: str, attribute: str) -> bytes:
        """Return the first value of an attribute."""
        with self.connect() as connection:
            connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=[attribute])
            found: Any = connection.response
            return bytes(found[0]["raw_attributes"][attribute][0])
