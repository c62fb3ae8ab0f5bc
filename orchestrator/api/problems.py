"""Problems: every error as RFC 9457 problem details, one sentence each, and never what went on inside."""

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from orchestrator.api.etags import KEPT_BY_ASKER, NotModifiedError
from orchestrator.api.safety import HEADERS, KEPT_NOWHERE
from orchestrator.api.turnstile import WAIT_SECONDS, CrowdedError
from orchestrator.api.visitor import SignInNeededError
from orchestrator.exceptions import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    OrchestratorError,
    StorageUnavailableError,
    UsageError,
)

_STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (SignInNeededError, HTTPStatus.UNAUTHORIZED),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (CrowdedError, HTTPStatus.TOO_MANY_REQUESTS),
    (ConflictError, HTTPStatus.CONFLICT),
    (UsageError, HTTPStatus.BAD_REQUEST),
    (StorageUnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
)
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence: what is wrong, and what to do."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"loc": {"type": "array", "items": {"type": "string"}}, "msg": {"type": "string"}},
            },
        },
    },
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status.value: {"description": status.phrase, "content": {"application/problem+json": {"schema": _SCHEMA}}}
    for status in (
        *(status for kind, status in _STATUS if kind is not CrowdedError),  # which is for signing in only
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    )
}
"""What each route may answer besides, for the OpenAPI document."""

_UNKNOWN = "this went wrong in the server; its log says more"
_LOG = logging.getLogger(__name__)


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``type`` names the error, where it is one of ours; ``errors`` are the fields of a request that are wrong:
    where (``loc``) and why (``msg``)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[dict[str, Any], ...] = ()


def add_problems(app: FastAPI) -> None:
    """Answer every error of the app's routes with a problem."""
    app.add_exception_handler(OrchestratorError, answer)
    app.add_exception_handler(HTTPException, answer)
    app.add_exception_handler(RequestValidationError, answer)
    app.add_exception_handler(Exception, answer)
    app.add_exception_handler(NotModifiedError, _not_modified)


async def _not_modified(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotModifiedError)
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": error.etag, "Cache-Control": KEPT_BY_ASKER})


def problem_of(error: Exception) -> Problem:
    """What is told of an error to whoever asked."""
    if isinstance(error, RequestValidationError):
        return _of_fields(error)
    if isinstance(error, HTTPException):
        return _problem(HTTPStatus(error.status_code), str(error.detail))
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return msgspec.structs.replace(_problem(status, str(error)), type=type(error).__name__)
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, _UNKNOWN)


def _problem(status: HTTPStatus, detail: str) -> Problem:
    return Problem(title=status.phrase, status=status, detail=detail)


def _of_fields(error: RequestValidationError) -> Problem:
    """What was sent is not repeated: it may be long, and secret."""
    found = tuple({"loc": [str(part) for part in one["loc"]], "msg": str(one["msg"])} for one in error.errors())
    said = "; ".join(f"{'.'.join(one['loc'])}: {one['msg']}" for one in found)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return Problem(title=status.phrase, status=status, detail=said, errors=found)


async def answer(request: Request, error: Exception) -> Response:
    """The error's problem; what is the server's own fault goes to its log."""
    problem = problem_of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    headers = dict(KEPT_NOWHERE | HEADERS)  # one that nobody foresaw is answered outside of the middleware
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.status == HTTPStatus.TOO_MANY_REQUESTS:
        headers["Retry-After"] = str(WAIT_SECONDS)
    if isinstance(error, HTTPException):
        headers |= error.headers or {}
    return Response(msgspec.json.encode(problem), problem.status, headers, "application/problem+json")
