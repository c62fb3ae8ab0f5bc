"""Settings of Airflow that are not there yet: written so that they ask for nothing they are let through, else refused.

A file that says ``depends_on_past=False`` runs as it is; one that says True is told so, and never half obeyed.
"""

from collections.abc import Mapping
from typing import Any

from orchestrator.authoring.place import Place

_NOTHING: tuple[Any, ...] = (None, False, "", [], (), {})
_RUN_BEFORE = "let a task wait for the run before with an ExternalTaskSensor on this DAG (execution_delta=…)"
_INSTEAD = {
    "depends_on_past": _RUN_BEFORE,
    "email": "send mail with on_failure_callback=AppriseNotifier(…) of orchestrator.notifiers.apprise",
    "max_consecutive_failed_dag_runs": "pause the DAG with `orchestrator dags pause` when it is to stop",
    "wait_for_downstream": _RUN_BEFORE,
}
_EITHER = (True, False, None)  # says how mail is sent, and nothing is sent without an address

_TASK = dict.fromkeys(
    (
        "depends_on_past",
        "depends_on_previous_tasks",
        "email",
        "executor",
        "resources",
        "run_as_user",
        "sla",
        "task_concurrency",
        "wait_for_downstream",
        "wait_for_past_depends_before_skipping",
    ),
    _NOTHING,
)
AIRFLOW_TASK_SETTINGS: dict[str, tuple[Any, ...]] = {
    **_TASK,
    "allow_nested_operators": _EITHER,
    "email_on_failure": _EITHER,
    "email_on_retry": _EITHER,
    "ignore_first_depends_on_past": _EITHER,
}

AIRFLOW_DAG_SETTINGS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(
        (
            "access_control",
            "deadline",
            "jinja_environment_kwargs",
            "max_consecutive_failed_dag_runs",
            "owner_links",
            "rerun_with_latest_version",
            "sla_miss_callback",
        ),
        (*_NOTHING, 0),
    ),
    "auto_register": (True,),
    "disable_bundle_versioning": _EITHER,
}


def supported(
    place: Place, what: str, given: Mapping[str, Any], elsewhere: Mapping[str, tuple[Any, ...]]
) -> dict[str, Any]:
    """``given`` without the settings of Airflow that ask for nothing; DagError about one that asks for something."""
    kept = {}
    for name, value in given.items():
        if name not in elsewhere:
            kept[name] = value
        elif not any(value is nothing or value == nothing for nothing in elsewhere[name]):
            hint = _INSTEAD.get(name, "remove it")
            raise place.refuse(f"{what}: {name} is a setting of Airflow that is not supported here; {hint}")
    return kept
