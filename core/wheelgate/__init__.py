"""The server of a private Python package index, and the names that its plugins import most often."""

from wheelgate.hookspecs import hookimpl
from wheelgate.options import Option
from wheelgate.server import Server
from wheelgate.subcommands import Command
from wheelgate.values import (
    Allow,
    Credentials,
    Deny,
    Event,
    Index,
    Ok,
    Outcome,
    Permission,
    Principal,
    Reject,
    RequestInfo,
    Resource,
    Restriction,
    SecretCheck,
    Token,
    Unavailable,
    Unknown,
    User,
    UserDefaults,
    Verdict,
)

__all__ = [
    "Allow",
    "Command",
    "Credentials",
    "Deny",
    "Event",
    "Index",
    "Ok",
    "Option",
    "Outcome",
    "Permission",
    "Principal",
    "Reject",
    "RequestInfo",
    "Resource",
    "Restriction",
    "SecretCheck",
    "Server",
    "Token",
    "Unavailable",
    "Unknown",
    "User",
    "UserDefaults",
    "Verdict",
    "hookimpl",
]
