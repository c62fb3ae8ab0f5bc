"""Live: one look at the database tells everybody who watches.

While somebody watches, a loop reads every ``PERIOD`` how far the home has come: one query, however many watch. What has
changed since is read once, in nobody's name, and given to each watcher who may see it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import msgspec
from starlette.concurrency import run_in_threadpool

from orchestrator.core.rights import Principal, Right
from orchestrator.exceptions import OrchestratorError
from orchestrator.storage.reads import Reads, RunChange, Standing

PERIOD = 0.2
_LOG = logging.getLogger(__name__)
_KEPT = 5_000


class News(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That something has changed, and nothing of what it is now: whoever wants that asks for it.

    ``what`` are of ``run``, ``tasks``, ``new`` (a run) and ``catalog`` (the DAG itself). ``position`` and ``revision``
    say how far everything had come.
    """

    position: int
    revision: int
    dag_id: str
    what: tuple[str, ...]
    run_id: str | None = None
    run_key: int | None = None
    seq: int | None = None

    @property
    def about(self) -> tuple[str, int | None]:
        return self.dag_id, self.run_key

    def after(self, earlier: "News | None") -> "News":
        """This and what was not told yet, as one."""
        if earlier is None:
            return self
        return msgspec.structs.replace(self, what=tuple(sorted({*earlier.what, *self.what})))


class Watcher:
    """Somebody who watches what ``who`` may see, of one DAG or run or of all. What it has not taken yet is kept once
    for each run and DAG, so a slow one costs no more than that."""

    def __init__(self, who: Principal, dag_id: str | None, run_id: str | None) -> None:
        self._who = who
        self._dag_id = dag_id
        self._run_id = run_id
        self._waiting: dict[tuple[str, int | None], News] = {}
        self._rung = asyncio.Event()
        self.is_closed = False
        self.has_missed = False

    def tell(self, news: News) -> None:
        if self._is_meant(news):
            self._waiting[news.about] = news.after(self._waiting.pop(news.about, None))
            self._rung.set()

    def miss(self) -> None:
        """There was more than is told: whatever is shown is to be asked for anew."""
        self.has_missed = True
        self._rung.set()

    def close(self) -> None:
        self.is_closed = True
        self._rung.set()

    async def news(self, patience: float) -> list[News]:
        """What there is to tell, as soon as there is something; nothing after ``patience`` seconds, or once closed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), patience)
        if not self.is_closed:
            self._rung.clear()
        found, self._waiting = list(self._waiting.values()), {}
        return found

    def _is_meant(self, news: News) -> bool:
        if self._dag_id is not None and news.dag_id != self._dag_id:
            return False
        if self._run_id is not None and news.run_id not in (None, self._run_id):
            return False
        return self._who.may(Right.VIEW, news.dag_id)


class Live:
    """Everybody who watches. All but the queries happens in the event loop's thread."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._watchers: set[Watcher] = set()
        self._loop: asyncio.Task[None] | None = None
        self._seen: Standing | None = None
        self._is_closed = False

    @contextlib.asynccontextmanager
    async def watching(
        self, who: Principal, dag_id: str | None = None, run_id: str | None = None
    ) -> AsyncIterator[tuple[Watcher, Standing]]:
        """A watcher, and how far everything had come when it began to watch."""
        watcher = Watcher(who, dag_id, run_id)
        self._watchers.add(watcher)
        if self._is_closed:
            watcher.close()
        try:
            yield watcher, await self._start()
        finally:
            self._watchers.discard(watcher)

    def close(self) -> None:
        """End every stream; those that come later end at once."""
        self._is_closed = True
        for watcher in self._watchers:
            watcher.close()

    async def _start(self) -> Standing:
        if self._loop is None or self._loop.done():
            self._seen = None
            self._loop = asyncio.create_task(self._run())
        if self._seen is not None:
            return self._seen
        found = await run_in_threadpool(self._reads.standing)
        self._seen = found
        return found

    async def _run(self) -> None:
        """Until nobody has watched for a turn."""
        while not self._is_closed:
            await asyncio.sleep(PERIOD)
            if not self._watchers:
                return
            try:
                await self._look()
            except OrchestratorError as error:
                _LOG.warning("live pages get no news just now: %s", error)
                await asyncio.sleep(PERIOD * 10)

    async def _look(self) -> None:
        seen = self._seen
        now = await run_in_threadpool(self._reads.standing)
        if seen is not None and now != seen:
            found = await run_in_threadpool(news_between, self._reads, seen, now)
            for watcher in self._watchers:
                give(watcher, found)
        self._seen = now


def give(watcher: Watcher, found: list[News] | None) -> None:
    """Tell a watcher what ``news_between`` found."""
    if found is None:
        watcher.miss()
    for news in found or ():
        watcher.tell(news)


def news_between(reads: Reads, seen: Standing, now: Standing) -> list[News] | None:
    """What ``reads`` may tell of; None where it is so much that it is better to look at everything anew."""
    changes = reads.changes(seen.position, now.position, limit=_KEPT)
    if changes is None:
        return None
    changed = reads.changed_dags(seen.revision, now.revision) if now.revision != seen.revision else []
    of_dags = [
        News(position=now.position, revision=now.revision, dag_id=dag_id, what=("catalog",)) for dag_id in changed
    ]
    return [*(_of_run(change, now) for change in changes), *of_dags]


def _of_run(change: RunChange, now: Standing) -> News:
    what = {"new": change.is_new, "run": change.of_run, "tasks": change.of_tasks}
    return News(
        position=now.position,
        revision=now.revision,
        dag_id=change.dag_id,
        run_id=change.run_id,
        run_key=change.run_key,
        seq=change.seq,
        what=tuple(sorted(name for name, is_so in what.items() if is_so)),
    )
