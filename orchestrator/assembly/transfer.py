"""Transfer: a run out of one home as a transcript, and into another."""

import ast
import contextlib
import hashlib
from collections.abc import Container, Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from orchestrator.assembly.home import Home
from orchestrator.assembly.payloads import open_payloads
from orchestrator.clock import SystemClock
from orchestrator.core import transcript
from orchestrator.core.events import Recorded, RunCreated, RunMoved
from orchestrator.core.particulars import PayloadRef
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.spec import DagSpec, encode_spec, fingerprint
from orchestrator.core.transcript import Content, End, Fact, Head, Line, Payload, Version
from orchestrator.dagbag.fingerprint import code_fingerprint
from orchestrator.exceptions import ConflictError, NotFoundError
from orchestrator.ports import ParsedDag, ParsedFile
from orchestrator.storage.codec import CODEC
from orchestrator.storage.guests import Guests
from orchestrator.storage.projected import Pushing
from orchestrator.storage.transcripts import Tell, Transcript
from orchestrator.storage.views import RunRow

_TELL_EVERY = 1_000
_CODELESS = "-without-code"
_MARKS_OF_VERSIONS = frozenset({"RunCreated", "RunMoved"})


# ── out ──────────────────────────────────────────────────────────────────────────────────────────────────


def exported(home: Home, run: RunRow, *, code: bool, payloads: bool, tell: Tell) -> Iterator[bytes]:
    """The lines of the run's transcript, as it stands now; ``tell`` is told how many facts, of how many.

    ConflictError while nothing is recorded of it. NotFoundError where a payload is gone.
    """
    if run.is_pending:
        raise ConflictError(f"nothing is recorded of run {run.run_id!r} yet: {run.reason}")
    digest = hashlib.sha256()
    for line in _Export(home, run, code=code, payloads=payloads).lines(tell):
        data = transcript.encode(line)
        digest.update(data)
        yield data
    yield transcript.encode(End(facts=run.last_seq, sha256=digest.hexdigest()))


class _Export:
    def __init__(self, home: Home, run: RunRow, *, code: bool, payloads: bool) -> None:
        self._home = home
        self._run = run
        self._code = code
        self._payloads = open_payloads(home.config) if payloads else None
        self._versions: dict[int, int] = {}
        self._told: set[str] = set()

    def lines(self, tell: Tell) -> Iterator[Line]:
        run = self._run
        kind = self._home.reads.spec(run.version_id).kind
        yield Head(dag_id=run.dag_id, run_id=run.run_id, run_uid=run.run_uid, kind=kind)
        for fact in self._home.reads.stored_facts(run.run_key, until=run.last_seq):
            if fact.type in _MARKS_OF_VERSIONS:
                yield from self._of_version(fact)
            else:
                yield from self._with_payload(fact)
            if fact.seq % _TELL_EVERY == 0:
                tell(fact.seq, run.last_seq)
        tell(run.last_seq, run.last_seq)

    def _of_version(self, fact: Fact) -> Iterator[Line]:
        """A fact that names a version, by its number in this file; the version itself where it is the first to."""
        event = CODEC.decode(fact.type, fact.version, bytes(fact.body).decode())
        assert isinstance(event, RunCreated | RunMoved)
        number = self._versions.get(event.version_id)
        if number is None:
            number = self._versions[event.version_id] = len(self._versions) + 1
            yield self._version(event.version_id, number)
        kind, version, body = CODEC.encode(replace(event, version_id=number))
        yield replace(fact, type=kind, version=version, body=_one_line(msgspec.Raw(body.encode())))

    def _version(self, version_id: int, number: int) -> Version:
        reads = self._home.reads
        fingerprints = {one.version_id: one.code_fingerprint for one in reads.versions(self._run.dag_id)}
        files = reads.source(version_id) if self._code else {}
        return Version(
            version_id=number,
            code_fingerprint=fingerprints.get(version_id, "").removesuffix(_CODELESS),
            spec=msgspec.Raw(encode_spec(reads.spec(version_id))),
            files={path: Content.of(data) for path, data in files.items()} or None,
        )

    def _with_payload(self, fact: Fact) -> Iterator[Line]:
        for ref in _payloads_of(fact) if self._payloads is not None else ():
            if ref.sha256 not in self._told:
                self._told.add(ref.sha256)
                yield Payload(sha256=ref.sha256, content=Content.of(self._read(ref)))
        yield replace(fact, body=_one_line(fact.body))

    def _read(self, ref: PayloadRef) -> bytes:
        assert self._payloads is not None
        try:
            return self._payloads.get(ref)
        except NotFoundError as error:
            raise NotFoundError(f"{error}; export the run without its large results: --no-payloads") from error


