"""Tasks that ask a person, under a simulated clock and with crashes in between."""

from datetime import timedelta
from itertools import count

import msgspec
import pytest

from orchestrator.core import values
from orchestrator.core.events import ActivityFailed, ActivityResumed, ActivityScheduled, Recorded, RunEnded
from orchestrator.core.forms import Form
from orchestrator.core.orders import Order
from orchestrator.core.particulars import NULL
from orchestrator.core.plan import Plan
from orchestrator.core.requests import AnswerTask, CancelRun, ClearTasks, MarkTask, PauseRun, ResetRun, ResumeRun
from orchestrator.core.runs import replay
from orchestrator.names import RunState, TaskState
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.simulation import Simulation
from tests.engine.dags import dag, task

FORM = Form(subject="Ship it?", options=("yes", "no"))
ASKS = msgspec.json.encode({"input": FORM, "method": "go_on", "kwargs": {}, "until": None})
RUN = {"dag_id": "order", "run_id": "manual__1"}


class Asking:
    """The script of a task that asks, and what its orders said."""

    def __init__(self, *, again: float | None = None, last: str = "success") -> None:
        self.again = again
        self.last = last
        self.orders: list[Order] = []

    def __call__(self, order: Order) -> Script:
        self.orders.append(order)
        if order.key.task_id != "ask":
            return Script()
        if order.resume is None:
            return Script(outcome="defer", result=ASKS, again=self.again)
        return Script(outcome=self.last)

    @property
    def events(self) -> list:
        return [values.decode(order.resume.event) for order in self.orders if order.resume is not None]


def started(asks: Asking, **options) -> Simulation:
    sim = Simulation(script=asks, **options)
    sim.store.add_dag(dag(task("ask"), task("ship", "ask"), dag_id="order"))
    sim.trigger("order")
    return sim


def answer(sim: Simulation, *options: str, by: str = "ada", **more) -> int:
    return sim.store.ask(AnswerTask(**RUN, task_id="ask", options=options or ("yes",), by=by, **more))


def history(sim: Simulation) -> list[Recorded]:
    ((_, found),) = sim.histories()
    return list(found)


def facts(sim: Simulation, kind: type) -> list:
    return [fact.event for fact in history(sim) if isinstance(fact.event, kind)]


def state(sim: Simulation, task_id: str = "ask") -> TaskState:
    return replay(1, history(sim), lambda v: Plan(sim.store.spec(v), v)).nodes[task_id].one.state


def end(sim: Simulation) -> RunState:
    return facts(sim, RunEnded)[-1].state


def refusals(sim: Simulation) -> list[str]:
    return list(sim.store.refusals.values())


def test_the_same_attempt_goes_on_with_the_answer_and_with_who_gave_it():
    asks = Asking()
    sim = started(asks)
    sim.run(until=EPOCH + timedelta(days=30))
    assert state(sim) is TaskState.AWAITING_INPUT
    answer(sim, "no")
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert [event.attempt for event in facts(sim, ActivityScheduled) if event.task_id == "ask"] == [1, 1]
    (event,) = asks.events
    assert (event["chosen_options"], event["params_input"]) == (["no"], {})
    assert event["responded_by_user"] == {"id": "ada", "name": "ada"}
    assert event["responded_at"] == EPOCH + timedelta(days=30)


@pytest.mark.parametrize("outlives", [False, True])
def test_neither_a_question_nor_an_answer_is_lost_whatever_crashes_when(outlives):
    for step in count(1):
        asks = Asking()
        sim = started(asks, crash_when=lambda now, at=step: now == at, outlives=outlives)
        sim.run()
        assert state(sim) is TaskState.AWAITING_INPUT
        answer(sim)
        sim.run()
        assert end(sim) is RunState.SUCCESS
        assert len(facts(sim, ActivityResumed)) == 1
        assert facts(sim, ActivityFailed) == []
        if not sim.restarts:
            break
    assert step > 8


