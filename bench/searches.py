"""The cost of a search in 100,000 projects."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench import driver, servers, stock
from bench.answers import contender
from bench.environments import variables
from bench.pages import always
from bench.report import Bar, Row
from bench.sampling import compare
from bench.site import FEW_USERS, Site

PROJECTS = 100_000
BROWSER_HEADERS = {"Accept": "text/html,*/*;q=0.8", "User-Agent": "Mozilla/5.0"}
QUERIES = {
    "a name": "weather",
    "the beginning of a name": "wea",
    "a part of a name": "eather",
    "a frequent word of summaries": "library",
    "a typing error": "wetaher",
    "nothing there": "xylophonist",
}
LIMIT_MS = 10


def searches(site: Site) -> list[Row]:
    """Measure pages of matches, and suggestions."""
    folder = site.folder()
    with servers.ours_with(site.binaries, folder, FEW_USERS) as server:
        stock.begin(server)
    program = str(Path(__file__).with_name("search_stock.py"))
    command = [str(site.binaries / "python"), program, str(folder / "data"), stock.MANY_PROJECTS, str(PROJECTS)]
    subprocess.run(command, env=variables(site.binaries, folder), check=True)
    with servers.ours(site.binaries, folder) as server:
        asked = {f"search for {what}": f"/+x/web/search?q={query}" for what, query in QUERIES.items()}
        asked["suggestions"] = "/+x/web/suggestions?q=wea"
        return [measured(site, server, what, path) for what, path in asked.items()]


def measured(site: Site, server: servers.Server, what: str, path: str) -> Row:
    """Measure one address."""
    make = always(driver.write("GET", path, BROWSER_HEADERS))
    samples = compare({"ours": contender(server, make, site.connections)}, site.rounds)["ours"]
    return Row(f"{what}, {PROJECTS:,} projects", "ms CPU", [sample.cpu for sample in samples], bar=Bar(LIMIT_MS))
