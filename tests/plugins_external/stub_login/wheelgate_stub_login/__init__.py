"""A third-party login: passwords in the ``X-Devpi-Auth`` header, hashed with scrypt."""

import base64
import hashlib
import hmac
import os

from wheelgate import Credentials, Ok, Outcome, RequestInfo, Server, Unknown, User, hookimpl
from wheelgate.errors import NotAuthenticated
from wheelgate.providers import Authenticator, CredentialExtractor, PasswordHasher


class DevpiHeader(CredentialExtractor):
    """Reads the header that the ``devpi`` command sends."""

    name = "stub-header"
    header = "x-devpi-auth"
    scheme = ""
    ambient = False

    def extract(self, request: RequestInfo) -> Credentials | None:
        try:
            text = base64.b64decode(request.headers["x-devpi-auth"], validate=True).decode()
        except ValueError:
            raise NotAuthenticated("the header cannot be read") from None
        name, _, secret = text.partition(":")
        return Credentials("password", name, secret, self.name)


class Scrypt(PasswordHasher):
    """Hashes with scrypt."""

    name = "stub-scrypt"

    def hash(self, password: str) -> str:
        salt = os.urandom(16)
        return f"{salt.hex()}${self.digest(salt, password)}"

    def digest(self, salt: bytes, password: str) -> str:
        return hashlib.scrypt(password.encode(), salt=salt, n=1024, r=8, p=1).hex()


class StoredPasswords(Authenticator):
    """Verifies passwords against the hashes of local users."""

    name = "stub-scrypt"
    accepts = frozenset({"password"})
    local = True

    def __init__(self, server: Server) -> None:
        self._server = server
        self._hasher = Scrypt()

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        stored = self._server.users.password_hash(credentials.username)
        if stored == "" and credentials.secret == "" and credentials.username == "root":
            return Ok("root")
        salt, _, digest = (stored or f"{bytes(16).hex()}$").partition("$")
        good = hmac.compare_digest(digest, self._hasher.digest(bytes.fromhex(salt), credentials.secret))
        return Ok(credentials.username) if good else Unknown()


@hookimpl
def wheelgate_credential_extractors(server: Server) -> list[DevpiHeader]:
    return [DevpiHeader()]


@hookimpl
def wheelgate_authenticators(server: Server) -> list[StoredPasswords]:
    return [StoredPasswords(server)]


@hookimpl
def wheelgate_password_hasher() -> Scrypt:
    return Scrypt()
