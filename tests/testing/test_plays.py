"""The fixtures that users test their DAGs with."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from orchestrator import DAG, BaseOperator, Connection, Variable, activity, dag, task, workflow
from orchestrator.core.events import ActivityDeferred, ActivityFailed, RunCreated
from orchestrator.exceptions import ConflictError, DagError, NotFoundError, UsageError
from orchestrator.operators.bash import BashOperator
from orchestrator.operators.trigger_dagrun import TriggerDagRunOperator
from orchestrator.sensors.time_delta import TimeDeltaSensor
from orchestrator.testing import start_dag as start_in_block
from orchestrator.triggers.base import BaseTrigger, TriggerEvent
from orchestrator.workflow import Signal, saga, set_update, sleep

approval = Signal("approval", bool)
effects = []


@pytest.fixture(autouse=True)
def no_effects():
    effects.clear()


@activity
def charge(amount: int) -> str:
    effects.append(amount)
    return f"receipt {amount}"


@activity
def refund(receipt: str) -> None:
    effects.append(f"refund {receipt}")


@workflow
def order(amount: int = 3) -> str:
    address = ["Elm 1"]
    set_update("move", lambda street: address.append(street) or len(address))
    with saga() as undo:
        receipt = charge(amount)
        undo.add(refund, receipt)
        try:
            approved = approval.wait(timeout=2 * 86_400)
        except TimeoutError:
            approved = False
        if not approved:
            raise ValueError(f"nobody wants order {amount}")
    sleep(86_400)
    return f"{receipt} to {address[-1]}"


def shop(**settings):
    @dag(params={"prices": [1, 2]}, **settings)
    def shop():
        @task
        def prices(params=None):
            return params["prices"]

        @task(retries=2, retry_delay=timedelta(hours=5))
        def times(price, ti=None):
            print("try", ti.try_number, "of", price)
            if price == 2 and ti.try_number < 3:
                raise ValueError("not yet")
            return price * 2

        @task
        def total(found):
            return sum(found)

        total(times.expand(price=prices()))

    return shop()


def test_a_run_tells_its_states_results_attempts_and_logs(run_dag):
    run = run_dag(shop(), conf={"prices": [1, 2, 4]})
    assert run.state == "success"
    assert run.states == {"prices": "success", "times": ["success"] * 3, "total": "success"}
    assert run.result("times") == [2, 4, 8]
    assert run.result("times", 1) == 4
    assert run.result("total") == 14
    assert run.attempts["times"] == [1, 3, 1]
    assert run.log("times", 1).splitlines() == ["try 1 of 2", "try 2 of 2", "try 3 of 2"]
    assert isinstance(run.history[0].event, RunCreated)
    assert len(run.events(ActivityFailed)) == 2


def test_retries_and_sensors_of_days_take_no_time(run_dag):
    with DAG("waits") as waits:
        TimeDeltaSensor(task_id="holds", delta=timedelta(days=3), poke_interval=3600, mode="poke")
        TimeDeltaSensor(task_id="gives_up", delta=timedelta(days=4), poke_interval=3600, mode="reschedule")
    began = datetime.now(UTC)
    run = run_dag(waits, at=datetime(2026, 3, 1, tzinfo=UTC))
    assert run.state == "success"
    assert timedelta(days=4) <= run.clock.now() - datetime(2026, 3, 1, tzinfo=UTC) < timedelta(days=5)
    assert datetime.now(UTC) - began < timedelta(seconds=30)


class Slumber(BaseTrigger):
    def __init__(self, days):
        super().__init__()
        self.days = days

    def serialize(self):
        return f"{__name__}.Slumber", {"days": self.days}

    async def run(self):
        await asyncio.sleep(self.days * 86_400)
        yield TriggerEvent("awake")


class Sleeper(BaseOperator):
    def execute(self, context):
        self.defer(trigger=Slumber(2), method_name="wake")

    def wake(self, context, event):
        return event


def test_stand_ins_take_the_place_of_bodies_and_their_arguments(run_dag):
    with DAG("shell") as shell:
        BashOperator(task_id="fail", bash_command="exit 1") >> BashOperator(task_id="also", bash_command="exit 1")
    run = run_dag(shell, activities={"fail": "calm", "also": lambda ti: ti.xcom_pull("fail")})
    assert run.state == "success", run
    assert run.result("also") == "calm"
    doubled = run_dag(shop(), activities={"times": lambda price: -price})
    assert doubled.result("total") == -3


def test_a_stand_in_of_an_activity_is_called_and_the_activity_is_not(start_dag):
    run = start_dag(order, activities={"charge": lambda amount: f"fake {amount}"})
    run.signal("approval", True)
    assert run.go_on().result() == "fake 3 to Elm 1"
    assert effects == []


def test_the_nearest_task_is_named_where_a_stand_in_has_none(run_dag):
    with pytest.raises(NotFoundError, match="did you mean 'total'"):
        run_dag(shop(), activities={"totl": 1})


def test_a_workflow_hears_signals_and_updates_at_the_moments_that_a_test_chooses(start_dag):
    run = start_dag(order, conf={"amount": 5})
    assert run.state == "running"
    assert effects == [5]
    run.advance(days=1)
    assert run.update("move", street="Oak 2") == 2
    run.signal("approval", True)
    assert run.state == "running"
    run.advance(hours=23)
    assert run.state == "running"
    assert run.advance(hours=2).state == "success"
    assert run.result() == "receipt 5 to Oak 2"


def test_a_run_that_fails_says_why(run_dag):
    run = run_dag(order)
    assert run.state == "failed"
    assert "ValueError: nobody wants order 3" in repr(run)
    assert effects == [3, "refund receipt 3"]
    with pytest.raises(NotFoundError, match="it has no result, being failed"):
        run.result()


def test_what_does_not_fit_is_refused(start_dag):
    with pytest.raises(UsageError, match="amount"):
        start_dag(order, conf={"amount": "many"})
    run = start_dag(order)
    with pytest.raises(NotFoundError, match="did you mean 'approval'"):
        run.signal("aproval", True)
    with pytest.raises(UsageError):
        run.signal("approval", "perhaps")
    run.signal("approval", False)
    with pytest.raises(ConflictError):
        run.update("move", street="Oak 2")
    with pytest.raises(UsageError, match="call the function under @dag"):
        start_dag(shop)


def test_an_error_of_the_author_is_raised_where_the_run_would_begin(run_dag):
    with DAG("circle") as circle:
        first, second = (BashOperator(task_id=name, bash_command="true") for name in ("first", "second"))
        first >> second >> first
    with pytest.raises(DagError, match="cycle"):
        run_dag(circle)


@pytest.mark.parametrize("seq", range(1, 14))
def test_a_crash_after_any_fact_repeats_no_recorded_effect(start_dag, seq):
    run = start_dag(order, crash_after=seq)
    run.signal("approval", True)
    run.go_on()
    assert run.state == "success", run
    assert effects == [3]


def test_every_crash_that_is_asked_for_happens(run_dag):
    run = run_dag(shop(), crash_after=(2, 9))
    assert run.crashes == 2
    assert run.result("total") == 6


def test_variables_and_connections_are_those_of_the_test(run_dag, monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_COLOR", "blue")

    @dag
    def reads():
        @task
        def read():
            Variable.set("new", "value")
            return [Variable.get("color"), Variable.get("new"), Connection.get("db").host]

        read()

    given = {"variables": {"color": "red"}, "connections": {"db": {"conn_type": "x", "host": "here"}}}
    assert run_dag(reads(), **given).result("read") == ["red", "value", "here"]
    assert Variable.get("color") == "blue"
    assert Variable.get("new", None) is None


def test_secrets_are_masked_in_what_a_test_sees_of_a_log(run_dag):
    @dag
    def leaks():
        @task
        def leak():
            print("it is", Connection.get("db").password)

        leak()

    run = run_dag(leaks(), connections={"db": "postgres://me:hunter2222@db/x"})
    assert run.log("leak") == "it is ***\n"


def test_dags_of_the_same_file_can_be_started_by_the_one_that_is_run(run_dag):
    run = run_dag(parent)
    assert run.state == "success", run


with DAG("child") as child:
    BashOperator(task_id="work", bash_command="true")
with DAG("parent") as parent:
    TriggerDagRunOperator(task_id="start", trigger_dag_id="child", wait_for_completion=True)


def test_a_trigger_sleeps_by_the_clock_of_the_test(run_dag):
    with DAG("slumber") as slumber:
        Sleeper(task_id="sleeper")
    run = run_dag(slumber)
    assert run.result("sleeper") == "awake", run
    assert len(run.events(ActivityDeferred)) == 1


def test_a_body_reads_closures_and_what_a_test_has_replaced(run_dag):
    numbers = count(7)

    @dag
    def local():
        @task
        def number():
            return next(numbers)

        number()

    made = local()
    assert run_dag(made).result("number") == 7
    assert run_dag(made).result("number") == 8


@dataclass
class Parcel:
    weight: int


def test_values_of_the_authors_types_come_back_as_they_were(run_dag):
    @dag
    def post():
        @task
        def pack():
            return [Parcel(3)]

        @task
        def weigh(parcels):
            return parcels[0].weight

        weigh(pack())

    run = run_dag(post())
    assert run.result("weigh") == 3, run
    assert run.result("pack") == [Parcel(3)]


def test_who_quits_the_session_in_a_body_ends_the_test_and_tries_nothing_again(run_dag):
    tries = []

    @dag
    def stops():
        @task(retries=3)
        def stop():
            tries.append(1)
            pytest.exit("enough")

        stop()

    with pytest.raises(pytest.exit.Exception, match="enough"):
        run_dag(stops())
    assert tries == [1]


def test_a_run_can_be_played_without_pytest():
    with start_in_block(shop()) as run:
        assert run.go_on().result("total") == 6


def test_what_a_run_waits_for_is_told(start_dag):
    assert start_dag(order).why == ["the workflow waits for timer timer-1, which fires in 2 d, at 2026-01-03 00:00:00Z"]


def test_a_run_that_is_cancelled_ends(start_dag):
    run = start_dag(order).cancel().go_on()
    assert run.state == "failed"
