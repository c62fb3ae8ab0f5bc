"""The tables. Moments are whole microseconds since 1970 in UTC; JSON is text; flags are booleans.

``history`` is the truth about runs; runs, activities, xcoms, timers and payload_refs are projections of it; all
others are tables of record.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Whole microseconds since 1970 in UTC."""
    return (at - _EPOCH) // _MICROSECOND


def micros_or_none(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The aware moment that ``micros`` wrote."""
    return _EPOCH + timedelta(microseconds=value)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, stored as whole microseconds since 1970: exact, and sorted, in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return micros_or_none(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else moment(value)


# SQLite numbers rows by itself only where the type is exactly INTEGER.
_Key = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# ── the truth ────────────────────────────────────────────────────────────────────────────────────────────────

history = Table(
    "history",
    metadata,
    Column("position", _Key, primary_key=True, autoincrement=False),
    Column("run_key", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("run_key", "seq"),
)

# ── projections ──────────────────────────────────────────────────────────────────────────────────────────────

runs = Table(
    "runs",
    metadata,
    Column("run_key", _Key, primary_key=True, autoincrement=False),
    Column("run_uid", Text, nullable=False),
    Column("dag_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("run_type", Text, nullable=False),
    Column("logical_date", Moment),
    Column("data_interval_start", Moment),
    Column("data_interval_end", Moment),
    Column("slot", Moment),
    Column("triggered_by", Text, nullable=False),
    Column("note", Text),
    Column("created_at", Moment, nullable=False),
    Column("version_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("is_paused", Boolean, nullable=False),
    Column("is_cancelling", Boolean, nullable=False),
    Column("blocked", Text),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("last_seq", BigInteger, nullable=False),
    Column("open_callbacks", Integer, nullable=False, server_default=text("0")),
    Column("failed_callbacks", Integer, nullable=False, server_default=text("0")),
    UniqueConstraint("dag_id", "run_id"),
    UniqueConstraint("dag_id", "slot"),
    Index("ix_runs_dag_id_run_key", "dag_id", "run_key"),
    Index("ix_runs_dag_id_state", "dag_id", "state"),
    Index("ix_runs_day", "dag_id", "logical_date", "created_at", "state"),
    Index("ix_runs_ended_at", "ended_at"),
    Index("ix_runs_started_at", "started_at"),
    Index("ix_runs_logical_date", "logical_date"),
)

_CALLS = text("open_callbacks > 0")
Index("ix_runs_open_callbacks", runs.c.run_key, sqlite_where=_CALLS, postgresql_where=_CALLS)

_WORKS = text("state IN ('queued', 'running', 'restarting')")
_AWAITS = text("state = 'awaiting_input'")

activities = Table(
    "activities",
    metadata,
    Column("run_key", BigInteger, primary_key=True, autoincrement=False),
    Column("task_id", Text, primary_key=True),
    Column("map_index", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("scheduled_at", Moment),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("retry_at", Moment),
    Column("scheduled_seq", BigInteger, nullable=False),
    Column("result_seq", BigInteger, nullable=False),
    Column("length", BigInteger),
    Column("worker", Text, nullable=False),
    Column("pool", Text, nullable=False),
    Column("pool_slots", Integer, nullable=False),
    Column("operator", Text, nullable=False),
    Column("asked_seq", BigInteger),
    Column("rendered_map_index", Text),
    sqlite_with_rowid=False,
)
Index("ix_activities_open", activities.c.pool, sqlite_where=_WORKS, postgresql_where=_WORKS)
Index("ix_activities_awaiting", activities.c.run_key, sqlite_where=_AWAITS, postgresql_where=_AWAITS)

timers = Table(
    "timers",
    metadata,
    Column("run_key", BigInteger, primary_key=True, autoincrement=False),
    Column("timer_id", Text, primary_key=True),
    Column("fire_at", Moment, nullable=False),
)

payload_refs = Table(
    "payload_refs",
    metadata,
    Column("run_key", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", Text, primary_key=True),
)

xcoms = Table(
    "xcoms",
    metadata,
    Column("run_key", BigInteger, primary_key=True, autoincrement=False),
    Column("task_id", Text, primary_key=True),
    Column("map_index", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("length", BigInteger),
    sqlite_with_rowid=False,
)

# ── tables of record ─────────────────────────────────────────────────────────────────────────────────────────

dags = Table(
    "dags",
    metadata,
    Column("dag_id", Text, primary_key=True),
    Column("file", Text, nullable=False),
    Column("version_id", BigInteger, nullable=False),
    Column("header", Text, nullable=False),
    Column("task_count", Integer, nullable=False),
    Column("is_paused", Boolean, nullable=False),
    Column("is_stale", Boolean, nullable=False),
    Column("unpaused_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revision", BigInteger, nullable=False, index=True),
    Index("ix_dags_file", "file"),
)

dag_versions = Table(
    "dag_versions",
    metadata,
    Column("version_id", _Key, primary_key=True, autoincrement=False),
    Column("dag_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("code_fingerprint", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("task_count", Integer, nullable=False),
    Column("spec", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("dag_id", "number"),
    UniqueConstraint("dag_id", "fingerprint", "code_fingerprint"),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("code_fingerprint", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("file", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("needs", Text, nullable=False),
    Column("dag_ids", Text, nullable=False),
    Column("task_count", Integer, nullable=False),
    Column("duration", Float, nullable=False),
    Column("parsed_at", Moment, nullable=False),
)

import_errors = Table(
    "import_errors",
    metadata,
    Column("file", Text, primary_key=True),
    Column("failure", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

pools = Table(
    "pools",
    metadata,
    Column("name", Text, primary_key=True),
    Column("slots", Integer, nullable=False),
    Column("description", Text, nullable=False),
)

variables = Table(
    "variables",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("description", Text),
)

connections = Table(
    "connections",
    metadata,
    Column("conn_id", Text, primary_key=True),
    Column("conn_type", Text),
    Column("description", Text),
    Column("host", Text),
    Column("schema", Text),
    Column("login", Text),
    Column("password", Text),
    Column("port", Integer),
    Column("extra", Text),
)

cursors = Table(
    "cursors",
    metadata,
    Column("dag_id", Text, primary_key=True),
    Column("slot", Moment, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=False),
    Column("client_key", Text, nullable=False, unique=True),
    Column("dag_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)
_TRIGGERS = text("kind = 'trigger_run'")
Index(
    "uq_requests_trigger",
    requests.c.dag_id,
    requests.c.run_id,
    unique=True,
    sqlite_where=_TRIGGERS,
    postgresql_where=_TRIGGERS,
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("dag_id", Text),
    Column("run_id", Text),
    Column("body", Text, nullable=False),
    Column("request_id", BigInteger, unique=True),
    Column("client_key", Text, unique=True),
    Column("refusal", Text),
    Column("prev", Text, nullable=False, server_default=text("''")),
    Column("hash", Text, nullable=False, server_default=text("''")),
)
SAID_BY_PEOPLE = "audit.action IN ('answer_task', 'resolve_task')"
"""What of the audit people have said to tasks; spelled out as in the partial index."""
_SAID = text(SAID_BY_PEOPLE.removeprefix("audit."))
Index("ix_audit_said", audit.c.id, sqlite_where=_SAID, postgresql_where=_SAID)
Index("ix_audit_dag_id_run_id", audit.c.dag_id, audit.c.run_id, audit.c.id)

audit_seals = Table(
    "audit_seals",
    metadata,
    Column("name", Text, primary_key=True),
    Column("id", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("password_hash", Text),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("password_changed_at", Moment),
    Column("last_sign_in_at", Moment),
    Column("issuer", Text),
    Column("subject", Text),
    UniqueConstraint("issuer", "subject"),
)

grants = Table(
    "grants",
    metadata,
    Column("user_name", Text, primary_key=True),
    Column("dag_pattern", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("source", Text, primary_key=True),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=True),
    Column("user_name", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("scopes", Text),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    UniqueConstraint("user_name", "name"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("user_name", Text, nullable=False, index=True),
    Column("via", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
)

parts = Table(
    "parts",
    metadata,
    Column("role", Text, primary_key=True),
    Column("host", Text, primary_key=True),
    Column("pid", BigInteger, primary_key=True, autoincrement=False),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("facts", Text, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

runs_to_delete = Table(
    "runs_to_delete",
    metadata,
    Column("run_key", _Key, primary_key=True, autoincrement=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("acquired_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
