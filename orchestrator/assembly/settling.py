"""Settling: leaving a request with the scheduler, and waiting a while for what becomes of it."""

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from orchestrator.assembly.home import Home
from orchestrator.core.requests import AnyRequest
from orchestrator.exceptions import ConflictError
from orchestrator.storage.views import Verdict

_SETTLE_SECONDS = 5.0
_LOOK_SECONDS = 0.02


def scheduler_is_there(home: Home) -> bool:
    """Wake the scheduler; whether there is one."""
    row = home.reads.scheduler()
    return home.ring() or (row is not None and row.is_alive(datetime.now(UTC)))


def settle(home: Home, request: AnyRequest, client_key: str | None = None) -> Verdict:
    """Leave a request; ConflictError says why it was refused. It stays ``pending``, and is kept, where no scheduler
    runs or none comes to it in time."""
    return settle_all(home, [request], [client_key or uuid.uuid4().hex])


def settle_all(home: Home, requests: Sequence[AnyRequest], client_keys: Sequence[str]) -> Verdict:
    """The same of several: all are left before one is waited for. ``pending`` where one of them is."""
    ids = [home.requests.submit(*asked) for asked in zip(requests, client_keys, strict=True)]
    deadline = time.monotonic() + (_SETTLE_SECONDS if scheduler_is_there(home) else 0)
    verdicts = {_verdict(home, request_id, deadline) for request_id in ids}
    return Verdict.PENDING if Verdict.PENDING in verdicts else Verdict.CARRIED_OUT


def _verdict(home: Home, request_id: int, deadline: float) -> Verdict:
    while (answer := home.reads.request(request_id)).verdict is Verdict.PENDING and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    if answer.verdict is Verdict.REFUSED:
        raise ConflictError(answer.refusal or "the scheduler refused it without saying why")
    return answer.verdict
