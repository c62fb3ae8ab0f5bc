"""Waits for a file."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.authoring.connection import Connection
from orchestrator.authoring.deferrable import is_deferrable
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.sensor import BaseSensorOperator
from orchestrator.exceptions import NotFoundError
from orchestrator.triggers.file import FileTrigger, is_there

__all__ = ["FileSensor"]


class FileSensor(BaseSensorOperator):
    """Waits until there is a file at ``filepath`` (a template, which may be a glob), or one in the folder of that name.

    A relative path is below the ``path`` in the extra of connection ``fs_conn_id``, or below ``/`` where it names none
    or the default connection does not exist. ``recursive``: ``**`` in a glob stands for folders within folders.
    ``deferrable``: a trigger looks for it, and no worker is held.
    """

    template_fields: Sequence[str] = ("filepath",)

    def __init__(
        self,
        *,
        filepath: str | os.PathLike[str],
        fs_conn_id: str = "fs_default",
        recursive: bool = False,
        deferrable: bool | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.filepath = str(filepath) if isinstance(filepath, os.PathLike) else filepath
        self.fs_conn_id = fs_conn_id
        self.recursive = recursive
        self.deferrable = is_deferrable(deferrable)

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

    def execute(self, context: Context) -> Any:
        if not self.deferrable:
            return super().execute(context)
        if not self._poke(context):
            trigger = FileTrigger(self.path, self.recursive, self.poke_interval)
            self.defer(trigger=trigger, method_name="execute_complete", timeout=self._left(context))
        return None

    def execute_complete(self, context: Context, event: Any = None) -> None:
        """The file is there: the trigger has nothing else to tell."""

    def poke(self, context: Context) -> bool:  # noqa: ARG002 - it is in its fields
        return is_there(self.path, recursive=self.recursive)
