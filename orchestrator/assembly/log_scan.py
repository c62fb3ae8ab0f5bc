"""A process that looks through a log: it may be ended, whatever expression it was given.

It is told on its standard input what to look for, and says on its standard output what it has found, both in JSON. No
library is needed, so that it begins in an instant.
"""

import json
import re
import resource
import sys
import time
from itertools import islice
from typing import Any

from orchestrator.assembly.log_stream import LogStream

_MEMORY = 1024**3
_CHUNK = 256 * 1024
_SPANS = 20
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
_LABEL_AT = len("2026-01-31T06:00:00.000000Z ")
LEVELS = {
    "error": frozenset({"ERROR", "CRITICAL", "FATAL"}),
    "warning": frozenset({"WARNING", "WARN"}),
    "debug": frozenset({"DEBUG", "TRACE"}),
    "output": frozenset({"stdout", "stderr", "output", ""}),
}
"""The labels of each level; every other one is of the level ``info``."""


_KNOWN = {f"{label:<8}": level for level, labels in LEVELS.items() for label in labels if label} | {"INFO    ": "info"}


class Scan:
    """``hits`` are lines with the places of what was found in them, as JavaScript counts letters; ``at`` and ``line``
    say how far it has come, ``count`` in how many lines it was.

    What lies across two chunks of a line that is longer than one is not found.
    """

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.at: int = wanted["at"]
        self.line: int = wanted["line"]
        self.count = 0
        self.hits: list[list[int]] = []
        self._most: int = wanted["most"]
        self._levels = frozenset(wanted["levels"])
        self._query = Query(wanted["q"], is_regex=wanted["regex"], case=wanted["case"])
        self._open = ""  # the level of a line that goes on in the next chunk
        self._is_kept = False  # whether that line is a hit already

    def run(self, stream: LogStream, until: float) -> None:
        """Until the end, until that moment, or until there are as many hits as are wanted."""
        while self.at < stream.size and len(self.hits) < max(1, self._most):
            data = _whole_lines(stream.read(self.at, _CHUNK))
            if not data:
                return
            self._look_through(data)
            self.at += len(data)
            if time.monotonic() > until:
                return

    def _look_through(self, data: bytes) -> None:
        text = _plain(data)
        lines = text.split("\n")
        breaks = len(lines) - 1
        if not lines[-1]:
            lines.pop()
        found = self._query.lines(text, lines)
        levels = self._levels
        if levels:
            found = [number for number in found if self._level(lines[number], number) in levels]
        if self._open and self._is_kept and found[:1] == [0]:
            del found[0]
        self._take(lines, found)
        self._leave_open(lines, breaks, found)
        self.line += breaks

    def _take(self, lines: list[str], found: list[int]) -> None:
        self.count += len(found)
        if self._most:
            self.hits += [[self.line + number, *self._query.places(lines[number])] for number in found]

    def _leave_open(self, lines: list[str], breaks: int, found: list[int]) -> None:
        last = len(lines) - 1
        if last < breaks:
            self._open, self._is_kept = "", False
            return
        goes_on = bool(self._open) and last == 0
        self._is_kept = (goes_on and self._is_kept) or found[-1:] == [last]
        self._open = self._level(lines[last], last)

    def _level(self, line: str, number: int) -> str:
        if number == 0 and self._open:
            return self._open
        return _KNOWN.get(line[_LABEL_AT : _LABEL_AT + 8]) or level_of(line)


class Query:
    """A word, or an expression; every line fits one that is empty. re.error for an expression that is none."""

    def __init__(self, text: str, *, is_regex: bool, case: bool) -> None:
        self._word = "" if is_regex else text if case else text.lower()
        self._case = case
        self._compiled = None
        if text:
            self._compiled = re.compile(text if is_regex else re.escape(text), re.NOFLAG if case else re.IGNORECASE)

    def lines(self, text: str, lines: list[str]) -> list[int]:
        """The places in ``lines`` of those that it fits; ``text`` is all of them."""
        if self._compiled is None:
            return list(range(len(lines)))
        word = self._word
        if word and (self._case or (text.isascii() and word.isascii())):
            text = text if self._case else text.lower()
            return [place for place, line in enumerate(text.split("\n")) if word in line] if word in text else []
        search = self._compiled.search
        return [place for place, line in enumerate(lines) if search(line)]

    def places(self, line: str) -> list[int]:
        """Where it is in a line: a beginning and an end for each of the first, in UTF-16 units."""
        if self._compiled is None:
            return []
        spans = (match.span() for match in islice(self._compiled.finditer(line), _SPANS))
        if line.isascii():
            return [place for span in spans for place in span]
        return [len(line[:place].encode("utf-16-le", "surrogatepass")) // 2 for span in spans for place in span]


def level_of(line: str) -> str:
    """By the label that a line begins with, after its moment."""
    is_stamped = line[_LABEL_AT - 2 : _LABEL_AT] == "Z "
    label = line[_LABEL_AT : _LABEL_AT + 32].partition(" ")[0] if is_stamped else ""
    return next((level for level, labels in LEVELS.items() if label in labels), "info")


def _plain(data: bytes) -> str:
    """As it is seen: without colours, and without the half of a line break that other systems write."""
    text = data.decode("utf-8", "replace")
    if "\x1b" in text:
        text = _COLOURS.sub("", text)
    return text.replace("\r\n", "\n") if "\r" in text else text


def _whole_lines(data: bytes) -> bytes:
    """Without the line that has only begun, unless it is all there is."""
    end = data.rfind(b"\n") + 1
    return data[:end] if end and len(data) == _CHUNK else data


def main() -> None:
    """Read what is wanted, look, and say what was found."""
    wanted = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CPU, (wanted["cpu_seconds"],) * 2)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        scan = Scan(wanted)
    except (re.error, RecursionError, OverflowError) as error:
        json.dump({"wrong": str(error) or "it is too deep"}, sys.stdout)
        return
    stream = LogStream(wanted["paths"])
    scan.run(stream, time.monotonic() + wanted["seconds"])
    found = {"hits": scan.hits, "count": scan.count, "at": scan.at, "line": scan.line, "size": stream.size}
    json.dump(found, sys.stdout)
