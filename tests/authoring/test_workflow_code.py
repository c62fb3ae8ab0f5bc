"""What the code of a workflow can call, run by the machine that replays it."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.core import activations as asks
from orchestrator.core import events
from orchestrator.names import ParentClose
from tests.authoring.plays import Files, Play
from tests.replay.engine import raw

STEPS = """
@activity
def charge(order, amount=1):
    if amount < 0:
        raise ValueError("no such amount")
    return f"{order}:{amount}"

@activity
async def ship(order):
    return f"shipped {order}"

done = []

@activity
def undo(what):
    done.append(what)
    return done
"""


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def result_of(files: Files, source: str, params: dict[str, Any] | None = None) -> Any:
    return files.play(STEPS + source, params).result


def failure_of(files: Files, source: str, params: dict[str, Any] | None = None) -> str:
    return files.play(STEPS + source, params).failure


# ── activities ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_activity_is_scheduled_and_waited_for_however_it_is_called(files: Files) -> None:
    source = """
@workflow
def flow(order):
    return [charge(order), schedule_activity(charge, order, amount=2), start_activity(charge, order, 3).result()]
"""
    play = files.play(STEPS + source, {"order": "o1"})
    assert list(play.open) == ["charge#0"]
    assert play.result == ["o1:1", "o1:2", "o1:3"]


def test_an_activity_outside_of_a_workflow_is_a_plain_function(files: Files) -> None:
    files.write(STEPS)
    files.write("import flows\nvalue = flows.charge('o1', 2)\n", "user.py")
    loaded = files.load("user.py")
    with loaded.activate():
        import flows

        assert flows.charge("o1", 2) == "o1:2"
        assert flows.charge.function("o1") == "o1:1"


def test_async_workflows_and_activities_are_awaited(files: Files) -> None:
    source = """
@workflow
async def flow():
    first = await ship("o1")
    later = start_activity(ship, "o2")
    return [first, await later, schedule_activity(ship, "o3"), charge("o4")]
"""
    play = files.play(STEPS + source)
    play.answer = lambda name, args, kwargs: [name, *args]
    assert play.result == [["ship", "o1"], ["ship", "o2"], ["ship", "o3"], ["charge", "o4"]]


def test_gather_gives_results_in_the_order_of_its_futures(files: Files) -> None:
    play = files.play(
        STEPS + "@workflow\ndef flow():\n    return gather(*[start_activity(charge, n) for n in range(5)])\n"
    )
    play.complete(*reversed(list(play.open)))
    assert play.result == ["0:1", "1:1", "2:1", "3:1", "4:1"]


def test_gather_raises_the_first_error_at_once_and_leaves_the_others_be(files: Files) -> None:
    source = """
@workflow
def flow():
    futures = [start_activity(charge, n, n - 1) for n in range(3)]
    try:
        gather(*futures)
    except ActivityError as error:
        return [error.was("ValueError"), [future.done() for future in futures], gather()]
"""
    play = files.play(STEPS + source)
    play.complete("charge#0")
    assert play.result == [True, [True, False, False], []]


def test_gather_takes_one_future_twice(files: Files) -> None:
    source = """
@workflow
def flow():
    future = start_activity(charge, 1)
    return gather(future, future)
"""
    assert result_of(files, source) == ["1:1", "1:1"]


def test_ten_thousand_calls_are_gathered_in_no_time(files: Files) -> None:
    source = """
@workflow
def flow():
    return len(gather(*[start_activity(charge, n) for n in range(10_000)]))
"""
    play = files.play(STEPS + source)
    play.complete(*list(play.open))
    assert play.result == 10_000


def test_wait_any_gives_those_that_have_come(files: Files) -> None:
    source = """
@workflow
def flow():
    slow, limit = start_activity(charge, 1), timer(30)
    return [future is slow for future in wait_any(slow, limit)]
"""
    play = files.play(STEPS + source)
    play.complete("charge#0")
    assert play.result == [True]


def test_strands_of_code_run_beside_each_other(files: Files) -> None:
    source = """
def both(order):
    return [charge(order), charge(order, 2)]

async def later(order):
    return await ship(order)

@workflow
def flow():
    one, two, three = start(both, "a"), start(later, "b"), start(charge, "c")
    return [one.result(), two.result(), three.result()]
