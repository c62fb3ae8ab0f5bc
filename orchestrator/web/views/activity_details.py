"""Everything about an activity that its DAG says, and where it stands among the others."""

from datetime import timedelta

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.assembly.outputs import links_of
from orchestrator.assembly.rendered import rendered_fields
from orchestrator.assembly.run_spec import spec_version
from orchestrator.core.graph import ancestors
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.names import Delivery, Isolation
from orchestrator.web.prose import Prose, prose
from orchestrator.web.views.activity_head import ActivityHead
from orchestrator.web.views.run_tasks import TaskLine, lines_of
from orchestrator.web.wording import duration, plural

_MOST = 200
_SAFE = ("http://", "https://")


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link of its operator; ``is_safe`` where a browser may go there."""

    name: str
    url: str
    is_safe: bool


class ActivityDetails(msgspec.Struct, frozen=True, kw_only=True):
    """``facts`` are pairs of a word and what it says; ``before`` and ``after`` the tasks beside it, as they stand.
    ``rendered`` are its template fields as the last try had them.
    """

    facts: list[tuple[str, str]]
    file: str
    line: int
    doc: Prose | None
    links: list[Link]
    before: list[TaskLine]
    after: list[TaskLine]
    rendered: dict[str, str]


def activity_details(home: Home, head: ActivityHead) -> ActivityDetails:
    """As the version has it that the run executes."""
    spec = home.reads.spec(spec_version(home, head.run))
    task = spec.task(head.row.task_id)
    after = [one.task_id for one in spec.tasks if task.task_id in one.upstream]
    beside = lines_of(home, head.run, spec, [*task.upstream, *after]) if head.run.run_key else []
    return ActivityDetails(
        facts=_facts(spec, task),
        file=spec.file,
        line=task.line,
        doc=prose(task.doc) if task.doc else None,
        links=[
            Link(name=name.removesuffix("Link"), url=url, is_safe=url.lower().startswith(_SAFE))
            for name, url in sorted(links_of(home, head.row).items())
        ],
        before=[line for line in beside if line.task_id in task.upstream][:_MOST],
        after=[line for line in beside if line.task_id in after][:_MOST],
        rendered={} if head.is_whole else rendered_fields(home, head.row),
    )


def _facts(spec: DagSpec, task: TaskSpec) -> list[tuple[str, str]]:
    retry = task.retry
    retries = str(retry.retries) + (f", {duration(retry.delay)} apart" if retry.retries else "")
    found = [
        ("Operator", task.operator),
        ("Trigger rule", task.trigger_rule.replace("_", " ")),
        ("Retries", retries + (", growing" if retry.retries and retry.exponential > 1 else "")),
        ("Pool", task.pool + (f", {task.pool_slots} slots" if task.pool_slots > 1 else "")),
        ("Queue", task.queue),
        ("Priority", f"{task.weight} ({task.priority_weight}, by {task.weight_rule})"),
        ("Delivery", task.delivery.replace("_", " ")),
        ("Upstream", f"{plural(len(ancestors(spec, task.task_id)), 'task')} in all"),
    ]
    return found + [(name, said) for name, said in _settings(task) if said]


def _settings(task: TaskSpec) -> list[tuple[str, str]]:
    """Those that most tasks do not have."""
    return [
        ("Time-out", _span(task.execution_timeout)),
        ("Heartbeats", _span(task.heartbeat_timeout)),
        ("Isolation", task.isolation.value if task.isolation is not Isolation.WARM else ""),
        ("Connection", task.connection or "" if task.delivery is Delivery.TRANSACTIONAL else ""),
        ("Group", task.group),
        ("Mapped in", ", ".join(task.scopes)),
        ("At once", _number(task.max_active_tis_per_dag)),
        ("At once in a run", _number(task.max_active_tis_per_dagrun)),
        ("Depends on past", "yes" if task.depends_on_past else ""),
        ("Setup or teardown", "setup" if task.is_setup else "teardown" if task.is_teardown else ""),
        ("Callbacks", ", ".join(task.callbacks)),
    ]


def _span(value: timedelta | None) -> str:
    return "" if value is None else duration(value)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
