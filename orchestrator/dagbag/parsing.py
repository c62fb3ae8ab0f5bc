"""One parse of one DAG file, in a process of its own: from a Job to a ParsedFile, whatever the file does."""

import os
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import msgspec

from orchestrator.authoring.compiling import compile_dag
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.masking import masked
from orchestrator.authoring.planning import again_at, plan
from orchestrator.authoring.timetable import Timetable
from orchestrator.core.spec import DagSpec, Planned, fingerprint
from orchestrator.dagbag.blame import authors_frames, blame, listing
from orchestrator.dagbag.closure import Closure
from orchestrator.dagbag.contents import AFTER, Contents, content_hash
from orchestrator.dagbag.fingerprint import code_fingerprint
from orchestrator.dagbag.importing import LocalModules, run_file
from orchestrator.dagbag.jobs import Job
from orchestrator.dagbag.quarantine.effects import Scene
from orchestrator.dagbag.quarantine.fence import Fence, Violation
from orchestrator.dagbag.quarantine.modes import mode_of
from orchestrator.dagbag.reads import Reads
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import DagError, DagImportError, ScheduleError
from orchestrator.ports import ImportFailure, ParsedDag, ParsedFile


class Parse:
    """A parse that has begun. What it has looked at so far is known even when it has to be cut short.

    ``stamps`` are of the variables and connections that it has asked for so far.
    """

    def __init__(self, job: Job, stamps: Mapping[str, str | None] = {}) -> None:
        self._job = job
        self._stamps = stamps
        self._roots = Roots(Path(job.folder), Path(job.plugins))
        self._modules = LocalModules(self._roots)
        self._reads = Reads(self._roots)
        self._closure = Closure(self._roots)
        self._contents = Contents(self._roots, terms=job.terms, environment=dict(os.environ), kept=stamps.get)
        self._again: set[str] = set()
        self._failure: ImportFailure | None = None
        self._fence: Fence | None = None
        self._began = time.monotonic()

    def run(self) -> ParsedFile:
        """Run the file, compile its DAGs, and gather what belongs to their version."""
        specs: dict[str, DagSpec] = {}
        try:
            self._check()
            with self._fenced():
                specs = self._compile(run_file(self._modules, self._job.file))
        except DagImportError as error:
            self._fail(error)
        if self._fence and self._fence.refused:  # even if the author's code has caught it, or made another of it
            self._failure, specs = _pointed_out(self._fence.refused), {}
        try:
            self._gather()
        except DagError as error:
            self._fail(blame(error, self._job.file, self._roots))
            specs = {}
        return self._result(specs)

    def listen(self) -> None:
        """Hear of every file that is opened from now on, as long as this process lives."""
        self._reads.listen()

    def cut_short(self, frame: FrameType | None) -> ParsedFile:
        """What there is to say when the time is up and the author's code stands at ``frame``."""
        walked = reversed(list(traceback.walk_stack(frame))) if frame else ()
        frames = authors_frames(walked, self._roots)
        self._failure = ImportFailure(
            message=f"parsing took longer than {self._job.limits.timeout:g} s and was ended; "
            f"move slow work into a task, or raise [core] dagbag_import_timeout",
            file=frames[-1].name if frames else self._job.file,
            line=frames[-1].line if frames else None,
            frames=listing(frames),
        )
        for name, data in self._modules.sources.items():
            self._closure.files[name] = data
        return self._result({})

    def _fenced(self) -> Fence:
        source = self._roots.path(self._job.file).read_bytes()
        self._fence = Fence(self._roots, Scene.PARSE, mode_of(self._job.quarantine, source))
        return self._fence

    def _check(self) -> None:
        """DagImportError if the file cannot be read, or is larger than a DAG file may be."""
        limit = self._job.limits.source
        try:
            with self._roots.path(self._job.file).open("rb") as source:
                source.read(1)
                size = os.fstat(source.fileno()).st_size
        except OSError as error:
            raise DagImportError(f"the file cannot be read: {error.strerror}", file=self._job.file) from error
        if size > limit:
            raise DagImportError(
                f"the file has {size:,} bytes, and a DAG file may have {limit:,}; "
                f"move data out of it, or raise [dag_processor] max_file_bytes",
                file=self._job.file,
            )

    def _compile(self, dags: dict[str, DAG]) -> dict[str, DagSpec]:
        """The specs of the DAGs that are right, by fingerprint; the first that is not makes the file's failure."""
        specs: dict[str, DagSpec] = {}
        for dag in dags.values():
            try:
                with self._modules.active():
                    spec = self._planned(dag, compile_dag(dag, file=self._job.file, defaults=self._job.defaults))
                specs[fingerprint(spec)] = spec
            except Exception as error:
                self._fail(blame(error, self._job.file, self._roots))
        return specs

    def _planned(self, dag: DAG, spec: DagSpec) -> DagSpec:
        """With the slots to come, where a timetable of the author's names them."""
        if not isinstance(spec.schedule, Planned) or not isinstance(dag.schedule, Timetable):
            return spec
        now = self._job.at or datetime.now(UTC)
        try:
            slots = plan(dag.schedule, spec, last=self._job.dealt_with.get(dag.dag_id), now=now)
        except ScheduleError as error:
            raise ScheduleError(f"{dag!r}: {error.message}", file=dag.place.file, line=dag.place.line) from error
        self._again.add(f"{AFTER}{again_at(slots, now).isoformat()}")
        return msgspec.structs.replace(spec, schedule=msgspec.structs.replace(spec.schedule, slots=slots))

    def _gather(self) -> None:
        self._closure.add(self._modules.sources)
        self._closure.open(sorted(self._reads.names))
        self._closure.complete()

    def _fail(self, error: DagImportError) -> None:
        if self._failure is None:
            self._failure = ImportFailure(
                message=error.message, file=error.file or self._job.file, line=error.line, frames=error.frames
            )

    def _warning(self) -> ImportFailure | None:
        if self._fence is None or not self._fence.warned:
            return None
        return msgspec.structs.replace(_pointed_out(self._fence.warned), is_warning=True)

    def _result(self, specs: dict[str, DagSpec]) -> ParsedFile:
        files = self._closure.files
        code = self._with_stamps(code_fingerprint(files, self._closure.trees)) if specs else ""
        needs = {self._job.file, *files, *self._reads.names, *self._closure.missing, *self._stamps, *self._again}
        needs |= self._modules.extensions.looked_in
        given = {name: content_hash(data) for name, data in files.items()}
        return ParsedFile(
            file=self._job.file,
            digest=self._contents.digest(needs, given),
            dags=tuple(ParsedDag(spec=spec, fingerprint=found, code_fingerprint=code) for found, spec in specs.items()),
            files=files if specs else {},
            needs=tuple(sorted(needs)),
            failure=None if self._failure is None else _masked(self._failure),
            warning=self._warning(),
            duration=time.monotonic() - self._began,
        )

    def _with_stamps(self, code: str) -> str:
        """Code that has read something else is other code: a worker that holds it would hold what it read, too."""
        if not self._stamps:
            return code
        read = "".join(f"\n{name}\0{stamp}" for name, stamp in sorted(self._stamps.items()))
        return content_hash(f"{code}{read}".encode())


def _masked(failure: ImportFailure) -> ImportFailure:
    frames = tuple(map(masked, failure.frames))
    return msgspec.structs.replace(failure, message=masked(failure.message), frames=frames)


def _pointed_out(violations: list[Violation]) -> ImportFailure:
    """The first of them with the lines that led to it, and the others by a sentence each."""
    first, *others = violations
    return ImportFailure(
        message=first.message, file=first.file, line=first.line, frames=(*first.frames, *map(str, others))
    )
