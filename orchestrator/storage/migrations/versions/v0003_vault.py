"""Variables, connections, and what tasks push."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text, column, table

revision = "0003"
down_revision = "0002"

CONNECTIONS = ("conn_type", "description", "host", "schema", "login", "password")


def upgrade() -> None:
    """Secrets are kept encrypted; an activity may push many values, of which several may be large."""
    op.create_table(
        "variables",
        Column("key", Text(), nullable=False),
        Column("value", Text(), nullable=False),
        Column("description", Text()),
        PrimaryKeyConstraint("key", name="pk_variables"),
    )
    op.create_table(
        "connections",
        Column("conn_id", Text(), nullable=False),
        *(Column(name, Text()) for name in CONNECTIONS),
        Column("port", Integer()),
        Column("extra", Text()),
        PrimaryKeyConstraint("conn_id", name="pk_connections"),
    )
    op.bulk_insert(table("counters", column("name"), column("value")), [{"name": "vault", "value": 0}])
    _create_xcoms()
    _widen_payload_refs()


def _create_xcoms() -> None:
    op.create_table(
        "xcoms",
        Column("run_key", BigInteger(), nullable=False),
        Column("task_id", Text(), nullable=False),
        Column("map_index", Integer(), nullable=False),
        Column("key", Text(), nullable=False),
        Column("attempt", Integer(), nullable=False),
        Column("seq", BigInteger(), nullable=False),
        Column("length", BigInteger()),
        PrimaryKeyConstraint("run_key", "task_id", "map_index", "key", "attempt", name="pk_xcoms"),
        sqlite_with_rowid=False,
    )


def _widen_payload_refs() -> None:
    """One fact may refer to several payloads. The table is small: it lists results that are too large for a history."""
    op.execute("ALTER TABLE payload_refs RENAME TO payload_refs_0002")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE payload_refs_0002 RENAME CONSTRAINT pk_payload_refs TO pk_payload_refs_0002")
    op.create_table(
        "payload_refs",
        Column("run_key", BigInteger(), nullable=False),
        Column("seq", BigInteger(), nullable=False),
        Column("sha256", Text(), nullable=False),
        PrimaryKeyConstraint("run_key", "seq", "sha256", name="pk_payload_refs"),
    )
    op.execute("INSERT INTO payload_refs SELECT run_key, seq, sha256 FROM payload_refs_0002")
    op.drop_table("payload_refs_0002")
