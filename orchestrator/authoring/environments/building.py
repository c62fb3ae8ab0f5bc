"""Building: one environment is made of its recipe, step by step."""

import logging
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from orchestrator.authoring.environments.builders import Builder, Step
from orchestrator.authoring.environments.cache import Made
from orchestrator.authoring.environments.recipe import Recipe
from orchestrator.exceptions import EnvironmentBuildError

logger = logging.getLogger("orchestrator")

_LINES = 20
_CAUSE = re.compile("error|\N{MULTIPLICATION SIGN}", re.IGNORECASE)
_LONGEST_CAUSE = 600
_SECRETS = re.compile(r"(?<=://)[^\s/@]+@")

Run = Callable[[Sequence[str], Mapping[str, str], Callable[[str], object]], int]
"""Runs a program, what it prints going to the log and to the last argument; its exit code."""


class Building(NamedTuple):
    """What an environment is built from, by what, and for which task."""

    task_id: str
    recipe: Recipe
    builder: Builder
    run: Run

    def build(self, key: str, folder: Path) -> Made:
        """The environment in ``folder``; EnvironmentBuildError says what the builder said."""
        wanted = ", ".join(self.recipe.requirements) or "nothing but Python"
        logger.info("environment %s is built with %s: %s", key, self.builder.name, _SECRETS.sub("", wanted))
        began = time.monotonic()
        requirements = folder.with_name(f"{folder.name}.txt")
        requirements.write_text("".join(f"{line}\n" for line in self.recipe.requirements), encoding="utf-8")
        try:
            for step in self.builder.steps(self.recipe, folder, requirements):
                self._take(step)
        finally:
            requirements.unlink(missing_ok=True)
        seconds = round(time.monotonic() - began, 1)
        logger.info("environment %s is whole after %.1f s", key, seconds)
        return Made(
            key=key,
            folder=folder.name,
            builder=self.builder.name,
            python=_version_of(folder),
            requirements=tuple(_SECRETS.sub("", line) for line in self.recipe.requirements),
            packages=_packages_in(folder),
            made_at=datetime.now(UTC),
            seconds=seconds,
        )

    def _take(self, step: Step) -> None:
        tail = Tail()
        code = self.run(step.argv, step.variables, tail.feed)
        if code:
            raise EnvironmentBuildError(
                f"the environment of task {self.task_id!r} cannot be built: {self.builder.name} ended with exit code "
                f"{code}: {tail.cause or 'it said nothing'}",
                tail.lines,
            )


class Tail:
    """The last lines of a text that comes in pieces, without empty ones."""

    def __init__(self) -> None:
        self._ended: deque[str] = deque(maxlen=_LINES)
        self._begun = ""

    def feed(self, text: str) -> None:
        *ended, self._begun = (self._begun + text).replace("\r", "\n").split("\n")
        self._ended.extend(line for line in ended if line.strip())

    @property
    def lines(self) -> tuple[str, ...]:
        return (*self._ended, *([self._begun] if self._begun.strip() else []))

    @property
    def cause(self) -> str:
        """What went wrong, in the program's own words, on one line."""
        lines = self.lines
        first = next((number for number, line in enumerate(lines) if _CAUSE.search(line)), max(0, len(lines) - 3))
        words = " ".join(" ".join(lines[first:]).split())
        return words if len(words) <= _LONGEST_CAUSE else f"{words[:_LONGEST_CAUSE]}…"


def _version_of(folder: Path) -> str:
    """What pyvenv.cfg says; the two builders call it differently."""
    lines = (folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    entries = dict(part for line in lines if len(part := [word.strip() for word in line.split("=", 1)]) == 2)
    return str(entries.get("version_info") or entries.get("version", ""))


def _packages_in(folder: Path) -> tuple[str, ...]:
    names = (path.name.removesuffix(".dist-info") for path in folder.glob("lib/python*/site-packages/*.dist-info"))
    return tuple(sorted("==".join(name.rsplit("-", 1)) for name in names))
