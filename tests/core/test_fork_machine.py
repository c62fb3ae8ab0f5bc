"""Whatever the history says: a fork at any of its facts folds, what had ended by then is as it was, nothing is open."""

from typing import Any

import msgspec
import pytest
from hypothesis import settings

from orchestrator.core.events import ActivityCompleted, OutcomeResolved, Recorded
from orchestrator.core.forking import fork
from orchestrator.core.plan import Plan
from orchestrator.core.requests import Edit, ForkRun
from orchestrator.core.run import Run
from orchestrator.core.runs import replay
from orchestrator.core.taking_over import Past
from orchestrator.exceptions import OrchestratorError
from orchestrator.names import FINISHED, RunState, TaskState
from tests.core.ledger import at, check
from tests.core.test_run_machine import Histories

GIVEN = msgspec.Raw(b'["given"]')


def ask(seq: int, **changes: Any) -> ForkRun:
    fields = {"dag_id": "shop", "run_id": "r2", "source": "r1", "run_uid": "other", "seq": seq, "by": "ada"}
    return ForkRun(**(fields | changes))


def result_of(facts: list[Recorded], seq: int) -> msgspec.Raw | None:
    event = facts[seq - 1].event if seq else None
    return event.result if isinstance(event, ActivityCompleted | OutcomeResolved) else None


class Forks(Histories):
    def plan(self, version: int) -> Plan:
        return self.ledger.plans[version]

    def forked(self, request: ForkRun) -> tuple[list[Recorded], Run]:
        facts = fork(7, self.ledger.facts, request, self.plan, at(1000))
        assert [fact.seq for fact in facts] == list(range(1, len(facts) + 1))
        run = replay(8, facts, self.plan)
        check(run)
        assert (run.open, run.state, run.started_at, run.ended_at) == ({}, RunState.QUEUED, None, None)
        assert run.created.taken == len(facts) - 1
        return facts, run

    def check_fork(self, seq: int, *, same_key: bool) -> None:
        then = replay(7, self.ledger.facts[:seq], self.plan)
        facts, run = self.forked(ask(seq, same_key=same_key))
        for name, node in then.nodes.items():
            for index in node.indexes():
                old = node.peek(index)
                new = run.nodes[name].peek(index)
                state = TaskState.NONE if new is None else new.state
                if old is not None and old.state in FINISHED:
                    assert new is not None
                    assert new.state is old.state
                    assert result_of(facts, new.result_seq) == result_of(self.ledger.facts, old.result_seq)
                else:
                    assert state is TaskState.NONE
                    assert (run.idempotency_key(name, index) == then.idempotency_key(name, index)) is same_key

    def check_edit(self, seq: int, name: str, index: int) -> None:
        edits = (Edit(task_id=name, map_index=index, result=GIVEN),)
        try:
            facts, run = self.forked(ask(seq, edits=edits))
        except OrchestratorError as error:
            if "branch" in str(error) or "map index" in str(error):
                return
            raise
        new = run.nodes[name].activity(index)
        assert (new.state, new.length) == (TaskState.SUCCESS, 1)
        assert result_of(facts, new.result_seq) == GIVEN

    def teardown(self) -> None:
        for seq in range(1, len(self.ledger.facts) + 1):
            self.check_fork(seq, same_key=seq % 2 == 0)
            past = Past(self.ledger.facts, seq, self.plan)
            for name, node in past.run.nodes.items():
                self.check_edit(seq, name, node.indexes()[seq % len(node.indexes())])


TestForks = Forks.TestCase
TestForks.settings = settings(max_examples=40, stateful_step_count=20)


def test_a_result_is_given_in_place_of_one_that_was_marked_while_it_waited_for_an_answer() -> None:
    past = Forks()
    past.start(name="pay", number=0)
    past.report(name="pay", number=0, back=0, kind=7)
    past.mark(name="pay", number=0, state=TaskState.SUCCESS)
    past.check_edit(len(past.ledger.facts), "pay", -1)


@pytest.mark.parametrize("same_key", [True, False])
def test_an_effect_that_was_committed_while_it_was_cleared_is_taken_over(same_key: bool) -> None:
    past = Forks()
    past.start(name="pay", number=0)
    past.clear(name="pay", number=0, whole=True, same_key=True)
    past.report(name="pay", number=0, back=0, kind=1)
    assert past.ledger.state("pay", -1) is TaskState.SUCCESS
    past.check_fork(len(past.ledger.facts), same_key=same_key)
    past.check_edit(len(past.ledger.facts), "pay", -1)
