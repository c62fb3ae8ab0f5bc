"""Errors: as pages for people who look at pages; everybody else gets the API's problems."""

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from orchestrator.api.problems import answer, problem_of
from orchestrator.api.visitor import SignInNeededError
from orchestrator.exceptions import OrchestratorError
from orchestrator.web.page import is_fragment
from orchestrator.web.rendering import render

_WORDS = {
    401: "Sign in first",
    403: "This is not yours to do",
    404: "There is nothing here",
    429: "One moment",
    500: "Something went wrong",
    503: "The database does not answer",
}


def add_error_pages(app: FastAPI) -> None:
    """After ``add_problems``, whose place these take."""
    for kind in (OrchestratorError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    problem = await answer(request, error)
    if not _wants_page(request):
        return problem
    if isinstance(error, SignInNeededError):
        return RedirectResponse(_sign_in(request), 303)
    return _page(request, error, problem)


def _wants_page(request: Request) -> bool:
    """Whether a browser goes to it. What scripts of ours ask for is told as a problem, which they show."""
    accepts = "text/html" in request.headers.get("accept", "")
    return accepts and not is_fragment(request) and not request.url.path.startswith("/api/")


def _sign_in(request: Request) -> str:
    if request.method != "GET":
        return "/sign-in"
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/sign-in?next={quote(path)}" if path != "/" else "/sign-in"


def _page(request: Request, error: Exception, problem: Response) -> HTMLResponse:
    """It keeps the problem's status and headers. Who is not known sees no links."""
    found, environment = problem_of(error), _environment(request)
    page = getattr(request.state, "page", None)
    values = {
        "problem": found,
        "words": _WORDS.get(found.status, found.title),
        "page": page,
        "layout": "bare.html" if page is None else "site.html",
    }
    headers = {name: value for name, value in problem.headers.items() if not name.startswith("content-length")}
    headers["content-type"] = "text/html; charset=utf-8"
    return HTMLResponse(render(environment, "error.html", values), problem.status_code, headers)


def _environment(request: Request) -> Environment:
    environment: Environment = request.app.state.templates
    return environment
