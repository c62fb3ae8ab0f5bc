"""WorkflowDag: what a workflow is to everything that knows DAGs: the graph, the compiler, the catalog, the worker."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from orchestrator.authoring.activity import Activity
from orchestrator.authoring.blue import Definition
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.identifiers import checked_id
from orchestrator.authoring.inventory import Made
from orchestrator.authoring.operators.activity import ActivityOperator
from orchestrator.authoring.signal import Signal
from orchestrator.core.spec import Entrance
from orchestrator.exceptions import DagError
from orchestrator.names import DagKind, NewVersion


class Described(Definition, Protocol):
    """A workflow, with what it says of itself once its file is loaded; DagError if that is wrong."""

    @property
    def names(self) -> dict[str, Any]: ...

    def entrance(self) -> Entrance: ...

    def entrances(self, kind: str) -> tuple[Entrance, ...]:
        """Its signals, queries or updates, by name, that it has besides those declared beside it."""

    def defaults(self) -> dict[str, Any]:
        """What its input is where nothing is given, as JSON values by name."""

    def check_source(self) -> None: ...


class WorkflowDag(DAG):
    """A DAG whose tasks are the activities that one workflow can call; there are no edges."""

    on_new_version: NewVersion = NewVersion.PIN

    def __init__(
        self, dag_id: str, workflow: Described, on_new_version: NewVersion, settings: Mapping[str, Any]
    ) -> None:
        super().__init__(dag_id, **settings)
        self.workflow = workflow
        self.on_new_version = on_new_version
        self.signals: dict[str, Signal[Any]] = {}
        self.file = ""

    def __repr__(self) -> str:
        return f"workflow {self.dag_id!r}"

    @property
    def names(self) -> dict[str, Any]:
        """What its code has by name: the globals of its module."""
        return self.workflow.names

    def adopt(self, file: str, made: Iterable[Made]) -> None:
        """Its file, relative to the folder of the code, is loaded, and these are what it can use."""
        self.file = file
        for one in made:
            if isinstance(one, Activity):
                self._adopt_activity(one)
            elif isinstance(one, Signal):
                self._adopt_signal(one)

    def _adopt_signal(self, signal: Signal[Any]) -> None:
        first = self.signals.setdefault(signal.name, signal)
        if first.type != signal.type:
            raise signal.place.refuse(
                f"{signal!r} is declared at {first.place} already, with another type; declare it once and import it"
            )

    def _adopt_activity(self, activity: Activity[..., Any]) -> None:
        first = self.task_dict.get(checked_id("activity_id", activity.activity_id, activity.place))
        if first is None:
            ActivityOperator(activity=activity, dag=self)
        elif not (isinstance(first, ActivityOperator) and _is_same(first, activity)):
            raise _duplicate(first, activity)

    def spec_fields(self) -> dict[str, Any]:
        self.workflow.check_source()
        entrance = self.workflow.entrance()
        if self.schedule is not None and (missing := entrance.schema.get("required")):
            raise self.place.refuse(
                f"{self!r} has a schedule, but a scheduled run is given no {missing[0]!r}; "
                f"give that parameter a default, or remove schedule="
            )
        declared = {name: signal.entrance() for name, signal in sorted(self.signals.items())}
        signals = declared | {one.name: one for one in self.workflow.entrances("signal")}
        return {
            "kind": DagKind.WORKFLOW,
            "on_new_version": self.on_new_version,
            "params": self.workflow.defaults(),
            "entrance": entrance,
            "signals": tuple(signals[name] for name in sorted(signals)),
            "queries": self.workflow.entrances("query"),
            "updates": self.workflow.entrances("update"),
        }


def _is_same(first: ActivityOperator, activity: Activity[..., Any]) -> bool:
    """Whether it is one activity whose module was loaded under two names, such as ``steps`` and ``dags.steps``."""
    return first.place == activity.place and first.function.__module__ != activity.function.__module__


def _duplicate(first: Any, second: Activity[..., Any]) -> DagError:
    return second.place.refuse(
        f"there is an {second!r} already, made at {first.place}; give one of them another activity_id"
    )
