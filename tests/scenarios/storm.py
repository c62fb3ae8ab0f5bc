"""A DAG whose bodies leave evidence of every time they ran, in each mode of delivery; and what has to hold of it."""

import sqlite3
from collections import Counter
from pathlib import Path

import msgspec

from orchestrator.core.events import ActivityCompleted, ActivityScheduled, ActivityStarted, Recorded

DAG_ID = "storm"
MODES = ("at_least_once", "at_most_once", "transactional")

SOURCE = '''
import os
import time
import uuid

from orchestrator import DAG, get_current_context, task


def leave_evidence(context):
    """One line, whole, for each time that a body ran: the run, the task, and a token of this very execution."""
    token = uuid.uuid4().hex
    line = f"{context['run_id']} {context['ti'].task_id} {token}\\n"
    file = os.open(context["params"]["evidence"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, line.encode())
    os.close(file)
    time.sleep(context["params"]["seconds"])
    return token


@task
def at_least_once(before=None):
    return leave_evidence(get_current_context())


@task(delivery="at_most_once")
def at_most_once(before=None):
    return leave_evidence(get_current_context())


@task(delivery="transactional", connection="effects")
def transactional(before=None):
    context = get_current_context()
    token = leave_evidence(context)
    context["connection"].exec_driver_sql(
        "insert into effects values (?, ?, ?)", (context["run_id"], context["ti"].task_id, token)
    )
    return token


with DAG("storm", schedule=None, params={"evidence": "", "seconds": 0.005}, max_active_runs=4):
    for body in (at_least_once, at_most_once, transactional):
        for row in range(2):
            before = None
            for place in range(8):
                before = body.override(task_id=f"{body.function.__name__}_{row}_{place}")(before)
'''


class Evidence(msgspec.Struct, frozen=True):
    """What the bodies left behind: tokens by (run_id, task_id)."""

    ran: dict[tuple[str, str], list[str]]
    effects: dict[tuple[str, str], list[str]]


def make_effects_table(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("create table effects (run_id text, task_id text, token text)")
    database.close()


def gather(lines: Path, effects: Path) -> Evidence:
    ran: dict[tuple[str, str], list[str]] = {}
    for line in lines.read_text().splitlines() if lines.exists() else ():
        run_id, task_id, token = line.split()
        ran.setdefault((run_id, task_id), []).append(token)
    written: dict[tuple[str, str], list[str]] = {}
    with sqlite3.connect(effects) as database:
        for run_id, task_id, token in database.execute("select run_id, task_id, token from effects"):
            written.setdefault((run_id, task_id), []).append(token)
    database.close()
    return Evidence(ran, written)


def judge(run_id: str, history: list[Recorded], evidence: Evidence) -> list[str]:
    """Sentences about what does not hold in one run; empty if all is well."""
    faults = []
    completions = [fact.event for fact in history if isinstance(fact.event, ActivityCompleted)]
    completed = {event.task_id: msgspec.json.decode(event.result) for event in completions}
    counts = Counter(event.task_id for event in completions)
    faults += [f"{task} was completed {count} times" for task, count in counts.items() if count > 1]
    faults += [f"{task} was started again after its result was recorded" for task in _restarted(history)]
    for task_id, token in completed.items():
        ran = evidence.ran.get((run_id, task_id), [])
        if token not in ran:
            faults.append(f"{task_id} has a recorded result that no body returned")
        if task_id.startswith("at_most_once") and len(ran) != 1:
            faults.append(f"{task_id} ran {len(ran)} times")
        if task_id.startswith("transactional") and evidence.effects.get((run_id, task_id)) != [token]:
            faults.append(f"{task_id} has the effects {evidence.effects.get((run_id, task_id))} for the result {token}")
    return faults


def _restarted(history: list[Recorded]) -> list[str]:
    done: set[str] = set()
    again = []
    for event in (fact.event for fact in history):
        if isinstance(event, ActivityCompleted):
            done.add(event.task_id)
        elif isinstance(event, ActivityScheduled | ActivityStarted) and event.task_id in done:
            again.append(event.task_id)
    return again
