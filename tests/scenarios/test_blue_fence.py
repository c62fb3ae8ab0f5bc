"""The fence around the code of workflows, with real processes: an effect blocks the run; the mended file goes on."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from orchestrator.assembly.home import Home
from orchestrator.assembly.triggering import trigger_run
from orchestrator.names import RunState
from orchestrator.testing.home import LiveHome

# Temporary folders are nobody's business, and this home lies in one: what is written or deleted lies elsewhere.
HEAD = """
import datetime, os, random, socket, subprocess, time, uuid
from pathlib import Path
from orchestrator import activity, workflow
from helpers import deep

@activity
def charge(path):
    with open(path, "a") as ledger:
        ledger.write("charged\\n")

@workflow
def shop(path: str):
    charge(path)
    {line}
    return "done"
"""
HELPERS = """
def deep(path):
    return deeper(path)

def deeper(path):
    with open(path, "w") as log:
        log.write("seen")
"""
# The code does not notice: what it did is held against it all the same.
SWALLOWED = """try:
        open("/never/written", "w")
    except Exception:
        pass"""
EFFECTS = {
    "connects to": "socket.create_connection(('127.0.0.1', 9))",
    "starts the program": "subprocess.run(['true'])",
    "writes": "deep('/never/written')",
    "deletes": "os.remove('/never/written')",
    "time.time": "time.time()",
    "datetime.now": "datetime.datetime.now()",
    "random.random": "random.random()",
    "uuid.uuid4": "uuid.uuid4()",
    "environ": "os.environ['HOME']",
    "writes the file /never": SWALLOWED,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("fence")) as home:
        home.write_dag("helpers.py", HELPERS)
        home.start()
        yield home


def is_blocked(opened: Home, dag_id: str) -> bool:
    return opened.reads.run(dag_id, "one").blocked is not None


def has_succeeded(opened: Home, dag_id: str) -> bool:
    return opened.reads.run(dag_id, "one").state is RunState.SUCCESS


def test_each_effect_blocks_the_run_at_the_authors_line_and_the_mended_file_ends_it(home: LiveHome) -> None:
    ledgers: dict[str, Path] = {}
    sources = {f"shop_{number}": HEAD.replace("def shop", f"def shop_{number}") for number in range(len(EFFECTS))}
    for (dag_id, source), line in zip(sources.items(), EFFECTS.values(), strict=True):
        home.write_dag(f"{dag_id}.py", source.replace("{line}", line))
        ledgers[dag_id] = home.folder / f"{dag_id}.ledger"
    home.wait_for("the first is listed", partial(home.lists, "shop_0"))
    with home.open() as opened:
        for dag_id, ledger in ledgers.items():
            home.wait_for("it is listed", partial(home.lists, dag_id))
            trigger_run(opened, dag_id, run_id="one", conf=msgspec.Raw(msgspec.json.encode({"path": str(ledger)})))
        for dag_id, word in zip(sources, EFFECTS, strict=True):
            home.wait_for(f"{dag_id} is blocked", partial(is_blocked, opened, dag_id))
            blocked = home.ask("runs", "show", dag_id, "one")["blocked"]
            assert (blocked["kind"], blocked["where"]) == (
                "quarantine",
                f"{dag_id}.py:{16 if word.endswith('/never') else 15}",
            )
            assert word in blocked["message"]
            assert ledgers[dag_id].read_text() == "charged\n"
        for dag_id, source in sources.items():
            home.write_dag(f"{dag_id}.py", source.replace("{line}", "pass"))
        for dag_id in sources:
            home.wait_for("it ends", partial(has_succeeded, opened, dag_id))
            assert ledgers[dag_id].read_text() == "charged\n"
