"""RequestBook: where everyone but the scheduler leaves what it shall do."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Engine, bindparam, delete, insert, select

from orchestrator.core.requests import AnswerTask, AnyRequest, ForkRun, SendSignal, SendUpdate, TriggerRun
from orchestrator.core.rights import LOCAL, Principal, Right
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.ports import Answer, Clock
from orchestrator.storage.audit import Line, append
from orchestrator.storage.database import AnyRow, advance, writing
from orchestrator.storage.guard import Guarded, visible
from orchestrator.storage.projected import plain
from orchestrator.storage.tables import audit, requests, runs

_MAKE_RUNS = ("trigger_run", "fork_run")
_MANY = 500
_WHICH = requests.c.id.in_(bindparam("ids", expanding=True))
_ASKED = select(requests).where(_WHICH).order_by(requests.c.id)
_FORGET = delete(requests).where(_WHICH)
_decoder: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)


def decode_request(body: str) -> AnyRequest:
    """The request that a row of ``requests`` holds."""
    return _decoder.decode(body)


class RequestBook(Guarded):
    """Takes requests in; the scheduler's commits take them out."""

    def __init__(self, engine: Engine, clock: Clock, who: Principal = LOCAL) -> None:
        super().__init__(engine, who)
        self._clock = clock

    @visible
    def submit(self, request: AnyRequest, client_key: str) -> int:
        """Leave a request; its id. The same ``client_key`` again leaves nothing new and gives the same id, also after
        the request was dealt with. ConflictError if a run that is to be made is there or asked for already."""
        action = str(request.__struct_config__.tag)
        self._require(_right_to(request), request.dag_id, f"DAG {request.dag_id!r}", action)
        request = msgspec.structs.replace(request, by=self._in_the_name_of(request.by))
        body = _encode(request)
        with writing(self._engine) as connection:
            known = _submitted(connection, client_key)
            if known is not None:
                return known
            number = advance(connection, "request")  # from here on, others' submissions wait for this one
            known = _submitted(connection, client_key)
            if known is not None:
                return known
            if isinstance(request, TriggerRun | ForkRun):
                _require_free(connection, request)
            row = {
                "id": number,
                "client_key": client_key,
                "dag_id": request.dag_id,
                "run_id": request.run_id,
                "kind": request.__struct_config__.tag,
                "by": request.by,
                "body": body,
                "created_at": self._clock.now(),
            }
            connection.execute(insert(requests), row)
            return number


def take_down(connection: Connection, at: datetime, answers: Sequence[Answer]) -> None:
    """Move answered requests to the audit; what is no longer there has been answered before."""
    refusals = {answer.request_id: answer.refusal for answer in answers}
    ids = list(refusals)
    for some in (ids[start : start + _MANY] for start in range(0, len(ids), _MANY)):
        found = connection.execute(_ASKED, {"ids": some}).all()
        if found:
            append(connection, [_line(row, at, refusals[row.id]) for row in found])
            connection.execute(_FORGET, {"ids": some})


def _line(row: AnyRow, at: datetime, refusal: str | None) -> Line:
    return Line(
        at=at,
        by=row.by,
        action=row.kind,
        dag_id=row.dag_id,
        run_id=row.run_id,
        body=row.body,
        request_id=row.id,
        client_key=row.client_key,
        refusal=None if refusal is None else plain(refusal),
    )


def _right_to(request: AnyRequest) -> Right:
    """To start a run, or to tell it something that it asked for, takes less than to change what goes on."""
    return Right.TRIGGER if isinstance(request, TriggerRun | SendSignal | SendUpdate | AnswerTask) else Right.EDIT


def _encode(request: AnyRequest) -> str:
    if "\x00" in f"{request.dag_id}{request.run_id}{request.by}":
        raise UsageError("a DAG id, a run id and a user's name are without the character NUL; leave it out")
    try:
        return msgspec.json.encode(request).decode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{error.object!r} is no valid text; write it in UTF-8") from error


def _submitted(connection: Connection, client_key: str) -> int | None:
    found = connection.execute(select(requests.c.id).where(requests.c.client_key == client_key)).scalar()
    if found is not None:
        return int(found)
    answered = connection.execute(select(audit.c.request_id).where(audit.c.client_key == client_key)).scalar()
    return None if answered is None else int(answered)


def _require_free(connection: Connection, request: TriggerRun | ForkRun) -> None:
    if is_taken(connection, request.dag_id, request.run_id):
        raise ConflictError(f"the DAG {request.dag_id!r} has a run {request.run_id!r} already; choose another --run-id")


def is_taken(connection: Connection, dag_id: str, run_id: str) -> bool:
    """Whether there is a run of that name, or one is asked for."""
    for table in (runs, requests):
        query = select(table.c.run_id).where(table.c.dag_id == dag_id, table.c.run_id == run_id)
        if table is requests:
            query = query.where(table.c.kind.in_(_MAKE_RUNS))
        if connection.execute(query).first() is not None:
            return True
    return False
