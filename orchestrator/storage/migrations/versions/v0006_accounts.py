"""Users, their tokens and sessions, and an audit whose lines are chained."""

import hashlib

import msgspec
from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    column,
    select,
    table,
    text,
    update,
)

revision = "0006"
down_revision = "0005"

SEALED = ("at", "by", "action", "dag_id", "run_id", "body", "request_id", "client_key", "refusal")
AUDIT = table("audit", *map(column, ("id", *SEALED, "prev", "hash")))
SEALS = table("audit_seals", *map(column, ("name", "id", "hash")))
PAGE = 1_000


def upgrade() -> None:
    """The lines that are there are chained as they stand."""
    _create_users()
    _create_credentials()
    for name in ("prev", "hash"):
        op.add_column("audit", Column(name, Text(), nullable=False, server_default=text("''")))
    op.create_index("ix_audit_dag_id_run_id", "audit", ["dag_id", "run_id", "id"])
    op.create_table(
        "audit_seals",
        Column("name", Text(), nullable=False),
        Column("id", BigInteger(), nullable=False),
        Column("hash", Text(), nullable=False),
        PrimaryKeyConstraint("name", name="pk_audit_seals"),
    )
    last, prev = _chain()
    op.bulk_insert(SEALS, [{"name": "head", "id": last, "hash": prev}, {"name": "base", "id": 0, "hash": ""}])


def _chain() -> tuple[int, str]:
    connection, last, prev = op.get_bind(), 0, ""
    while rows := connection.execute(select(AUDIT).where(AUDIT.c.id > last).order_by(AUDIT.c.id).limit(PAGE)).all():
        for row in rows:
            fields = [prev, *(getattr(row, name) for name in SEALED)]
            found = hashlib.sha256(msgspec.json.encode(fields)).hexdigest()
            connection.execute(update(AUDIT).where(AUDIT.c.id == row.id).values(prev=prev, hash=found))
            last, prev = row.id, found
    return last, prev


def _create_users() -> None:
    op.create_table(
        "users",
        Column("name", Text(), nullable=False),
        Column("password_hash", Text()),
        Column("is_active", Boolean(), nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        Column("password_changed_at", BigInteger()),
        Column("last_sign_in_at", BigInteger()),
        Column("issuer", Text()),
        Column("subject", Text()),
        PrimaryKeyConstraint("name", name="pk_users"),
        UniqueConstraint("issuer", "subject", name="uq_users_issuer_subject"),
    )
    op.create_table(
        "grants",
        *(Column(name, Text(), nullable=False) for name in ("user_name", "dag_pattern", "role", "source")),
        PrimaryKeyConstraint("user_name", "dag_pattern", "role", "source", name="pk_grants"),
    )


def _create_credentials() -> None:
    op.create_table(
        "tokens",
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), nullable=False, autoincrement=True),
        Column("user_name", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("sha256", Text(), nullable=False),
        Column("scopes", Text()),
        Column("created_at", BigInteger(), nullable=False),
        Column("expires_at", BigInteger()),
        Column("last_used_at", BigInteger()),
        PrimaryKeyConstraint("id", name="pk_tokens"),
        UniqueConstraint("sha256", name="uq_tokens_sha256"),
        UniqueConstraint("user_name", "name", name="uq_tokens_user_name_name"),
    )
    op.create_table(
        "sessions",
        *(Column(name, Text(), nullable=False) for name in ("sha256", "user_name", "via", "address")),
        *(Column(name, BigInteger(), nullable=False) for name in ("created_at", "seen_at", "expires_at")),
        PrimaryKeyConstraint("sha256", name="pk_sessions"),
    )
    op.create_index("ix_sessions_user_name", "sessions", ["user_name"])
    op.create_table(
        "sign_in_attempts",
        Column("key", Text(), nullable=False),
        Column("failures", Integer(), nullable=False),
        Column("last_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("key", name="pk_sign_in_attempts"),
    )
