"""Count what lies on each shelf: one task for each shelf file that is there, and what they come to together.

How many shelves there are is known when the run has looked, and recorded. A shelf that cannot be read fails its own
task only; `orchestrator tasks clear stock_take count_shelf --map-index N` counts it again.
"""

import csv
from pathlib import Path

from orchestrator import AirflowSkipException, dag, get_current_context, task


@dag(schedule=None, params={"folder": "shelves", "stock": "stock.csv"}, tags=["example"], doc_md=__doc__)
def stock_take() -> None:
    @task
    def find_shelves() -> list[str]:
        folder = Path(get_current_context()["params"]["folder"])
        return sorted(str(path) for path in folder.glob("*.csv"))

    @task(retries=1, max_active_tis_per_dagrun=8)
    def count_shelf(path: str) -> dict[str, int]:
        with Path(path).open(newline="", encoding="utf-8") as file:
            counts = {row["item"]: int(row["count"]) for row in csv.DictReader(file)}
        if not counts:
            raise AirflowSkipException(f"{path} is empty")
        return counts

    @task(trigger_rule="none_failed")
    def add_up(shelves: list[dict[str, int]]) -> int:
        """Write all items with their counts; the result is how many different ones there are."""
        totals: dict[str, int] = {}
        for shelf in shelves:
            for item, count in shelf.items():
                totals[item] = totals.get(item, 0) + count
        stock = Path(get_current_context()["params"]["stock"])
        stock.write_text("".join(f"{item},{count}\n" for item, count in sorted(totals.items())), encoding="utf-8")
        return len(totals)

    add_up(count_shelf.expand(path=find_shelves()))


stock_take()
