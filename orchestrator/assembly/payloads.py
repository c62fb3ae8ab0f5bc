"""The payload store of a home."""

from orchestrator.config import Config
from orchestrator.ports import PayloadStore
from orchestrator.storage.payloads import FsspecPayloadStore


def open_payloads(config: Config) -> PayloadStore:
    """Where this home keeps results that are too large for a history."""
    return FsspecPayloadStore(config.payloads.url)
