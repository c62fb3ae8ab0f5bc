"""BaseOperator: what every kind of task derives from."""

import copy
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import zip_longest
from types import MappingProxyType
from typing import Any, NoReturn, Self, Unpack

from orchestrator.authoring.airflow_only import AIRFLOW_TASK_SETTINGS, supported
from orchestrator.authoring.callbacks import Callback, kinds_of
from orchestrator.authoring.checks import check_all, refuse_unknown
from orchestrator.authoring.conditions import Hooks, check_outputs
from orchestrator.authoring.construction import Constructed, accepted_names, name_of
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.defaults import Defaults
from orchestrator.authoring.given import Given
from orchestrator.authoring.groups import TaskGroup
from orchestrator.authoring.identifiers import checked_id
from orchestrator.authoring.mapped import MappedBody, OperatorPartial, instance_of
from orchestrator.authoring.params import Declared, ParamsDict
from orchestrator.authoring.references import XComArg, parts, references, referred_tasks
from orchestrator.authoring.retrying import RetryPolicy
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.scopes import Preparing, check_roles, register
from orchestrator.authoring.settings import MAKING, TASK_CHECKS, TaskSettings
from orchestrator.authoring.task import Task, TaskGraph
from orchestrator.authoring.templating import Field
from orchestrator.authoring.trigger import BaseTrigger
from orchestrator.core.spec import RetryRule, RetrySpec, TaskSpec
from orchestrator.exceptions import TaskDeferred, UsageError
from orchestrator.names import Delivery, Isolation, TriggerRule, WeightRule
from orchestrator.nearest import did_you_mean

_NAMES = tuple(TASK_CHECKS)
_OF_MAKING = ("task_id", *MAKING)


