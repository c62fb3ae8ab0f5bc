"""What ``auto`` means for one file."""

import re

from orchestrator.names import QuarantineMode

_IMPORTS = r"^[ \t]*(?:from|import)[ \t]+(?:[\w.]+(?:[ \t]+as[ \t]+\w+)?[ \t]*,[ \t]*)*%s\b"
_OURS = re.compile((_IMPORTS % "orchestrator").encode(), re.MULTILINE)
_AIRFLOWS = re.compile((_IMPORTS % "airflow").encode(), re.MULTILINE)


def mode_of(mode: QuarantineMode, source: bytes) -> QuarantineMode:
    """The mode for a DAG file: where it is ``auto``, a file that imports airflow and not orchestrator is only warned
    of, because it was written for another program.
    """
    if mode is not QuarantineMode.AUTO:
        return mode
    is_foreign = _AIRFLOWS.search(source) is not None and _OURS.search(source) is None
    return QuarantineMode.WARN if is_foreign else QuarantineMode.ERROR
