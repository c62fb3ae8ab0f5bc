"""Flight: one order on its way through an executor."""

from orchestrator.core.orders import Order
from orchestrator.names import AttemptKey, Delivery
from orchestrator.worker.wire import MAX_DATAGRAM, NUMBER_BYTES, Cancel, encode


class Flight:
    """An order, and how far it has come.

    ``data`` is its JSON, empty where it is too large for a datagram; ``number`` its place among all that its worker was
    sent. ``has_begun``: its worker has said Started. ``may_run``: its body needs no other word, as an at_most_once one
    needs a Go. ``ending`` is what it was told when it was to end. ``deaths`` counts workers that died over its code.
    ``alive_at`` is when its body was last known to be alive, on the monotonic clock, and ``has_progress`` whether there
    is something in its progress file. ``is_limited``: it has a time-out.
    """

    __slots__ = (
        "alive_at",
        "data",
        "deaths",
        "ending",
        "has_begun",
        "has_progress",
        "is_limited",
        "key",
        "may_run",
        "number",
        "order",
    )

    def __init__(self, order: Order) -> None:
        self.order = order
        self.key: AttemptKey = order.key
        data = encode(order)
        self.data = data if len(data) <= MAX_DATAGRAM - NUMBER_BYTES else b""
        self.number = 0
        self.has_begun = False
        self.may_run = order.delivery is not Delivery.AT_MOST_ONCE
        self.ending: Cancel | None = None
        self.deaths = 0
        self.is_limited = order.execution_timeout is not None or order.heartbeat_timeout is not None
        self.alive_at = 0.0
        self.has_progress = False

    @property
    def is_running(self) -> bool:
        """Whether the body runs, as far as is known here."""
        return self.has_begun and self.may_run