@pytest.mark.parametrize("together", [False, True])
def test_the_first_answer_counts_and_the_second_is_told_who_was_first(together):
    sim = started(Asking())
    sim.run()
    answer(sim, "yes", by="ada")
    if not together:
        sim.run()
    answer(sim, "no", by="bob")
    sim.run()
    (resumed,) = facts(sim, ActivityResumed)
    assert values.decode(resumed.payload)["chosen_options"] == ["yes"]
    (refusal,) = refusals(sim)
    assert "ada was first and said yes" in refusal or "has ended" in refusal


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"options": ("maybe",)}, "'maybe' is none of the options"),
        ({"options": ()}, "no option is chosen"),
        ({"params": msgspec.Raw(b'{"n":1}')}, "has no field 'n'"),
        ({"task_id": "nope"}, "no task 'nope'"),
        ({"task_id": "ship"}, "asks nobody anything"),
        ({"map_index": 3}, "no map index 3"),
        ({"asked": 2}, "asks something else by now"),
    ],
)
def test_what_is_no_answer_is_refused_with_a_sentence_and_changes_nothing(fields, said):
    sim = started(Asking())
    sim.run()
    sim.store.ask(AnswerTask(**RUN | {"task_id": "ask", "options": ("yes",)} | fields))
    sim.run()
    assert said in refusals(sim)[0]
    assert state(sim) is TaskState.AWAITING_INPUT


def test_when_the_time_runs_out_the_body_goes_on_without_an_answer_and_one_that_comes_then_is_told_so():
    asks = Asking(again=60)
    sim = started(asks)
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert [event.payload for event in facts(sim, ActivityResumed)] == [NULL]
    assert sim.clock.now() < EPOCH + timedelta(minutes=2)
    answer(sim)
    sim.run()
    assert "its time had run out" in refusals(sim)[0]


def test_an_answer_in_a_paused_run_is_taken_and_counts_when_the_run_goes_on():
    sim = started(Asking())
    sim.run()
    sim.store.ask(PauseRun(**RUN))
    answer(sim)
    sim.run()
    assert state(sim) is TaskState.UP_FOR_RESCHEDULE
    sim.store.ask(ResumeRun(**RUN))
    sim.run()
    assert end(sim) is RunState.SUCCESS


def test_a_question_whose_time_runs_out_in_a_paused_run_goes_on_when_the_run_does():
    sim = started(Asking(again=60))
    sim.run(until=EPOCH + timedelta(seconds=30))
    sim.store.ask(PauseRun(**RUN))
    sim.run(until=EPOCH + timedelta(hours=1))
    assert state(sim) is TaskState.AWAITING_INPUT
    sim.store.ask(ResumeRun(**RUN))
    sim.run()
    assert end(sim) is RunState.SUCCESS


def test_a_run_that_is_cancelled_asks_no_longer():
    sim = started(Asking(again=3600))
    sim.run(until=EPOCH + timedelta(minutes=1))
    sim.store.ask(CancelRun(**RUN))
    sim.run()
    assert (end(sim), state(sim), state(sim, "ship")) == (RunState.FAILED, TaskState.FAILED, TaskState.SKIPPED)
    answer(sim)
    sim.run()
    assert "asks nobody anything" in refusals(sim)[0]


def test_a_task_that_is_cleared_while_it_asks_asks_again_and_takes_no_answer_to_the_question_before():
    asks = Asking()
    sim = started(asks)
    sim.run()
    before = history(sim)[-1].seq
    sim.store.ask(ClearTasks(**RUN, tasks=(("ask", None),)))
    sim.run()
    assert state(sim) is TaskState.AWAITING_INPUT
    answer(sim, asked=before)
    sim.run()
    assert "something else by now" in refusals(sim)[0]
    answer(sim)
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert [order.key.attempt for order in asks.orders if order.key.task_id == "ask"] == [1, 2, 2]


def test_a_task_that_is_marked_while_it_asks_is_what_it_was_marked_as():
    sim = started(Asking(again=60))
    sim.run(until=EPOCH + timedelta(seconds=5))
    sim.store.ask(MarkTask(**RUN, task_id="ask", state=TaskState.SUCCESS))
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert facts(sim, ActivityResumed) == []


def test_a_reset_to_the_question_asks_it_again():
    sim = started(Asking())
    sim.run()
    asked = history(sim)[-1].seq
    answer(sim)
    sim.run()
    sim.store.ask(ResetRun(**RUN, seq=asked))
    sim.run()
    assert state(sim) is TaskState.AWAITING_INPUT
    answer(sim)
    sim.run()
    assert end(sim) is RunState.SUCCESS


def test_a_question_that_is_still_open_goes_on_over_a_reset():
    sim = started(Asking())
    sim.run()
    asked = history(sim)[-1].seq
    sim.store.ask(ResetRun(**RUN, seq=asked))
    sim.run()
    answer(sim, asked=asked)
    sim.run()
    assert end(sim) is RunState.SUCCESS
    assert len(facts(sim, ActivityResumed)) == 1