"""
    play = files.play(STEPS + source)
    assert set(play.open) == {"charge#0", "charge#1", "ship#0"}
    play.answer = lambda name, args, kwargs: [name, *args]
    assert play.result == [[["charge", "a"], ["charge", "a", 2]], ["ship", "b"], ["charge", "c"]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("charge()", "activity 'charge' (flows.py:5) cannot be called so: missing a required argument: 'order'"),
        ("schedule_activity(charge, 1, 2, 3)", "too many positional arguments"),
        ("start_activity(charge, 1, amont=2)", "got an unexpected keyword argument 'amont'"),
        ("schedule_activity(len, [])", "is no activity; put @activity on a function"),
        ("task(lambda: 1)()", "was called in a workflow, which calls activities; put @activity over it"),
        ("gather([timer(1)])", "a list of futures is given as gather(*futures)"),
        ("wait_any()", "no future to wait for"),
        ("sleep(-1)", "delay must be a timedelta or seconds, not negative, not -1"),
        ("start_child(3)", "a child is a workflow, a DAG or a dag_id, not 3"),
        ("start_child('other', parent_close='kill')", "parent_close must be one of cancel, abandon"),
        ("start_child('other', 1, 2)", "takes one dict, its conf"),
        ("heartbeat()", "heartbeat() works only while a task or an activity runs"),
        ("flow.node((), {}, {})", "orchestrator dags trigger flow"),
    ],
)
def test_a_call_that_makes_no_sense_says_so(files: Files, call: str, words: str) -> None:
    source = STEPS + f"@workflow\ndef flow():\n    {call}\n"
    assert words in files.play(source).failure.replace(f"{files.folder}/", "")


# ── time, chance, changes ────────────────────────────────────────────────────────────────────────────────


def test_sleep_waits_for_a_timer_of_any_length(files: Files) -> None:
    source = """
from datetime import timedelta

@workflow
def flow():
    began = now()
    sleep(timedelta(days=30))
    return (now() - began).total_seconds() > 0
"""
    play = files.play(STEPS + source)
    [timer] = [command for command in play.commands if isinstance(command, asks.SetTimer)]
    assert (timer.fire_at - play.history[1].at).days == 30
    assert play.result is True


def test_chance_and_outside_values_are_the_same_at_a_replay(files: Files) -> None:
    source = """
import os

@workflow
def flow():
    drawn = [random().random(), str(uuid4()), side_effect(os.getpid), side_effect("pid", os.getpid), patched("new")]
    charge("o1")
    return [*drawn, this_run().run_id]
"""
    play = files.play(STEPS + source)
    play.reload()
    first = play.result
    assert first[2] == first[3]
    assert first[4:] == [True, "r1"]


def test_wait_condition_sees_what_a_signal_has_changed(files: Files) -> None:
    source = """
@workflow
class flow:
    def __init__(self):
        self.by = None

    def run(self):
        return [wait_condition(lambda: self.by is not None, timeout=60), self.by]

    @workflow.signal
    def approve(self, by: str):
        self.by = by
"""
    play = files.play(source)
    play.signal("approve", "Ann")
    assert play.result == [True, "Ann"]
    assert files.play(source).result == [False, None]


# ── signals, queries, updates ────────────────────────────────────────────────────────────────────────────

SIGNAL = """
approved = Signal("approved", bool)

@workflow
def flow(limit=None):
    charge("o1")
    before = approved.received
    return [before, approved.wait(limit), approved.take("none left")]
"""


def test_a_signal_is_kept_until_it_is_taken(files: Files) -> None:
    play = files.play(STEPS + SIGNAL)
    play.signal("approved", True)
    assert play.result == [True, True, "none left"]


def test_a_signal_that_does_not_come_in_time_is_a_timeout(files: Files) -> None:
    assert "signal 'approved' has not come within 0:00:05" in failure_of(files, SIGNAL, {"limit": 5})


def test_a_signal_of_the_wrong_type_says_so(files: Files) -> None:
    play = files.play(STEPS + SIGNAL)
    play.signal("approved", "yes")
    assert "signal 'approved', as it was sent: expected `bool`, got `str`" in play.failure


ORDER = """
@workflow
class flow:
    def __init__(self):
        self.amount = 1.0
        self.log = []

    def run(self, order: str):
        wait_condition(lambda: self.log)
        return [order, self.amount, self.log]

    @workflow.query
    def state(self, prefix: str = ""):
        return prefix + str(self.amount)

    @workflow.update
    def change(self, amount: float, why: str = "none"):
        self.amount = amount
        return charge("again", amount)

    @change.validator
    def check(self, amount: float, why: str = "none"):
        if amount < 0:
            raise ValueError("an amount is not negative")

    @workflow.signal
    def stop(self, by: str, why: str):
        self.log.append(f"{by}: {why}")

