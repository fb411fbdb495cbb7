"""A private Python package index whose front door is plugins: the core, and the public face that plugins import."""

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
    "Server",
    "Token",
    "Unavailable",
    "Unknown",
    "User",
    "UserDefaults",
    "Verdict",
    "hookimpl",
]
