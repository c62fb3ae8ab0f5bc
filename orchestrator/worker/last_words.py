"""Last words: what a worker printed before it died, without secrets. A process of its own reads those, and is gone."""

import sys

import msgspec

from orchestrator.authoring.masking import masked
from orchestrator.exceptions import OrchestratorError
from orchestrator.worker.vault import mask_home


class Remains(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a worker, and where the secrets are that it could have read; ``database`` is a URL."""

    text: str
    database: str
    fernet_key: str
    fernet_file: str


def main() -> None:
    """Read Remains from stdin, and write their text to stdout."""
    remains = msgspec.json.decode(sys.stdin.buffer.read(), type=Remains)
    try:
        mask_home(remains.database, remains.fernet_key, remains.fernet_file)
    except OrchestratorError as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(masked(remains.text).encode())
