"""The dag processor: keeps the catalog as the DAG files are, and parses a file only when what it needs has changed."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec

from orchestrator.authoring.defaults import Defaults
from orchestrator.authoring.masking import masked
from orchestrator.dagbag.asking import EnvironmentParseVault, ParseVault
from orchestrator.dagbag.contents import AFTER, KEPT, Contents
from orchestrator.dagbag.discovery import Discovery, discover
from orchestrator.dagbag.jobs import Job, Limits, terms_of
from orchestrator.dagbag.parsers import Parsed, Parsers, Stop
from orchestrator.dagbag.roots import Roots
from orchestrator.dagbag.watching import TICK_SECONDS, watch
from orchestrator.exceptions import OrchestratorError, StorageUnavailableError
from orchestrator.names import QuarantineMode
from orchestrator.ports import CatalogWriter, Clock, ImportFailure, KnownFile, ParsedFile

log = logging.getLogger(__name__)

_DEFAULTS = Defaults()
_LINGER = timedelta(seconds=5)
_LINGER_AFTER_CHANGE = timedelta(seconds=60)  # somebody is at work, and waits for what comes of it
_RETRY = timedelta(seconds=5)
_LAST_WORDS = 20
_MEANWHILE_SECONDS = 0.4


class ScanReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at the folder came to: how many DAG files there are, and what became of those that changed."""

    files: int
    parsed: int
    errors: int
    removed: int
    seconds: float


class _Tally:
    """What a scan has come to so far."""

    def __init__(self) -> None:
        self.parsed = 0
        self.errors = 0


