"""Words of Airflow's context that are not there, and what to write in their place."""

from collections.abc import Mapping
from types import MappingProxyType

_RUN_BEFORE = "keep what the next run needs with ti.xcom_push, and pull it there with include_prior_dates=True"
_ASSETS = "events of assets are not recorded"

ABSENT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "asset_state_store": "record progress with heartbeat(progress) and read last_progress()",
        "expanded_ti_count": "count the list that the task is mapped over",
        "inlet_events": _ASSETS,
        "outlet_events": _ASSETS,
        "prev_data_interval_end_success": _RUN_BEFORE,
        "prev_data_interval_start_success": _RUN_BEFORE,
        "prev_end_date_success": _RUN_BEFORE,
        "prev_start_date_success": _RUN_BEFORE,
        "task_state_store": "record progress with heartbeat(progress) and read last_progress()",
        "triggering_asset_events": _ASSETS,
    }
)


def absence(word: str) -> str | None:
    """One sentence about a word of Airflow's context that is not there; None for any other."""
    instead = ABSENT_WORDS.get(word)
    return None if instead is None else f"the context has no {word} here; {instead}"
