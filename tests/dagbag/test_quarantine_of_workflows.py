"""What the quarantine refuses while the code of a workflow runs, in a real process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

NOW = "use workflow.now()"
SLEEP = "use workflow.sleep()"
RANDOM = "use workflow.random()"
UUID = "use workflow.uuid4()"
ENVIRONMENT = "or once through workflow.side_effect()"
MOVE = "move it into an activity"

REFUSED = {
    "time.time()": ("calls time.time()", NOW),
    "time.time_ns()": ("calls time.time_ns()", NOW),
    "time.monotonic()": ("calls time.monotonic()", NOW),
    "time.perf_counter()": ("calls time.perf_counter()", NOW),
    "time.process_time()": ("calls time.process_time()", NOW),
    "time.localtime()": ("calls time.localtime()", NOW),
    "time.strftime('%Y')": ("calls time.strftime()", NOW),
    "imported_time()": ("calls time.time()", NOW),
    "time.sleep(0)": ("calls time.sleep()", SLEEP),
    "datetime.datetime.now()": ("calls datetime.now()", NOW),
    "datetime.datetime.now(tz=datetime.UTC)": ("calls datetime.now()", NOW),
    "datetime.datetime.utcnow()": ("calls datetime.utcnow()", NOW),
    "datetime.datetime.today()": ("calls date.today()", NOW),
    "datetime.date.today()": ("calls date.today()", NOW),
    "Own.now()": ("calls datetime.now()", NOW),
    "Stamped()": ("calls time.time()", NOW),
    "random.random()": ("calls random.random()", RANDOM),
    "random.choice([1, 2])": ("calls random.choice()", RANDOM),
    "random.shuffle([1, 2])": ("calls random.shuffle()", RANDOM),
    "random.Random()": ("calls random.Random()", RANDOM),
    "random.SystemRandom()": ("calls random.Random()", RANDOM),
    "secrets.token_hex()": ("calls secrets.token_hex()", RANDOM),
    "os.urandom(4)": ("calls os.urandom()", RANDOM),
    "numpy.random.rand()": ("calls numpy.random.rand()", RANDOM),
    "numpy.random.default_rng()": ("calls numpy.random.default_rng()", RANDOM),
    "uuid.uuid4()": ("calls uuid.uuid4()", UUID),
    "uuid.uuid1()": ("calls uuid.uuid1()", UUID),
    "os.getenv('HOME')": ("reads the environment variable HOME", ENVIRONMENT),
    "os.environ['HOME']": ("reads the environment variable HOME", ENVIRONMENT),
    "os.environ.get('HOME', '/')": ("reads the environment variable HOME", ENVIRONMENT),
    "'HOME' in os.environ": ("reads the environment variable HOME", ENVIRONMENT),
    "os.environb[b'HOME']": ("reads the environment variable HOME", ENVIRONMENT),
    "dict(os.environ)": ("reads the environment", ENVIRONMENT),
    "list(os.environ)": ("reads the environment", ENVIRONMENT),
    "socket.create_connection(('db', 5432))": ("connects to db:5432", MOVE),
    "psycopg.connect('host=db port=5433 password=hidden')": ("connects to db:5433", MOVE),
    "psycopg.Connection.connect('postgresql://me:hidden@db/x')": ("connects to db:5432", MOVE),
    "psycopg_async()": ("connects to db:5432", MOVE),
    "subprocess.run(['true'])": ("starts the program true", MOVE),
    "threading.Thread(target=print).start()": ("starts a thread", MOVE),
    "open(__file__ + '.mark', 'w')": ("writes the file workflow.py.mark", MOVE),
    "eval('time.time()')": ("calls time.time()", NOW),
    "helper.three_deep()": ("calls time.time()", NOW),
    "swallowed()": ("calls time.time()", NOW),
}

ALLOWED = [
    "time.time()  # effect: ok",
    "time.gmtime(0)",
    "time.strftime('%Y', time.gmtime(0))",
    "datetime.datetime(2024, 1, 1).isoformat()",
    "datetime.datetime.fromtimestamp(0, datetime.UTC)",
    "datetime.datetime.now.__name__",
    "random.Random(3).random()",
    "random.Random(x=3).choice([1, 2])",
    "numpy.random.default_rng(3).random()",
    "uuid.uuid5(uuid.NAMESPACE_DNS, 'x')",
    "hash((1, 2))",
    "logging.getLogger('x').warning('a record takes the time')",
    "logging.LogRecord('x', 10, '', 1, '', (), None).created",
    "tempfile.TemporaryFile().close()",
    "os.environ.__setitem__('SOMETHING', 'x')",
    "open(__file__).close()",
    "json.dumps({'a': 1})",
]

WORKFLOW = """
import dataclasses, datetime, json, logging, numpy, os, psycopg, random, secrets, socket, subprocess, tempfile
import asyncio, threading, time, uuid
from time import time as imported_time

import helper


class Own(datetime.datetime):
    pass


