"""Transcripts: exported runs in files, read line by line, in memory of a line."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from orchestrator.core import transcript
from orchestrator.core.events import Recorded
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.runs import replay
from orchestrator.core.spec import DagSpec, decode_spec
from orchestrator.core.transcript import End, Fact, Head, Line, Payload, Version, damaged
from orchestrator.exceptions import HistoryConflictError, SchemaVersionError, StorageCorruptError, TranscriptError
from orchestrator.storage.codec import CODEC
from orchestrator.storage.snapshots import is_inside

_TELL_EVERY = 1_000

Tell = Callable[[int, int], None]


class Transcript:
    """An exported run in a file. TranscriptError, from any of these, where it is none, newer, or damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = path.name
        with path.open("rb") as file:
            self.head: Head = transcript.decode_head(file.readline(), self._name)

    def lines(self, tell: Tell = lambda _done, _total: None) -> Iterator[Line]:
        """Every line between the head and the end. That the file is whole is known when the last has been read.

        ``tell`` is told how many bytes are read, of how many.
        """
        total = self.path.stat().st_size
        with self.path.open("rb") as file:
            for number, line in enumerate(self._checked(file), 2):
                if number % _TELL_EVERY == 0:
                    tell(file.tell(), total)
                yield line
        tell(total, total)

    def facts(self, tell: Tell = lambda _done, _total: None) -> Iterator[Recorded]:
        """The facts in order of seq."""
        for line in self.lines(tell):
            if isinstance(line, Fact):
                yield self.recorded(line)

    def recorded(self, line: Fact) -> Recorded:
        """The fact that a line holds."""
        try:
            return Recorded(line.seq, line.at, CODEC.decode(line.type, line.version, bytes(line.body).decode()))
        except SchemaVersionError as error:
            raise TranscriptError(
                f"{self._name}: fact {line.seq} is a {line.type} of version {line.version}, which this program does "
                f"not know; upgrade the program"
            ) from error
        except StorageCorruptError as error:
            raise TranscriptError(f"{self._name}: fact {line.seq} is no {line.type}: {error.__cause__}") from error

    def fold(self, tell: Tell = lambda _done, _total: None) -> Run:
        """The run as it stood when it was exported, once the whole file has been found to be sound."""
        plans: dict[int, Plan] = {}
        reached = [0]
        try:
            return replay(0, self._told(plans, reached, tell), plans.__getitem__, again=self.facts)
        except TranscriptError:
            raise
        except (HistoryConflictError, LookupError, ValueError, TypeError, AttributeError) as error:
            raise TranscriptError(
                f"{self._name}: fact {reached[0]} does not follow from those before it "
                f"({type(error).__name__}: {error}); the history is of another DAG, or was edited"
            ) from error

    def _told(self, plans: dict[int, Plan], reached: list[int], tell: Tell) -> Iterator[Recorded]:
        for line in self.lines(tell):
            if isinstance(line, Version):
                plans[line.version_id] = Plan(self.spec(line), line.version_id)
            elif isinstance(line, Fact):
                reached[0] = line.seq
                yield self.recorded(line)

    def spec(self, version: Version) -> DagSpec:
        """The DAG of that version."""
        try:
            return decode_spec(bytes(version.spec))
        except msgspec.DecodeError as error:
            raise TranscriptError(f"{self._name}: version {version.version_id} holds no DAG: {error}") from error

    def _checked(self, file: BinaryIO) -> Iterator[Line]:
        digest = hashlib.sha256(file.readline())
        facts = versions = 0
        for number, data in enumerate(file, 2):
            line = self._decoded(number, data)
            match line:
                case End():
                    self._require_whole(line, number, facts, digest.hexdigest(), file.read(1))
                    return
                case Head():
                    raise damaged(self._name, number, "it has a second head")
                case Fact():
                    facts += 1
                    self._require(line.seq == facts, number, f"fact {line.seq} stands in the place of fact {facts}")
                case Version():
                    versions += 1
                    self._require(line.version_id == versions, number, f"version {versions} is missing")
                    outside = [path for path in line.files or () if not is_inside(path)]
                    self._require(not outside, number, f"it has a file outside of its folder: {outside[:1]}")
                case Payload():
                    found = hashlib.sha256(line.content.data).hexdigest()
                    self._require(found == line.sha256, number, "a payload is not what its digest says")
            digest.update(data)
            yield line
        raise TranscriptError(f"{self._name} has no end: it was cut short; export it again")

    def _decoded(self, number: int, data: bytes) -> Line:
        try:
            return transcript.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            cut = "" if data.endswith(b"\n") else "it is cut short, "
            raise damaged(self._name, number, f"{cut}{error}") from error

    def _require_whole(self, end: End, number: int, facts: int, digest: str, rest: bytes) -> None:
        self._require(not rest, number, "something follows its end")
        self._require(end.facts == facts, number, f"it has {facts} facts and says {end.facts}")
        self._require(end.sha256 == digest, number, "it is not the file that was exported")

    def _require(self, holds: bool, number: int, reason: str) -> None:
        if not holds:
            raise damaged(self._name, number, reason)
