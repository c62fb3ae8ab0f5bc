"""Conf: whether what a run is started with fits what its DAG takes, by the schemas that are recorded of it."""

from collections.abc import Mapping
from typing import Any

from orchestrator.authoring.fitting import misfit
from orchestrator.core.schemas import in_short
from orchestrator.core.spec import DagSpec, Entrance
from orchestrator.exceptions import UsageError
from orchestrator.nearest import did_you_mean


def check_fits(what: str, entrance: Entrance, value: Any) -> None:
    """UsageError says what part of ``value``, as JSON has it, is not as the entrance's schema wants it."""
    wrong = misfit(entrance.schema, value, formats=False)
    if wrong is not None:
        raise UsageError(f"{what} does not take this: {wrong.message}" + (f" (in {wrong.place})" * bool(wrong.place)))


def check_conf(spec: DagSpec, conf: Mapping[str, Any]) -> None:
    """UsageError unless a run can begin with that conf; a DAG takes any keys, and those of its params as
    they are declared; a workflow those of its parameters."""
    if spec.entrance is None:
        _check_params(spec, conf)
        return
    given, what = {**spec.params, **conf}, f"the workflow {spec.dag_id!r} ({spec.file}:{spec.line})"
    known = spec.entrance.schema.get("properties", given)
    for name in given:
        if name not in known:
            raise UsageError(f"{what} has no parameter {name!r}{did_you_mean(name, known)}")
    for name in spec.entrance.schema.get("required", ()):
        if name not in given:
            raise UsageError(f"{what} needs {name!r}, which is missing; give it in the conf")
    check_fits(what, spec.entrance, given)


def _check_params(spec: DagSpec, conf: Mapping[str, Any]) -> None:
    """UsageError names the first param that is missing, or not as its schema wants it."""
    given = {**spec.params, **conf}
    for name, schema in spec.param_schemas.items():
        what, wanted = f"param {name!r} of DAG {spec.dag_id!r} ({spec.file}:{spec.line})", in_short(schema)
        if name not in given:
            raise UsageError(f"{what} is missing: give it in the conf" + (f"; it takes {wanted}" if wanted else ""))
        wrong = misfit(schema, given[name])
        if wrong is not None:
            raise UsageError(f"{what} does not take this: {wrong.message}" + (f"; it takes {wanted}" if wanted else ""))
