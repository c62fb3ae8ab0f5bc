"""Variable: a setting that people change without touching a DAG file."""

import json
from dataclasses import dataclass
from typing import Any

from orchestrator.authoring.masking import is_sensitive, mask_secret
from orchestrator.authoring.vault import current_vault
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.nearest import did_you_mean

_NOTHING: Any = object()
_ABSENT: Any = object()


@dataclass
class Variable:
    """A key and a value; the class is where all of them are read and changed."""

    key: str
    value: Any = None
    description: str | None = None

    @classmethod
    def get(
        cls, key: str, default: Any = _NOTHING, deserialize_json: bool = False, *, default_var: Any = _NOTHING
    ) -> Any:
        """Its value, else ``default``; NotFoundError where neither is there. ``default_var`` is Airflow 2's word."""
        vault = current_vault()
        found = vault.variable(key)
        if found is None:
            default = default_var if default is _NOTHING else default
            if default is not _NOTHING:
                return default
            raise NotFoundError(
                f"there is no variable {key!r}{did_you_mean(key, vault.variable_keys())}; "
                f"set it with `orchestrator variables set {key} VALUE`, or give Variable.get a default"
            )
        mask_read(key, found)
        return parsed(key, found) if deserialize_json else found

    @classmethod
    def set(cls, key: str, value: Any, description: str | None = None, serialize_json: bool = False) -> None:
        """Make or change it; ``serialize_json`` keeps the value as JSON, else it is kept as ``str`` writes it."""
        text = _json(key, value) if serialize_json else str(value)
        mask_read(key, text)
        current_vault().set_variable(key, text, description)

    @classmethod
    def delete(cls, key: str) -> int:
        """Delete it; how many there were."""
        return int(current_vault().delete_variable(key))

    @classmethod
    def setdefault(cls, key: str, default: Any, description: str | None = None, deserialize_json: bool = False) -> Any:
        """Its value, where there is one; else it is set to ``default``."""
        found = cls.get(key, _ABSENT, deserialize_json)
        if found is not _ABSENT:
            return found
        if default is None:
            raise UsageError(f"the variable {key!r} cannot be set to None; give setdefault another default")
        cls.set(key, default, description, serialize_json=deserialize_json)
        return default


def mask_read(key: str, text: str) -> None:
    """Mask the variable, if its name says that it is a secret, and what in its JSON is called so."""
    mask_secret(text, key)
    if text.lstrip().startswith(("{", "[")):
        try:
            mask_secret(json.loads(text), "secret" if is_sensitive(key) else "")
        except ValueError:
            return  # it only looks like JSON, and is masked as text


def _json(key: str, value: Any) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the variable {key!r} cannot be written as JSON: {error}") from None


def parsed(key: str, text: str) -> Any:
    """Its JSON; UsageError where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        raise UsageError(f"the variable {key!r} is no JSON; set it with `orchestrator variables set --json`") from None
