"""Rendered: an attempt's template fields as they were filled, recorded with its outcome for people to look at."""

import json
import logging
from collections.abc import Iterator
from typing import Any

from orchestrator.authoring.context import TaskInstance
from orchestrator.authoring.masking import masked_value
from orchestrator.authoring.task import Task
from orchestrator.core import values
from orchestrator.core.rendered import RENDERED
from orchestrator.exceptions import OrchestratorError, ValueEncodingError

logger = logging.getLogger("orchestrator")

_LONGEST = 4096
_MARKS = ("{{", "{%")


def push_rendered(task: Task, ready: Task, instance: TaskInstance) -> None:
    """Push the fields of ``ready`` that are templates in ``task``, as text without secrets, of each the beginning.

    Arguments that are results of other tasks are no templates, and recorded there. What cannot be pushed changes no
    outcome.
    """
    found = {name: _text(getattr(ready, name, None), name) for name in _templates(task)}
    if not found:
        return
    try:
        instance.xcom_push(RENDERED, found)
    except OrchestratorError as error:
        logger.debug("The rendered templates are not recorded: %s", error)


def _templates(task: Task) -> Iterator[str]:
    endings = tuple(getattr(task, "template_ext", ()))
    for name in getattr(task, "template_fields", ()):
        if _is_template(getattr(task, name, None), endings):
            yield name


def _is_template(value: Any, endings: tuple[str, ...]) -> bool:
    """Whether there is one in it, at any depth of lists and dicts."""
    if isinstance(value, str):
        return any(mark in value for mark in _MARKS) or (bool(endings) and value.endswith(endings))
    if isinstance(value, dict):
        return any(_is_template(item, endings) for item in value.values())
    return isinstance(value, list | tuple) and any(_is_template(item, endings) for item in value)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        try:
            plain = json.loads(values.readable(values.encode(list(value) if isinstance(value, tuple) else value)))
            value = json.dumps(masked_value(plain, name), ensure_ascii=False, indent=2)
        except ValueEncodingError:
            value = repr(value)
    text = str(masked_value(value, name))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
