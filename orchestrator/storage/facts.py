"""Facts, told from what is stored of them: by a database at hand or by one far away."""

from abc import abstractmethod
from collections.abc import Collection, Iterator

from orchestrator.core.events import AnyEvent, Recorded
from orchestrator.core.transcript import Fact
from orchestrator.names import UNMAPPED
from orchestrator.storage.codec import CODEC

_PAGE = 1_000


class Facts:
    """Histories of any length, in memory of a page."""

    @abstractmethod
    def stored(
        self,
        run_key: int,
        *,
        after: int = 0,
        until: int | None = None,
        types: tuple[str, ...] = (),
        limit: int | None = None,
    ) -> list[Fact]: ...

    @abstractmethod
    def stored_at(self, run_key: int, seqs: list[int]) -> list[Fact]: ...

    @abstractmethod
    def stored_of_tasks(
        self,
        run_key: int,
        task_ids: Collection[str],
        *,
        types: tuple[str, ...],
        first: int = UNMAPPED,
        last: int = UNMAPPED,
        limit: int = 5000,
    ) -> list[Fact]: ...

    @abstractmethod
    def last_seq_of(self, run_key: int, types: tuple[str, ...], *, until: int) -> int: ...

    def history(self, run_key: int, *, after: int = 0, limit: int | None = None) -> list[Recorded]:
        """Facts with a seq above ``after``, in order."""
        return [told(fact) for fact in self.stored(run_key, after=after, limit=limit)]

    def facts(self, run_key: int, *, after: int = 0, until: int | None = None) -> Iterator[Recorded]:
        """The facts with a seq above ``after``, up to and including ``until``."""
        return map(told, self._pages(run_key, after, until))

    def stored_facts(self, run_key: int, *, until: int) -> Iterator[Fact]:
        """The facts up to ``until`` as they are stored, in whatever version they were written."""
        return self._pages(run_key, 0, until)

    def facts_of(
        self, run_key: int, kinds: Collection[type[AnyEvent]], *, after: int = 0, until: int
    ) -> list[Recorded]:
        """The facts of these kinds with a seq above ``after``, up to and including ``until``, in order."""
        if not kinds:
            return []
        return [told(fact) for fact in self.stored(run_key, after=after, until=until, types=_names(kinds))]

    def facts_of_tasks(
        self,
        run_key: int,
        task_ids: Collection[str],
        kinds: Collection[type[AnyEvent]],
        *,
        first: int = UNMAPPED,
        last: int = UNMAPPED,
    ) -> list[Recorded]:
        """Those of these kinds about these tasks, about those of their activities from ``first`` to ``last``: the last
        thousands of them, in order.
        """
        if not task_ids or not kinds:
            return []
        found = self.stored_of_tasks(run_key, task_ids, types=_names(kinds), first=first, last=last)
        return [told(fact) for fact in found]

    def last_of(self, run_key: int, kinds: Collection[type[AnyEvent]], *, until: int) -> int:
        """The seq of the last fact of these kinds, up to and including ``until``; 0 if there is none."""
        return self.last_seq_of(run_key, _names(kinds), until=until) if kinds else 0

    def facts_at(self, run_key: int, seqs: list[int]) -> dict[int, Recorded]:
        """Single facts, by seq."""
        return {fact.seq: told(fact) for fact in self.stored_at(run_key, seqs)}

    def _pages(self, run_key: int, after: int, until: int | None) -> Iterator[Fact]:
        while until is None or after < until:
            page = self.stored(run_key, after=after, until=until, limit=_PAGE)
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].seq


def _names(kinds: Collection[type[AnyEvent]]) -> tuple[str, ...]:
    return tuple(kind.__name__ for kind in kinds)


def told(fact: Fact) -> Recorded:
    """The fact as its event, whatever version it was written in."""
    return Recorded(fact.seq, fact.at, CODEC.decode(fact.type, fact.version, bytes(fact.body).decode()))
