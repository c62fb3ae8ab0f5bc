"""Copies files from any file system to any other."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from typing import IO, Any

from orchestrator.authoring.heartbeat import heartbeat
from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.runtime import Context
from orchestrator.exceptions import AirflowException, UsageError
from orchestrator.hooks.files import FilePlace, file_place, reason

__all__ = ["FileTransferOperator"]

_PIECE = 1024 * 1024  # bytes
_BETWEEN_LINES = 10.0  # seconds


class FileTransferOperator(BaseOperator):
    """Copies ``src`` to ``dst``: paths from the root, or URLs of any two file systems that fsspec knows.

    A folder is copied with all that is in it, and a glob's files into the folder ``dst``; a file goes to ``dst``, or
    into it where that is a folder or ends with a slash. What is there already is an error unless ``overwrite``, found
    before anything is copied. Files pass through in pieces, and each is there as a whole or not at all.
    """

    template_fields: Sequence[str] = ("src", "dst")

    def __init__(
        self,
        *,
        src: str,
        dst: str,
        source_conn_id: str | None = None,
        dest_conn_id: str | None = None,
        overwrite: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.src = src
        self.dst = dst
        self.source_conn_id = source_conn_id
        self.dst_conn_id = dest_conn_id
        self.overwrite = overwrite

    def execute(self, context: Context) -> None:
        source, target = file_place(self.src, self.source_conn_id), file_place(self.dst, self.dst_conn_id)
        try:
            pairs = list(self._pairs(source, target))
            self._check(pairs)
            mark = hashlib.sha256(context["idempotency_key"].encode()).hexdigest()[:12]
            for one, other in pairs:
                self._copy(one, other, mark)
        except FileNotFoundError as error:
            raise AirflowException(f"{error.filename or source.url} does not exist") from error
        except NotImplementedError as error:
            raise AirflowException(f"{target.url} cannot be written: its file system is for reading only") from error
        except OSError as error:
            place = error.filename or f"{source.url} to {target.url}"
            raise AirflowException(f"copying failed at {place}: {reason(error)}") from error

    def _pairs(self, source: FilePlace, target: FilePlace) -> Iterator[tuple[FilePlace, FilePlace]]:
        """Each file, and where it goes."""
        if not source.fs.exists(source.path) and source.is_glob:
            found = [path for path in sorted(source.fs.glob(source.path)) if not source.fs.isdir(path)]
            if not found:
                raise AirflowException(f"no file matches {source.url}")
            for path in found:
                one = FilePlace(source.fs, path, source.fs.unstrip_protocol(path))
                yield one, target.below(one.name)
        elif not source.fs.exists(source.path):
            raise AirflowException(f"{source.url} does not exist")
        elif source.fs.isdir(source.path):
            root = source.path.rstrip("/")
            for path in sorted(source.fs.find(root)):
                name = path.removeprefix(root).lstrip("/")
                yield source.below(name), target.below(name)
        else:
            yield source, target.below(source.name) if target.is_folder() else target

    def _check(self, pairs: Sequence[tuple[FilePlace, FilePlace]]) -> None:
        """What would go wrong is known before anything is copied."""
        places = [other.path for _, other in pairs]
        if len(places) != len(set(places)):
            raise AirflowException(f"several files of {self.src} have one name, and would be one at {self.dst}")
        for one, other in pairs:
            if one.fs == other.fs and one.path == other.path:
                raise UsageError(f"{one.url} is both src and dst; give it another place to go to")
            if not self.overwrite and other.fs.exists(other.path):
                raise AirflowException(f"{other.url} is there already; overwrite=True replaces it")

    def _copy(self, source: FilePlace, target: FilePlace, mark: str) -> None:
        began = time.monotonic()
        if source.fs == target.fs and not target.is_local:
            target.make_parent()
            source.fs.cp_file(source.path, target.path)
            copied = source.fs.size(source.path)
        else:
            with source.fs.open(source.path, "rb") as reading, target.replaced(mark) as writing:
                copied = self._stream(reading, writing, source)
        self.log.info("%s: %s bytes to %s in %.1f s", source.url, copied, target.url, time.monotonic() - began)

    def _stream(self, reading: IO[bytes], writing: IO[bytes], source: FilePlace) -> int:
        """The bytes that were copied; AirflowException where it is not as many as there are."""
        size, copied, told_at = source.fs.size(source.path), 0, time.monotonic()
        while piece := reading.read(_PIECE):
            writing.write(piece)
            copied += len(piece)
            heartbeat({"file": source.url, "bytes": copied})
            if time.monotonic() - told_at > _BETWEEN_LINES:
                told_at = time.monotonic()
                self.log.info("%s: %d of %s bytes", source.url, copied, size or "an unknown number of")
        if size is not None and copied != size:
            raise AirflowException(f"{source.url} ended after {copied} of {size} bytes")
        return copied
