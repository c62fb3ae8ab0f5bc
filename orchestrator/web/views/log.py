"""The log of an activity: of which try, and what a script needs to read it."""

import msgspec

from orchestrator.assembly.attempt_logs import logs_of_try, no_such_try
from orchestrator.assembly.home import Home
from orchestrator.assembly.run_logs import RunLogs
from orchestrator.exceptions import NotFoundError
from orchestrator.names import FINISHED, UNMAPPED
from orchestrator.storage.views import ActivityRow, RunRow
from orchestrator.web.views.activity_head import ActivityHead
from orchestrator.web.wording import query

MOST_PARTS = 2000
"""How many logs a try has at most that are shown as one: those of its last resumptions."""
_TRIES = 10


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log of a try lies: the facts that opened its parts, and how many parts before them are left out.

    ``is_over`` says that nothing is added any more.
    """

    run_key: int
    map_index: int
    attempt: int
    seqs: list[int]
    left_out: int
    size: int
    is_over: bool

    def told(self) -> bytes:
        """A Growth, as JSON; ``parts`` are as an address has them."""
        parts = ".".join(map(str, self.seqs))
        return msgspec.json.encode(Growth(parts=parts, size=self.size, left_out=self.left_out, is_over=self.is_over))


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """What a script is told of a spot: ``parts`` and ``size`` as they are now; nothing comes any more where it
    ``is_over``.
    """

    parts: str
    size: int
    left_out: int
    is_over: bool


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A way to another log: of another try, or of another instance."""

    path: str
    title: str
    is_here: bool = False


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """``attempt`` is 0 where it has not run; ``back`` and ``next`` are the instances beside it, of a mapped task.

    Where its log lies the script asks by itself: in a very long history that takes longer than a page may.
    """

    attempt: int
    tries: list[Step]
    back: Step | None
    next: Step | None


def log_page(home: Home, head: ActivityHead, attempt: int | None) -> LogPage:
    """The log of the last try, unless another is asked for; NotFoundError where there is no such try."""
    row = head.row
    if attempt is not None and attempt > row.attempt > 0:
        raise no_such_try(row, attempt)
    return LogPage(
        attempt=(attempt or row.attempt) if row.attempt else 0,
        tries=[_try(head, number, attempt or row.attempt) for number in _tries(row.attempt, attempt)],
        back=_instance(home, head, row.map_index - 1) if row.map_index > 0 else None,
        next=_instance(home, head, row.map_index + 1) if row.map_index != UNMAPPED else None,
    )


def spot_of(home: Home, run: RunRow, row: ActivityRow, attempt: int | None) -> Spot:
    """Parts in which nothing was said are left out, but the last one, in which something may be said yet."""
    seqs = [place.seq for place in logs_of_try(home, run, row, attempt)]
    shown = seqs[-MOST_PARTS:]
    sizes = home.part(RunLogs).sizes(run.run_key, shown, row.map_index)
    return Spot(
        run_key=run.run_key,
        map_index=row.map_index,
        attempt=attempt or row.attempt,
        seqs=[seq for seq, size in zip(shown, sizes, strict=True) if size or seq == seqs[-1]],
        left_out=len(seqs) - len(shown),
        size=sum(sizes),
        is_over=row.state in FINISHED or attempt not in (None, row.attempt),
    )


def _tries(last: int, here: int | None) -> list[int]:
    """The last ones, the first, and the one that is shown."""
    return sorted({*range(max(1, last - _TRIES + 1), last + 1), 1, here or last}) if last else []


def _try(head: ActivityHead, number: int, here: int) -> Step:
    index = "" if head.row.map_index == UNMAPPED else str(head.row.map_index)
    path = head.path + query({"map_index": index, "attempt": number})
    return Step(path=path, title=f"Try {number}", is_here=number == here)


def _instance(home: Home, head: ActivityHead, map_index: int) -> Step | None:
    try:
        row = home.reads.activity(head.run, head.row.task_id, map_index)
    except NotFoundError:
        return None
    return Step(path=head.path + query({"map_index": str(map_index)}), title=row.rendered_map_index or str(map_index))
