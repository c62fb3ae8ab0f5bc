"""literal: a value for a template field that is not rendered."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """Stands in a template field for ``value``, in which nothing is a template."""

    value: Any


def literal(value: Any) -> Literal:
    """``value`` as it is, whatever Jinja would make of it or whichever file it seems to name."""
    return Literal(value)
