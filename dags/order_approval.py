"""ORDER #1001 with a person in it: charge, reserve, wait for an approval, ship; or undo what was done.

    orchestrator runs signal order_approval RUN approval '{"approved": true, "by": "ada"}'

Where nobody answers in time, the answer is no, a step fails, or the run is cancelled, the goods are released and the
money is given back: the compensations are activities too, so they go on after a crash.
"""

from datetime import timedelta
from typing import TypedDict

from shop import (
    ORDER_1001,
    Order,
    Record,
    charge_card,
    refund_card,
    release_stock,
    reserve_inventory,
    send_email,
    ship_package,
)

from orchestrator import schedule_activity, workflow
from orchestrator.workflow import Signal, query, saga


class Approval(TypedDict):
    approved: bool
    by: str


class OrderRefusedError(Exception):
    """The order is not carried out; everything done for it has been undone."""


approval = Signal("approval", Approval)


@workflow(tags=["example"])
def order_approval(order: Order = ORDER_1001, patience_seconds: float = 172_800) -> Record:
    stage = "charging"

    @query
    def status() -> str:
        return stage

    with saga() as undo:
        receipt = schedule_activity(charge_card, order)
        undo.add(refund_card, order, receipt)
        reservation = schedule_activity(reserve_inventory, order)
        undo.add(release_stock, order)
        stage = "waiting for approval"
        try:
            answer = approval.wait(timeout=timedelta(seconds=patience_seconds))
        except TimeoutError:
            raise OrderRefusedError(f"nobody has approved of order {order['order']} in time") from None
        if not answer["approved"]:
            raise OrderRefusedError(f"{answer['by']} does not approve of order {order['order']}")
        stage = "shipping"
        parcel = schedule_activity(ship_package, order, reservation)
    stage = "shipped"
    schedule_activity(send_email, order, "Your order", f"on its way as {parcel['tracking']}")
    return {"order": order["order"], "approved_by": answer["by"], "tracking": parcel["tracking"]}
