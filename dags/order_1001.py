"""ORDER #1001: charge the card, reserve the goods, ship them, confirm by e-mail.

The example behind `make demo`. Kill everything after the charge has been recorded and start again: the card is not
charged a second time, because a recorded activity is not run again. The payment provider below is a real ledger on
disk that writes one line a charge and does *not* remove duplicates: what it shows is what was charged.
"""

import json
import os
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from orchestrator import dag, get_current_context, task

Record = dict[str, Any]

DEFAULTS = {
    "order": 1001,
    "amount": 42,
    "currency": "USD",
    "items": {"teapot": 1, "cup": 2},
    "customer": "ada@example.org",
    # Where the ledger, the stock book, the labels and the mail go: below $ORCHESTRATOR_HOME unless it is absolute.
    "shop": "shop",
    # How long the reservation takes; `make demo` needs the time to pull the plug.
    "reserve_seconds": 0,
}


def shop(params: Record) -> Path:
    """The folder of the shop's books, made if need be."""
    folder = Path(os.environ.get("ORCHESTRATOR_HOME", "."), params["shop"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_line(book: Path, record: Record) -> Record:
    """Append one line, whole and on disk when this returns."""
    line = json.dumps({**record, "at": datetime.now(UTC).isoformat()}) + "\n"
    file = os.open(book, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(file, line.encode())
        os.fsync(file)
    finally:
        os.close(file)
    return record


@dag(schedule=None, params=DEFAULTS, tags=["example"], doc_md=__doc__)
def order_1001() -> None:
    # At least once is the default: if the process dies between the charge and its record, the charge is tried again
    # with the same idempotency key, by which a payment provider tells a repetition from a second purchase.
    @task(retries=3, retry_delay=2, retry_exponential_backoff=True)
    def charge_card(params: Record | None = None, idempotency_key: str | None = None) -> Record:
        assert params is not None
        print(f"charging {params['amount']} {params['currency']} for order {params['order']}")
        charge = {"order": params["order"], "amount": params["amount"], "currency": params["currency"]}
        return write_line(shop(params) / "ledger.jsonl", {**charge, "idempotency_key": idempotency_key})

    @task(retries=3, retry_delay=2)
    def reserve_inventory(receipt: Record, params: Record | None = None) -> Record:
        assert params is not None
        time.sleep(params["reserve_seconds"])
        return write_line(shop(params) / "stock.jsonl", {"order": receipt["order"], "reserved": params["items"]})

    @task(retries=3, retry_delay=2)
    def ship_package(reservation: Record, params: Record | None = None) -> Record:
        assert params is not None
        order = reservation["order"]
        label = shop(params) / f"label-{order}.txt"
        # A file under a fixed name can be written twice without harm.
        label.write_text("".join(f"{count} x {item}\n" for item, count in reservation["reserved"].items()))
        return {"order": order, "tracking": f"TRACK-{order}", "label": str(label)}

    # Nobody can tell from here whether an e-mail went out. So this one is never sent twice: if it is in doubt, the
    # task waits for a person's `orchestrator tasks resolve`.
    @task(delivery="at_most_once")
    def send_confirmation_email(receipt: Record, parcel: Record) -> str:
        params = get_current_context()["params"]
        message = EmailMessage()
        message["To"] = params["customer"]
        message["Subject"] = f"Order {receipt['order']}: {receipt['amount']} {receipt['currency']}"
        message.set_content(f"Your parcel is on its way: {parcel['tracking']}")
        outbox = shop(params) / f"mail-{receipt['order']}.eml"
        outbox.write_bytes(message.as_bytes())
        return str(outbox)

    receipt = charge_card()
    parcel = ship_package(reserve_inventory(receipt))
    send_confirmation_email(receipt, parcel)


order_1001()