def _one_line(body: msgspec.Raw) -> msgspec.Raw:
    """JSON that a person gave, such as a conf, may have been recorded with its line breaks."""
    data = bytes(body)
    return msgspec.Raw(msgspec.json.format(data, indent=-1)) if b"\n" in data or b"\r" in data else body


def _payloads_of(fact: Fact) -> list[PayloadRef]:
    """The references in a fact; looked for in the bytes first, since few have one."""
    data = bytes(fact.body)
    if b'"sha256"' not in data:
        return []
    event = CODEC.decode(fact.type, fact.version, data.decode())
    pushed = event.xcoms.values() if isinstance(event, Pushing) else ()
    found = [getattr(event, "payload", None), *(one.payload for one in pushed)]
    return [ref for ref in found if isinstance(ref, PayloadRef)]


# ── in ───────────────────────────────────────────────────────────────────────────────────────────────────


def imported(home: Home, path: Path, *, run_id: str | None, by: str, tell: Tell) -> Run:
    """Take in the run of a transcript, under ``run_id`` or its own; ``tell`` is told how many bytes, of how many.

    The whole file is read and folded before anything is written. TranscriptError where it is none, or damaged;
    ConflictError if there is such a run already.
    """
    source = Transcript(path)
    guests = Guests(home.engine, SystemClock(), paused_at_creation=home.config.core.dags_are_paused_at_creation)
    dag_id, name = source.head.dag_id, run_id or source.head.run_id
    guests.require_free(dag_id, name)
    source.fold(lambda done, total: tell(done, 2 * total))
    specs = list(_versions(home, source))
    version_ids = guests.keep_versions(specs)
    plans = {
        version_id: Plan(dag.spec, version_id, dag.fingerprint)
        for version_id, (_, dag) in zip(version_ids, specs, strict=True)
    }
    facts = partial(_facts, source, dict(enumerate(version_ids, 1)), name, tell)
    return guests.take(dag_id, name, facts, plans.__getitem__, by=by)


def _versions(home: Home, source: Transcript) -> Iterator[tuple[ParsedFile, ParsedDag]]:
    """The versions in the file; its payloads are put where they belong on the way, before a fact refers to them."""
    payloads, known = open_payloads(home.config), _known_versions(home, source.head.dag_id)
    for line in source.lines():
        if isinstance(line, Payload):
            payloads.put(line.content.data)
        elif isinstance(line, Version):
            yield _parsed(source.spec(line), line, known)


def _facts(source: Transcript, version_ids: Mapping[int, int], run_id: str, tell: Tell) -> Iterator[Recorded]:
    """The facts as they are recorded here: with this home's versions, and as those of an imported run."""
    for fact in source.facts(lambda done, total: tell(total + done, 2 * total)):
        match fact.event:
            case RunCreated() as event:
                changes = {"run_id": run_id, "version_id": version_ids[event.version_id], "imported": True}
                yield Recorded(fact.seq, fact.at, replace(event, **changes, instead_of=None))
            case RunMoved() as event:
                moved = replace(event, version_id=version_ids[event.version_id], instead_of=None)
                yield Recorded(fact.seq, fact.at, moved)
            case _:
                yield fact


def _known_versions(home: Home, dag_id: str) -> set[tuple[str, str]]:
    """The pairs of fingerprints that this home has of a DAG."""
    try:
        return {(version.fingerprint, version.code_fingerprint) for version in home.reads.versions(dag_id)}
    except NotFoundError:
        return set()


def _parsed(spec: DagSpec, version: Version, known: Container[tuple[str, str]]) -> tuple[ParsedFile, ParsedDag]:
    """The version as the dag processor would have recorded it. One without code that is not known here is told apart
    from the same with it, so that it never stands for that."""
    files = {path: content.data for path, content in (version.files or {}).items()}
    found, code = fingerprint(spec), version.code_fingerprint
    if files:
        code = code_fingerprint(files, _trees(files))
    elif (found, code) not in known:
        code = f"{code[:100]}{_CODELESS}"
    dag = ParsedDag(spec=spec, fingerprint=found, code_fingerprint=code)
    return ParsedFile(file=spec.file, digest="", dags=(dag,), files=files), dag


def _trees(files: Mapping[str, bytes]) -> dict[str, ast.Module]:
    trees = {}
    for path, data in files.items():
        if path.endswith(".py"):
            with contextlib.suppress(SyntaxError, ValueError, RecursionError):
                trees[path] = ast.parse(data)
    return trees
