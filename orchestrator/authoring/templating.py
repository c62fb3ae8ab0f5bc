"""Templating: what Jinja makes of a task's fields, at parse time (which results are pulled) and at run time."""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType, TracebackType
from typing import Any
from weakref import WeakKeyDictionary

import jinja2
from jinja2 import meta, nodes
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment, is_internal_attribute

from orchestrator.authoring.airflow_context import absence
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.dates import DATE_KEYS, FORMATS, as_filter
from orchestrator.authoring.filters import Filters
from orchestrator.authoring.literal import Literal
from orchestrator.authoring.plugged import take_plugins
from orchestrator.authoring.references import Reference
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.task import Task
from orchestrator.exceptions import BodyError, OrchestratorError, TemplateError

_UNDEFINED = re.compile(r"'(\w+)' is undefined")
_MARKS = ("{{", "{%", "{#")


class _Sandbox(SandboxedEnvironment):
    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - jinja's signature
        """As in Airflow, a name with one underscore may be read."""
        return not is_internal_attribute(obj, attr)


class _NativeSandbox(_Sandbox, NativeEnvironment):
    """Renders to Python's own types."""


class Templates:
    """The Jinja environment of a DAG; it keeps what it has compiled. ``native``: it renders to Python's own types."""

    def __init__(self, folders: Sequence[str], dag: DAG | None, *, native: bool) -> None:
        self.folders = tuple(folders)
        self._environment = _environment(self.folders, dag, _NativeSandbox if native else _Sandbox)
        self._environment.filters = Filters(self._environment.filters)
        self._environment.filters.update({name: as_filter(write) for name, write in FORMATS.items()})
        if dag is not None:
            self._environment.globals.update(dag.user_defined_macros or {})
            self._environment.filters.update(dag.user_defined_filters or {})
        self._filters = frozenset(self._environment.filters)
        self.of_text = lru_cache(maxsize=1024)(self._environment.from_string)
        self.of_file = self._environment.get_template

    def pulled_ids(self, text: str) -> Iterator[str]:
        """The task ids that ``text``, and the files it includes, name in ``ti.xcom_pull(…)``."""
        waiting, seen = [text], set[str]()
        while waiting:
            text = waiting.pop()
            self.take_plugins(text)
            tree = self._environment.parse(text)
            yield from _pulls(tree)
            included = {name for name in meta.find_referenced_templates(tree) if name is not None} - seen
            seen |= included
            waiting.extend(self.read(name) for name in sorted(included))

    def take_plugins(self, text: str) -> None:
        """Let the plugins that ``text`` names be part of the version."""
        take_plugins(text, self._filters)

    def read(self, name: str) -> str:
        """The text of a template file; jinja2.TemplateNotFound if no folder has it."""
        loader = self._environment.loader
        assert loader is not None
        return loader.get_source(self._environment, name)[0]


def _environment(folders: Sequence[str], dag: DAG | None, kind: type[_Sandbox]) -> _Sandbox:
    """As the DAG wants it; DagError where Jinja does not take what it says."""
    options: dict[str, Any] = {
        "loader": jinja2.FileSystemLoader(folders),
        "undefined": jinja2.StrictUndefined if dag is None else dag.template_undefined,
        "extensions": ["jinja2.ext.do"],
    }
    wanted = (dag.jinja_environment_kwargs if dag is not None else None) or {}
    try:
        return kind(**options | wanted)
    except (TypeError, ValueError, AssertionError, ImportError) as error:
        assert dag is not None
        raise dag.place.refuse(f"{dag!r}: jinja_environment_kwargs are not what Jinja takes: {error}") from None


def _pulls(tree: nodes.Template) -> Iterator[str]:
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Getattr) and call.node.attr == "xcom_pull":
            named = [word.value for word in call.kwargs if word.key == "task_ids"]
            yield from _constant_ids([*call.args, *named][:1])


def _constant_ids(arguments: Sequence[nodes.Expr]) -> Sequence[str]:
    try:
        value = arguments[0].as_const() if arguments else None
    except nodes.Impossible:  # known only at run time, and refused there
        return ()
    return [value] if isinstance(value, str) else [item for item in value or () if isinstance(item, str)]


_templates: WeakKeyDictionary[DAG, dict[bool, Templates]] = WeakKeyDictionary()


def templates_of(task: Task) -> Templates:
    """The templates of the task's DAG; the task may say how they render."""
    return templates_of_dag(task.graph if isinstance(task.graph, DAG) else None, task.render_template_as_native_obj)


def templates_of_dag(dag: DAG | None, native: bool | None = None) -> Templates:
    """The templates of a DAG, made when they are first asked for; ``native`` says how they render, unless None."""
    if dag is None:
        return Templates((), None, native=bool(native))
    how = dag.render_template_as_native_obj if native is None else native
    known = _templates.setdefault(dag, {})
    if how not in known:
        known[how] = Templates((dag.folder, *(dag.template_searchpath or ())), dag, native=how)
    return known[how]


