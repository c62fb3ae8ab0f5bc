"""Where the progress of an activity lies: one place for all attempts of a generation, and for nobody else."""

import re
from datetime import timedelta

from msgspec.structs import replace

from orchestrator.core.orders import Order
from orchestrator.core.requests import ClearTasks
from orchestrator.core.spec import RetrySpec
from orchestrator.testing.clock import EPOCH
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.simulation import Simulation
from tests.engine.dags import dag, task

LONG = replace(
    task("copy", retry=RetrySpec(retries=5, delay=timedelta(seconds=10))), heartbeat_timeout=timedelta(seconds=30)
)


class Watched:
    """A simulation of one long task, whose first attempt fails, and the orders that it gave."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.sim = Simulation(script=self.script)
        self.sim.store.add_dag(dag(LONG, task("other")))
        self.sim.trigger("d")

    def script(self, order: Order) -> Script:
        if order.key.task_id != "copy":
            return Script()
        self.orders.append(order)
        return Script(outcome="fail") if len(self.orders) == 1 else Script(work=100)

    def clear(self, *, same_key: bool = False) -> None:
        self.sim.store.ask(ClearTasks(dag_id="d", run_id="manual__1", tasks=(("copy", None),), same_key=same_key))
        self.sim.run()

    def places(self) -> list[str]:
        return [order.progress for order in self.orders]


def test_attempts_share_a_place_over_failures_and_the_death_of_the_engine() -> None:
    watched = Watched()
    watched.sim.run(until=EPOCH + timedelta(seconds=50))
    watched.sim.crash()
    watched.sim.run()
    assert [order.key.attempt for order in watched.orders] == [1, 2, 3]
    assert len(set(watched.places())) == 1


def test_a_new_generation_has_a_place_of_its_own_and_the_same_key_keeps_it() -> None:
    watched = Watched()
    watched.sim.run()
    watched.clear(same_key=True)
    watched.clear()
    first, *_, same, new = watched.places()
    assert first == same != new


def test_a_place_is_made_of_integers_below_the_runs_and_the_order_carries_the_time_out() -> None:
    watched = Watched()
    watched.sim.run()
    order = watched.orders[0]
    assert re.fullmatch(r"\d+/\d+-\d+", order.progress)
    assert order.progress.startswith(f"{order.key.run_key}/")
    assert order.heartbeat_timeout == 30.0
