"""ORDER #1001 as plain code: the function orchestrates, the activities of `shop.py` do the work.

The function is run again, from its beginning, whenever a process has died; each activity whose result is recorded
hands that back instead of running. So the card is charged once, wherever the power fails.
"""

from shop import ORDER_1001, Order, Record, charge_card, reserve_inventory, send_email, ship_package

from orchestrator import schedule_activity, workflow


@workflow(tags=["example"])
def order_workflow(order: Order = ORDER_1001) -> Record:
    receipt = schedule_activity(charge_card, order)
    reservation = schedule_activity(reserve_inventory, order)
    parcel = schedule_activity(ship_package, order, reservation)
    text = f"{receipt['amount']} {receipt['currency']}, on its way as {parcel['tracking']}"
    schedule_activity(send_email, order, "Your order", text)
    return {"order": order["order"], "charged": receipt["amount"], "tracking": parcel["tracking"]}
