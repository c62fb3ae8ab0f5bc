"""How a page hears that something has changed."""

from fastapi import APIRouter

from orchestrator.web.page import Opened

router = APIRouter()


@router.get("/live/position")
def position(page: Opened) -> dict[str, str]:
    """A text that changes whenever anything in this home does."""
    return {"position": page.home.reads.pulse()}
