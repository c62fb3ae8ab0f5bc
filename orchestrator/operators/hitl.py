"""Operators that ask a person, and hold no worker until there is an answer."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NoReturn, TypedDict

import msgspec

from orchestrator.authoring.branching import Branching
from orchestrator.authoring.context import TaskInstance
from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.pages import answer_url
from orchestrator.authoring.params import Declared, ParamsDict
from orchestrator.authoring.runtime import Context
from orchestrator.core import values
from orchestrator.core.forms import Field, Form, Person
from orchestrator.exceptions import (
    HITLRejectException,
    HITLTimeoutError,
    HITLTriggerEventError,
    TaskAwaitingInput,
    UsageError,
)

__all__ = ["ApprovalOperator", "HITLBranchOperator", "HITLEntryOperator", "HITLOperator", "HITLUser"]


class HITLUser(TypedDict):
    """Somebody who may answer."""

    id: str
    name: str


class HITLOperator(BaseOperator):
    """Asks a person to choose one of ``options``, or several where it is ``multiple``, and to fill in ``params``.

    ``subject`` says in a line what is asked, ``body`` the rest, in Markdown. Of ``params``, plain values or ``Param``s,
    those with a default may be left out. Without an answer for ``response_timeout``, the ``defaults`` count; a
    HITLTimeoutError where there are none. Only ``assigned_users`` may answer, if any are given. ``notifiers`` are
    called with the context before it asks: at least once, and again where a worker dies meanwhile. The result is the
    answer: ``chosen_options``, ``params_input``, ``responded_at`` and ``responded_by_user``.

    An ``execution_timeout`` without a ``response_timeout`` is taken for one, as in Airflow.
    """

    template_fields: Sequence[str] = ("subject", "body")
    params: ParamsDict

    def __init__(
        self,
        *,
        subject: str,
        options: Sequence[str],
        body: str | None = None,
        defaults: str | Sequence[str] | None = None,
        multiple: bool = False,
        params: ParamsDict | Mapping[str, Any] | None = None,
        notifiers: Any = None,
        assigned_users: HITLUser | Sequence[HITLUser] | None = None,
        response_timeout: timedelta | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings, params=params)
        self.subject = subject
        self.body = body
        self.options = self._texts("options", options)
        self.defaults = None if defaults is None else self._texts("defaults", defaults)
        self.multiple = multiple
        self.params = ParamsDict(params or {})
        self.notifiers = self._callables(notifiers)
        self.assigned_users = self._people(assigned_users)
        if response_timeout is None:
            response_timeout, self.execution_timeout = self.execution_timeout, None
        self.response_timeout = self._duration(response_timeout)
        self.validate_options()
        self.validate_params()
        self.validate_defaults()

    # ── what is asked ────────────────────────────────────────────────────────────────────────────────────

    def validate_options(self) -> None:
        """DagError unless there is something to choose from."""
        if not self.options:
            self._refuse("options is empty; give at least one option to choose")
        if len(set(self.options)) < len(self.options):
            self._refuse(f"options has one twice: {self.options!r}")

    def validate_params(self) -> None:
        """DagError if a default is not what its own schema asks for."""
        if "_options" in self.params:
            self._refuse("params may have no field '_options', by which Airflow's pages know the options")
        for name, param in self.params.declared.items():
            try:
                if param.has_value:
                    param.resolve()
            except UsageError as error:
                self._refuse(f"the default of params[{name!r}] does not fit: {error}")

    def validate_defaults(self) -> None:
        """DagError unless ``defaults`` would be an answer."""
        if self.defaults is None:
            return
        unknown = [option for option in self.defaults if option not in self.options]
        if unknown:
            self._refuse(f"defaults has {unknown[0]!r}, which is none of the options {self.options!r}")
        if len(self.defaults) > 1 and not self.multiple:
            self._refuse("defaults has more than one option; that goes with multiple=True")
        needed = [name for name, field in self._fields().items() if field.is_needed]
        if needed and self.response_timeout is not None:
            self._refuse(f"defaults and response_timeout leave params[{needed[0]!r}] open; give it a default too")

    def execute(self, context: Context) -> Any:
        """Tell people by the notifiers, ask, and give the worker up."""
        for notifier in self.notifiers:
            notifier(context)
        self.log.info("Waiting for a person's answer")
        raise TaskAwaitingInput(form=self._form(), method_name="execute_complete", timeout=self.response_timeout)

    def _form(self) -> Form:
        return Form(
            subject=str(self.subject),
            body=None if self.body is None else str(self.body),
            options=tuple(self.options),
            defaults=None if self.defaults is None else tuple(self.defaults),
            multiple=bool(self.multiple),
            params=self._fields(),
            assigned_users=tuple(Person(id=one["id"], name=one["name"]) for one in self.assigned_users),
        )

    def _fields(self) -> dict[str, Field]:
        declared = self.params.declared
        return {name: _field(name, self.params[name], declared.get(name)) for name in self.params}

    # ── what is answered ─────────────────────────────────────────────────────────────────────────────────

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:  # noqa: ARG002 - as Airflow calls it
        """Go on with the answer in ``event``."""
        if "error" in event:
            self.process_trigger_event_error(event)
        self.validate_chosen_options(event["chosen_options"])
        given = {**self.params.given(), **(event["params_input"] or {})}
        self.validate_params_input(given)
        return {
            "chosen_options": list(event["chosen_options"]),
            "params_input": given,
            "responded_at": event["responded_at"],
            "responded_by_user": event["responded_by_user"],
        }

    def process_trigger_event_error(self, event: Mapping[str, Any]) -> NoReturn:
        """Raise what the event tells of."""
        kind = HITLTimeoutError if event.get("error_type") == "timeout" else HITLTriggerEventError
        raise kind(str(event["error"]))

    def validate_chosen_options(self, chosen_options: Sequence[str]) -> None:
        """ValueError if one is none of the options."""
        unknown = [option for option in chosen_options if option not in self.options]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is none of the options {self.options!r}")

    def validate_params_input(self, params_input: Mapping[str, Any]) -> None:
        """ValueError if a field is unknown or missing, or not what its schema asks for."""
        if differing := set(params_input) ^ set(self.params):
            raise ValueError(f"the answer and the form differ in {', '.join(sorted(differing))}")
        for name, param in self.params.declared.items():
            try:
                param.resolve(params_input[name])
            except UsageError as error:
                raise ValueError(f"{name} does not fit: {error}") from None

    # ── where it is answered ─────────────────────────────────────────────────────────────────────────────

    def generate_link_to_ui(
        self,
        *,
        task_instance: TaskInstance,
        base_url: str | None = None,
        options: str | Sequence[str] | None = None,
        params_input: Mapping[str, Any] | None = None,
    ) -> str:
        """The address of the page where it is answered, with ``options`` chosen and ``params_input`` filled in there.

        ``base_url`` is that of the pages, ``[api] base_url`` by default. ValueError where an option or a field is none
        of its own.
        """
        chosen = [options] if isinstance(options, str) else list(options or ())
        self.validate_chosen_options(chosen)
        if unknown := sorted(set(params_input or {}) - set(self.params)):
            raise ValueError(f"{unknown[0]!r} is none of the fields {sorted(self.params)!r}")
        return answer_url(
            task_instance.dag_id,
            task_instance.run_id,
            task_instance.task_id,
            task_instance.map_index,
            base_url=base_url,
            options=chosen,
            params_input=params_input,
        )

    @staticmethod
    def generate_link_to_ui_from_context(
        *,
        context: Context,
        base_url: str | None = None,
        options: str | Sequence[str] | None = None,
        params_input: Mapping[str, Any] | None = None,
    ) -> str:
        """The same for the task that runs, in a notifier or a callback of it; ValueError where it asks nobody."""
        task = context["task"]
        if not isinstance(task, HITLOperator):
            raise ValueError(f"task {task.task_id!r} asks nobody, so there is no page where it is answered")
        return task.generate_link_to_ui(
            task_instance=context["ti"], base_url=base_url, options=options, params_input=params_input
        )

    # ── what the author wrote ────────────────────────────────────────────────────────────────────────────

    def _refuse(self, why: str) -> NoReturn:
        raise self.place.refuse(f"task {self.task_id!r}: {why}")

    def _texts(self, name: str, value: Any) -> list[str]:
        given = [value] if name == "defaults" and isinstance(value, str) else value
        if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
            self._refuse(f"{name} must be a list of texts, not {value!r}")
        if not all(isinstance(one, str) and one for one in given):
            self._refuse(f"each of {name} must be a text that is not empty, not {list(given)!r}")
        return list(given)

    def _callables(self, notifiers: Any) -> list[Callable[[Context], Any]]:
        found = list(notifiers) if isinstance(notifiers, list | tuple) else [] if notifiers is None else [notifiers]
        for one in found:
            if not callable(one):
                self._refuse(f"each of notifiers must be something to call with the context, not {one!r}")
        return found

    def _people(self, users: Any) -> list[HITLUser]:
        found = [users] if isinstance(users, Mapping) else list(users or ())
        for one in found:
            if not isinstance(one, Mapping) or not all(isinstance(one.get(key), str) for key in ("id", "name")):
                self._refuse(f"each of assigned_users must be {{'id': …, 'name': …}}, not {one!r}")
        return [HITLUser(id=one["id"], name=one["name"]) for one in found]

    def _duration(self, value: Any) -> timedelta | None:
        if value is not None and (not isinstance(value, timedelta) or value <= timedelta()):
            self._refuse(f"response_timeout must be a timedelta above 0, not {value!r}")
        return value


def _field(name: str, value: Any, param: Declared | None) -> Field:
    if param is not None and not param.has_value:
        return Field(description=param.description, schema=param.schema)
    plain = msgspec.json.decode(values.encode(value, f"params[{name!r}]"))
    if param is None:
        return Field(value=plain)
    return Field(value=plain, description=param.description, schema=param.schema)


class ApprovalOperator(HITLOperator):
    """Asks a person to approve or to reject.

    What comes right after it is skipped if it is rejected; everything behind it with
    ``ignore_downstream_trigger_rules``, but for teardowns. ``fail_on_reject``: it fails instead.
    """

    APPROVE = "Approve"
    REJECT = "Reject"
    FIXED_ARGS = ("options", "multiple")

    def __init__(
        self, *, ignore_downstream_trigger_rules: bool = False, fail_on_reject: bool = False, **settings: Any
    ) -> None:
        fixed = [name for name in self.FIXED_ARGS if name in settings]
        if fixed:
            what = f"task {settings['task_id']!r}: {fixed[0]} is fixed"
            raise self._making.place.refuse(f"{what} for an ApprovalOperator; use HITLOperator to choose it")
        super().__init__(options=[self.APPROVE, self.REJECT], multiple=False, **settings)
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules
        self.fail_on_reject = fail_on_reject

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        answer = super().execute_complete(context, event)
        if self.fail_on_reject and answer["chosen_options"] == [self.REJECT]:
            raise HITLRejectException(f"rejected by {_name(answer)}")
        return answer

    def skips(self, result: Any) -> tuple[str, ...]:
        """Nothing if it is approved; teardowns are never skipped."""
        if result["chosen_options"] == [self.APPROVE]:
            return ()
        after = self.get_flat_relative_ids() if self.ignore_downstream_trigger_rules else self.downstream_task_ids
        return tuple(sorted(name for name in after if not self.dag.get_task(name).is_teardown))


def _name(answer: Mapping[str, Any]) -> str:
    return answer["responded_by_user"]["name"] or "somebody"


class HITLBranchOperator(Branching, HITLOperator):
    """Asks a person which of the tasks after it go on.

    An option is the id of a task or group, or stands for one in ``options_mapping``. The result are the ids.
    """

    def __init__(self, *, options_mapping: Mapping[str, str] | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.options_mapping = dict(options_mapping or {})
        self.validate_options_mapping()

    def validate_options_mapping(self) -> None:
        """DagError unless it maps options to texts."""
        for option, task_id in self.options_mapping.items():
            if option not in self.options:
                self._refuse(f"options_mapping has {option!r}, which is none of the options {self.options!r}")
            if not isinstance(task_id, str):
                self._refuse(f"options_mapping[{option!r}] must be the id of a task, not {task_id!r}")

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        answer = super().execute_complete(context, event)
        return [self.options_mapping.get(option, option) for option in answer["chosen_options"]]


class HITLEntryOperator(HITLOperator):
    """Asks a person to fill in ``params``; the only option is OK, unless others are given."""

    OK = "OK"

    def __init__(self, **settings: Any) -> None:
        if "options" not in settings:
            settings["options"] = [self.OK]
            settings.setdefault("defaults", [self.OK])
        super().__init__(**settings)
