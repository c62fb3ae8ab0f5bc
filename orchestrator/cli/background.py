"""What a run's history says beside its tasks, as fields and as small tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from orchestrator.assembly.background import Background, result_of
from orchestrator.assembly.home import Home
from orchestrator.cli.output import Format, plain_data, show_rows
from orchestrator.cli.render.console import cell, out, remark
from orchestrator.core.events import RunEnded
from orchestrator.core.workflow_story import mending
from orchestrator.names import DagKind, RunState
from orchestrator.storage.views import RunRow

Row = dict[str, Any]

_SHORT = 200
_MOST_ROWS = 20
_TABLES: Mapping[str, Sequence[str]] = {
    "timers": ("timer_id", "fires_at"),
    "children": ("child_id", "state", "dag_id", "run_id", "blocked"),
    "updates": ("update_id", "name", "seq", "received_at"),
}


def background_row(home: Home, found: Background) -> Row:
    """The background as it is published. ``result`` is null as long as there is none, and for a static DAG."""
    parent, forked = found.parent, found.forked
    return {
        "result": _result(home, found),
        "failure": None if found.ending is None else found.ending.failure,
        "blocked": found.block,
        "parent": parent and {"dag_id": parent.dag_id, "run_id": parent.run_id, "child_id": found.child_id},
        "forked_from": forked and {"dag_id": forked.dag_id, "run_id": forked.run_id, "seq": forked.seq},
        "is_imported": found.is_imported,
        "continued": found.continued,
        "reset_to": found.reset_to,
        "timers": [{"timer_id": name, "fires_at": fires_at} for name, fires_at in found.timers.items()],
        "children": [msgspec.structs.asdict(child) for child in found.children],
        "signals": found.signals,
        "updates": [
            {"update_id": one.update_id, "name": one.name, "seq": one.seq, "received_at": one.at}
            for one in found.updates
        ],
    }


def returned(found: Background) -> RunEnded | None:
    """The end of a workflow that returned."""
    ending = found.ending
    return ending if found.kind is DagKind.WORKFLOW and ending and ending.state is RunState.SUCCESS else None


def background_fields(run: RunRow, found: Background) -> Row:
    """What of it has room beside the fields of the run; a field that has nothing to say is None."""
    return {
        "result": _shortened(run, found),
        "blocked": found.block and _blocked(run, found),
        "parent": found.parent and f"{found.parent.dag_id} {found.parent.run_id}, as {found.child_id}",
        "forked_from": found.forked and f"{found.forked.dag_id} {found.forked.run_id}, at fact {found.forked.seq}",
        "imported": "from another home" if found.is_imported else None,
        "continued": f"began anew {_times(found.continued)}" if found.continued else None,
        "reset_to": found.reset_to and f"fact {found.reset_to}",
        "signals": ", ".join(f"{name} {_times(count)}" for name, count in found.signals.items()) or None,
    }


def has_tables(row: Row) -> bool:
    """Whether there is more to show than fields."""
    return any(row[name] for name in _TABLES)


def show_background(row: Row) -> None:
    """Its timers, children and updates, where there are any."""
    for name, columns in _TABLES.items():
        lines = row[name]
        if not lines:
            continue
        print()
        out().print(name.capitalize(), style="bold")
        show_rows(lines[:_MOST_ROWS], Format.TABLE, columns, empty="")
        if len(lines) > _MOST_ROWS:
            remark(f"{len(lines) - _MOST_ROWS} more {name}; -o json shows all of them.")


def _result(home: Home, found: Background) -> Any:
    ending = returned(found)
    return None if ending is None else plain_data(msgspec.Raw(result_of(home, found.run_key, ending)))


def _shortened(run: RunRow, found: Background) -> str | None:
    ending = returned(found)
    if ending is None:
        return None
    command = f"orchestrator runs result {run.dag_id} '{run.run_id}'"
    if ending.payload is not None:
        return f"{ending.payload.size:,} bytes; see: {command}"
    text = cell(ending.result)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}… (all of it: {command})"


def _blocked(run: RunRow, found: Background) -> str:
    assert found.block is not None
    return (
        f"{found.block.kind}: the code cannot go on. Nothing recorded is lost: {mending(found.block.kind)}: "
        f"orchestrator runs resume {run.dag_id} '{run.run_id}'"
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
