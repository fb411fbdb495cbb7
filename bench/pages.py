"""The cost of simple pages: 10 files, three bases, 1,000 files, a list of 5,000 projects, and unchanged pages."""

from __future__ import annotations

from collections.abc import Mapping

from bench import driver, stock
from bench.answers import Make, contender, row
from bench.report import Bar, Row
from bench.sampling import compare
from bench.servers import Server
from bench.site import Site

PIP_HEADERS = {"User-Agent": "pip/26.0", "Accept-Encoding": "gzip, deflate"}
PAGE_FORMS = {"HTML": "text/html", "JSON": "application/vnd.pypi.simple.v1+json"}


def pages(site: Site) -> list[Row]:
    """Compare pages of 10 files."""
    return [
        *in_both_forms(site, site.stocked, "page of 10 files", stock.DEV, stock.TEN, Bar(10, at_least=True)),
        *in_both_forms(
            site, site.stocked, "page of 10 files of three bases", stock.MERGED, stock.TEN, Bar(15, at_least=True)
        ),
    ]


def long_pages(site: Site) -> list[Row]:
    """Compare pages of 1,000 files."""
    bars = {"HTML": Bar(60, at_least=True), "JSON": Bar(100, at_least=True)}
    what = f"page of {stock.FILE_COUNT} files"
    return [
        one_form(site, site.with_many_files, what, form, stock.DEV, stock.HUNDREDS, bar) for form, bar in bars.items()
    ]


def names(site: Site) -> list[Row]:
    """Compare the list of projects."""
    what = f"list of {stock.PROJECT_COUNT} projects"
    return in_both_forms(site, site.with_many_names, what, stock.MANY_PROJECTS, "", Bar(20, at_least=True))


def unchanged(site: Site) -> list[Row]:
    """Compare 304 with the empty responder."""
    ours = site.stocked["ours"]
    rows = []
    for form in PAGE_FORMS:
        with driver.Connection(ours.port) as connection:
            sent = request(stock.DEV, stock.TEN, form)
            driver.check(sent, *connection.ask(sent))
            known = {"If-None-Match": connection.etag}
        samples = compare(
            {
                "ours": contender(ours, always(request(stock.DEV, stock.TEN, form, **known)), site.connections, 304),
                "empty": contender(site.empty, always(ask("/+api", form, **known)), site.connections),
            },
            site.rounds,
        )
        rows.append(row(f"304 for a page, {form}", samples, "ours", "empty", Bar(1.5)))
    return rows


def in_both_forms(
    site: Site, servers: Mapping[str, Server], what: str, index: str, project: str, bar: Bar
) -> list[Row]:
    """Compare a page with the incumbent's, in HTML and in JSON."""
    return [one_form(site, servers, what, form, index, project, bar) for form in PAGE_FORMS]


def one_form(
    site: Site, servers: Mapping[str, Server], what: str, form: str, index: str, project: str, bar: Bar
) -> Row:
    """Compare a page with the incumbent's, in one form."""
    make = always(request(index, project, form))
    contenders = {name: contender(server, make, site.connections) for name, server in servers.items()}
    return row(f"{what}, {form}", compare(contenders, site.rounds), "ours", "incumbent", bar)


def request(index: str, project: str, form: str, **headers: str) -> bytes:
    """Request a page in one form."""
    return ask(f"/{index}/+simple/{project}/" if project else f"/{index}/+simple/", form, **headers)


def ask(path: str, form: str, **headers: str) -> bytes:
    """Return a request in one form, as pip sends it."""
    return driver.write("GET", path, {**PIP_HEADERS, "Accept": PAGE_FORMS[form], **headers})


def always(sent: bytes) -> Make:
    """Return a function that always returns the same request."""
    return lambda server, number: sent
