"""Defaults: what DAGs and tasks get that do not say otherwise."""

from datetime import timedelta

import msgspec

from orchestrator.names import WeightRule


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """The configured defaults of authoring; without any configuration, Airflow's own.

    ``cron_intervals``: whether a bare cron expression gives each run the interval since the fire time before.
    """

    timezone: str = "UTC"
    catchup: bool = False
    cron_intervals: bool = False
    max_active_runs: int = 16
    max_consecutive_failed_dag_runs: int = 0
    max_active_tasks: int = 16
    retries: int = 0
    retry_delay: timedelta = timedelta(seconds=300)
    max_retry_delay: timedelta = timedelta(hours=24)
    weight_rule: WeightRule = WeightRule.DOWNSTREAM
