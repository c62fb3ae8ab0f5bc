"""What the dag processor and its zygote say to each other."""

import hashlib
import sys
from datetime import datetime
from pathlib import Path

import msgspec

from orchestrator.authoring.defaults import Defaults
from orchestrator.core.spec import PlannedSlot
from orchestrator.names import QuarantineMode


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one parse may take: ``timeout`` in seconds, ``memory`` (address space) and ``source`` in bytes."""

    timeout: float = 30.0
    memory: int = 16 * 1024**3
    source: int = 1024**2


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A file to parse; ``file`` is relative to ``folder``, which is dags_folder. ``terms`` are part of its digest.

    Slots are planned from ``at``, or from now; ``dealt_with`` are the last ones that are over, by dag_id.
    """

    file: str
    folder: str
    plugins: str
    defaults: Defaults = Defaults()
    limits: Limits = Limits()
    quarantine: QuarantineMode = QuarantineMode.AUTO
    terms: str = ""
    at: datetime | None = None
    dealt_with: dict[str, PlannedSlot] = {}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    job: Job


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the process that parsed has ended; the frame's second part is its ParsedFile, as JSON.

    ``death`` says what became of it where there is none; ``output`` is the end of what it printed.
    """

    id: int
    death: str = ""
    output: str = ""


def terms_of(defaults: Defaults, quarantine: QuarantineMode) -> str:
    """What a parse depends on besides the author's files, as one hash: the settings, Python, and this program."""
    found = hashlib.sha256(msgspec.json.encode((defaults, quarantine)) + sys.version.encode())
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        status = path.stat()
        found.update(f"{path}{status.st_size}{status.st_mtime_ns}".encode())
    return found.hexdigest()
