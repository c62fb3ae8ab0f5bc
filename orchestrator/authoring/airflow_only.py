"""Settings of Airflow that are not there yet: written so that they ask for nothing they are let through, else refused.

A file that says ``run_as_user=None`` runs as it is; one that names a user is told so, and never half obeyed.
"""

from collections.abc import Mapping
from typing import Any

from orchestrator.authoring.place import Place

_NOTHING: tuple[Any, ...] = (None, False, "", [], (), {})
_INSTEAD = {
    "access_control": "it would keep nobody from the DAG; say elsewhere who may see it",
    "auto_register": "a DAG is registered as soon as it is made; make it where it is wanted",
    "deadline": "end runs that take too long with dagrun_timeout",
    "depends_on_previous_tasks": "a task waits for itself in the run before (depends_on_past), and not for others",
    "run_as_user": "run the worker as that user, or call sudo in a BashOperator",
    "sla": "Airflow 3 has no SLAs either: give the task an execution_timeout, or the DAG a dagrun_timeout",
    "sla_miss_callback": "Airflow 3 has no SLAs either: give the DAG a dagrun_timeout and an on_failure_callback",
    "task_concurrency": "its name is max_active_tis_per_dag",
    "wait_for_past_depends_before_skipping": "a task is skipped as soon as its rule says so",
}
_EITHER = (True, False, None)  # asks for nothing by itself

_TASK = dict.fromkeys(
    (
        "depends_on_previous_tasks",
        "executor",
        "run_as_user",
        "sla",
        "task_concurrency",
        "wait_for_past_depends_before_skipping",
    ),
    _NOTHING,
)
AIRFLOW_TASK_SETTINGS: dict[str, tuple[Any, ...]] = {
    **_TASK,
    "allow_nested_operators": _EITHER,
}

AIRFLOW_DAG_SETTINGS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(
        (
            "access_control",
            "deadline",
            "sla_miss_callback",
        ),
        (*_NOTHING, 0),
    ),
    "auto_register": (True,),
    "disable_bundle_versioning": _EITHER,
    "rerun_with_latest_version": _EITHER,
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
            raise place.refuse(f"{what}: {refusal(name)}")
    return kept


def refusal(name: str) -> str:
    """What is said of a setting of Airflow that asks for what is not there."""
    return f"{name} is a setting of Airflow that is not supported here; {_INSTEAD.get(name, 'remove it')}"
