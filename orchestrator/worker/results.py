"""Results: what a body returned, on its way into the history, and what earlier ones returned, on its way out."""

import logging
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from orchestrator.core import values
from orchestrator.core.events import NULL, PayloadRef
from orchestrator.core.orders import Order
from orchestrator.exceptions import BodyError, StorageFullError
from orchestrator.ports import PayloadStore

logger = logging.getLogger("orchestrator")

_PATIENCE = 600.0  # seconds for which a result waits for room
_PAUSE = 0.5


class ResultTooLargeError(BodyError):
    """A result is larger than the settings allow."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A value as it is recorded: its JSON, or where that lies; ``length`` counts the items of a container."""

    json: msgspec.Raw = NULL
    payload: PayloadRef | None = None
    length: int | None = None


_NONE = Result()


class Results:
    """Turns values into results and back. JSON above ``threshold`` bytes goes to the payload store."""

    def __init__(self, payloads: PayloadStore, *, threshold: int, max_bytes: int) -> None:
        self._payloads = payloads
        self._threshold = threshold
        self._max_bytes = max_bytes

    def encode(self, value: object) -> bytes:
        """The JSON of a value; ValueEncodingError or ResultTooLargeError if it cannot be recorded."""
        data = values.encode(value)
        if len(data) > self._max_bytes:
            raise ResultTooLargeError(
                f"the result is {len(data)} bytes of JSON, more than [workers] max_result_bytes = {self._max_bytes}; "
                f"write it to a file or table and return where that is"
            )
        return data

    def result(self, value: object) -> Result:
        """The value as a result, its bytes synced to the payload store where they are many."""
        return _NONE if value is None else self.keep(self.encode(value), value)

    def keep(self, data: bytes, value: object) -> Result:
        """The result for JSON that ``encode`` made of ``value``; while there is no room for it, it waits."""
        length = len(value) if isinstance(value, (list, tuple, dict)) else None
        if len(data) > self._threshold:
            return Result(payload=self._put(data), length=length)
        return Result(json=msgspec.Raw(data), length=length)

    def _put(self, data: bytes) -> PayloadRef:
        """The body has had its effect: its result is not given up because a disk is full for a while."""
        until = time.monotonic() + _PATIENCE
        has_waited = False
        while True:
            try:
                return self._payloads.put(data)
            except StorageFullError as error:
                if time.monotonic() >= until:
                    raise
                if not has_waited:
                    logger.warning("%s; the result waits for it, up to %.0f minutes", error, _PATIENCE / 60)
                has_waited = True
            time.sleep(_PAUSE)

    def call(self, order: Order) -> tuple[list[Any], dict[str, Any]]:
        """The arguments that a workflow calls its activity with; none where nobody calls it."""
        data = order.call if order.call_payload is None else self._payloads.get(order.call_payload)
        found = values.decode(data)
        return ([], {}) if found is None else (found["args"], found["kwargs"])

    def inputs(self, order: Order) -> Mapping[str, Any]:
        """The decoded results that an order takes, by task_id."""
        found = {task_id: values.decode(raw) for task_id, raw in order.inputs.items()}
        for task_id, ref in order.payloads.items():
            found[task_id] = values.decode(self._payloads.get(ref))
        return found
