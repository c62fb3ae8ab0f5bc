"""A worked plugin: how the shop of the examples writes money and counts, and a diary of the orders that failed."""

from datetime import UTC, datetime
from pathlib import Path

import click

from orchestrator import hookimpl

DIARY = Path(__file__).parents[1] / "logs" / "failed_orders.log"


def euro(cents: int) -> str:
    """An amount as the shop writes it: ``euro(4200)`` is 42.00 EUR."""
    return f"{cents / 100:,.2f} EUR"


def plural(count: int, word: str) -> str:
    """A count with its noun: ``2 | plural("parcel")`` is 2 parcels."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


@hookimpl
def macros():
    return {"euro": euro}


@hookimpl
def filters():
    return {"plural": plural}


@hookimpl
def on_dag_run_failed(dag_run, msg):
    """Called in a process of its own; a line may be written twice if that is killed in between."""
    DIARY.parent.mkdir(exist_ok=True)
    with DIARY.open("a", encoding="utf-8") as diary:
        diary.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M} {dag_run.dag_id} {dag_run.run_id}: {msg}\n")


@click.command("order-diary")
@click.option("--last", default=10, show_default=True, help="How many lines to show.")
def order_diary(last):
    """Show the orders that failed."""
    lines = DIARY.read_text(encoding="utf-8").splitlines() if DIARY.exists() else []
    click.echo("\n".join(lines[-last:]) or "No order has failed.")


@hookimpl
def commands():
    return [order_diary]
