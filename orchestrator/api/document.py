"""The OpenAPI document of the API, without a home to ask."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from orchestrator.api.app import API, ROUTERS
from orchestrator.api.problems import PROBLEMS


def api_document() -> dict[str, Any]:
    """What ``/api/v2/openapi.json`` answers."""
    app = FastAPI(title="orchestrator", version=version("orchestrator"))
    for router in ROUTERS:
        app.include_router(router, prefix=API, responses=PROBLEMS)
    return app.openapi()
