"""The audit: one line for each thing that somebody changed by hand."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, insert

from orchestrator.storage.tables import audit


def note(connection: Connection, at: datetime, by: str, action: str, **body: object) -> None:
    """Add a line in the caller's transaction; ``body`` holds no secrets."""
    text = msgspec.json.encode(body).decode()
    connection.execute(insert(audit).values(at=at, by=by, action=action, body=text))
