"""``/eventLogs``, ``/importErrors``, ``/dagWarnings``, ``/config`` and ``/plugins``."""

from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query

from orchestrator.api.asked import Asked
from orchestrator.api.cutting import cut, fits
from orchestrator.api.models.admin import Config, ConfigOption, ConfigSection, Plugin, PluginCollection
from orchestrator.api.models.base import Moment
from orchestrator.api.models.observed import (
    DagWarning,
    DagWarningCollection,
    EventLogCollection,
    ImportErrorCollection,
    event_log_of,
    import_error_of,
)
from orchestrator.api.paging import MOST, Paged, Pattern
from orchestrator.assembly.home import Home
from orchestrator.assembly.plugins import roll
from orchestrator.config import Setting, censor, is_secret, settings, write
from orchestrator.core.rights import Right
from orchestrator.exceptions import ForbiddenError
from orchestrator.storage.audit_reads import AuditFilter

router = APIRouter(tags=["Observed"])

Word = Annotated[str | None, Query(max_length=250)]
_STARS = "***"


@router.get("/eventLogs")
def get_event_logs(
    home: Asked,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="Only lines with a lower id.")] = None,
    dag_id: Word = None,
    run_id: Word = None,
    owner: Word = None,
    event: Word = None,
    after: Annotated[Moment | None, Query(alias="since")] = None,
    until: Moment | None = None,
) -> EventLogCollection:
    """The audit log: who did what, newest first. What is about no DAG is told to administrators."""
    which = AuditFilter(who=owner, action=event, dag_id=dag_id, run_id=run_id, since=after, until=until)
    rows = home.reads.audit(which, before_id=before, limit=limit)
    following = rows[-1].id if len(rows) == limit else None
    return EventLogCollection(event_logs=[event_log_of(row) for row in rows], next_before=following)


@router.get("/importErrors")
def get_import_errors(home: Asked, paging: Paged, filename_pattern: Pattern = None) -> ImportErrorCollection:
    """The DAG files that cannot be read."""
    found = [row for row in home.reads.import_errors() if fits(filename_pattern, row.file)]
    page = cut(found, paging, {"filename": lambda row: row.file, "timestamp": lambda row: row.at})
    return ImportErrorCollection(import_errors=[import_error_of(row) for row in page], total_entries=len(found))


@router.get("/dagWarnings")
def get_dag_warnings(home: Asked, paging: Paged) -> DagWarningCollection:
    """What the quarantine saw in DAG files that could be read."""
    found = home.reads.import_warnings()
    page = [
        DagWarning(
            filename=row.file,
            line=row.failure.line,
            warning_type="quarantine",
            message=row.failure.message,
            timestamp=row.at,
        )
        for row in cut(found, paging, {"filename": lambda row: row.file, "timestamp": lambda row: row.at})
    ]
    return DagWarningCollection(dag_warnings=page, total_entries=len(found))


@router.get("/config")
def get_config(home: Asked, section: Word = None) -> Config:
    """The settings, with where each comes from; for administrators, and without secrets."""
    _require_admin(home)
    found = (one for one in settings() if section in (None, one.section))
    return Config(
        sections=[
            ConfigSection(name=name, options=[_option(home, one) for one in each])
            for name, each in groupby(found, lambda one: one.section)
        ]
    )


@router.get("/plugins")
def get_plugins(home: Asked, paging: Paged) -> PluginCollection:
    """The plugins, those that do not work too; for administrators."""
    _require_admin(home)
    cards = roll(home.config).cards
    page = [
        Plugin(
            name=card.name,
            source=card.source,
            is_installed=card.is_installed,
            brings={kind: list(names) for kind, names in card.brings.items()},
            commands=dict(card.commands),
            trouble=None if card.trouble is None else str(card.trouble),
        )
        for card in cut(cards, paging, {"name": lambda card: card.name})
    ]
    return PluginCollection(plugins=page, total_entries=len(cards))


def _require_admin(home: Home) -> None:
    if not home.who.may(Right.ADMIN):
        raise ForbiddenError(f"{home.who.name} may not administer this home")


def _option(home: Home, setting: Setting) -> ConfigOption:
    source = home.config.source(setting)
    value = write(home.config.value(setting))
    return ConfigOption(
        key=setting.key,
        value=_STARS if value and is_secret(setting) else censor(value),
        default=write(setting.default),
        source=source.place or source.kind.value,
    )
