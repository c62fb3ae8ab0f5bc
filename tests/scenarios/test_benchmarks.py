"""What the measurements stand on."""

from pathlib import Path

import pytest

from benchmarks.floors import Floors
from benchmarks.sources import WORKFLOWS
from benchmarks.workflow_kill import ACTIVITY, DAG, RUN, write_history
from benchmarks.workload import Bench, start
from orchestrator.core.events import ActivityRequested, RunBlocked

CALLS = 40
SOME_FACTS = 200


@pytest.mark.slow
def test_a_long_history_that_was_written_for_a_measurement_goes_on_behind_its_last_call(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path, floors=Floors(pool=1, pipes=1, commits=1))
    with bench.home("home", {"flows.py": WORKFLOWS}) as home:
        watch = start(home, DAG)
        home.stop()
        write_history(watch, CALLS)
        written = watch.reads.run(DAG, RUN)
        home.start()
        home.wait_for("it goes on", lambda: watch.reads.run(DAG, RUN).last_seq > written.last_seq + SOME_FACTS)
        events = [fact.event for fact in watch.reads.facts(written.run_key, after=written.last_seq)]
    asked = [event.map_index for event in events if isinstance(event, ActivityRequested) and event.task_id == ACTIVITY]
    assert asked == list(range(CALLS, CALLS + len(asked)))
    assert len(asked) > 1
    assert not any(isinstance(event, RunBlocked) for event in events)
