"""The log of an activity, and the lines of any log for the script that shows them."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Response

from orchestrator.assembly.line_window import MOST_LINES
from orchestrator.assembly.log_search import MOST_HITS, MOST_LETTERS, Level, Sought
from orchestrator.assembly.run_logs import RunLogs
from orchestrator.exceptions import UsageError
from orchestrator.web.page import Opened, Page
from orchestrator.web.place import PATH, At
from orchestrator.web.views.activity_head import activity_head
from orchestrator.web.views.log import MOST_PARTS, log_page

router = APIRouter()

Attempt = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
Number = Annotated[int, Query(ge=0, le=2**53)]
Size = Annotated[int | None, Query(ge=0, le=2**53)]
Count = Annotated[int, Query(ge=0, le=MOST_LINES)]
Letters = Annotated[str, Query(max_length=MOST_LETTERS)]
_NUMBERS = r"^[0-9]+(\.[0-9]+)*$"
_DIGITS = 18
MOST_SINGLES = 200


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Which log is meant, in numbers: the run, the facts that opened its parts, and the instance."""

    run_key: int
    seqs: list[int]
    map_index: int


def _parts(
    run_key: Annotated[int, Path(ge=1, le=2**62)],
    parts: Annotated[str, Query(pattern=_NUMBERS, max_length=20 * MOST_PARTS)],
    index: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1,
) -> Parts:
    return Parts(run_key=run_key, seqs=_split(parts, MOST_PARTS), map_index=index)


def _split(text: str, most: int) -> list[int]:
    numbers = text.split(".")
    if len(numbers) > most or any(len(number) > _DIGITS for number in numbers):
        raise UsageError(f"these are no numbers of parts or lines, {most} at most")
    return [int(number) for number in numbers]


Of = Annotated[Parts, Depends(_parts)]


@router.get(PATH)
def show(page: Opened, at: At, attempt: Attempt = None) -> Response:
    head = activity_head(page.home, at, "")
    return page.show("activity_log.html", head=head, view=log_page(page.home, head, attempt))


@router.get("/logs/{run_key}/lines")
def lines(
    page: Opened,
    log: Of,
    line: Number = 0,
    byte: Size = None,
    count: Count = 200,
    of: Size = None,
    numbers: Annotated[str | None, Query(pattern=_NUMBERS, max_length=20 * MOST_SINGLES)] = None,
) -> Response:
    """``count`` lines, from that number or that byte on; or those of these ``numbers``."""
    if numbers is not None:
        wanted = _split(numbers, MOST_SINGLES)
        return _json(_logs(page).single_lines(log.run_key, log.seqs, log.map_index, wanted))
    found = _logs(page).lines(log.run_key, log.seqs, log.map_index, line=line, byte=byte, count=count, of=of)
    return _json(found)


@router.get("/logs/{run_key}/search")
def search(
    page: Opened,
    log: Of,
    q: Letters = "",
    regex: bool = False,
    case: bool = False,
    level: Annotated[list[Level], Query(max_length=5)] = [],  # noqa: B006 - FastAPI copies it
    at: Number = 0,
    line: Number = 0,
    most: Annotated[int, Query(ge=0, le=MOST_HITS)] = MOST_HITS,
) -> Response:
    """What is found in the next stretch of the log."""
    sought = Sought(q=q, regex=regex, case=case, levels=level)
    found = _logs(page).search(log.run_key, log.seqs, log.map_index, sought=sought, at=at, line=line, most=most)
    return _json(found)


def _logs(page: Page) -> RunLogs:
    return page.home.part(RunLogs)


def _json(found: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(found), media_type="application/json")
