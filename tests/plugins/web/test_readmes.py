"""Descriptions of releases on their pages: rendered in a child process, harmless, and each once."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.concurrent_requests import conduct
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import encode, file_fields
from tests.helpers.web_clients import BROWSERS

from wheelgate.testing.site import Site
from wheelgate_web.readmes.child_process import Busy, ReadmeChild

ROOT = ("root", "")
MARKDOWN, RST, PLAIN = "text/markdown", "text/x-rst", "text/plain"


@pytest.fixture(scope="module")
def site(serve_shared: Serve) -> Site:
    """Return one server for all tests of this file."""
    site = serve_shared()
    assert site.request("PUT", "/root/dev", {"acl_upload": ["root"]}, auth=ROOT).status == 200
    return site


def release(site: Site, name: str, text: str, media_type: str | None) -> None:
    """Upload a release with a description."""
    fields = [("description", text), *([("description_content_type", media_type)] if media_type else [])]
    body, headers = encode([*file_fields(wheel(name, "1.0")), *fields])
    answer = site.request("POST", "/root/dev/", body, auth=ROOT, headers=headers)
    assert answer.status == 200, answer.content


def description(site: Site, name: str) -> str:
    """Return the HTML of a description on the page of its release."""
    answer = site.request("GET", f"/root/dev/{name}", headers=BROWSERS["chromium"])
    assert answer.status == 200, answer.content
    found = re.search(r'<h2 id="description">Description</h2>\s*(.*?)\s*</section>', answer.content.decode(), re.DOTALL)
    assert found is not None
    return found[1]


def rendered(site: Site, name: str, text: str, media_type: str | None = MARKDOWN) -> str:
    """Upload a release, and return its description on the page."""
    release(site, name, text, media_type)
    return description(site, name)


SHOWN: dict[str, tuple[str | None, str, str]] = {
    "markdown": (MARKDOWN, "**bold** and `code`", "<p><strong>bold</strong> and <code>code</code></p>"),
    "GFM": (f"{MARKDOWN}; variant=GFM", "~~gone~~", "<del>gone</del>"),
    "CommonMark": (f"{MARKDOWN}; variant=CommonMark", "~~here~~", "<p>~~here~~</p>"),
    "rst": (RST, "*soft* ``code``", "<p><em>soft</em> <span>code</span></p>"),
    "no type": (None, "*soft*", "<p><em>soft</em></p>"),
    "headings": (MARKDOWN, "# One\n\n## Two\n\n#### Four", "<h2>One</h2>\n<h3>Two</h3>\n<h4>Four</h4>"),
    "highlighted": (MARKDOWN, "```python\nNone\n```", '<pre tabindex="0"><span class="kc">None</span>'),
    "link": (
        MARKDOWN,
        "[there](https://x.example/?a=1&b=2)",
        '<a href="https://x.example/?a=1&amp;b=2" rel="nofollow noopener">there</a>',
    ),
    "mail": (MARKDOWN, "[mail](mailto:a@x.example)", '<a href="mailto:a@x.example" rel="nofollow noopener">mail</a>'),
    "picture": (
        MARKDOWN,
        "![a cat](https://x.example/cat.png)",
        '<a href="https://x.example/cat.png" rel="nofollow noopener">a cat</a>',
    ),
    "badge": (
        MARKDOWN,
        "[![build](https://x.example/b.svg)](https://ci.example)",
        '<a href="https://ci.example" rel="nofollow noopener">build</a>',
    ),
    "picture in rst": (RST, ".. image:: https://x.example/cat.png\n   :alt: a cat", ">a cat</a>"),
    "table": (MARKDOWN, "| a | |\n|---|---|\n| 1 | 2 |", '<th scope="col">a</th>\n<td></td>'),
    "relative link": (MARKDOWN, "[there](docs/a.md)", "<p>there</p>"),
    "plain": (PLAIN, "*as it is* <b>", "*as it is* &lt;b&gt;</pre>"),
    "unknown type": ("text/html", "<b>x</b>", "&lt;b&gt;x&lt;/b&gt;</pre>"),
    "broken rst": (RST, "Title\n==\n\n.. nothing:: x", "Title\n==\n\n.. nothing:: x</pre>"),
    "broken type": ("text/markdown; variant", "*soft*", "<em>soft</em>"),
}


@pytest.mark.parametrize("name", SHOWN)
def test_descriptions(site: Site, fresh: str, name: str) -> None:
    """A description is shown by its media type; what cannot be rendered, or is no markup, is shown as it is."""
    media_type, text, html = SHOWN[name]

    assert html in rendered(site, fresh, text, media_type)


HARMLESS: dict[str, tuple[str, str]] = {
    "script": (MARKDOWN, "<script>alert(1)</script>"),
    "handler": (MARKDOWN, "<img src=x onerror=alert(1)><p onclick=alert(1)>x</p>"),
    "scheme": (MARKDOWN, "[x](javascript:alert(1)) [y](data:text/html,x) [z](vbscript:x) [f](file:///etc/passwd)"),
    "scheme in rst": (RST, "`x <javascript:alert(1)>`__"),
    "frame": (MARKDOWN, "<iframe src=https://x.example></iframe><object data=x></object><embed src=x>"),
    "form": (MARKDOWN, "<form action=https://x.example><input name=password type=password><button>ok</button></form>"),
    "style": (MARKDOWN, "<style>*{display:none}</style><p style='position:fixed'>x</p>"),
    "head": (MARKDOWN, "<base href=https://x.example><meta http-equiv=refresh content=0><link rel=stylesheet href=x>"),
    "drawing": (MARKDOWN, "<svg onload=alert(1)><circle/></svg><math><mi>x</mi></math>"),
    "media": (MARKDOWN, "<video src=x autoplay></video><audio src=x></audio><picture><source srcset=x></picture>"),
    "names": (MARKDOWN, '# main\n\n<p id="main" class="note bad" name="q">x</p>'),
    "task list": (MARKDOWN, "- [ ] one\n- [x] two"),
    "footnote": (MARKDOWN, "x[^1]\n\n[^1]: note"),
    "anchors": (MARKDOWN, '<a name="x"></a> <a href="https://x.example"></a> <a id="y" href="#z">z</a>'),
    "raw rst": (RST, ".. raw:: html\n\n   <script>alert(1)</script>"),
    "include": (RST, ".. include:: /etc/passwd"),
    "closing": (MARKDOWN, "</div></main></body><h1>Sign in</h1>"),
    "wide cell": (MARKDOWN, "<table><tr><td colspan=1000>x</td></tr></table>"),
    "bidi": (MARKDOWN, "\u202eevil"),
}
TEXT_TAGS = {"a", "abbr", "b", "br", "code", "em", "i", "kbd", "s", "span", "strong", "sub", "sup", "tt", "u", "var"}
BLOCK_TAGS = {"blockquote", "dd", "div", "dl", "dt", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "ul"}
TABLE_TAGS = {"caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
ALLOWED_TAGS = TEXT_TAGS | BLOCK_TAGS | TABLE_TAGS | {"cite", "del"}
ALLOWED_ATTRIBUTES = {"href", "rel", "title", "class", "dir", "tabindex", "scope", "colspan", "rowspan", "start"}
OWN_CLASSES = {"readme", "scroll", "readme plain"}


@pytest.mark.parametrize("name", HARMLESS)
def test_hostile_descriptions(site: Site, fresh: str, name: str) -> None:
    """No description brings scripts, forms, frames, pictures, styles, names or foreign schemes into a page."""
    media_type, text = HARMLESS[name]

    html = rendered(site, fresh, text, media_type)

    tags = re.findall(r"<([a-z0-9]+)((?:\s[^>]*)?)>", html)
    assert {tag for tag, _ in tags} <= ALLOWED_TAGS, html
    attributes = [each for _, given in tags for each in re.findall(r'\s([a-z-]+)="([^"]*)"', given)]
    assert {key for key, _ in attributes} <= ALLOWED_ATTRIBUTES, html
    assert all(value.startswith(("https://", "http://", "mailto:")) for key, value in attributes if key == "href"), html
    classes = {value for key, value in attributes if key == "class"}
    assert all(re.fullmatch(r"[a-z]{1,3}\d?( [a-z]{1,3}\d?)*", value) for value in classes - OWN_CLASSES), html
    assert all(int(value) <= 20 for key, value in attributes if key in ("colspan", "rowspan"))
    assert "root:" not in html
    assert html.count("<div") == html.count("</div>")


BOMB = (
    "|a|\n\n"
    + "\n".join(
        f".. |{name}| replace:: " + " ".join([f"|{following}|"] * 8)
        for name, following in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "\n.. |i| replace:: x\n"
)
"""Substitutions within substitutions: some 400 bytes that would become 16 million words."""
HANGING: dict[str, tuple[str, str]] = {
    "quotes": (MARKDOWN, ">" * 200_000),
    "elements": (MARKDOWN, "<div>" * 50_000),
    "comments": (MARKDOWN, "<!--" * 50_000),
    "headings": (MARKDOWN, "# h\n" * 60_000),
    "substitutions": (RST, BOMB),
    "nested": (RST, "\n".join("  " * depth + "* x\n" for depth in range(300))),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HANGING)
def test_descriptions_that_hang_a_renderer(site: Site, fresh: str, name: str) -> None:
    """A description that a renderer cannot finish is shown as it is, and the next one is rendered all the same."""
    media_type, text = HANGING[name]
    release(site, fresh, text, media_type)

    first = description(site, fresh)
    description(site, fresh)
    following = rendered(site, f"{fresh}after", "**bold**")

    assert first.startswith('<pre class="readme plain"'), first[:200]
    assert "<strong>bold</strong>" in following


@pytest.mark.slow
def test_a_description_that_hangs_delays_nobody(site: Site, fresh: str) -> None:
    """While a renderer hangs, the server answers other requests, also for pages of other projects."""
    release(site, fresh, BOMB, RST)
    assert "<strong>" in rendered(site, f"{fresh}other", "**bold**")

    async def act(client: Any) -> tuple[list[int], bool]:
        hanging = asyncio.create_task(client.get(f"/root/dev/{fresh}", headers=BROWSERS["chromium"]))
        paths = (f"/root/dev/{fresh}other", f"/root/dev/+simple/{fresh}/", "/root")
        statuses = [(await client.get(paths[0], headers=BROWSERS["chromium"])).status_code]
        was_hanging = not hanging.done()
        statuses += [(await client.get(path, headers=BROWSERS["chromium"])).status_code for path in paths[1:]]
        return [*statuses, (await hanging).status_code], was_hanging

    assert conduct(site, act) == ([200, 200, 200, 200], True)


def test_a_long_description_is_cut(site: Site, fresh: str) -> None:
    """Of a description of more than 256 kB, the first 256 kB are shown as they are."""
    html = rendered(site, fresh, "**ab** " * 50_000)

    assert html.startswith('<pre class="readme plain"')
    assert 255_000 < len(html) < 257_000


@pytest.mark.parametrize("fails", [False, True], ids=["rendered", "failed"])
def test_a_description_is_rendered_once(serve: Serve, fails: bool) -> None:
    """The outcome is in the database, also that of a failure: a new server does not start a child for it."""
    text, media_type = ("Title\n==\n\n.. nothing:: x", RST) if fails else ("**bold**", MARKDOWN)
    site = serve()
    site.request("PUT", "/root/dev", {"acl_upload": ["root"]}, auth=ROOT)
    first = rendered(site, "demo", text, media_type)
    assert children() != set()
    serve.stop()

    before = children()
    again = description(serve(), "demo")

    assert again == first
    assert ("<strong>" in first) is not fails
    assert children() <= before


def children() -> set[str]:
    """Return the process IDs of this process's children that render."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(os.getpid()) and "child_program.py" in (folder / "cmdline").read_text():
                found.add(folder.name)
    return found


