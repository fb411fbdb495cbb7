"""The settings of the server itself, one declaration each; plugins declare theirs with ``wheelgate_options``."""

from __future__ import annotations

from wheelgate.logs import LOG_FORMATS, LOG_LEVELS
from wheelgate.option_types import (
    byte_size,
    file_path,
    http_url,
    network,
    one_of,
    positive_time_span,
    proxy_exception,
    proxy_url,
    s3_url,
    upstream_network,
    whole_number,
)
from wheelgate.options import Option

CORE_OPTIONS = (
    Option("host", "address to listen on", ("localhost",), metavar="HOST", many=True),
    Option("port", "port to listen on; 0 takes a free one", 3141, whole_number(0, 65535), metavar="PORT"),
    Option("serverdir", "folder for the server's data; created at the first start", "~/.devpi/server", metavar="DIR"),
    Option(
        "database",
        "database for users and indices: postgresql://…; if not given, SQLite in the server's folder",
        metavar="URL",
        secret=True,
    ),
    Option(
        "database-connections",
        "most connections to PostgreSQL that this server has, shared by its workers; further requests wait for one",
        20,
        whole_number(1, 1000),
        metavar="N",
    ),
    Option(
        "files",
        "bucket of an object store for package files: s3://bucket/prefix; if not given, the server's folder",
        None,
        s3_url,
        metavar="URL",
    ),
    Option(
        "files-endpoint",
        "URL of an S3-compatible object store other than Amazon's; credentials and region come from the "
        "environment variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
        None,
        http_url,
        metavar="URL",
    ),
    Option("workers", "number of worker processes", 2, whole_number(1, 64), metavar="N"),
    Option("root-passwd", "password of root, set at the first start", metavar="PASSWORD", secret=True),
    Option(
        "secretfile",
        "file with the secret that signs logins; if not given, the server creates one in its folder",
        None,
        file_path,
        metavar="FILE",
    ),
    Option(
        "outside-url",
        "URL under which clients reach this server if it runs behind a proxy",
        None,
        http_url,
        metavar="URL",
        names_proxy=True,
    ),
    Option(
        "trusted-proxy",
        "address or network of a proxy whose X-Forwarded-* and X-Outside-Url headers the server trusts",
        (),
        network,
        metavar="NETWORK",
        many=True,
        names_proxy=True,
    ),
    Option("absolute-urls", "write absolute URLs into simple pages instead of relative ones", default=False),
    Option("max-indices", "most indices that one user may own", 1000, whole_number(1, 100_000), metavar="N"),
    Option("max-upload", "largest file that users may upload; no limit if not given", None, byte_size, metavar="SIZE"),
    Option(
        "allow-upstream",
        "network that mirrors, pushes and redirects may reach in addition to public addresses, or 'public' for public "
        "addresses only; if not given, a server that listens on loopback and gets no request through a "
        "proxy may reach everything, and any other server only public addresses",
        (),
        upstream_network,
        metavar="NETWORK",
        many=True,
    ),
    Option(
        "upstream-proxy",
        "proxy for all requests that the server itself sends; the proxy then resolves host names",
        None,
        proxy_url,
        metavar="URL",
        secret=True,
    ),
    Option(
        "upstream-no-proxy",
        "host, domain, address or network that the server reaches without --upstream-proxy; a domain includes all "
        "names below it, and a network counts for URLs with an address",
        (),
        proxy_exception,
        metavar="HOST",
        many=True,
    ),
    Option("no-plugin", "name of a plugin to leave out", (), metavar="NAME", many=True),
    Option(
        "auth-order",
        "authenticators to ask first, in this order; the others follow by rank and name",
        (),
        metavar="NAME",
        many=True,
    ),
    Option(
        "autocreate-users",
        "authenticator whose users get an account at their first login, or 'all', or 'none'",
        ("all",),
        metavar="NAME",
        many=True,
    ),
    Option(
        "extractor-order",
        "credential extractors to try first, in this order; the others follow by rank and name",
        (),
        metavar="NAME",
        many=True,
    ),
    Option(
        "private-indices",
        "how the server answers users who may not read an index: hide answers as if the index did not exist, tell "
        "says that it is private",
        "hide",
        one_of("hide", "tell"),
        metavar="hide|tell",
    ),
    Option(
        "require-login",
        "require a login for every request except to /+api and /+login",
        default=False,
    ),
    Option("session-lifetime", "lifetime of a login", 36000, positive_time_span, metavar="TIME"),
    Option(
        "head-timeout",
        "time that a client has to send the head of its first request",
        20,
        positive_time_span,
        metavar="TIME",
    ),
    Option(
        "body-timeout",
        "time that a client has to send the body of a request, and a second more for every 500 bytes of it",
        20,
        positive_time_span,
        metavar="TIME",
    ),
    Option(
        "send-timeout",
        "time after which the server drops a client that receives nothing of its answer",
        60,
        positive_time_span,
        metavar="TIME",
    ),
    Option(
        "hash-concurrency", "number of passwords that each worker hashes at once", 1, whole_number(1, 16), metavar="N"
    ),
    Option(
        "log-level",
        "least severe lines of the log to write; info has a line about each change and login",
        "info",
        one_of(*LOG_LEVELS),
        metavar="|".join(LOG_LEVELS),
    ),
    Option("log-format", "form of the log, and of the access log", "text", one_of(*LOG_FORMATS), metavar="text|json"),
    Option(
        "metrics-from",
        "address or network from which /+metrics can be read without a login",
        (),
        network,
        metavar="NETWORK",
        many=True,
    ),
    Option(
        "access-log",
        "file for a line about each request; - writes to standard output, empty to none",
        "",
        metavar="FILE",
    ),
    Option("config", "TOML file with these settings", metavar="FILE"),
)
