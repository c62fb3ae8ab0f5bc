"""``/eventLogs``, ``/importErrors``, ``/dagWarnings``, ``/config``, ``/providers`` and ``/plugins``."""

from collections.abc import Iterable
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Path, Query

from orchestrator.api.asked import Asked
from orchestrator.api.cutting import cut
from orchestrator.api.models.admin import (
    Config,
    ConfigOption,
    ConfigSection,
    Plugin,
    PluginCollection,
    PluginImportError,
    PluginImportErrorCollection,
    Provider,
    ProviderCollection,
)
from orchestrator.api.models.base import Moment
from orchestrator.api.models.observed import (
    DagWarning,
    DagWarningCollection,
    EventLog,
    EventLogCollection,
    ImportError_,
    ImportErrorCollection,
    event_log_of,
    import_error_of,
)
from orchestrator.api.paging import MOST, Paged, Pattern
from orchestrator.assembly.home import Home
from orchestrator.assembly.plugins import roll
from orchestrator.assembly.provided import providers
from orchestrator.assembly.shown_settings import ShownSetting, shown_setting, shown_settings
from orchestrator.core.rights import Right
from orchestrator.exceptions import ForbiddenError, NotFoundError
from orchestrator.storage.audit_reads import AuditFilter
from orchestrator.storage.listing import fits

router = APIRouter(tags=["Observed"])

Word = Annotated[str | None, Query(max_length=250)]


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


@router.get("/eventLogs/{event_log_id}")
def get_event_log(home: Asked, event_log_id: Annotated[int, Path(ge=1, le=2**62)]) -> EventLog:
    """A line of the audit log."""
    for row in home.reads.audit(AuditFilter(), before_id=event_log_id + 1, limit=1):
        if row.id == event_log_id:
            return event_log_of(row)
    raise NotFoundError(f"there is no line {event_log_id} in the audit log")


@router.get("/importErrors")
def get_import_errors(home: Asked, paging: Paged, filename_pattern: Pattern = None) -> ImportErrorCollection:
    """The DAG files that cannot be read."""
    found = [row for row in home.reads.import_errors() if fits(filename_pattern, row.file)]
    page = cut(found, paging, {"filename": lambda row: row.file, "timestamp": lambda row: row.at})
    return ImportErrorCollection(import_errors=[import_error_of(row) for row in page], total_entries=len(found))


@router.get("/importErrors/{import_error_id:path}")
def get_import_error(home: Asked, import_error_id: str) -> ImportError_:
    """Why a DAG file cannot be read; its id is the file."""
    for row in home.reads.import_errors():
        if row.file == import_error_id:
            return import_error_of(row)
    raise NotFoundError(f"no file {import_error_id[:250]!r} is known that cannot be read")


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
    return _config(shown_settings(home, section))


@router.get("/config/section/{section}/option/{option}")
def get_config_value(home: Asked, section: str, option: str) -> Config:
    """One setting; for administrators, and no secret."""
    return _config([shown_setting(home, section, option)])


@router.get("/providers")
def get_providers(home: Asked, paging: Paged) -> ProviderCollection:
    """The optional packages that are installed."""
    home.reads.standing()  # whoever may see nothing is told so here
    found = [one for one in providers() if one.version is not None]
    page = [
        Provider(package_name=one.package, version=str(one.version), description=one.description)
        for one in cut(found, paging, {"package_name": lambda one: one.package})
    ]
    return ProviderCollection(providers=page, total_entries=len(found))


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


@router.get("/plugins/importErrors")
def get_plugin_import_errors(home: Asked) -> PluginImportErrorCollection:
    """The plugins that do not work, and why; for administrators."""
    _require_admin(home)
    cards = [card for card in roll(home.config).cards if card.trouble is not None]
    found = [PluginImportError(source=card.source, error=str(card.trouble)) for card in cards]
    return PluginImportErrorCollection(import_errors=found, total_entries=len(found))


def _require_admin(home: Home) -> None:
    if not home.who.may(Right.ADMIN):
        raise ForbiddenError(f"{home.who.name} may not administer this home")


def _config(found: Iterable[ShownSetting]) -> Config:
    return Config(
        sections=[
            ConfigSection(
                name=name,
                options=[
                    ConfigOption(key=one.key, value=one.value, default=one.default, source=one.source) for one in each
                ],
            )
            for name, each in groupby(found, lambda one: one.section)
        ]
    )
