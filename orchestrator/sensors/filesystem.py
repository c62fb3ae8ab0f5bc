"""Waits for a file."""

import os
from collections.abc import Sequence
from glob import iglob
from pathlib import Path
from typing import Any

from orchestrator.authoring.connection import Connection
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.sensor import BaseSensorOperator
from orchestrator.exceptions import NotFoundError

__all__ = ["FileSensor"]


class FileSensor(BaseSensorOperator):
    """Waits until there is a file at ``filepath`` (a template, which may be a glob), or one in the folder of that name.

    A relative path is below the ``path`` in the extra of connection ``fs_conn_id``, or below ``/`` where it names none
    or the default connection does not exist. ``recursive``: ``**`` in a glob stands for folders within folders.
    """

    template_fields: Sequence[str] = ("filepath",)

    def __init__(
        self,
        *,
        filepath: str | os.PathLike[str],
        fs_conn_id: str = "fs_default",
        recursive: bool = False,
        deferrable: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        if deferrable:
            raise self.place.refuse(
                f"sensor {self.task_id!r}: files cannot be waited for by a trigger yet; give it mode='reschedule', "
                f"which holds no worker either"
            )
        self.filepath = str(filepath) if isinstance(filepath, os.PathLike) else filepath
        self.fs_conn_id = fs_conn_id
        self.recursive = recursive

    @property
    def path(self) -> str:
        """The whole path, or glob."""
        return str(Path(self._base(), self.filepath))

    def _base(self) -> str:
        try:
            return str(Connection.get(self.fs_conn_id).extra_dejson.get("path") or "/")
        except NotFoundError:
            if self.fs_conn_id != "fs_default" and not Path(self.filepath).is_absolute():
                raise
            return "/"

    def poke(self, context: Context) -> bool:  # noqa: ARG002 - it is in its fields
        found = iglob(self.path, recursive=self.recursive)  # noqa: PTH207 - Path.glob always recurses
        return any(map(_has_file, found))


def _has_file(path: str) -> bool:
    return Path(path).is_file() or any(files for _, _, files in os.walk(path))