def test_the_child_ends_without_work() -> None:
    """A child without work ends, and the next description starts another."""
    child = ReadmeChild(idle_seconds=0.2)
    assert child.render(MARKDOWN, "GFM", "**a**") == "<p><strong>a</strong></p>\n"
    assert wait_until(lambda: child.pid is None)
    assert child.render(MARKDOWN, "GFM", "**b**") == "<p><strong>b</strong></p>\n"
    child.close()


def test_a_child_that_does_not_start_is_not_started_again_at_once(tmp_path: Path) -> None:
    """If the renderer cannot start, the next requests do without, even if it could start by now."""
    program = tmp_path / "program.py"
    child = ReadmeChild(program=program)

    for _ in range(2):
        with pytest.raises(Busy):
            child.render(MARKDOWN, "GFM", "x")
        program.write_text("print(flush=True)")
    assert child.pid is None


def test_the_child_dies_with_the_server() -> None:
    """A child whose server was killed ends by itself."""
    script = (
        "import os, time\n"
        "from wheelgate_web.readmes.child_process import Busy, ReadmeChild\n"
        "child = ReadmeChild()\n"
        "child.render('text/markdown', 'GFM', 'x')\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()

    assert wait_until(lambda: not Path(f"/proc/{pid}").exists())


def wait_until(happened: Callable[[], bool]) -> bool:
    """Wait at most ten seconds for something, and return whether it happened."""
    for _ in range(200):
        if happened():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_a_worker_imports_no_renderer(tmp_path: Path) -> None:
    """The process that answers requests never loads docutils or a parser of Markdown."""
    script = f"""
import sys
from pathlib import Path
from wheelgate.testing.site import Site
from tests.helpers.distributions import wheel
from tests.helpers.upload_forms import upload
from tests.helpers.web_clients import BROWSERS
with Site(Path({str(tmp_path / "server")!r})) as site:
    site.request("PUT", "/root/dev", {{"acl_upload": ["root"]}}, auth=("root", ""))
    upload(site, "root/dev", wheel("demo", "1.0"), ("root", ""), description="*soft*")
    answer = site.request("GET", "/root/dev/demo", headers=BROWSERS["chromium"])
    assert b"<em>soft</em>" in answer.content
print(sorted({{"docutils", "comrak", "readme_renderer", "nh3"}} & set(sys.modules)))
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert found.stdout.strip() == "[]", found.stderr
