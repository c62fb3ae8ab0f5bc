"""Bodies: the DAG files that this process has loaded, each from the snapshot of one version."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Protocol

from orchestrator.authoring.dag import DAG
from orchestrator.authoring.task import Task
from orchestrator.core.orders import Order
from orchestrator.exceptions import DagImportError


class Loaded(Protocol):
    """A DAG file of one version. While it is activated, imports find that version's modules."""

    @property
    def dags(self) -> Mapping[str, DAG]: ...

    def activate(self) -> AbstractContextManager[object]: ...


Loader = Callable[[Path, str], Loaded]


class Bodies:
    """The last few versions, by folder and file; one of them is active."""

    def __init__(self, load: Loader, kept: int) -> None:
        self._load = load
        self._kept = kept
        self._loaded: OrderedDict[tuple[str, str], Loaded] = OrderedDict()
        self._active: Loaded | None = None
        self._activation = ExitStack()

    def holds(self, order: Order) -> bool:
        """Whether the order's code is here, so that ``find`` takes no time."""
        return (order.code, order.file) in self._loaded

    def close(self) -> None:
        """Forget all versions; imports mean the process's own modules again."""
        self._activate(None)
        self._loaded.clear()

    def find(self, order: Order) -> tuple[DAG, Task]:
        """The order's DAG and task, with its version active; DagImportError if the code is not what it was."""
        dag = self.dag(order)
        task = dag.task_dict.get(order.key.task_id)
        if task is None:
            raise DagImportError(
                f"DAG {order.dag_id!r} has no task {order.key.task_id!r} in the version that this run started with; "
                f"make the file define the same tasks each time it is loaded",
                file=order.file,
            )
        return dag, task

    def dag(self, order: Order) -> DAG:
        """The order's DAG alone, likewise."""
        loaded = self._version(order)
        self._activate(loaded)
        dag = loaded.dags.get(order.dag_id)
        if dag is None:
            raise DagImportError(f"the recorded version has no DAG {order.dag_id!r} here any more", file=order.file)
        return dag

    def _version(self, order: Order) -> Loaded:
        key = (order.code, order.file)
        found = self._loaded.get(key)
        if found is None:
            self._activate(None)
            found = self._loaded[key] = self._load(Path(order.code), order.file)
            if len(self._loaded) > self._kept:
                self._loaded.popitem(last=False)
        else:
            self._loaded.move_to_end(key)
        return found

    def _activate(self, loaded: Loaded | None) -> None:
        """Leave the version that is active and enter this one; nothing between two bodies of one version."""
        if loaded is self._active:
            return
        self._activation.close()
        self._active = loaded
        if loaded is not None:
            self._activation.enter_context(loaded.activate())