class other(flow):
    pass
"""


def test_a_signal_without_parameters_is_heard_without_a_payload(files: Files) -> None:
    source = """
@workflow
class flow:
    def run(self):
        self.heard = []
        wait_condition(lambda: len(self.heard) == 2)
        return self.heard

    @workflow.signal
    def stop(self):
        self.heard.append("stop")

    @workflow.signal
    def note(self, text: str = "nothing"):
        self.heard.append(text)
"""
    play = files.play(source)
    play.signal("stop")
    play.signal("note")
    assert play.result == ["stop", "nothing"]


def update(play: Play, payload: object) -> events.UpdateAnswered:
    play.happen(events.UpdateReceived(update_id="u1", name="change", payload=raw(payload)))
    while play.open:
        play.complete(next(iter(play.open)))
    [answer] = [fact.event for fact in play.history if isinstance(fact.event, events.UpdateAnswered)]
    return answer


def test_a_class_answers_queries_and_updates_and_hears_signals(files: Files) -> None:
    play = files.play(STEPS + ORDER, {"order": "o1"})
    assert play.ask("state") == "1.0"
    assert play.ask("state", prefix="€") == "€1.0"
    assert update(play, {"amount": 5}).result == raw("again:5.0")
    assert play.ask("state") == "5.0"
    play.signal("stop", {"by": "Ann", "why": "enough"})
    assert play.result == ["o1", 5.0, ["Ann: enough"]]


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"amount": -1}, "an amount is not negative"),
        ({"amount": "x"}, "parameter 'amount': expected `float`, got `str`"),
        ({"amont": 1}, "has no parameter 'amont'; did you mean 'amount'?"),
        ({}, "needs 'amount', which is missing"),
        ([1], "takes its arguments by name"),
    ],
)
def test_an_update_that_does_not_fit_is_refused_and_changes_nothing(files: Files, payload: object, words: str) -> None:
    play = files.play(STEPS + ORDER, {"order": "o1"})
    answer = update(play, payload)
    assert answer.failure is not None
    assert words in answer.failure.message
    assert play.ask("state") == "1.0"


def test_functions_inside_a_workflow_answer_from_its_variables(files: Files) -> None:
    source = """
@workflow
def flow():
    state = {"step": "new", "by": None}

    @workflow.query
    def step():
        return state["step"]

    @workflow.update
    def rename(to: str):
        state["step"] = to
        return to

    @rename.validator
    def check(to: str):
        if not to:
            raise ValueError("a step has a name")

    set_signal("stop", lambda by: state.update(by=by))
    set_query("whole", lambda: state)
    wait_condition(lambda: state["by"])
    return state
"""
    play = files.play(source)
    play.happen(events.UpdateReceived(update_id="u1", name="rename", payload=raw({"to": "paid"})))
    play.happen(events.UpdateReceived(update_id="u2", name="rename", payload=raw({"to": ""})))
    answers = [fact.event for fact in play.history if isinstance(fact.event, events.UpdateAnswered)]
    assert [answer.failure is None for answer in answers] == [True, False]
    assert play.ask("step") == "paid"
    play.signal("stop", "Ann")
    assert play.result == {"step": "paid", "by": "Ann"}


# ── saga and shield ──────────────────────────────────────────────────────────────────────────────────────

SAGA = """
async def release(order):
    return await ship(f"back {order}")

def both(order):
    undo(f"{order} a")
    undo(f"{order} b")

@workflow
def flow(amount=1):
    with saga() as steps:
        charge("o1")
        steps.add(undo, "refund")
        steps.add(release, "o1")
        steps.add(both, order="o1")
        charge("o2", amount)
    return "done"
