"""The cost of small uploads, uploads to a project with 1,000 files and large uploads, and their effect on others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count, cycle

from bench import driver, forms, pages, stock
from bench.answers import MAX_NOISE_RATIO, Make, contender, row
from bench.loops import LOOP_THREADS, looping
from bench.report import Bar, Row
from bench.sampling import Contender, Sample, compare, repetitions_per_sample, sample
from bench.servers import Server
from bench.site import Site

LARGE_UPLOAD_BYTES = 200_000_000
FILES_PER_LOOP = 100
"""Different files that a loop uploads in turn."""


def small(site: Site) -> list[Row]:
    """Compare uploads to new projects of up to 10 files, and ours to a project that already has 1,000."""
    both = {
        name: contender(server, to_new_projects("upload"), site.connections) for name, server in site.stocked.items()
    }
    compared = compare(both, site.rounds)
    ours = site.with_many_files["ours"]
    filled = {
        "ours": contender(ours, to_full_project(), site.connections),
        "new projects": contender(ours, to_new_projects("other"), site.connections),
    }
    flat = compare(filled, site.rounds)
    return [
        row("upload of 10 KB", compared, "ours", "incumbent", Bar(6, at_least=True)),
        row(
            f"upload of 10 KB to a project of {stock.FILE_COUNT} files",
            flat,
            "ours",
            "new projects",
            Bar(MAX_NOISE_RATIO),
        ),
    ]


def large(site: Site) -> list[Row]:
    """Compare uploads of 200 MB, one at a time."""
    samples: dict[str, list[Sample]] = {name: [] for name in site.stocked}
    for number in range(1 + max(5, site.rounds // 2)):
        made = stock.big(LARGE_UPLOAD_BYTES, 100 + number)
        for name, server in site.stocked.items():
            sent = forms.upload(made, stock.DEV, server.credentials)
            taken = sample(Contender(server.tree, partial(send, server, sent)), 1)
            if number:  # the first one fills caches
                samples[name].append(taken)
    return [row("upload of 200 MB", samples, "ours", "incumbent", Bar(5, at_least=True))]


def beside(site: Site) -> list[Row]:
    """Compare the wall time of pages during uploads in a loop with that on an idle server."""
    server = site.stocked["ours"]
    rows = []
    for form in pages.PAGE_FORMS:
        asked = contender(server, pages.always(pages.request(stock.DEV, stock.TEN, form)), site.connections)
        times = repetitions_per_sample(asked)
        idle: list[Sample] = []
        busy: list[Sample] = []
        for _ in range(site.rounds):
            idle.append(sample(asked, times))
            with looping(partial(uploading, server)):
                busy.append(sample(asked, times))
        wall = [one.wall for one in busy], [one.wall for one in idle]
        rows.append(
            Row(
                f"page of 10 files, {form}, wall time during {LOOP_THREADS} looping uploads",
                "ms",
                wall[0],
                "idle",
                wall[1],
                Bar(2),
            )
        )
    return rows


def to_new_projects(prefix: str) -> Make:
    """Upload new files, ten to each project."""
    numbers = count()

    def make(server: Server, _: int) -> bytes:
        project, version = divmod(next(numbers), 10)
        return forms.upload(stock.small(f"{prefix}{project:06}", version), stock.DEV, server.credentials)

    return make


def to_full_project() -> Make:
    """Upload new files to the project that has many."""
    versions = count(stock.FILE_COUNT)
    return lambda server, _: forms.upload(stock.small(stock.HUNDREDS, next(versions)), stock.DEV, server.credentials)


def uploading(server: Server, number: int) -> Callable[[int], None]:
    """Return a function that uploads files in turn; their requests are prepared, so that uploads use little CPU."""
    files = (stock.small(f"loop{number}", version) for version in range(FILES_PER_LOOP))
    requests = cycle([forms.upload(made, stock.DEV, server.credentials) for made in files])
    connection = driver.Connection(server.port)

    def act(_: int) -> None:
        sent = next(requests)
        driver.check(sent, *connection.ask(sent))

    return act


def send(server: Server, sent: bytes, times: int) -> None:
    """Send a request several times over one connection."""
    stock.ask_all(server, (sent for _ in range(times)))
