"""The site: the REST API, and the pages beside it."""

from fastapi import APIRouter, FastAPI

from orchestrator.api.app import make_app
from orchestrator.assembly.home import Home
from orchestrator.web.door import Door
from orchestrator.web.errors import add_error_pages
from orchestrator.web.rendering import make_environment
from orchestrator.web.routes import (
    activity,
    auditing,
    changing,
    dag,
    dag_task,
    dag_times,
    dags,
    forking,
    gantt,
    graph,
    live,
    log,
    log_follow,
    log_raw,
    provider,
    required,
    run,
    sign_in,
    talking,
)
from orchestrator.web.routes import home as home_page
from orchestrator.web.routes.admin import ADMIN
from orchestrator.web.statics import Statics

PAGES: tuple[APIRouter, ...] = (
    sign_in.router,
    provider.router,
    live.router,
    home_page.router,
    dags.router,
    dag.router,
    dag_task.router,
    graph.router,
    dag_times.router,
    run.router,
    auditing.router,
    forking.router,
    talking.router,
    gantt.router,
    log.router,
    log_follow.router,
    log_raw.router,
    activity.router,
    changing.router,
    required.router,
    *ADMIN,
)
"""The routers of all pages: a new page's router is listed here."""


def make_site(home: Home, door: Door) -> FastAPI:
    """Everything that a server of this home answers."""
    statics = Statics()
    app = make_app(home, door, pages=(statics.router(), *PAGES))
    app.state.templates = make_environment(statics)
    add_error_pages(app)
    return app
