"""The cost of downloads: a small file, and a large one."""

from __future__ import annotations

from tests.helpers.distributions import Distribution

from bench import driver, stock
from bench.answers import contender, row
from bench.pages import PIP_HEADERS, always
from bench.report import Bar, Row
from bench.sampling import compare
from bench.site import Site


def files(site: Site) -> list[Row]:
    """Compare downloads; large files are downloaded one at a time."""
    large = stock.big()
    for server in site.stocked.values():
        stock.put(server, stock.DEV, [large])
    return [
        download(site, "a file of 10 KB", stock.small(stock.TEN, 1), site.connections, Bar(8, at_least=True)),
        download(site, "a file of 50 MB", large, 1, Bar(3, at_least=True)),
    ]


def download(site: Site, what: str, made: Distribution, connections: int, bar: Bar) -> Row:
    """Compare the download of a file."""
    make = always(request(made))
    contenders = {name: contender(server, make, connections) for name, server in site.stocked.items()}
    return row(f"download of {what}", compare(contenders, site.rounds), "ours", "incumbent", bar)


def request(made: Distribution) -> bytes:
    """Request a file as pip does; its address follows from its digest."""
    path = f"/{stock.DEV}/+f/{made.sha256[:3]}/{made.sha256[3:16]}/{made.filename}"
    return driver.write("GET", path, {**PIP_HEADERS, "Accept-Encoding": "identity", "Accept": "*/*"})
