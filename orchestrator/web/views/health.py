"""Health: which parts of the home work, and on what."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.storage.signs import DatabaseRow, PartRow, Role
from orchestrator.web.wording import plural

TITLES: Mapping[Role, str] = {
    Role.SCHEDULER: "Scheduler",
    Role.DAG_PROCESSOR: "DAG processor",
    Role.EXECUTOR: "Executor",
    Role.TRIGGERER: "Triggerer",
}


class PartLine(msgspec.Struct, frozen=True, kw_only=True):
    """``part`` is the last sign of it, None where there never was any; ``about`` what it says of itself."""

    title: str
    part: PartRow | None
    is_alive: bool
    about: str

    @property
    def words(self) -> str:
        return "is alive" if self.is_alive else "is silent" if self.part else "was never here"


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """The disk of a folder, in bytes."""

    folder: str
    free: int
    total: int


class HealthPage(msgspec.Struct, frozen=True, kw_only=True):
    """``disks`` by what lies on them; one that cannot be looked at is left out."""

    parts: list[PartLine]
    database: DatabaseRow
    disks: Mapping[str, Disk]
    pending: int
    broken_files: int


def part_lines(home: Home, now: datetime) -> list[PartLine]:
    """Every part that works, and of a role that none works for the one that was seen last."""
    known = home.reads.parts()
    return [line for role in Role for line in _of_role(role, [one for one in known if one.role is role], now)]


def _of_role(role: Role, known: Sequence[PartRow], now: datetime) -> list[PartLine]:
    alive = [one for one in known if one.is_alive(now)]
    if not known:
        return [PartLine(title=TITLES[role], part=None, is_alive=False, about="")]
    return [
        PartLine(title=TITLES[role], part=one, is_alive=one.is_alive(now), about=about(one))
        for one in alive or known[:1]
    ]


def about(part: PartRow) -> str:
    """What a part says of itself, as a sentence; what is no fact of today's is left out."""
    facts = part.facts
    match part.role:
        case Role.SCHEDULER if isinstance(took := facts.get("slowest_turn_ms"), int | float):
            return f"slowest turn of late {took:g} ms"
        case Role.EXECUTOR if isinstance(count := facts.get("processes"), int):
            return f"{facts.get('executor')}: {plural(count, 'process', 'processes')}, {_attempts(facts)}"
        case Role.TRIGGERER if isinstance(count := facts.get("triggers"), int):
            return f"{plural(count, 'trigger')} wait" if count else "nothing is deferred"
        case Role.DAG_PROCESSOR if isinstance(at := facts.get("looked_at"), str):
            return f"looked at the whole folder at {at[11:19]} UTC"
    return ""


def _attempts(facts: Mapping[str, object]) -> str:
    count = facts.get("attempts")
    return f"{plural(count, 'attempt')} in hand" if isinstance(count, int) else "working"


def health_page(home: Home, now: datetime) -> HealthPage:
    config = home.config
    places = {"Logs": config.logging.base_log_folder, "Home": config.home}
    disks = {what: _disk(folder) for what, folder in places.items()}
    return HealthPage(
        parts=part_lines(home, now),
        database=home.reads.database(),
        disks={what: disk for what, disk in disks.items() if disk is not None},
        pending=home.reads.pending_requests(),
        broken_files=len(home.reads.import_errors()),
    )


def _disk(folder: Path) -> Disk | None:
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    try:
        found = shutil.disk_usage(there)
    except OSError:
        return None
    return Disk(folder=str(folder), free=found.free, total=found.total)
