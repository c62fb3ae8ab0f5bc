"""Whatever a history says, and wherever it is reset to: what was finished is so again, and no number is used twice."""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import precondition, rule

from orchestrator.core.activity import Activity
from orchestrator.core.events import Recorded, RunReset
from orchestrator.core.run import Run
from orchestrator.core.runs import replay_until, take_in
from orchestrator.names import FINISHED, RunState, TaskState
from tests.core.ledger import at
from tests.core.test_run_machine import Histories, state_of

OUTCOME = ("state", "result_seq", "length", "failures", "losses", "retry_at")
NUMBERS = ("attempt", "generation", "outdated")
ANEW = (TaskState.NONE, TaskState.RESTARTING)
WORKING = (TaskState.QUEUED, TaskState.RUNNING, TaskState.DEFERRED)


def outcome(activity: Activity) -> tuple[object, ...]:
    return tuple(getattr(activity, name) for name in OUTCOME)


def numbers(activity: Activity) -> tuple[int, ...]:
    return tuple(getattr(activity, name) for name in NUMBERS)


def since(now: Activity, then: Activity) -> bool:
    """Whether something was handed out, or cleared, between the two."""
    return numbers(now) != numbers(then) or now.scheduled_seq != then.scheduled_seq


class Resets(Histories):
    """The histories of runs that are reset now and then."""

    def past(self, seq: int) -> Run:
        return replay_until(7, lambda: self.ledger.facts, lambda version: self.ledger.plans[version], seq)

    @precondition(lambda self: len(self.ledger.facts) > 3)
    @rule(back=st.integers(0, 12))
    def reset(self, back: int) -> None:
        seq = max(1, len(self.ledger.facts) - back)
        past, before = self.past(seq), self.past(len(self.ledger.facts))
        fact = Recorded(len(self.ledger.facts) + 1, at(len(self.ledger.facts)), RunReset(seq=seq))
        self.ledger.facts.append(fact)
        take_in(self.run, fact, lambda version: self.ledger.plans[version], lambda: self.ledger.facts)
        self._is_as_it_was(past, before)

    def _is_as_it_was(self, past: Run, before: Run) -> None:
        run = self.run
        assert (run.cancelling, run.first_failure) == (past.cancelling, past.first_failure)
        assert (run.version_id, run.paused) == (before.version_id, before.paused)
        assert not run.is_ended
        assert run.state is (RunState.QUEUED if before.is_ended else before.state)
        for name, node in run.nodes.items():
            then = past.nodes.get(name)
            if then is not None and then.is_mapped == node.is_mapped:
                assert node.shape == then.shape
            for index in node.indexes():
                was = then.peek(index) if then is not None and then.is_mapped == node.is_mapped else None
                self._is_so((name, index), was or Activity(), before.nodes[name].peek(index) or Activity(), past)

    def _is_so(self, place: tuple[str, int], was: Activity, now: Activity, past: Run) -> None:
        found = self.ledger.activity(*place)
        assert all(new >= old for new, old in zip(numbers(found), numbers(now), strict=True)), "numbers only rise"
        assert all(new >= old for new, old in zip(numbers(found), numbers(was), strict=True))
        if was.state in FINISHED:
            assert outcome(found) == outcome(was), "what was finished is so again"
        elif place in past.open or was.state is TaskState.DEFERRED:
            goes_on = not since(now, was) and now.state in WORKING
            assert outcome(found) == outcome(now) if goes_on else found.state in ANEW
            assert goes_on or found.outdated >= was.attempt, "what is done anew has a new key"
        elif since(now, was):
            assert found.state in ANEW
            assert found.outdated == found.attempt, "its attempts belong to the past"
        else:
            assert outcome(found) == outcome(was)


TestResets = Resets.TestCase
TestResets.settings = settings(max_examples=60, stateful_step_count=40)


def test_a_reset_to_the_last_fact_changes_nothing_of_what_is_open_or_done() -> None:
    machine = Resets()
    for name in ("order", "pay"):
        machine.start(name, 0)
        machine.report(name, 0, 0, 1)
    machine.start("sew", 0)
    before = state_of(machine.run)
    machine.reset(0)
    assert state_of(machine.run)["activities"] == before["activities"]
    assert state_of(machine.run)["open"] == before["open"]
