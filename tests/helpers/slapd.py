"""Starts a real directory: OpenLDAP's slapd on free ports, with the people and groups of a company."""

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
from ldap3.protocol.controls import build_control
from ldap3.utils.dn import escape_rdn

from wheelgate.testing.server_process import free_port

SCHEMAS = Path("/etc/ldap/schema")
PROGRAM = shutil.which("slapd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
START_TIMEOUT_SECONDS = 20

BASE = "dc=company,dc=example"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
ROOT = f"cn=root,{BASE}"
SERVICE = f"cn=wheelgate,{BASE}"
POLICY = f"cn=policy,{BASE}"
PASSWORD = "swordfish"
"""The password of root and of the service; tests check that no log and no error contains it."""

CONFIGURATION = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
include {schemas}/nis.schema
include {folder}/foreign.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
# Treats a login with an empty password as anonymous, as many directories do.
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
# Without an entry of this name there is no policy.
overlay ppolicy
ppolicy_default "{policy}"
{more}
"""
FOREIGN_ATTRIBUTES = {
    **dict.fromkeys(("userAccountControl", "accountExpires", "primaryGroupID", "sAMAccountType"), "27"),
    **dict.fromkeys(("sAMAccountName", "nsAccountLock", "loginDisabled", "msDS-UserAccountDisabled"), "15"),
    "krbPrincipalExpiration": "24",
    "loginExpirationTime": "24",
    "objectSid": "40",
}
"""Attributes of other directories, each with its syntax: integer, text, time or octets (RFC 4517, section 3.3)."""
MATCHING_RULES = {"27": "integerMatch", "15": "caseIgnoreMatch", "24": "generalizedTimeMatch", "40": "octetStringMatch"}
FOREIGN_CLASS = "foreignAccount"
"""The class of entries that may have these attributes."""


@dataclass
class Slapd:
    """A directory; it can be stopped and started again on the same ports."""

    folder: Path
    name: str = "127.0.0.1"
    """The name in its certificate."""
    anonymous: str = "anonymous none"
    """The rule in slapd.conf for anonymous clients."""
    more: str = ""
    """More lines of slapd.conf."""
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
                policy=POLICY,
                more=self.more,
            )
        )
        (self.folder / "foreign.schema").write_text(foreign_schema())

    @property
    def ca_file(self) -> Path:
        """The authority that signed its certificate."""
        return self.folder / "ca.pem"

    @property
    def url(self) -> str:
        """Its address for plain connections and StartTLS."""
        return f"ldap://127.0.0.1:{self.plain}"

    @property
    def tls_url(self) -> str:
        """Its address for TLS from the first byte."""
        return f"ldaps://127.0.0.1:{self.tls}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), "-d", "0", "-h", f"{self.url} {self.tls_url}", "-f", self.folder / "slapd.conf"],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.tls), timeout=START_TIMEOUT_SECONDS).close()
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
            self.process.wait(START_TIMEOUT_SECONDS)
            self.process = None

    def open_socket(self) -> socket.socket:
        """Connect without speaking LDAP."""
        return socket.create_connection(("127.0.0.1", self.plain))

    @contextmanager
    def connect(self) -> Iterator[ldap3.Connection]:
        """Connect as root."""
        server = ldap3.Server("127.0.0.1", self.plain, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, ROOT, PASSWORD, raise_exceptions=True, receive_timeout=10)
        connection.bind()
        yield connection
        connection.unbind()

    def add(self, dn: str, *kinds: str, connection: ldap3.Connection | None = None, **attributes: Any) -> str:
        """Add an entry and return its DN."""
        with nullcontext(connection) if connection else self.connect() as open_connection:
            open_connection.add(dn, list(kinds), attributes)
        return dn

    def add_folder(self, name: str) -> str:
        """Add an organizational unit below which people can be added."""
        return self.add(f"ou={rdn(name)},{PEOPLE}", "organizationalUnit", ou=name)

    def add_person(self, name: str, password: str | None = None, *, below: str = PEOPLE, **attributes: Any) -> str:
        """Add a person with a login name, which is also the name of the entry."""
        given: dict[str, Any] = {"sn": "x", "cn": name, "uid": name, **attributes}
        if password is not None:
            given["userPassword"] = password
        return self.add(f"uid={rdn(name)},{below}", "inetOrgPerson", **given)

    def add_group(self, name: str, members: Iterable[str]) -> str:
        """Add a group that lists its members by DN."""
        return self.add(f"cn={rdn(name)},{GROUPS}", "groupOfNames", cn=name, member=list(members))

    def modify(self, dn: str, **changes: Any) -> None:
        """Replace attributes of an entry."""
        with self.connect() as connection:
            connection.modify(dn, {name: [(ldap3.MODIFY_REPLACE, values)] for name, values in changes.items()})

    def modify_operational(self, dn: str, **changes: Any) -> None:
        """Replace attributes of an entry that only the directory itself may change, with the relax rules control."""
        relax = build_control("1.3.6.1.4.1.4203.666.5.12", True, None)
        replaced = {name: [(ldap3.MODIFY_REPLACE, [value])] for name, value in changes.items()}
        with self.connect() as connection:
            connection.modify(dn, replaced, controls=[relax])

    def delete(self, dn: str) -> None:
        """Remove an entry."""
        with self.connect() as connection:
            connection.delete(dn)

    def fill(self) -> None:
        """Add the entries that every test needs: the service, people and groups."""
        self.add(BASE, "dcObject", "organization", dc="company", o="company")
        self.add(SERVICE, "person", "simpleSecurityObject", sn="x", userPassword=PASSWORD)
        self.add(PEOPLE, "organizationalUnit")
        self.add(GROUPS, "organizationalUnit")
        ada = self.add_person("ada", "analytical", mail="ada@company.example", displayName="Ada Lovelace")
        bob = self.add_person("bob", "builder")
        admins = self.add_group("admins", [ada])
        self.add_group("staff", [admins, bob])


def foreign_schema() -> str:
    """Return the definitions of the attributes of other directories; 2.999 is the arc for examples."""
    attributes = [
        f"attributetype ( 2.999.1.{number} NAME '{name}' EQUALITY {MATCHING_RULES[syntax]} "
        f"SYNTAX 1.3.6.1.4.1.1466.115.121.1.{syntax} )"
        for number, (name, syntax) in enumerate(FOREIGN_ATTRIBUTES.items())
    ]
    names = " $ ".join(FOREIGN_ATTRIBUTES)
    return "\n".join(
        [*attributes, f"objectclass ( 2.999.2 NAME '{FOREIGN_CLASS}' SUP top AUXILIARY MAY ( {names} ) )\n"]
    )


def rdn(name: str) -> str:
    """Escape a name for a DN, with other code than the plugin's."""
    return str(escape_rdn(name))