class BaseOperator(Constructed, Preparing, Task):
    """A task whose body is ``execute(context)``; derive from it to make a kind of task.

    ``template_fields`` name the attributes in which templates are rendered and results put in; a text there that
    ends with one of ``template_ext`` names a template file. DagError, with the author's file and line, if a setting
    is unknown or impossible.
    """

    template_fields: Sequence[str] = ()
    template_ext: Sequence[str] = ()

    owner: str = "airflow"
    retries: int | None = None
    retry_delay: timedelta | None = None
    retry_exponential_backoff: float = 1.0
    max_retry_delay: timedelta | None = None
    retry_jitter: float = 0.0
    retry_policy: RetryPolicy | None = None
    execution_timeout: timedelta | None = None
    heartbeat_timeout: timedelta | None = None
    priority_weight: int = 1
    weight_rule: WeightRule | None = None
    pool: str = "default_pool"
    pool_slots: int = 1
    queue: str = "default"
    trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS
    max_active_tis_per_dag: int | None = None
    max_active_tis_per_dagrun: int | None = None
    depends_on_past: bool = False
    wait_for_downstream: bool = False
    ignore_first_depends_on_past: bool = True
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    connection: str | None = None
    isolation: Isolation = Isolation.WARM
    params: Mapping[str, Any] | None = None
    render_template_as_native_obj: bool | None = None
    doc_md: str | None = None

    task_display_name: str | None = None
    map_index_template: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    multiple_outputs: bool | None = None
    do_xcom_push: bool = True
    inlets: Sequence[Any] = ()
    outlets: Sequence[Any] = ()
    executor_config: Mapping[str, Any] | None = None
    resources: Mapping[str, Any] | None = None
    logger_name: str | None = None
    email: Sequence[str] | None = None
    email_on_failure: bool | None = True
    email_on_retry: bool | None = True
    doc: str | None = None
    doc_json: str | None = None
    doc_rst: str | None = None
    doc_yaml: str | None = None
    on_execute_callback: Sequence[Callback] = ()
    on_success_callback: Sequence[Callback] = ()
    on_failure_callback: Sequence[Callback] = ()
    on_retry_callback: Sequence[Callback] = ()
    on_skipped_callback: Sequence[Callback] = ()
    task_group: TaskGroup | None = None
    _mapped: MappedBody | None = None
    _settled: Mapping[int, str] = MappingProxyType({})
    _hooks: Hooks = Hooks()
    _skipped: frozenset[str] = frozenset()
    operator_extra_links: Sequence[Any] = ()

    def __init__(self, **settings: Unpack[TaskSettings]) -> None:
        making = self._making
        self.place = making.place
        self.task_id = checked_id("task_id", settings["task_id"], self.place)
        if making.group is not None:
            self.task_group = making.group
            self.task_id = checked_id("task_id", making.group.child_id(self.task_id), self.place)
        self.upstream_task_ids, self.downstream_task_ids = set(), set()
        what = name_of(self, settings)
        given = supported(self.place, what, settings, AIRFLOW_TASK_SETTINGS)
        given = {name: value for name, value in given.items() if name not in _OF_MAKING}
        if not given.keys() <= TASK_CHECKS.keys():
            refuse_unknown(self.place, what, given, accepted_names(type(self)))
        self.__dict__.update(check_all(self.place, what, given, TASK_CHECKS))
        self._hooks = Hooks.of(self.place, what, settings.get("pre_execute"), settings.get("post_execute"))
        if isinstance(making.dag, TaskGraph):
            making.dag.add_task(self)
            if self.task_group is not None:
                self.task_group.children[self.task_id] = self
            register(self)
        elif making.dag is not None:
            raise self.place.refuse(f"{what}: dag must be a DAG, not {making.dag!r}")

    def __repr__(self) -> str:
        return f"<Task({type(self).__name__}): {self.task_id}>"

    def execute(self, context: Context) -> Any:
        """The task's body; what it returns is the task's result."""
        raise NotImplementedError(f"{type(self).__name__} has no execute(self, context); define what the task does")

    def defer(
        self,
        *,
        trigger: BaseTrigger,
        method_name: str,
        kwargs: Mapping[str, Any] | None = None,
        timeout: timedelta | float | None = None,
    ) -> NoReturn:
        """Give the worker up until ``trigger`` fires; then ``method_name(context, event=…, **kwargs)`` is the body.

        Where it has not fired after ``timeout``, the task fails with a TaskDeferralTimeout; where it fails itself, with
        a TaskDeferralError.
        """
        raise TaskDeferred(trigger=trigger, method_name=method_name, kwargs=kwargs, timeout=timeout)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """See Task; the method ``__fail__`` raises the ``error`` that it is given."""
        given = dict(next_kwargs or {})
        if next_method == "__fail__":
            raise given["error"]
        method = getattr(self, next_method, None)
        if not callable(method):
            raise UsageError(f"task {self.task_id!r} was deferred to its method {next_method!r}, which is not there")
        return method(context, **given)

    def pre_execute(self, context: Context) -> None:
        """Called right before the body; runs the hook that was given as ``pre_execute=``."""
        self._hooks.before(context)

    def post_execute(self, context: Context, result: Any = None) -> None:
        """Called right after the body; runs the hook that was given as ``post_execute=``."""
        self._hooks.after(context, result)

    def add_condition(self, condition: Callable[[Context], None]) -> None:
        """Call ``condition`` as well right before the body; it may skip the task."""
        self._hooks = self._hooks.with_condition(condition)

    def skip_besides(self, task_ids: Iterable[str]) -> None:
        """Skip these as well, if the body ends well; UsageError for one that does not come after this task."""
        named, after = set(task_ids), self.get_flat_relative_ids()
        for task_id in sorted(named - after):
            raise UsageError(f"task {self.task_id!r} cannot skip {task_id!r}, which does not come after it")
        self._skipped |= named

    def skips(self, result: Any) -> tuple[str, ...]:  # noqa: ARG002 - those that read it derive from this class
        """See Task: what the body has asked to be skipped."""
        return tuple(sorted(self._skipped))

    def finish(self, context: Context, result: Any) -> None:
        self.post_execute(context, result)
        if self.multiple_outputs and result is not None:
            check_outputs(self.task_id, result)

    @property
    def log(self) -> logging.Logger:
        """Writes to the log of the task, under the name of the operator's class."""
        kind = type(self)
        return logging.getLogger(f"{kind.__module__}.{kind.__qualname__}")

    # ── its DAG and its results ──────────────────────────────────────────────────────────────────────────

    @property
    def dag(self) -> DAG:
        """The DAG that it belongs to; DagError if there is none yet."""
        graph = self.graph_or_refusal()
        assert isinstance(graph, DAG)
        return graph

    @property
    def dag_id(self) -> str:
        return self.graph_or_refusal().dag_id

    def get_dag(self) -> DAG | None:
        """The DAG that it belongs to, if any."""
        return self.dag if self.has_dag() else None

    def has_dag(self) -> bool:
        return self.graph is not None

    @property
    def node_id(self) -> str:
        return self.task_id

    @property
    def label(self) -> str:
        """Its id without those of its groups."""
        within = None if self.task_group is None else self.task_group.group_id
        return self.task_id.removeprefix(f"{within}.") if within else self.task_id

    @property
    def task_type(self) -> str:
        """The name of its class."""
        return type(self).__name__

    operator_name = task_type

    @property
    def output(self) -> XComArg:
        """What this task will have returned, to be passed to others."""
        return XComArg(self)

    # ── its instances ────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def partial(cls, **arguments: Any) -> OperatorPartial:
        """The arguments that all instances of a mapped task have; ``.expand(…)`` says what it is mapped over."""
        return OperatorPartial(cls, arguments)

    def begin_mapped(self, body: MappedBody, settings: Mapping[str, Any]) -> None:
        self._mapped = body
        BaseOperator.__init__(self, **settings)

    @property
    def is_mapped(self) -> bool:  # type: ignore[override]
        return self._mapped is not None

    @property
    def mapped_groups(self) -> tuple[str, ...]:
        return () if self.task_group is None else self.task_group.scopes

    # ── its template fields ──────────────────────────────────────────────────────────────────────────────

    def extensions_of(self, _field: str, /) -> Sequence[str]:
        """What the name of a template file ends with, in that field."""
        return self.template_ext

    def _template_values(self) -> list[Any]:
        if self._mapped is not None:
            return self._mapped.template_values(tuple(self.template_fields))
        return [getattr(self, name, None) for name in self.template_fields]

    def link_inputs(self) -> None:
        """Start after the tasks whose results stand in the template fields, or are mapped over."""
        for task in referred_tasks(self._template_values()):
            task.link(self)
        for task in () if self._mapped is None else self._mapped.expansion.tasks():
            task.link(self)

    def input_ids(self) -> tuple[str, ...]:
        """See Task; a result is taken by a reference, or by ``ti.xcom_pull(task_ids=…)`` in a template."""
        values = self._template_values()
        found = {task.task_id for reference in references(values) for task in reference.taken_by(self)}
        if self._mapped is not None:
            found.update(task.task_id for task in self._mapped.expansion.taken_by(self, self.mapped_groups))
        for name, value in zip_longest(self.template_fields, values, fillvalue="expand"):
            field = Field(self, name, self.extensions_of(name))
            texts = (part for part in parts(value) if isinstance(part, str))
            found.update(self._known_task(pulled) for text in texts for pulled in field.pulled_ids(text))
        if self.map_index_template is not None:
            naming = Field(self, "map_index_template", ())
            found.update(self._known_task(pulled) for pulled in naming.checked(self.map_index_template))
        return tuple(sorted(found))

    def _known_task(self, task_id: str) -> str:
        graph = self.graph_or_refusal()
        if not graph.has_task(task_id):
            raise self.place.refuse(
                f"task {self.task_id!r} pulls the result of {task_id!r}, which DAG {graph.dag_id!r} does not have"
                f"{did_you_mean(task_id, graph.task_dict)}"
            )
        return task_id

    def own_params(self) -> Mapping[str, Any]:
        return ParamsDict(self.params).given() if self.params else {}

    def check_params(self, params: Mapping[str, Any]) -> None:
        for name, one in self._declared_params().items():
            if name not in params:
                raise UsageError(f"param {name!r} of task {self.task_id!r} is missing: give it in the conf")
            try:
                one.resolve(params[name])
            except UsageError as error:
                raise UsageError(f"param {name!r} of task {self.task_id!r} does not take this: {error}") from None

    def _declared_params(self) -> dict[str, Declared]:
        return ParamsDict(self.params).declared if self.params else {}

    def prepare(self, context: Context, results: Mapping[str, Any]) -> Self:
        """See Task; the context's ``task`` and ``ti`` are turned to the copy and given the results."""
        ready = copy.copy(self)
        if self._mapped is not None:
            ready = instance_of(self, self._mapped, Given.of(results), len(self.mapped_groups))
        context["task"] = ready
        context["ti"].task, context["ti"].results = ready, results
        ready.render_fields(context, results)
        return ready

    def render_fields(self, context: Context, results: Mapping[str, Any]) -> None:
        """Fill its template fields, in place."""
        for name in self.template_fields:
            field = Field(self, name, self.extensions_of(name), self._settled)
            setattr(self, name, field.render(getattr(self, name, None), context, results))

    def render_template(self, content: Any, context: Context, *_jinja: Any, **_its: Any) -> Any:
        """``content`` with all templates in it rendered, at any depth, by the DAG's Jinja whatever else is given."""
        return Field(self, "render_template", self.template_ext).render(content, context, context["ti"].results)

    def render_template_fields(self, context: Context, *_jinja: Any, **_its: Any) -> None:
        """Fill its template fields once more, in place."""
        self.render_fields(context, context["ti"].results)

    def instance_name(self, context: Context) -> str | None:
        if self.map_index_template is None or context["ti"].map_index < 0:
            return None
        naming = Field(self, "map_index_template", ())
        return str(naming.render(self.map_index_template, context, context["ti"].results))

    # ── plain data ───────────────────────────────────────────────────────────────────────────────────────

    def spec(self, defaults: Defaults) -> TaskSpec:
        self._check_again()
        inputs = self.input_ids()
        past = self.depends_on_past or self.wait_for_downstream  # as in Airflow, the second asks for the first
        return TaskSpec(
            task_id=self.task_id,
            operator=type(self).__name__,
            line=self.place.line,
            upstream=tuple(sorted(self.upstream_task_ids)),
            inputs=inputs,
            trigger_rule=self.trigger_rule,
            retry=self._retry(defaults),
            execution_timeout=self.execution_timeout,
            heartbeat_timeout=self.heartbeat_timeout,
            priority_weight=self.priority_weight,
            weight_rule=self.weight_rule or defaults.weight_rule,
            weight=self.priority_weight,
            pool=self.pool,
            pool_slots=self.pool_slots,
            queue=self.queue,
            max_active_tis_per_dag=self.max_active_tis_per_dag,
            max_active_tis_per_dagrun=self.max_active_tis_per_dagrun,
            depends_on_past=past,
            wait_for_downstream=self.wait_for_downstream,
            ignore_first_depends_on_past=self.ignore_first_depends_on_past,
            delivery=self.delivery,
            connection=self.connection,
            isolation=self.isolation,
            group="" if self.task_group is None else self.task_group.group_id,
            scopes=self.mapped_groups,
            mapping=None if self._mapped is None else self._mapped.expansion.mapping(self.mapped_groups),
            labels=dict(self.labels),
            display_name=self.task_display_name,
            is_setup=self.is_setup,
            is_teardown=self.is_teardown,
            on_failure_fail_dagrun=self.on_failure_fail_dagrun,
            does_nothing=self.does_nothing and not (self._hooks or self.on_execute_callback or past),
            callbacks=kinds_of(self),
            doc=self.doc_md,
        )

    def _check_again(self) -> None:
        """Settings may have been assigned since the task was made, or by its class, and results put in fields."""
        what = name_of(self, {"task_id": self.task_id})
        changed = {name: value for name in _NAMES if (value := getattr(self, name)) is not _OWN[name]}
        self.__dict__.update(check_all(self.place, what, changed, TASK_CHECKS))
        self.link_inputs()
        for name, one in self._declared_params().items():
            try:
                one.resolve() if one.has_value else None
            except UsageError as error:
                raise self.place.refuse(f"{what}: the default of param {name!r} does not fit: {error}") from None
        check_roles(self.place, what, self)
        if type(self).execute is BaseOperator.execute:
            raise self.place.refuse(f"{what} has no body; define execute(self, context) in its class")
        if (self.delivery is Delivery.TRANSACTIONAL) != (self.connection is not None):
            raise self.place.refuse(
                f"{what}: delivery='transactional' and connection= (the name of the target database) go together"
            )

    def _retry(self, defaults: Defaults) -> RetrySpec:
        return _retry_spec(
            defaults.retries if self.retries is None else self.retries,
            defaults.retry_delay if self.retry_delay is None else self.retry_delay,
            self.retry_exponential_backoff,
            self.max_retry_delay or defaults.max_retry_delay,
            self.retry_jitter,
            () if self.retry_policy is None else self.retry_policy.rules_as_data(),
        )


@lru_cache(maxsize=256)
def _retry_spec(
    retries: int,
    delay: timedelta,
    exponential: float,
    max_delay: timedelta,
    jitter: float,
    rules: tuple[RetryRule, ...],
) -> RetrySpec:
    return RetrySpec(
        retries=retries, delay=delay, exponential=exponential, max_delay=max_delay, jitter=jitter, rules=rules
    )


_OWN = {name: getattr(BaseOperator, name) for name in _NAMES}
