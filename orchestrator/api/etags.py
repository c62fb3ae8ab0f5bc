"""ETags: whoever has what is there now is told so, and nothing else."""

import hashlib

from fastapi import Request, Response

from orchestrator.exceptions import OrchestratorError

KEPT_BY_ASKER = "private, no-cache"


class NotModifiedError(OrchestratorError):
    """Whoever asks has it already. ``etag`` is that of what they have."""

    def __init__(self, etag: str) -> None:
        self.etag = etag
        super().__init__("it is as it was")


def heed(request: Request, response: Response, *parts: object) -> None:
    """Name the answer by what it follows from; NotModifiedError where the request names it so."""
    told = [*parts, request.url.path, request.url.query, request.headers.get("authorization"), request.cookies]
    etag = f'W/"{hashlib.sha256(repr(told).encode()).hexdigest()[:24]}"'
    if etag in [each.strip() for each in request.headers.get("if-none-match", "").split(",")]:
        raise NotModifiedError(etag)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = KEPT_BY_ASKER
