"""``make demo``: kill every process right after the card is charged, start again, and count the charges."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.rule import Rule

from orchestrator.core.events import ActivityCompleted
from orchestrator.exceptions import OrchestratorError
from orchestrator.testing.home import LiveHome

DAGS = Path(__file__).parents[1] / "dags"
DAG, RUN = "order_1001", "demo"
CHARGE = "charge_card"
# The step after the charge takes this long, so that the kill certainly falls into it and not behind the run's end.
CONF = {"reserve_seconds": 3}

Event = dict[str, Any]


class DemoError(OrchestratorError):
    """The demo did not see what it promises."""


def main() -> int:
    console = Console(highlight=False, soft_wrap=True)
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="orchestrator-demo-") as folder:
            _demonstrate(Path(folder), console)
    except OrchestratorError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"The demo failed: {error}", style="bold red")
        return 1
    console.print(f"[bold green]One order, one charge.[/] [dim]{time.monotonic() - began:.1f} s[/]")
    return 0


def _demonstrate(folder: Path, console: Console) -> None:
    settings = {"core.dags_folder": DAGS}
    environment = {"ORCHESTRATOR_CONN_WEATHER": f"sqlite:///{folder / 'weather.db'}"}
    with LiveHome(folder, settings=settings, environment=environment) as home:
        _step(console, "Start the orchestrator on dags/, and trigger ORDER #1001")
        _start(home, console)
        home.ask("dags", "trigger", DAG, "--run-id", RUN, "--conf", msgspec.json.encode(CONF).decode())
        _wait_for_the_charge(home)
        _step(console, "The charge is recorded. Kill every process with SIGKILL")
        _kill(home, console)
        before = _events(home)
        _step(console, "Start again. Nobody tells it anything")
        _start(home, console)
        _wait_for_success(home)
        _step(console, "The history: commands in blue, what came of them in red")
        _show_history(home, console)
        _step(console, "The payment provider's ledger")
        _judge(home, before, console)


def _step(console: Console, title: str) -> None:
    console.print(Rule(title, align="left", style="dim"))


def _start(home: LiveHome, console: Console) -> None:
    home.start()
    with console.status("starting"):
        home.wait_for(f"{DAG} is listed", lambda: home.run("dags", "details", DAG).returncode == 0)
    processes = home.processes()
    console.print(f"{len(processes)} processes: {', '.join(str(process.pid) for process in processes)}")


def _events(home: LiveHome) -> list[Event]:
    events: list[Event] = home.ask("runs", "history", DAG, RUN)
    return events


def _charges(events: list[Event]) -> list[Event]:
    return [event for event in events if event["type"] == "ActivityCompleted" and event["task_id"] == CHARGE]


def _wait_for_the_charge(home: LiveHome) -> None:
    """Look into the database: a command of the CLI might take too long to start on a machine that is busy."""
    with home.open() as door:

        def seen() -> bool:
            run = door.reads.run(DAG, RUN)
            facts = [] if run.is_pending else door.reads.history(run.run_key)
            return any(isinstance(fact.event, ActivityCompleted) and fact.event.task_id == CHARGE for fact in facts)

        home.wait_for("the charge is recorded", seen)


def _kill(home: LiveHome, console: Console) -> None:
    killed = home.kill()
    if alive := home.processes():
        raise DemoError(f"{len(alive)} processes are still alive after SIGKILL")
    console.print(f"{killed} processes killed, none is left. The run is {home.ask('runs', 'show', DAG, RUN)['state']}.")


def _wait_for_success(home: LiveHome) -> None:
    def ended() -> str | None:
        state: str = home.ask("runs", "show", DAG, RUN)["state"]
        return state if state in ("success", "failed") else None

    state = home.wait_for("the run ends by itself after the restart", ended)
    if state != "success":
        raise DemoError(f"the run ended {state}: {home.run('runs', 'why', DAG, RUN).stdout.strip()}")


def _show_history(home: LiveHome, console: Console) -> None:
    """As `orchestrator runs history` shows it, in colour where this terminal has any."""
    environment = {**home.environment, **({"FORCE_COLOR": "1"} if console.is_terminal else {})}
    sys.stdout.flush()
    shown = subprocess.run(home.command("runs", "history", DAG, RUN), env=environment, cwd=home.folder, check=False)
    if shown.returncode != 0:
        raise DemoError("`orchestrator runs history` failed")


def _judge(home: LiveHome, before: list[Event], console: Console) -> None:
    """Say what is seen, or raise a DemoError that says what is wrong."""
    ledger = (home.folder / "shop" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    for line in ledger:
        console.print(line, style="red")
    after = _events(home)
    if len(ledger) != 1:
        raise DemoError(f"the card was charged {len(ledger)} times")
    if len(_charges(after)) != 1:
        raise DemoError(f"the charge is recorded {len(_charges(after))} times")
    if after[: len(before)] != before:
        raise DemoError("what was recorded before the kill is not what is recorded now")
    if not any(event["type"] == "ActivityLost" for event in after):
        raise DemoError("the kill came too late: no task was interrupted, so nothing was shown")


if __name__ == "__main__":
    sys.exit(main())
