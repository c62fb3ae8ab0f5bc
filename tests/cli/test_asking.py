"""What the code of a recorded run is told, found without folding its history."""

import hashlib
from collections.abc import Iterator

import msgspec
import pytest

from orchestrator.assembly.asking import script_at, script_of_state
from orchestrator.assembly.folding import folded
from orchestrator.assembly.home import Home, open_home
from orchestrator.cli import edge
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityRequested,
    ActivityScheduled,
    ActivityStarted,
    AnyEvent,
    RunBlocked,
    RunContinued,
    RunMoved,
    RunReset,
    RunStarted,
    SignalReceived,
    VersionMarker,
)
from orchestrator.core.spec import TaskSpec
from orchestrator.names import BlockKind, DagKind
from tests.cli.homes import FilledHome, order

ROUND = msgspec.Raw(b'{"args":[],"kwargs":{}}')


@pytest.fixture
def opened(home: FilledHome) -> Iterator[Home]:
    calls = (TaskSpec(task_id="charge", is_activity=True),)
    home.add_dag(order())  # so that the ids of versions are not their numbers
    home.add_dag(order(dag_id="flow", file="flow.py", kind=DagKind.WORKFLOW, tasks=calls))
    home.add_dag(order(dag_id="flow", file="flow.py", kind=DagKind.WORKFLOW, tasks=calls, tags=("changed",)))
    with open_home(edge.config()) as found:
        yield found


def call(number: int) -> list[AnyEvent]:
    digest = hashlib.sha256(b"%d" % number).hexdigest()
    return [
        ActivityRequested(task_id="charge", map_index=number, digest=digest),
        ActivityScheduled(task_id="charge", map_index=number),
        ActivityStarted(task_id="charge", map_index=number),
        ActivityCompleted(task_id="charge", map_index=number),
    ]


HISTORIES = {
    "of one round": [RunStarted(), *call(0), SignalReceived(name="go"), VersionMarker(name="new", version=1)],
    "of two rounds": [RunStarted(), *call(0), RunContinued(input=ROUND), SignalReceived(name="go"), *call(1)],
    "of one that moved": [
        RunStarted(),
        *call(0),
        RunBlocked(kind=BlockKind.STUCK, message="no end"),
        RunMoved(version_id=2, fingerprint="f"),
        *call(1),
    ],
    "of one that was reset": [RunStarted(), *call(0), *call(1), RunReset(seq=4), SignalReceived(name="go")],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_the_code_is_told_what_the_fold_says_it_is_after_every_fact(home: FilledHome, opened: Home, name: str) -> None:
    home.begin("flow", "one", *HISTORIES[name])
    run = opened.reads.run("flow", "one")
    for seq in range(1, run.last_seq + 1):
        version_id, found = script_at(opened, run, seq)
        state = folded(opened, run, until=seq)
        expected = script_of_state(opened, run, state)
        assert version_id == state.version_id
        assert (found.created, found.seq) == (expected.created, seq)
        assert (found.asked_until, found.versions) == (expected.asked_until, expected.versions)
        assert list(found.facts()) == list(expected.facts())
        assert list(found.facts()) == list(found.facts())
