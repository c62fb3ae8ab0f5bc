"""The DAG files that are measured: their bodies do nothing, or leave one line behind."""

from pathlib import Path

_HEAD = """
from orchestrator import DAG, chain
from orchestrator.operators import PythonOperator


def noop():
    return None

"""

_FAN_OUT = """
with DAG({dag_id!r}, schedule=None, max_active_runs=1000):
    first, *middle, last = [PythonOperator(task_id=f"task_{{i}}", python_callable=noop) for i in range({width} + 2)]
    first >> middle >> last
"""

_CHAIN = """
with DAG({dag_id!r}, schedule=None, max_active_runs=1000):
    chain(*[PythonOperator(task_id=f"task_{{i}}", python_callable=noop) for i in range({length})])
"""

ONCE = f"""{_HEAD}
with DAG("first", schedule="@once"):
    PythonOperator(task_id="only", python_callable=noop)
"""

_LEDGER = """
import os

from orchestrator import DAG, chain
from orchestrator.operators import PythonOperator


def body(name, ledger):
    file = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, f"{{name}}\\n".encode())
    os.close(file)
    return name


def link(name):
    return PythonOperator(task_id=name, python_callable=body, op_args=[name, "{{{{ params.ledger }}}}"])


with DAG({dag_id!r}, schedule=None, params={{"ledger": ""}}):
    chain(*[link(f"task_{{i}}") for i in range({length})])
"""

WORKFLOWS = """
from orchestrator import activity, gather, start_activity, workflow
from orchestrator.workflow import Signal

GO_ON = Signal("go_on")


@activity
def noop(number):
    return None


@workflow
def in_a_row(calls: int) -> None:
    for number in range(calls):
        noop(number)


@workflow
def at_once(calls: int) -> None:
    gather(*[start_activity(noop, number) for number in range(calls)])


@workflow(max_active_runs=100_000)
def waiting() -> None:
    GO_ON.wait()
"""


CROWD = """
from orchestrator import activity, workflow
from orchestrator.workflow import Signal

GO_ON = Signal("go_on")


@activity
def noop(number):
    return None


@workflow(max_active_runs=100_000)
def node(number: int) -> int:
    noop(number)
    return number


@workflow(max_active_runs=100_000)
def talks() -> None:
    noop(-1)
    GO_ON.wait()
    for number in range(20):
        noop(number)
"""

_NODES = """
from crowd import node
from orchestrator import DAG

with DAG({dag_id!r}, schedule=None):
    for number in range({count}):
        node(number)
"""


_DEFERRALS = """
with DAG("first", schedule=None, max_active_runs=1000):
    PythonOperator(task_id="only", python_callable=noop)

with DAG("one", schedule=None, max_active_runs=1000):
    FileSensor(task_id="wait", filepath="{{{{ params.path }}}}", poke_interval=0.001, deferrable=True)

with DAG("many", schedule=None):
    files = [f"{flags}/{{number}}" for number in range({count})]
    FileSensor.partial(task_id="wait", poke_interval=5, deferrable=True).expand(filepath=files)
"""


def deferrals(count: int, flags: Path) -> str:
    """``many``: ``count`` sensors that wait for files 0, 1 … in that folder; ``one`` waits for the param ``path``."""
    imported = "from orchestrator.sensors.filesystem import FileSensor\n"
    return imported + _HEAD + _DEFERRALS.format(count=count, flags=flags)


def nodes(dag_id: str, count: int) -> str:
    """``count`` parallel tasks, each of which runs the workflow ``node`` of CROWD, in ``crowd.py``."""
    return _NODES.format(dag_id=dag_id, count=count)


def fan_out(dag_id: str, width: int) -> str:
    """1 + ``width`` + 1 tasks, ``width`` of them parallel."""
    return _HEAD + _FAN_OUT.format(dag_id=dag_id, width=width)


def chain(dag_id: str, length: int) -> str:
    """``length`` tasks in a row."""
    return _HEAD + _CHAIN.format(dag_id=dag_id, length=length)


def ledger_chain(dag_id: str, length: int) -> str:
    """``length`` tasks in a row; each writes its id into the file that the param ``ledger`` names, and returns it."""
    return _LEDGER.format(dag_id=dag_id, length=length)
