"""Param: a param of a run, and what it may be."""

import json
from typing import Any

from orchestrator.authoring.fitting import misfit, schema_flaw
from orchestrator.authoring.params import NOTSET, Declared
from orchestrator.exceptions import ParamValidationError, UsageError


class Param(Declared):
    """A default, a description, and a JSON Schema: ``Param(3, type="integer", minimum=1)``.

    Without a default, or with None where the schema does not allow null, a run has to give it.
    """

    def __init__(
        self, default: Any = NOTSET, description: str | None = None, source: str | None = None, **kwargs: Any
    ) -> None:
        self.value = default
        self.description = description
        self.source = source
        self.schema = _as_json(dict(kwargs.pop("schema", kwargs)))
        flaw = schema_flaw(self.schema)
        if flaw is not None:
            raise UsageError(f"a Param's keywords are no JSON Schema: {flaw}")

    def __repr__(self) -> str:
        return f"Param({self.value!r}, {self.schema})"

    @property
    def has_value(self) -> bool:
        if self.value is NOTSET:
            return False
        return self.value is not None or misfit(self.schema, None) is None

    def resolve(self, value: Any = NOTSET) -> Any:
        chosen = self.value if value is NOTSET else value
        if chosen is NOTSET:
            raise ParamValidationError("it has no value, and a run has to give it one")
        wrong = misfit(self.schema, chosen)
        if wrong is not None:
            raise ParamValidationError(wrong.message)
        return chosen

    def dump(self) -> dict[str, Any]:
        """The value, description and schema as one dict."""
        value = None if self.value is NOTSET else self.value
        return {"value": value, "description": self.description, "schema": self.schema, "source": self.source}


def _as_json(part: Any) -> Any:
    """Keys as JSON writes them, such as those of ``values_display={None: "none", 1: "one"}``."""
    if isinstance(part, dict):
        return {
            key if isinstance(key, str) else json.dumps(key, default=str): _as_json(value)
            for key, value in part.items()
        }
    return [_as_json(item) for item in part] if isinstance(part, list | tuple) else part