@dataclasses.dataclass
class Stamped:
    at: float = dataclasses.field(default_factory=time.time)


def swallowed():
    try:
        time.time()
    except Exception:
        return "went on"


def psycopg_async():
    return asyncio.run(psycopg.AsyncConnection.connect(host="db"))
"""

HELPER = """
import deeper

def three_deep():
    return deeper.two()
"""

DEEPER = """
import time

def two():
    return one()

def one():
    return time.time()
"""

RUN = """
import json, sys
from pathlib import Path
sys.path[:] = json.loads(sys.argv[2])
from orchestrator.dagbag.quarantine.effects import Scene
from orchestrator.dagbag.quarantine.fence import Fence
from orchestrator.dagbag.quarantine.installing import install
from orchestrator.dagbag.importing import LocalModules
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import QuarantineError
from orchestrator.names import QuarantineMode

install(workflows=True)
install(workflows=True)
roots = Roots(Path(sys.argv[1]))
modules = LocalModules(roots)
with modules.active():
    module = modules.execute("workflow.py")
told, mild = {}, json.loads(sys.argv[3])
for name, case in vars(module).items():
    if name.startswith("case_"):
        for mode in ("error", "warn", "off") if name in mild else ("error",):
            fence = Fence(roots, Scene.WORKFLOW, QuarantineMode(mode))
            raised = value = None
            try:
                with fence:
                    value = case()
            except QuarantineError as error:
                raised = str(error)
            except Exception as error:
                value = repr(error)
            told[f"{mode} {name}"] = {
                "refused": [[one.where, one.message, str(one)] for one in fence.refused],
                "warned": [str(one) for one in fence.warned],
                "raised": raised,
                "value": repr(value),
            }
            assert not Fence(roots).refused
print(json.dumps(told))
"""


class Told(NamedTuple):
    """What came of each case, by mode and number; the line that each stands on."""

    cases: dict[str, Any]
    lines: dict[str, int]

    def of(self, call: str, mode: str = "error") -> Any:
        return self.cases[f"{mode} case_{CALLS.index(call)}"]


CALLS = [*REFUSED, *ALLOWED]
MILD = ["datetime.date.today()", "Stamped()", "os.getenv('HOME')"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("workflow")
    source, lines = WORKFLOW, {}
    for number, call in enumerate(CALLS):
        source += f"\n\ndef case_{number}():\n    return {call}\n"
        lines[call] = len(source.splitlines())
    (folder / "workflow.py").write_text(source, encoding="utf-8")
    (folder / "helper.py").write_text(HELPER, encoding="utf-8")
    (folder / "deeper.py").write_text(DEEPER, encoding="utf-8")
    mild = [f"case_{CALLS.index(call)}" for call in MILD]
    command = [sys.executable, "-c", RUN, str(folder), json.dumps(sys.path), json.dumps(mild)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    return Told(json.loads(done.stdout.splitlines()[-1]), lines)


@pytest.mark.parametrize("call", REFUSED)
def test_what_would_not_be_the_same_at_each_replay_is_refused(told: Told, call: str) -> None:
    says, instead = REFUSED[call]
    ((where, message, _),) = told.of(call)["refused"]
    assert where == f"workflow.py:{told.lines[call]}"
    assert message.startswith(f"{says} in a workflow")
    assert instead in message.partition("; ")[2]
    assert "hidden" not in message


@pytest.mark.parametrize("call", [call for call in REFUSED if call != "swallowed()"])
def test_the_code_is_told_by_an_error(told: Told, call: str) -> None:
    where, message, _ = told.of(call)["refused"][0]
    assert told.of(call)["raised"] == f"{where}: {message}"


def test_code_that_catches_the_error_cannot_hide_it(told: Told) -> None:
    found = told.of("swallowed()")
    assert (found["raised"], found["value"]) == (None, "'went on'")
    assert len(found["refused"]) == 1


def test_the_place_of_a_call_that_is_three_functions_deep_is_told_too(told: Told) -> None:
    ((where, _, text),) = told.of("helper.three_deep()")["refused"]
    assert (
        text
        == f"{where} (through deeper.py:8): calls time.time() in a workflow; {NOW}, which is the same at each replay"
    )


@pytest.mark.parametrize("call", ALLOWED)
def test_what_is_the_same_each_time_is_let_pass(told: Told, call: str) -> None:
    found = told.of(call)
    assert (found["refused"], found["warned"], found["raised"]) == ([], [], None)


@pytest.mark.parametrize("call", MILD)
def test_a_warning_lets_the_call_happen(told: Told, call: str) -> None:
    found = told.of(call, "warn")
    assert len(found["warned"]) == 1
    assert (found["refused"], found["raised"]) == ([], None)
    assert found["value"] != "None"


@pytest.mark.parametrize("call", MILD)
def test_off_means_that_nobody_looks(told: Told, call: str) -> None:
    found = told.of(call, "off")
    assert (found["refused"], found["warned"], found["raised"]) == ([], [], None)
