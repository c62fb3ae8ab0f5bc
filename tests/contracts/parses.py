"""Outcomes of parses, as the dag processor hands them over."""

import hashlib

from orchestrator.core.spec import DagSpec, fingerprint
from orchestrator.ports import ImportFailure, ParsedDag, ParsedFile


def parsed(*specs: DagSpec, code: bytes = b"print('blue')\n", file: str | None = None) -> ParsedFile:
    """A file that defines these DAGs; its code's fingerprint is that of its bytes."""
    name = file or (specs[0].file if specs else "empty.py")
    digest = hashlib.sha256(code).hexdigest()
    dags = tuple(ParsedDag(spec=spec, fingerprint=fingerprint(spec), code_fingerprint=digest) for spec in specs)
    return ParsedFile(file=name, digest=digest, dags=dags, files={name: code}, needs=(name,), duration=0.25)


def failed(file: str, message: str = "invalid syntax", *, line: int = 3) -> ParsedFile:
    """A file that could not be parsed."""
    failure = ImportFailure(message=message, file=file, line=line, frames=(f"{file}:{line} in <module>",))
    return ParsedFile(file=file, digest="0" * 64, needs=(file,), failure=failure, duration=0.5)
