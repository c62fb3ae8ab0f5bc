"""The schema of the first release.

A migration is never edited once it is released, and there is no way back: a backup is.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    column,
    table,
    text,
)

revision = "0001"
down_revision = None

KEY = BigInteger().with_variant(Integer(), "sqlite")
WORKS = text("state IN ('queued', 'running', 'restarting')")
TRIGGERS = text("kind = 'trigger_run'")


def upgrade() -> None:
    """Create the tables, and the rows that the program counts on."""
    _create_history()
    _create_runs()
    _create_activities()
    _create_catalog()
    _create_files()
    _create_requests()
    _create_operations()
    _insert_first_rows()


def _create_history() -> None:
    op.create_table(
        "history",
        Column("position", KEY, autoincrement=False, nullable=False),
        Column("run_key", BigInteger(), nullable=False),
        Column("seq", BigInteger(), nullable=False),
        Column("type", Text(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("body", Text(), nullable=False),
        PrimaryKeyConstraint("position", name="pk_history"),
        UniqueConstraint("run_key", "seq", name="uq_history_run_key_seq"),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        Column("run_key", KEY, autoincrement=False, nullable=False),
        Column("run_uid", Text(), nullable=False),
        Column("dag_id", Text(), nullable=False),
        Column("run_id", Text(), nullable=False),
        Column("run_type", Text(), nullable=False),
        Column("logical_date", BigInteger()),
        Column("data_interval_start", BigInteger()),
        Column("data_interval_end", BigInteger()),
        Column("slot", BigInteger()),
        Column("triggered_by", Text(), nullable=False),
        Column("note", Text()),
        Column("created_at", BigInteger(), nullable=False),
        Column("version_id", BigInteger(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("reason", Text(), nullable=False),
        Column("is_paused", Boolean(), nullable=False),
        Column("is_cancelling", Boolean(), nullable=False),
        Column("started_at", BigInteger()),
        Column("ended_at", BigInteger()),
        Column("last_seq", BigInteger(), nullable=False),
        PrimaryKeyConstraint("run_key", name="pk_runs"),
        UniqueConstraint("dag_id", "run_id", name="uq_runs_dag_id_run_id"),
        UniqueConstraint("dag_id", "slot", name="uq_runs_dag_id_slot"),
    )
    op.create_index("ix_runs_dag_id_run_key", "runs", ["dag_id", "run_key"])
    op.create_index("ix_runs_dag_id_state", "runs", ["dag_id", "state"])
    op.create_index("ix_runs_ended_at", "runs", ["ended_at"])


def _create_activities() -> None:
    op.create_table(
        "activities",
        Column("run_key", BigInteger(), nullable=False),
        Column("task_id", Text(), nullable=False),
        Column("map_index", Integer(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("attempt", Integer(), nullable=False),
        Column("generation", Integer(), nullable=False),
        Column("failures", Integer(), nullable=False),
        Column("losses", Integer(), nullable=False),
        Column("scheduled_at", BigInteger()),
        Column("started_at", BigInteger()),
        Column("ended_at", BigInteger()),
        Column("retry_at", BigInteger()),
        Column("scheduled_seq", BigInteger(), nullable=False),
        Column("result_seq", BigInteger(), nullable=False),
        Column("length", BigInteger()),
        Column("worker", Text(), nullable=False),
        Column("pool", Text(), nullable=False),
        Column("pool_slots", Integer(), nullable=False),
        Column("operator", Text(), nullable=False),
        PrimaryKeyConstraint("run_key", "task_id", "map_index", name="pk_activities"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_activities_open", "activities", ["pool"], sqlite_where=WORKS, postgresql_where=WORKS)
    op.create_table(
        "timers",
        Column("run_key", BigInteger(), nullable=False),
        Column("timer_id", Text(), nullable=False),
        Column("fire_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("run_key", "timer_id", name="pk_timers"),
    )
    op.create_table(
        "payload_refs",
        Column("run_key", BigInteger(), nullable=False),
        Column("seq", BigInteger(), nullable=False),
        Column("sha256", Text(), nullable=False),
        PrimaryKeyConstraint("run_key", "seq", name="pk_payload_refs"),
    )


def _create_catalog() -> None:
    op.create_table(
        "dags",
        Column("dag_id", Text(), nullable=False),
        Column("file", Text(), nullable=False),
        Column("version_id", BigInteger(), nullable=False),
        Column("header", Text(), nullable=False),
        Column("task_count", Integer(), nullable=False),
        Column("is_paused", Boolean(), nullable=False),
        Column("is_stale", Boolean(), nullable=False),
        Column("unpaused_at", BigInteger(), nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        Column("revision", BigInteger(), nullable=False),
        PrimaryKeyConstraint("dag_id", name="pk_dags"),
    )
    op.create_index("ix_dags_file", "dags", ["file"])
    op.create_index("ix_dags_revision", "dags", ["revision"])
    op.create_table(
        "dag_versions",
        Column("version_id", KEY, autoincrement=False, nullable=False),
        Column("dag_id", Text(), nullable=False),
        Column("number", Integer(), nullable=False),
        Column("fingerprint", Text(), nullable=False),
        Column("code_fingerprint", Text(), nullable=False),
        Column("file", Text(), nullable=False),
        Column("task_count", Integer(), nullable=False),
        Column("spec", Text(), nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("version_id", name="pk_dag_versions"),
        UniqueConstraint(
            "dag_id", "fingerprint", "code_fingerprint", name="uq_dag_versions_dag_id_fingerprint_code_fingerprint"
        ),
        UniqueConstraint("dag_id", "number", name="uq_dag_versions_dag_id_number"),
    )


def _create_files() -> None:
    op.create_table(
        "snapshots",
        Column("code_fingerprint", Text(), nullable=False),
        Column("path", Text(), nullable=False),
        Column("sha256", Text(), nullable=False),
        PrimaryKeyConstraint("code_fingerprint", "path", name="pk_snapshots"),
    )
    op.create_table(
        "blobs",
        Column("sha256", Text(), nullable=False),
        Column("content", LargeBinary(), nullable=False),
        PrimaryKeyConstraint("sha256", name="pk_blobs"),
    )
    op.create_table(
        "files",
        Column("file", Text(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("needs", Text(), nullable=False),
        Column("dag_ids", Text(), nullable=False),
        Column("task_count", Integer(), nullable=False),
        Column("duration", Float(), nullable=False),
        Column("parsed_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("file", name="pk_files"),
    )
    op.create_table(
        "import_errors",
        Column("file", Text(), nullable=False),
        Column("failure", Text(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("file", name="pk_import_errors"),
    )


def _create_requests() -> None:
    op.create_table(
        "requests",
        Column("id", KEY, autoincrement=False, nullable=False),
        Column("client_key", Text(), nullable=False),
        Column("dag_id", Text(), nullable=False),
        Column("run_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("by", Text(), nullable=False),
        Column("body", Text(), nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_requests"),
        UniqueConstraint("client_key", name="uq_requests_client_key"),
    )
    op.create_index(
        "uq_requests_trigger",
        "requests",
        ["dag_id", "run_id"],
        unique=True,
        sqlite_where=TRIGGERS,
        postgresql_where=TRIGGERS,
    )
    op.create_table(
        "audit",
        Column("id", KEY, autoincrement=True, nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("by", Text(), nullable=False),
        Column("action", Text(), nullable=False),
        Column("dag_id", Text()),
        Column("run_id", Text()),
        Column("body", Text(), nullable=False),
        Column("request_id", BigInteger()),
        Column("client_key", Text()),
        Column("refusal", Text()),
        PrimaryKeyConstraint("id", name="pk_audit"),
        UniqueConstraint("client_key", name="uq_audit_client_key"),
        UniqueConstraint("request_id", name="uq_audit_request_id"),
    )
    op.create_table(
        "cursors",
        Column("dag_id", Text(), nullable=False),
        Column("slot", BigInteger(), nullable=False),
        PrimaryKeyConstraint("dag_id", name="pk_cursors"),
    )


def _create_operations() -> None:
    op.create_table(
        "pools",
        Column("name", Text(), nullable=False),
        Column("slots", Integer(), nullable=False),
        Column("description", Text(), nullable=False),
        PrimaryKeyConstraint("name", name="pk_pools"),
    )
    op.create_table(
        "counters",
        Column("name", Text(), nullable=False),
        Column("value", BigInteger(), nullable=False),
        PrimaryKeyConstraint("name", name="pk_counters"),
    )
    op.create_table(
        "runs_to_delete",
        Column("run_key", KEY, autoincrement=False, nullable=False),
        PrimaryKeyConstraint("run_key", name="pk_runs_to_delete"),
    )
    op.create_table(
        "leases",
        Column("name", Text(), nullable=False),
        Column("owner", Text(), nullable=False),
        Column("epoch", BigInteger(), nullable=False),
        Column("acquired_at", BigInteger(), nullable=False),
        Column("expires_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("name", name="pk_leases"),
    )


def _insert_first_rows() -> None:
    names = ("position", "run_key", "request", "version", "catalog")
    counters = table("counters", column("name"), column("value"))
    op.bulk_insert(counters, [{"name": name, "value": 0} for name in names])
    pools = table("pools", column("name"), column("slots"), column("description"))
    op.bulk_insert(pools, [{"name": "default_pool", "slots": 128, "description": "Default pool"}])
    lease = ("name", "owner", "epoch", "acquired_at", "expires_at")
    leases = table("leases", *(column(name) for name in lease))
    op.bulk_insert(leases, [dict(zip(lease, ("scheduler", "", 0, 0, 0), strict=True))])
