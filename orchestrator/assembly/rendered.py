"""Rendered: the template fields of an activity as its last try had them, as its worker has recorded them."""

from typing import Any

from orchestrator.assembly.home import Home
from orchestrator.assembly.outputs import outputs_of, read_output
from orchestrator.core import values
from orchestrator.core.rendered import RENDERED
from orchestrator.exceptions import ValueDecodingError
from orchestrator.storage.views import ActivityRow

__all__ = ["RENDERED", "rendered_fields"]


def rendered_fields(home: Home, row: ActivityRow) -> dict[str, str]:
    """By name, as text without secrets; none where none of its fields is a template, or before its try has ended."""
    found = outputs_of(home, row).get(RENDERED)
    if found is None:
        return {}
    try:
        fields: Any = values.decode(read_output(home, row.run_key, found))
    except ValueDecodingError:
        return {}
    return {str(name): str(text) for name, text in fields.items()} if isinstance(fields, dict) else {}
