"""The pages of the menu of what is administered."""

from fastapi import APIRouter

from orchestrator.web.routes import audit, connections, health, people, pools, settings, variables

ADMIN: tuple[APIRouter, ...] = (
    pools.router,
    variables.router,
    connections.router,
    people.router,
    audit.router,
    settings.router,
    health.router,
)
