"""A real directory for tests: OpenLDAP's slapd on free ports, with a company's people and groups in it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ldap3
import trustme
from ldap3.utils.dn import escape_rdn

from wheelgate.testing.server_process import free_port

SCHEMAS = Path("/etc/ldap/schema")
PROGRAM = shutil.which("slapd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
START_WITHIN = 20
"""Seconds."""

BASE = "dc=company,dc=example"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
ROOT = f"cn=root,{BASE}"
SERVICE = f"cn=wheelgate,{BASE}"
PASSWORD = "swordfish"
"""Of root and of the service; looked for in logs and errors."""

CONFIGURATION = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
include {schemas}/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
# So that an empty password would be taken for an anonymous login, as many directories do.
allow bind_anon_cred
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.pem
database mdb
suffix "{base}"
rootdn "{root}"
rootpw {password}
directory {folder}/data
dbnosync
access to attrs=userPassword by anonymous auth by * none
access to * by dn.base="{service}" read by {anonymous} by * none
"""


@dataclass
class Slapd:
    """A directory; it can be stopped and started again on the same ports."""

    folder: Path
    name: str = "127.0.0.1"
    """What its certificate says."""
    anonymous: str = "anonymous none"
    """What slapd.conf says about those who have not logged in."""
    authority: trustme.CA = field(default_factory=trustme.CA)
    plain: int = field(default_factory=free_port)
    tls: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        (self.folder / "data").mkdir(parents=True)
        self.authority.cert_pem.write_to_path(str(self.ca_file))
        self.authority.issue_cert(self.name).private_key_and_cert_chain_pem.write_to_path(
            str(self.folder / "server.pem")
        )
        (self.folder / "slapd.conf").write_text(
            CONFIGURATION.format(
                schemas=SCHEMAS,
                folder=self.folder,
                base=BASE,
                root=ROOT,
                service=SERVICE,
                password=PASSWORD,
                anonymous=self.anonymous,
            )
        )

    @property
    def ca_file(self) -> Path:
        """The authority that has signed its certificate."""
        return self.folder / "ca.pem"

    @property
    def url(self) -> str:
        """Its address without TLS from the first byte."""
        return f"ldap://127.0.0.1:{self.plain}"

    @property
    def tls_url(self) -> str:
        """Its address with TLS from the first byte."""
        return f"ldaps://127.0.0.1:{self.tls}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), "-d", "0", "-h", f"{self.url} {self.tls_url}", "-f", self.folder / "slapd.conf"],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_WITHIN
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.tls), timeout=START_WITHIN).close()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"slapd does not answer: {(self.folder / 'log').read_text()}") from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Stop it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(START_WITHIN)
            self.process = None

    @contextmanager
    def connect(self) -> Iterator[ldap3.Connection]:
        """Connect as the one who may do everything."""
        server = ldap3.Server("127.0.0.1", self.plain, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, ROOT, PASSWORD, raise_exceptions=True, receive_timeout=10)
        connection.bind()
        yield connection
        connection.unbind()

    def add(self, dn: str, *kinds: str, connection: ldap3.Connection | None = None, **attributes: Any) -> str:
        """Add an entry and return its name."""
        with nullcontext(connection) if connection else self.connect() as open_connection:
            open_connection.add(dn, list(kinds), attributes)
        return dn

    def add_folder(self, name: str) -> str:
        """Add an entry below which there can be people."""
        return self.add(f"ou={rdn(name)},{PEOPLE}", "organizationalUnit", ou=name)

    def add_person(self, name: str, password: str | None = None, *, below: str = PEOPLE, **attributes: Any) -> str:
        """Add somebody who logs in with a name; the entry has that name too."""
        given: dict[str, Any] = {"sn": "x", "cn": name, "uid": name, **attributes}
        if password is not None:
            given["userPassword"] = password
        return self.add(f"uid={rdn(name)},{below}", "inetOrgPerson", **given)

    def add_group(self, name: str, members: Iterable[str]) -> str:
        """Add a group of entries."""
        return self.add(f"cn={rdn(name)},{GROUPS}", "groupOfNames", cn=name, member=list(members))

    def modify(self, dn: str, **changes: Any) -> None:
        """Replace attributes of an entry."""
        with self.connect() as connection:
            connection.modify(dn, {name: [(ldap3.MODIFY_REPLACE, values)] for name, values in changes.items()})

    def delete(self, dn: str) -> None:
        """Remove an entry."""
        with self.connect() as connection:
            connection.delete(dn)

    def fill(self) -> None:
        """Add what every test needs: the service's entry, people and groups."""
        self.add(BASE, "dcObject", "organization", dc="company", o="company")
        self.add(SERVICE, "person", "simpleSecurityObject", sn="x", userPassword=PASSWORD)
        self.add(PEOPLE, "organizationalUnit")
        self.add(GROUPS, "organizationalUnit")
        ada = self.add_person("ada", "analytical", mail="ada@company.example", displayName="Ada Lovelace")
        bob = self.add_person("bob", "builder")
        admins = self.add_group("admins", [ada])
        self.add_group("staff", [admins, bob])


def rdn(name: str) -> str:
    """Escape a name for an entry's, by other code than the plugin's."""
    return str(escape_rdn(name))
