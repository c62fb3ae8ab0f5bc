"""What the workflows of the shop may cause: each activity here runs once, and its result is recorded.

No DAGs are made here: `order_workflow.py` and `order_approval.py` import this, and so does every run's own copy of it.
The books lie in `$ORCHESTRATOR_HOME/<shop>`. The payment provider does what real ones do: it answers a request whose
idempotency key it has seen with the charge that it made then.
"""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

from orchestrator import activity, get_current_context

Record = dict[str, Any]


class Order(TypedDict):
    """What a customer has ordered. ``work_seconds``: how long reserving and shipping take."""

    order: int
    amount: int
    currency: str
    items: dict[str, int]
    customer: str
    shop: str
    work_seconds: float


ORDER_1001: Order = {
    "order": 1001,
    "amount": 42,
    "currency": "USD",
    "items": {"teapot": 1, "cup": 2},
    "customer": "ada@example.org",
    "shop": "shop",
    "work_seconds": 0,
}


@activity(retries=3, retry_delay=2, retry_exponential_backoff=True)
def charge_card(order: Order) -> Record:
    """Take the money; said twice with one key, the provider charges once."""
    charge = {"order": order["order"], "amount": order["amount"], "currency": order["currency"]}
    return _pay(order, charge)


@activity(retries=10, retry_delay=2, retry_exponential_backoff=True)
def refund_card(order: Order, receipt: Record) -> Record:
    """Give it back."""
    return _pay(order, {**{key: receipt[key] for key in ("order", "currency")}, "amount": -receipt["amount"]})


@activity(retries=3, retry_delay=2)
def reserve_inventory(order: Order) -> Record:
    time.sleep(order["work_seconds"])
    return _write(order, "stock.jsonl", {"order": order["order"], "reserved": order["items"]})


@activity(retries=10, retry_delay=2)
def release_stock(order: Order) -> Record:
    return _write(order, "stock.jsonl", {"order": order["order"], "released": order["items"]})


@activity(retries=3, retry_delay=2)
def ship_package(order: Order, reservation: Record) -> Record:
    time.sleep(order["work_seconds"])
    label = _book(order, f"label-{order['order']}.txt")
    # A file under a fixed name can be written twice without harm.
    label.write_text("".join(f"{count} x {item}\n" for item, count in reservation["reserved"].items()))
    return {"order": order["order"], "tracking": f"TRACK-{order['order']}", "label": str(label)}


@activity(retries=3, retry_delay=2)
def send_email(order: Order, subject: str, text: str) -> str:
    """Put a letter into the outbox, under the name of this very call, so that it goes out once."""
    key = get_current_context()["idempotency_key"].replace("/", "-")
    letter = _book(order, f"mail-{order['order']}-{key}.eml")
    letter.write_text(f"To: {order['customer']}\nSubject: {subject}\n\n{text}\n")
    return str(letter)


# ── the books ────────────────────────────────────────────────────────────────────────────────────────────


def _book(order: Order, name: str) -> Path:
    folder = Path(os.environ.get("ORCHESTRATOR_HOME", "."), order["shop"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def _write(order: Order, book: str, record: Record) -> Record:
    """Append one line, whole and on disk when this returns."""
    line = json.dumps({**record, "at": datetime.now(UTC).isoformat()}) + "\n"
    file = os.open(_book(order, book), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(file, line.encode())
        os.fsync(file)
    finally:
        os.close(file)
    return record


def _pay(order: Order, payment: Record) -> Record:
    """The provider: `requests.jsonl` is all that it was asked, `ledger.jsonl` the money that moved."""
    request = {**payment, "idempotency_key": get_current_context()["idempotency_key"]}
    _write(order, "requests.jsonl", request)
    ledger = _book(order, "ledger.jsonl")
    known = [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []
    if not any(line["idempotency_key"] == request["idempotency_key"] for line in known):
        _write(order, "ledger.jsonl", request)
    return request
