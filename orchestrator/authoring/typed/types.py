"""AuthorTypes: every type beyond Python's own that a value may be of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.authoring.typed.classes import Classes, instance_to_plain, restored
from orchestrator.authoring.typed.tables import read_table, table_to_plain
from orchestrator.core.typed import BINARY, Plain
from orchestrator.core.values import TAG


class AuthorTypes:
    """core.typed.Types, with the classes that ``classes`` lets be restored."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes

    def to_plain(self, value: object, plain: Plain) -> dict[str, object] | None:
        if isinstance(value, Path):
            return {TAG: "path", "value": str(value)}
        found = table_to_plain(value, plain)
        return instance_to_plain(value, self._classes, plain) if found is None else found

    def read(self, tag: str, fields: Mapping[str, Any]) -> Any:
        if tag == "path":
            return Path(fields["value"])
        return read_table(tag, fields) if tag in BINARY else restored(tag, fields, self._classes)
