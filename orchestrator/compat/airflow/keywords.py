"""Settings that a file gives to Airflow's DAGs and operators and that do nothing here: read from its source."""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.authoring.airflow_only import AIRFLOW_DAG_SETTINGS, AIRFLOW_TASK_SETTINGS, refusal
from orchestrator.compat.airflow.catalog import Missing
from orchestrator.compat.airflow.differences import DAG_SETTINGS, SETTINGS
from orchestrator.compat.airflow.findings import Finding, Kind
from orchestrator.compat.airflow.imports import imported, look_up

_DAGS = frozenset({"orchestrator:DAG", "orchestrator:dag"})
_DEFAULTS = "default_args"
_EMPTY: tuple[Any, ...] = (None, "", [], (), {})


def keyword_findings(file: str, tree: ast.Module) -> Iterator[Finding]:
    """A finding for each setting that asks for something which is not there, or that changes nothing here."""
    known = _settings_by_name(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _called(node.func)
            for keyword in node.keywords if name in known else ():
                yield from _judged(file, keyword.arg, keyword.value, known[name])
        if isinstance(node, ast.Assign | ast.keyword) and _is_defaults(node) and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant):
                    yield from _judged(file, key.value, value, AIRFLOW_TASK_SETTINGS)


def _settings_by_name(tree: ast.Module) -> dict[str, Mapping[str, tuple[Any, ...]]]:
    """Which settings of Airflow are not taken by what the file calls by that name."""
    found: dict[str, Mapping[str, tuple[Any, ...]]] = {}
    for one in imported(tree):
        served = look_up(one)
        if not isinstance(served, Missing) and one.name:
            found[one.alias] = AIRFLOW_DAG_SETTINGS if served.target in _DAGS else AIRFLOW_TASK_SETTINGS
    return found


def _called(function: ast.expr) -> str:
    """The name that a call begins with: ``task`` of ``task.branch(…)``."""
    while isinstance(function, ast.Attribute):
        function = function.value
    return getattr(function, "id", "")


def _is_defaults(node: ast.Assign | ast.keyword) -> bool:
    if isinstance(node, ast.keyword):
        return node.arg == _DEFAULTS
    return any(getattr(target, "id", "") == _DEFAULTS for target in node.targets)


def _judged(file: str, name: Any, value: ast.expr, settings: Mapping[str, tuple[Any, ...]]) -> Iterator[Finding]:
    differing = SETTINGS if settings is AIRFLOW_TASK_SETTINGS else DAG_SETTINGS
    if name in differing and not _asks_for_nothing(value, _EMPTY):
        sentence = f"the setting {name} {differing[name]}"
        yield Finding(file=file, line=value.lineno, kind=Kind.DIFFERS, sentence=sentence)
    if isinstance(name, str) and name in settings and not _asks_for_nothing(value, settings[name]):
        yield Finding(
            file=file,
            line=value.lineno,
            kind=Kind.MISSING,
            sentence=refusal(name),
            feature=f"the setting {name}",
        )


def _asks_for_nothing(value: ast.expr, nothing: tuple[Any, ...]) -> bool:
    try:
        return ast.literal_eval(value) in nothing
    except (ValueError, TypeError):
        return False
