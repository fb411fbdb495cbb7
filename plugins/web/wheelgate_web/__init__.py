"""Pages for people with a browser, at the addresses where all other clients get JSON."""

from pathlib import Path

from wheelgate import Command, Server, hookimpl
from wheelgate.providers import CredentialExtractor, Job, Page, Route
from wheelgate_web.accounts import Accounts
from wheelgate_web.administration import Administration
from wheelgate_web.api_tokens import ApiTokens
from wheelgate_web.assets import Assets
from wheelgate_web.error_pages import ErrorPage
from wheelgate_web.index_forms import IndexForms
from wheelgate_web.indices import IndexPage
from wheelgate_web.overview import Overview
from wheelgate_web.projects.project_page import ProjectPages
from wheelgate_web.projects.why_page import WhyPage
from wheelgate_web.release_forms import ReleaseForms
from wheelgate_web.rendering import Renderer
from wheelgate_web.search.indexing import Indexer
from wheelgate_web.search.pages import SearchPages
from wheelgate_web.search.reindexing import REINDEX
from wheelgate_web.session_cookie import SessionCookie
from wheelgate_web.signing_in import SigningIn
from wheelgate_web.users import UserPage


@hookimpl
def wheelgate_credential_extractors(server: Server) -> list[CredentialExtractor]:
    """Read the cookie of browsers that are signed in."""
    return [SessionCookie()]


@hookimpl
def wheelgate_pages(server: Server) -> list[Page]:
    """Return the pages at the addresses of the API."""
    renderer = Renderer(Assets())
    projects = ProjectPages(server, renderer, SearchPages(renderer, server))
    return [
        Page("/", Overview(renderer).show, kept=True),
        Page("/{user}", UserPage(renderer).show, kept=True),
        Page("/{user}/{index}", IndexPage(renderer).show, kept=True),
        Page("/{user}/{index}/{project}", projects.show),
        Page("/{user}/{index}/{project}/{version}", projects.show),
        Page("/{user}/{index}/+why/{project}", WhyPage(renderer).show),
        Page("error", ErrorPage(renderer).show),
    ]


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    """Serve the files that pages name, and the forms."""
    assets = Assets()
    renderer = Renderer(assets)
    return [
        *assets.routes(),
        *SigningIn(renderer).routes(),
        *Accounts(renderer).routes(),
        *IndexForms(renderer).routes(),
        *ReleaseForms(renderer).routes(),
        *ApiTokens(renderer).routes(),
        *Administration(renderer).routes(),
        *SearchPages(renderer, server).routes(),
    ]


@hookimpl
def wheelgate_migrations() -> Path:
    """Return the folder with the migrations."""
    return Path(__file__).parent / "migrations"


@hookimpl
def wheelgate_jobs(server: Server) -> list[Job]:
    """Keep the index of the search up to date."""
    return [Indexer(server).job]


@hookimpl
def wheelgate_commands() -> list[Command]:
    """Add ``devpi-server reindex``."""
    return [REINDEX]