class DagProcessor:
    """Finds, parses and records DAG files. ``on_change`` is called after each time that the catalog was written.

    ``timeout`` is for one parse, ``memory`` (bytes of address space) too; at most ``parallel`` are parsed at once.
    ``refresh`` is the longest time between two looks at the whole folder. Files read variables and connections from
    ``vault``. A late or failed parse removes no DAG.
    """

    def __init__(
        self,
        dags_folder: Path,
        plugins_folder: Path,
        *,
        writer: CatalogWriter,
        on_change: Callable[[], None],
        clock: Clock,
        defaults: Defaults = _DEFAULTS,
        timeout: timedelta = timedelta(seconds=30),
        parallel: int = 2,
        memory: int = 16 * 1024**3,
        max_file_bytes: int = 1024**2,
        refresh: timedelta = timedelta(seconds=300),
        quarantine: QuarantineMode = QuarantineMode.AUTO,
        vault: ParseVault | None = None,
    ) -> None:
        self._roots = Roots(dags_folder, plugins_folder)
        self._writer = writer
        self._on_change = on_change
        self._clock = clock
        self._defaults = defaults
        self._limits = Limits(timeout=timeout.total_seconds(), memory=memory, source=max_file_bytes)
        self._refresh = refresh
        self._vault = vault or EnvironmentParseVault()
        self._cursor = -1
        self._reads_vault: bool | None = None
        self._ahead: frozenset[datetime] | None = None
        self._parsers = Parsers(parallel, self._vault)
        self._quarantine = quarantine
        self._terms = terms_of(defaults, quarantine)
        self._contents = Contents(self._roots, terms=self._terms, kept=self._stamp)
        self._failed: dict[str, tuple[str, datetime]] = {}
        self._known: Mapping[str, KnownFile] | None = None
        self._is_recorded = True
        self._looked_at = clock.now()
        self._told: set[str] = set()
        self._meanwhile_at = 0.0

    def run(self, stop: Stop) -> None:
        """Look, then go on looking at what changes, until ``stop`` is set."""
        try:
            while not stop.is_set():
                self._look(stop)
                self._follow(stop)
        finally:
            self.close()

    def close(self) -> None:
        """End the processes that parse; the next look starts them again."""
        self._parsers.close()

    def scan(self, stop: Stop | None = None) -> ScanReport:
        """Parse what changed, and record it a few files at a time; then take out the files that are gone."""
        began = self._looked_at = self._clock.now()
        stop = stop or threading.Event()
        found = discover(self._roots.folder)
        self._tell(found.problems)
        files, gone = self._sorted_out(found)
        tally = _Tally()
        self._parse(self._changed(files), tally, stop)
        self._remove(gone)
        if tally.parsed or gone:  # a dag_id that was another file's may be free now
            self._parse(self._changed(files), tally, stop)
        return ScanReport(
            files=len(files),
            parsed=tally.parsed,
            errors=tally.errors,
            removed=len(gone),
            seconds=(self._clock.now() - began).total_seconds(),
        )

    def facts(self) -> dict[str, str]:
        """What it says of itself: when it last looked at the whole folder, which it does again and again."""
        return {"looked_at": self._looked_at.isoformat(timespec="seconds")}

    def parse(self, file: str) -> ParsedFile:
        """What would be recorded of one file, relative to dags_folder; nothing is."""
        [[one]] = self._parsers.parse([self._job(file)], threading.Event())
        return self._outcome(one, "")

    # ── watching ─────────────────────────────────────────────────────────────────────────────────────────

    def _follow(self, stop: Stop) -> None:
        """Look whenever something changes; return when it is time to look at everything."""
        quiet = 0
        linger, patience = _LINGER, self._patience
        for number, names in enumerate(watch(self._roots, stop)):
            quiet = 0 if names else quiet + TICK_SECONDS
            if (
                names or number == 0 or self._vault_has_changed() or self._plan_is_due()
            ):  # something may have changed before the watch had begun
                for name in names:
                    self._contents.forget(name)
                self._look(stop)
                linger, patience = _LINGER_AFTER_CHANGE if names else linger, self._patience
            if quiet >= linger.total_seconds():
                self.close()
            if quiet >= patience.total_seconds():
                return

    @property
    def _patience(self) -> timedelta:
        """How long to wait for a change before everything is looked at again."""
        return self._refresh if self._is_recorded else _RETRY

    def _look(self, stop: Stop) -> None:
        """Scan; where the database cannot be written, what is not recorded is parsed again later."""
        try:
            report = self.scan(stop)
            self._is_recorded = True
        except StorageUnavailableError as error:
            self._is_recorded = False
            log.warning("what the DAG files say could not be recorded, and is tried again: %s", error)
            return
        if report.parsed or report.removed:
            log.info(
                "%d of %d DAG files parsed, %d with errors, %d gone, in %.2f s",
                report.parsed,
                report.files,
                report.errors,
                report.removed,
                report.seconds,
            )

    def _vault_has_changed(self) -> bool:
        """Whether a variable or connection of the database has changed since the last time; asked only where one is
        read."""
        if self._reads_vault is None:
            self._reads_vault = any(need.startswith(KEPT) for file in self._recorded.values() for need in file.needs)
        before = self._cursor
        if self._reads_vault:
            with contextlib.suppress(StorageUnavailableError):
                self._cursor = self._vault.cursor()
        return self._cursor != before

    def _plan_is_due(self) -> bool:
        """Whether the slots of an author's timetable are to be planned again; what has been dealt with is read anew."""
        now = self._clock.now()
        is_due = any(self._looked_at < moment <= now for moment in self._moments)
        if is_due:
            self._known = self._ahead = None
        return is_due

    @property
    def _moments(self) -> frozenset[datetime]:
        """When the recorded plans are to be made again."""
        if self._ahead is None:
            needs = (need for file in self._recorded.values() for need in file.needs)
            self._ahead = frozenset(_moment(need) for need in needs if need.startswith(AFTER))
        return self._ahead

    def _stamp(self, name: str) -> str | None:
        """What cannot be read has a stamp of its own: the parse says why. A moment has one once it has come."""
        if name.startswith(AFTER):
            return "past" if _moment(name) <= self._clock.now() else None
        try:
            return self._vault.stamp(name)
        except StorageUnavailableError:
            raise
        except OrchestratorError:
            return "unreadable"

    # ── one look ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _recorded(self) -> Mapping[str, KnownFile]:
        if self._known is None:
            self._known = self._writer.known()
        return self._known

    def _sorted_out(self, found: Discovery) -> tuple[list[str], list[str]]:
        """The DAG files that there are, and those that are gone: not where a folder could not be read."""
        files = [file for file in found.files if self._contents.may_hold_dags(file)]
        gone = self._recorded.keys() - set(files)
        return files, sorted(file for file in gone if not any(map(file.startswith, found.unseen)))

    def _changed(self, files: Iterable[str]) -> dict[str, str]:
        """The files whose last parse is not of what they are now, with their digest."""
        digests = {file: self._contents.digest(self._needs(file)) for file in files}
        return {file: digest for file, digest in digests.items() if not self._is_current(file, digest)}

    def _is_current(self, file: str, digest: str) -> bool:
        """A failure is current for a while only: a package may have been installed since."""
        failed_as, failed_at = self._failed.get(file, ("", self._clock.now()))
        if failed_as == digest and self._clock.now() - failed_at < self._refresh:
            return True
        return file in self._recorded and self._recorded[file].digest == digest

    def _needs(self, file: str) -> set[str]:
        known = self._recorded.get(file)
        return {file, *(known.needs if known else ())}

    def _parse(self, changed: Mapping[str, str], tally: _Tally, stop: Stop) -> None:
        in_hand = dict(changed)
        more = partial(self._changed_meanwhile, in_hand)
        for batch in self._parsers.parse(map(self._job, changed), stop, more):
            parsed = [self._outcome(one, in_hand.pop(one.job.file)) for one in batch]
            parsed = [one for one in parsed if self._contents.hash(one.file) is not None]  # gone while it was read
            self._write(partial(self._writer.record, [self._remembered(one) for one in parsed]))
            tally.parsed += len(parsed)
            tally.errors += sum(one.failure is not None for one in parsed)

    def _changed_meanwhile(self, in_hand: dict[str, str]) -> list[Job]:
        """What changed while others are still being parsed: a slow file must not hold up the rest."""
        if time.monotonic() < self._meanwhile_at:
            return []
        files, _ = self._sorted_out(discover(self._roots.folder))
        fresh = self._changed(file for file in files if file not in in_hand)
        in_hand.update(fresh)
        self._meanwhile_at = time.monotonic() + _MEANWHILE_SECONDS
        return [self._job(file) for file in fresh]

    def _remembered(self, parsed: ParsedFile) -> ParsedFile:
        """As it is recorded: a failure without its digest, so that it is tried again after a restart."""
        self._failed.pop(parsed.file, None)
        if parsed.failure is None:
            return parsed
        self._failed[parsed.file] = (parsed.digest, self._clock.now())
        return msgspec.structs.replace(parsed, digest="")

    def _remove(self, gone: list[str]) -> None:
        if gone:
            self._write(partial(self._writer.remove, gone))

    def _write(self, write: Callable[[], None]) -> None:
        self._known = self._reads_vault = self._ahead = None
        write()
        self._on_change()

    def _job(self, file: str) -> Job:
        return Job(
            file=file,
            folder=str(self._roots.folder),
            plugins=str(self._roots.plugins),
            defaults=self._defaults,
            limits=self._limits,
            quarantine=self._quarantine,
            terms=self._terms,
            at=self._clock.now(),
            dealt_with=known.dealt_with if (known := self._recorded.get(file)) else {},
        )

    def _outcome(self, one: Parsed, digest: str) -> ParsedFile:
        """What is recorded of one parse; of a process that died, what became of it and the last that it said."""
        file = one.job.file
        if one.parsed is None:
            frames = tuple(masked(one.output).splitlines()[-_LAST_WORDS:])
            failure = ImportFailure(message=masked(one.death), file=file, frames=frames)
            return ParsedFile(file=file, digest=digest, needs=tuple(sorted(self._needs(file))), failure=failure)
        if one.output:
            log.info("%s printed while it was parsed:\n%s", file, masked(one.output))
        if one.parsed.warning is not None:
            log.warning("%s:%s: %s", file, one.parsed.warning.line, one.parsed.warning.message)
        return one.parsed

    def _tell(self, problems: Iterable[str]) -> None:
        """Log each problem once."""
        for problem in problems:
            if problem not in self._told:
                self._told.add(problem)
                log.warning("%s", problem)


def _moment(need: str) -> datetime:
    return datetime.fromisoformat(need.removeprefix(AFTER))