"""


def calls(play: Play) -> list[str]:
    return [fact.event.task_id for fact in play.history if isinstance(fact.event, events.ActivityRequested)]


def test_a_saga_undoes_its_steps_last_first_and_lets_the_error_go_on(files: Files) -> None:
    play = files.play(STEPS + SAGA, {"amount": -1})
    play.answer = lambda name, args, kwargs: 1 / 0 if args == ["o2", -1] else None
    assert "division by zero" in play.failure
    assert calls(play) == ["charge", "charge", "undo", "undo", "ship", "undo"]


def test_a_saga_that_succeeds_undoes_nothing(files: Files) -> None:
    play = files.play(STEPS + SAGA)
    assert play.result == "done"
    assert calls(play) == ["charge", "charge"]


def test_a_saga_goes_on_after_a_compensation_that_fails(files: Files) -> None:
    play = files.play(STEPS + SAGA, {"amount": -1})
    play.answer = lambda name, args, kwargs: 1 / 0 if name == "ship" or args == ["o2", -1] else None
    assert "division by zero" in play.failure
    assert calls(play)[-1] == "undo"


def test_a_saga_undoes_its_steps_when_the_run_is_cancelled(files: Files) -> None:
    play = files.play(STEPS + SAGA)
    play.answer = lambda name, args, kwargs: None
    play.complete("charge#0")
    play.cancel()
    play.run_all()
    assert calls(play) == ["charge", "charge", "undo", "undo", "ship", "undo"]
    assert any(isinstance(command, asks.Raise) and command.cancelled for command in play.commands)


def test_a_cancellation_waits_until_a_shield_is_left(files: Files) -> None:
    source = """
@workflow
def flow():
    with shield():
        charge("o1")
    undo("too late")
"""
    play = files.play(STEPS + source)
    play.cancel()
    play.run_all()
    assert calls(play) == ["charge"]
    assert any(isinstance(command, asks.Raise) and command.cancelled for command in play.commands)


# ── children and beginning anew ──────────────────────────────────────────────────────────────────────────

CHILDREN = """
from datetime import date

@workflow
def small(order: str, day: date = date(2026, 1, 31)): ...

@workflow
async def late(order: str): ...

with DAG("report") as report:
    pass
"""


@pytest.mark.parametrize(
    ("call", "dag_id", "conf"),
    [
        ("small('o1')", "small", {"order": "o1"}),
        ("run_child(small, order='o1', day=date(2026, 2, 1))", "small", {"order": "o1", "day": "2026-02-01"}),
        ("start_child(late, 'o1').result()", "late", {"order": "o1"}),
        ("start(late, 'o1').result()", "late", {"order": "o1"}),
        ("run_child('elsewhere', {'a': 1})", "elsewhere", {"a": 1}),
        ("run_child(report)", "report", {}),
        ("start_child(small, 'o1', run_id='mine', parent_close='abandon').result()", "small", {"order": "o1"}),
    ],
)
def test_a_workflow_starts_runs_of_others_and_waits_for_them(
    files: Files, call: str, dag_id: str, conf: dict[str, Any]
) -> None:
    play = files.play(CHILDREN + f"\n@workflow\ndef flow():\n    return {call}\n")
    [child] = [command for command in play.commands if isinstance(command, asks.StartChild)]
    assert child.dag_id == dag_id
    assert bytes(child.conf).replace(b'{"__type__":"date","value":"2026-02-01"}', b'"2026-02-01"') == bytes(raw(conf))
    if "mine" in call:
        assert (child.run_id, child.close) == ("mine", ParentClose.ABANDON)
    assert play.result == f"{dag_id} done"


def test_a_child_is_called_with_what_it_takes(files: Files) -> None:
    play = files.play(CHILDREN + "\n@workflow\ndef flow():\n    small(1, 2, 3)\n")
    assert "workflow 'small'" in play.failure
    assert "too many positional arguments" in play.failure


def test_a_signal_reaches_another_run_or_says_that_it_cannot(files: Files) -> None:
    source = """
ok = Signal("ok", bool)

@workflow
def flow(run_id):
    signal_run("other", run_id, ok, True)
    signal_run("other", run_id, "more")
    return "sent"
"""
    assert files.play(source, {"run_id": "somebody"}).result == "sent"
    assert "there is no such run" in files.play(source, {"run_id": "nobody"}).failure


def test_continue_as_new_begins_anew_with_other_arguments(files: Files) -> None:
    source = """
from dataclasses import dataclass

@dataclass
class Page:
    number: int

@workflow
def flow(page: Page, until: int = 3):
    if page.number == until:
        return page.number
    continue_as_new(Page(page.number + 1), until=until)
