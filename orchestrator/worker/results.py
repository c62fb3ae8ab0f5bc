"""Results: what a body returned, on its way into the history, and what earlier ones returned, on its way out."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from orchestrator.authoring.given import Given
from orchestrator.core import values
from orchestrator.core.orders import Order
from orchestrator.core.particulars import NULL, PayloadRef
from orchestrator.exceptions import BodyError, StorageFullError
from orchestrator.ports import PayloadStore
from orchestrator.worker.given import KeptItems, Page, Sent

logger = logging.getLogger("orchestrator")

_PATIENCE = 600.0  # seconds for which a result waits for room
_PAUSE = 0.5


class ResultTooLargeError(BodyError):
    """A result is larger than the settings allow."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A value as it is recorded: its JSON, or where that lies; ``length`` counts the items of a container, ``lengths``
    those of the parts that others are mapped over.
    """

    json: msgspec.Raw = NULL
    payload: PayloadRef | None = None
    length: int | None = None
    lengths: dict[str, int] = {}


_NONE = Result()


_CONTAINERS = (list, tuple, dict)
_MEASURED_THRESHOLD = 2048


def _check_measured(part: str, value: object) -> None:
    found, what = value, "the result"
    if part:
        found, what = value.get(part) if isinstance(value, Mapping) else None, f"the part {part!r} of the result"
    if not isinstance(found, _CONTAINERS):
        kind = "None" if found is None else f"{type(found).__name__} {found!r:.80}"
        raise BodyError(f"other tasks are mapped over {what}, so it must be a list or a dict, not {kind}")


class Results:
    """Turns values into results and back. JSON above ``threshold`` bytes goes to the payload store."""

    def __init__(self, payloads: PayloadStore, *, threshold: int, max_bytes: int) -> None:
        self._payloads = payloads
        self._items = KeptItems(payloads)
        self._threshold = threshold
        self._max_bytes = max_bytes

    def encode(self, value: object, what: str = "result", measured: Sequence[str] = ()) -> bytes:
        """The JSON of a value; ValueEncodingError or ResultTooLargeError if it cannot be recorded, BodyError if others
        are mapped over a part of it that has no items.
        """
        for part in measured:
            _check_measured(part, value)
        data = values.encode(value, what)
        if len(data) > self._max_bytes:
            whole = "the result" if what == "result" else what
            raise ResultTooLargeError(
                f"{whole} is {len(data)} bytes of JSON, more than [workers] max_result_bytes = {self._max_bytes}; "
                f"write it to a file or table and return where that is"
            )
        return data

    def result(self, value: object, measured: Sequence[str] = ()) -> Result:
        """The value as a result, its bytes synced to the payload store where they are many."""
        if value is None and not measured:
            return _NONE
        return self.keep(self.encode(value, measured=measured), value, measured)

    def keep(self, data: bytes, value: object, measured: Sequence[str] = ()) -> Result:
        """The result for JSON that ``encode`` made of ``value``; while there is no room for it, it waits."""
        length = len(value) if isinstance(value, _CONTAINERS) else None
        lengths = {part: len(value[part]) for part in measured if part and isinstance(value, Mapping)}
        # Each of those that are mapped over it is given all of it: that is to be read once, and not sent every time.
        threshold = min(self._threshold, _MEASURED_THRESHOLD) if measured else self._threshold
        if len(data) > threshold:
            return Result(payload=self._put(data), length=length, lengths=lengths)
        return Result(json=msgspec.Raw(data), length=length, lengths=lengths)

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

    def inputs(self, order: Order, page: Page) -> Given:
        """What an order gives its task. ``page`` reads the results of those whose results it takes together."""
        return Sent(order, self._payloads, self._items, page)

    def fetch(self, ref: PayloadRef) -> Any:
        """The decoded value that lies in the payload store."""
        return values.decode(self._payloads.get(ref))
