"""A folder of DAG files on disk, and a catalog that is a dict."""

import textwrap
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from orchestrator.clock import SystemClock
from orchestrator.dagbag.dag_processor import DagProcessor, ScanReport
from orchestrator.ports import CatalogWriter, Clock, KnownFile, ParsedFile

CLOCK = SystemClock()

DAG_FILE = """
from orchestrator import DAG
from orchestrator.operators import EmptyOperator

with DAG({dag_id!r}, schedule=None):
    EmptyOperator(task_id="only")
"""


class DictCatalog:
    """Keeps the last outcome of each file; ``batches`` are the files of each call of record."""

    def __init__(self) -> None:
        self.files: dict[str, ParsedFile] = {}
        self.batches: list[list[str]] = []
        self.failures: list[Exception] = []

    def record(self, parsed: Sequence[ParsedFile]) -> None:
        if self.failures:
            raise self.failures.pop()
        self.batches.append([one.file for one in parsed])
        self.files.update({one.file: one for one in parsed})

    def remove(self, files: Sequence[str]) -> None:
        for file in files:
            del self.files[file]

    def known(self) -> dict[str, KnownFile]:
        return {one.file: KnownFile(file=one.file, digest=one.digest, needs=one.needs) for one in self.files.values()}


class DagsFolder:
    """dags/ and plugins/, with a dag processor that looks at them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.dags = home / "dags"
        self.plugins = home / "plugins"
        self.dags.mkdir()
        self.plugins.mkdir()
        self.catalog = DictCatalog()
        self.changes = 0
        self._processors: list[DagProcessor] = []
        self._processor: DagProcessor | None = None

    def write(self, file: str, source: str | bytes) -> Path:
        """Write a file below dags/, or, with a leading ``../``, beside it."""
        path = self.dags / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, str):
            source = textwrap.dedent(source).lstrip("\n").encode()
        path.write_bytes(source)
        return path

    def write_dag(self, file: str, dag_id: str | None = None) -> Path:
        return self.write(file, DAG_FILE.format(dag_id=dag_id or Path(file).stem))

    def processor(
        self, *, writer: CatalogWriter | None = None, clock: Clock = CLOCK, timeout: float = 20, **options: Any
    ) -> DagProcessor:
        made = DagProcessor(
            self.dags,
            self.plugins,
            writer=writer or self.catalog,
            on_change=self._count,
            clock=clock,
            timeout=timedelta(seconds=timeout),
            **options,
        )
        self._processors.append(made)
        return made

    def scan(self) -> ScanReport:
        """Let the same dag processor look once more."""
        self._processor = self._processor or self.processor()
        return self._processor.scan()

    def parse(self, file: str) -> ParsedFile:
        """What a scan makes of that file."""
        self.scan()
        return self.catalog.files[file]

    def close(self) -> None:
        for processor in self._processors:
            processor.close()

    def _count(self) -> None:
        self.changes += 1


def dag_ids(parsed: ParsedFile) -> list[str]:
    return [dag.spec.dag_id for dag in parsed.dags]
