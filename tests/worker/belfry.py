"""A folder of triggers for every occasion, and a ringer that plays the engine's part to a triggerer."""

import select
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.clock import SystemClock
from orchestrator.core import values
from orchestrator.core.orders import Fired
from orchestrator.core.waits import Came, Dropped, Named, Ticket, Wait
from orchestrator.executors.inline_triggerer import InlineTriggerer
from orchestrator.executors.triggerer import LocalTriggerer
from orchestrator.names import AttemptKey
from orchestrator.ports import Triggerer
from orchestrator.worker.triggers.settings import TriggererSettings

PATIENCE = 40.0

SOURCE = """
import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

from orchestrator.authoring.masking import mask_secret
from orchestrator.triggers.base import BaseTrigger, TaskFailedEvent, TaskSkippedEvent, TaskSuccessEvent, TriggerEvent

from bell_words import GREETING


class Bell(BaseTrigger):
    def __init__(self, what=None, **kwargs):
        super().__init__()
        self.what, self.kwargs = what, kwargs

    def serialize(self):
        return "bells.Bell", {"what": self.what, **self.kwargs}

    async def run(self):
        handed = getattr(self, self.what)()
        async for event in handed:
            yield event

    async def cleanup(self):
        if "cleaned" in self.kwargs:
            Path(self.kwargs["cleaned"]).touch()
        if self.what == "messy":
            raise OSError("no broom")

    async def rings(self):
        await asyncio.sleep(0)
        yield TriggerEvent(self.kwargs["tone"])
        yield TriggerEvent("never heard")

    async def for_ever(self):
        Path(self.kwargs["began"]).touch() if "began" in self.kwargs else None
        await asyncio.Event().wait()
        yield TriggerEvent(None)

    async def file(self):
        while not Path(self.kwargs["path"]).exists():
            await asyncio.sleep(0.02)
        yield TriggerEvent(self.kwargs["path"])

    async def late_import(self):
        await asyncio.sleep(0)
        from bell_late import NAME

        yield TriggerEvent([GREETING, NAME])

    async def who(self):
        yield TriggerEvent(list(self.task_instance))

    async def messy(self):
        yield TriggerEvent("done all the same")

    async def fails(self):
        await asyncio.sleep(0)
        mask_secret("s3cret-of-the-bell")
        raise OSError("the rope s3cret-of-the-bell is torn")
        yield

    async def exits(self):
        sys.exit("enough")
        yield

    async def says_nothing(self):
        return
        yield

    async def babbles(self):
        yield "ding"

    async def no_json(self):
        yield TriggerEvent(object())

    async def huge(self):
        yield TriggerEvent("x" * 2_000_000)

    async def success(self):
        yield TaskSuccessEvent(xcoms={"return_value": [1, 2], "tone": "c"})

    async def failed(self):
        yield TaskFailedEvent()

    async def skipped(self):
        yield TaskSkippedEvent()

    async def prints(self):
        mask_secret("s3cret-of-the-bell")
        print("ding", self.kwargs["tone"], "s3cret-of-the-bell")
        await asyncio.sleep(0.05)
        logging.getLogger("bell").warning("dong %s", self.kwargs["tone"])
        await asyncio.to_thread(print, "from a thread", self.kwargs["tone"])
        yield TriggerEvent(None)

    async def blocks(self):
        await asyncio.sleep(0)
        time.sleep(self.kwargs["seconds"])  # the clapper sticks
        yield TriggerEvent(None)

    async def kills(self):
        if not Path(self.kwargs["once"]).exists():
            Path(self.kwargs["once"]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield TriggerEvent("survived")

    async def pid(self):
        yield TriggerEvent(os.getpid())

    async def at(self):
        yield TriggerEvent(self.kwargs["moment"])


class NoGenerator(Bell):
    async def run(self):
        return TriggerEvent(None)


class Unmakeable(Bell):
    def __init__(self):
        raise ValueError("cast it first")


class NotATrigger:
    pass
"""


class Belfry:
    """The code of a version with triggers in it; each wait is one of another run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code = folder / "code"
        self.logs = folder / "logs"
        self._keys = count(1)
        self.write("bells.py", SOURCE)
        self.write("bell_words.py", "GREETING = 'good morning'\n")
        self.write("bell_late.py", "NAME = 'late'\n")

    def write(self, name: str, source: str, *, code: Path | None = None) -> None:
        path = (code or self.code) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)

    def wait(
        self,
        what: str = "rings",
        *,
        classpath: str = "bells.Bell",
        local: bool = True,
        code: Path | None = None,
        **kwargs: Any,
    ) -> Wait:
        number = next(self._keys)
        if classpath.endswith((".Bell", ".NoGenerator", ".Own")):
            kwargs["what"] = what
        return Wait(
            key=AttemptKey(number, "ring", -1, 1),
            seq=7,
            trigger=Named(classpath=classpath, kwargs=msgspec.Raw(values.encode(kwargs)), local=local),
            dag_id="church",
            run_id=f"run_{number}",
            code=str(code or self.code),
            file="church.py",
            log=f"{number}/3.log",
        )

    def log(self, wait: Wait) -> str:
        path = self.logs / wait.log
        return path.read_text() if path.exists() else ""


def make_triggerer(kind: str, belfry: Belfry, notices: list[str] | None = None, **options: Any) -> Triggerer:
    if kind == "inline":
        return InlineTriggerer(SystemClock())
    settings = TriggererSettings(log_folder=str(belfry.logs), patience=0.2)
    return LocalTriggerer(settings, SystemClock(), notice=(notices if notices is not None else []).append, **options)


class Ringer:
    """What the engine does, and keeps of what it is told."""

    def __init__(self, triggerer: Triggerer) -> None:
        self.triggerer = triggerer
        self.told: dict[Ticket, list[Fired | Dropped]] = {}

    def until(self, condition: Callable[[], object], what: str = "it happens") -> None:
        """Listen until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"within {PATIENCE:g} s it did not come about that {what}"
            self.listen()

    def listen(self) -> None:
        files = self.triggerer.files()
        if files:
            select.select(files, [], [], 0.02)
        for report in self.triggerer.reports():
            ticket = report.ticket if isinstance(report, Dropped) else Ticket(report.key.run_key, report.seq)
            self.told.setdefault(ticket, []).append(report)

    def outcome(self, wait: Wait) -> Fired:
        """Submit it, and what it comes to."""
        self.triggerer.submit([wait])
        return self.heard(wait)

    def heard(self, wait: Wait) -> Fired:
        self.until(lambda: wait.ticket in self.told, f"{wait.trigger} ends")
        (report,) = self.told[wait.ticket]
        assert isinstance(report, Fired), report
        return report

    def event(self, wait: Wait) -> Any:
        """Submit it; the payload of its event."""
        came = self.came(wait)
        assert came.failure is None, came.failure
        return values.decode(came.event)

    def came(self, wait: Wait) -> Came:
        report = self.outcome(wait)
        assert report.end is None
        return msgspec.json.decode(report.payload, type=Came)

    def failure(self, wait: Wait) -> str:
        """Submit it; why it failed."""
        came = self.came(wait)
        assert came.failure is not None, came
        return came.failure.message
