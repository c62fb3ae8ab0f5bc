"""Reads: everything that the CLI and the pages ask of the database, without holding the scheduler up."""

from orchestrator.storage.activity_reads import ActivityReads
from orchestrator.storage.audit_reads import AuditReads
from orchestrator.storage.audit_search import AuditSearch
from orchestrator.storage.awaiting_reads import AwaitingReads
from orchestrator.storage.catalog_reads import CatalogReads
from orchestrator.storage.dag_list_reads import DagListReads
from orchestrator.storage.duration_reads import DurationReads
from orchestrator.storage.facts import Facts
from orchestrator.storage.grid_reads import GridReads
from orchestrator.storage.history_reads import HistoryReads
from orchestrator.storage.list_reads import ListReads
from orchestrator.storage.news_reads import NewsReads
from orchestrator.storage.operation_reads import OperationReads
from orchestrator.storage.overview_reads import OverviewReads
from orchestrator.storage.run_reads import RunReads
from orchestrator.storage.signs import PartReads, PartRow
from orchestrator.storage.task_reads import TaskReads
from orchestrator.storage.time_reads import TimeReads
from orchestrator.storage.views import (
    ActivityRow,
    AnswerRow,
    AuditRow,
    AwaitingRow,
    DagRow,
    FileRow,
    ImportErrorRow,
    OpenCount,
    Outcome,
    PoolRow,
    RequestRow,
    RunChange,
    RunRow,
    SchedulerRow,
    Standing,
    Verdict,
    VersionRow,
)

__all__ = [
    "ActivityRow",
    "AnswerRow",
    "AuditRow",
    "AwaitingRow",
    "DagRow",
    "FileRow",
    "ImportErrorRow",
    "OpenCount",
    "Outcome",
    "PartRow",
    "PoolRow",
    "Reads",
    "RequestRow",
    "RunChange",
    "RunRow",
    "SchedulerRow",
    "Standing",
    "Verdict",
    "VersionRow",
]


class Reads(
    CatalogReads,
    RunReads,
    ActivityReads,
    ListReads,
    TaskReads,
    OverviewReads,
    DagListReads,
    GridReads,
    TimeReads,
    DurationReads,
    AwaitingReads,
    HistoryReads,
    OperationReads,
    NewsReads,
    PartReads,
    AuditReads,
    AuditSearch,
    Facts,
):
    """Questions to the projections and the tables of record; each is one short read transaction.

    NotFoundError where something that is asked for by name does not exist; it names what is near.
    """
