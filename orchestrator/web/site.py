"""The site: the REST API, and the pages beside it."""

from fastapi import APIRouter, FastAPI

from orchestrator.api.app import make_app
from orchestrator.assembly.home import Home
from orchestrator.web.door import Door
from orchestrator.web.errors import add_error_pages
from orchestrator.web.rendering import make_environment
from orchestrator.web.routes import dag, dags, live, run, sign_in
from orchestrator.web.routes import home as home_page
from orchestrator.web.statics import Statics

PAGES: tuple[APIRouter, ...] = (sign_in.router, live.router, home_page.router, dags.router, dag.router, run.router)
"""The routers of all pages: a new page's router is listed here."""


def make_site(home: Home, door: Door) -> FastAPI:
    """Everything that a server of this home answers."""
    statics = Statics()
    app = make_app(home, door, pages=(statics.router(), *PAGES))
    app.state.templates = make_environment(statics)
    add_error_pages(app)
    return app