"""
    play = files.play(source, {"page": {"number": 1}})
    assert play.result == 3
    assert sum(isinstance(fact.event, events.RunContinued) for fact in play.history) == 2


def test_a_loop_over_a_state_goes_on_until_it_returns_something_else(files: Files) -> None:
    source = """
from dataclasses import dataclass

@dataclass
class Counter:
    until: int
    count: int = 0

@workflow(state=Counter)
def flow(counter):
    charge(counter.count)
    counter.count += 1
    return counter.count if counter.count == counter.until else AGAIN
"""
    assert result_of(files, source, {"until": 3, "count": 0}) == 3
    assert result_of(files, source.replace("def flow", "async def flow"), {"until": 2, "count": 0}) == 2
    assert "its state has no 'cuont'; did you mean 'count'?" in failure_of(files, source, {"until": 1, "cuont": 1})
    assert "expected `int`, got `str`" in failure_of(files, source, {"until": "x"})


def test_a_loop_leaves_its_history_behind_when_that_has_become_long(files: Files) -> None:
    source = """
@workflow(state=dict)
def flow(state):
    charge(state["count"])
    state["count"] += 1
    return state["count"] if state["count"] == 2_600 else AGAIN
"""
    play = files.play(STEPS + source, {"count": 0})
    assert play.result == 2_600
    [cut] = [fact for fact in play.history if isinstance(fact.event, events.RunContinued)]
    assert 5_000 < cut.seq < 5_010


# ── its input ────────────────────────────────────────────────────────────────────────────────────────────

TYPED = """
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

@dataclass
class Item:
    name: str
    count: int = 1

@workflow
def flow(items: list[Item], day: date, price: Decimal = Decimal("1.5"), wait: timedelta = timedelta(hours=1), more=[]):
    more.append(1)
    return [items[0].name, day.year, str(price), wait.total_seconds(), more]
"""


def test_parameters_are_bound_by_name_and_made_what_their_hints_say(files: Files) -> None:
    given: dict[str, Any] = {"items": [{"name": "pen"}], "day": "2026-01-31"}
    assert files.play(TYPED, given).result == ["pen", 2026, "1.5", 3600.0, [1]]
    assert files.play(TYPED, {**given, "wait": "PT3600S", "price": "1.5"}).result == ["pen", 2026, "1.5", 3600.0, [1]]
    assert files.play(TYPED, {**given, "day": {"__type__": "date", "value": "2025-01-31"}}).result[1] == 2025
    play = files.play(TYPED, given)
    assert play.new_machine() is not play.machine


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"day": "2026-01-31"}, "workflow 'flow' (flows.py:14) needs 'items', which is missing"),
        ({"items": [], "day": "x"}, "parameter 'day': invalid RFC3339"),
        ({"items": [{"name": 1}], "day": "2026-01-31"}, "expected `str`, got `int` - at `$[0].name`"),
        ({"items": [], "day": "2026-01-31", "dya": 1}, "has no parameter 'dya'; did you mean 'day'?"),
    ],
)
def test_input_that_does_not_fit_is_one_sentence_with_the_place(
    files: Files, params: dict[str, Any], words: str
) -> None:
    assert words in files.play(TYPED, params).failure.replace(f"{files.folder}/", "")


def test_a_class_may_derive_from_one_that_is_a_workflow(files: Files) -> None:
    source = """
@workflow
class base:
    def run(self, order: str):
        return [self.name(), order]

    def name(self):
        return "base"

    @workflow.query
    def state(self):
        return self.name()

@workflow
class flow(base):
    def run(self, order: str, more: int = 1):
        return [*super().run(order), charge(order, more)]

    def name(self):
        return "derived"
"""
    play = files.play(STEPS + source, {"order": "o1"})
    assert play.ask("state") == "derived"
    assert play.result == ["derived", "o1", "o1:1"]


def test_what_the_machine_answers_is_the_same_after_its_process_was_lost(files: Files) -> None:
    play = files.play(STEPS + ORDER, {"order": "o1"})
    assert update(play, {"amount": 5}).result == raw("again:5.0")
    play.reload()
    assert play.ask("state") == "5.0"
    play.signal("stop", {"by": "Ann", "why": "enough"})
    assert play.result == ["o1", 5.0, ["Ann: enough"]]
