"""Outputs: what the last try of an activity left for others, by key, and the links among it."""

from orchestrator.assembly.home import Home
from orchestrator.assembly.run_payloads import RunPayloads
from orchestrator.core import values
from orchestrator.core.particulars import XCom
from orchestrator.exceptions import ValueDecodingError
from orchestrator.storage.views import ActivityRow

RESULT = "return_value"
LINK = "_link_"
"""What the keys begin with under which operators leave the URLs of their links."""


def outputs_of(home: Home, row: ActivityRow) -> dict[str, XCom]:
    """The result, under ``return_value``, and what its body has pushed."""
    if not row.run_key:
        return {}
    found = home.xcoms.pushed_by(row.run_key, row.task_id, row.map_index)
    for _, one in home.xcoms.returned(row.run_key, row.task_id, row.map_index):
        found[RESULT] = one
    return found


def size_of(one: XCom) -> int:
    """Of its JSON, in bytes."""
    return len(bytes(one.value)) if one.payload is None else one.payload.size


def read_output(home: Home, run_key: int, one: XCom) -> bytes:
    """Its JSON as it is recorded."""
    return bytes(one.value) if one.payload is None else home.part(RunPayloads).get(run_key, one.payload)


def links_of(home: Home, row: ActivityRow) -> dict[str, str]:
    """The URLs that the operator's links have made, by name."""
    found = {}
    for key, one in outputs_of(home, row).items():
        if key.startswith(LINK) and one.payload is None:
            url = _text(bytes(one.value))
            if url:
                found[key.removeprefix(LINK)] = url
    return found


def _text(data: bytes) -> str:
    try:
        value = values.decode(data)
    except ValueDecodingError:
        return ""
    return value if isinstance(value, str) else ""