def is_template(text: str) -> bool:
    """Whether Jinja would change it, be it by a newline."""
    return any(mark in text for mark in _MARKS) or text.endswith("\n") or "\r" in text


class Field:
    """One template field of a task, and the making of an error about it. ``settled`` are texts, by identity, that are
    no templates.
    """

    def __init__(
        self, task: Task, name: str, extensions: Sequence[str], settled: Mapping[int, str] = MappingProxyType({})
    ) -> None:
        self.task = task
        self.name = name
        self.extensions = tuple(extensions)
        self.settled = settled

    def pulled_ids(self, text: str) -> Sequence[str]:
        """The tasks whose results ``text`` pulls; TemplateError if it, or a file that it names, is no template."""
        try:
            templates = templates_of(self.task)
            if text.endswith(self.extensions):
                return list(templates.pulled_ids(templates.read(text)))
            if "xcom_pull" in text or "{%" in text:
                return list(templates.pulled_ids(text))
            if is_template(text):
                templates.take_plugins(text)
            return ()
        except jinja2.TemplateError as error:
            raise self.error(error) from None

    def checked(self, text: str) -> Sequence[str]:
        """The same of a text that names no file; TemplateError also where it pulls nothing and is no template."""
        try:
            return list(templates_of(self.task).pulled_ids(text))
        except jinja2.TemplateError as error:
            raise self.error(error) from None

    def render(self, value: Any, context: Context, results: Mapping[str, Any]) -> Any:
        """``value`` with all references resolved and all templates in it rendered; the original stays as it is."""
        if isinstance(value, str):
            return value if id(value) in self.settled else self._text(value, context)
        if isinstance(value, Reference):
            return self._resolve(value, context, results)
        if isinstance(value, Literal):
            return value.value
        if isinstance(value, list):
            return [self.render(item, context, results) for item in value]
        if isinstance(value, dict):
            return {key: self.render(item, context, results) for key, item in value.items()}
        if isinstance(value, tuple):
            items = [self.render(item, context, results) for item in value]
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        if isinstance(value, set):
            return {self.render(item, context, results) for item in value}
        if not isinstance(value, Task) and hasattr(value, "template_fields"):
            return self._nested(value, context, results)
        return value

    def _nested(self, value: Any, context: Context, results: Mapping[str, Any]) -> Any:
        filled = copy.copy(value)
        for name in value.template_fields:
            setattr(filled, name, self.render(getattr(value, name), context, results))
        return filled

    def _resolve(self, value: Reference, context: Context, results: Mapping[str, Any]) -> Any:
        try:
            return value.resolve(context, results)
        except BodyError:
            raise
        except (OrchestratorError, LookupError) as error:
            raise self.error(error) from error

    def _text(self, text: str, context: Context) -> Any:
        from_file = text.endswith(self.extensions)
        if not from_file and not is_template(text):
            return text
        try:
            templates = templates_of(self.task)
            template = templates.of_file(text) if from_file else templates.of_text(text)
            return template.render(context)
        except BodyError:
            raise
        except Exception as error:
            raise self.error(error, context) from error

    def error(self, error: Exception, context: Mapping[str, Any] | None = None) -> TemplateError:
        """The error that names task, field and line."""
        source, line = _source_of(error)
        return TemplateError(
            self.task.task_id,
            self.name,
            self._reason(error, context),
            template=source,
            template_line=line,
            file=self.task.place.file,
            line=self.task.place.line,
        )

    def _reason(self, error: Exception, context: Mapping[str, Any] | None) -> str:
        if isinstance(error, jinja2.TemplateNotFound):
            folders = ", ".join(templates_of(self.task).folders) or "no folder"
            hint = "; put a space at the end if it is no file" if str(error.name).endswith(self.extensions) else ""
            return f"there is no template file {error.name!r} in {folders}{hint}"
        words = str(error.message if isinstance(error, jinja2.TemplateError) else error)
        if isinstance(error, jinja2.UndefinedError) and (found := _UNDEFINED.match(words)):
            words = absence(found[1]) or words
        if isinstance(error, jinja2.UndefinedError) and context is not None and "logical_date" not in context:
            dated = any(f"'{key}'" in words for key in DATE_KEYS)
            return f"{words}, because this run has no logical date" if dated else words
        known = isinstance(error, jinja2.TemplateError | OrchestratorError)
        return words if known else f"{type(error).__name__}: {words}"


def _source_of(error: Exception) -> tuple[str | None, int | None]:
    """Which template file (None: the field's own text) an error is from, and its line there."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.name, error.lineno
    found: tuple[str | None, int | None] = (None, None)
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        if "__jinja_exception__" in traceback.tb_frame.f_globals:
            code = traceback.tb_frame.f_code
            found = (None if code.co_filename == "<template>" else code.co_filename), traceback.tb_lineno
        traceback = traceback.tb_next
    return found
