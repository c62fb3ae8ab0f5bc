"""A real browser in front of a real home: what the browser tests share."""

import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import msgspec
from playwright.sync_api import Page

from orchestrator.assembly.home import Home
from orchestrator.assembly.triggering import trigger_run
from orchestrator.testing.home import LiveHome

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
PICTURES = os.environ.get("PICTURES")
"""Where `make pictures` wants the pictures of the documentation."""
PASSWORD = re.compile(r"sign in as admin with the password ([A-Za-z0-9-]+)")
ADDRESS = re.compile(r"pages are at (http://127\.0\.0\.1:\d+)")

SALES = '''
from datetime import datetime

from orchestrator import Param, dag, task, task_group


@task(retries=1)
def extract(source: str) -> list[int]:
    print("reading", source)
    return [1, 2, 3]


@task
def transform(rows: list[int], more: list[int]) -> list[int]:
    return rows + more


@task
def load(country: int) -> int:
    return country


@task
def report(**context) -> str:
    """Fails where it is asked to."""
    if context["params"]["mood"] == "bad":
        raise ValueError("the warehouse is closed on Sundays")
    return "done"


@dag(
    schedule="0 6 * * *",
    start_date=datetime(2026, 1, 1),
    tags=["sales", "daily"],
    default_args={"owner": "data"},
    description="Loads yesterday's orders into the warehouse",
    params={
        "mood": Param("good", enum=["good", "bad"], title="Mood", description="Whether the report succeeds"),
        "count": Param(3, type="integer", minimum=1, title="How many"),
        "full": Param(False, type="boolean", title="Load everything again"),
        "note": Param("hello", type="string", format="multiline", title="Message"),
    },
)
def sales():
    @task_group
    def sources():
        return extract.override(task_id="orders")("orders"), extract.override(task_id="customers")("customers")

    orders, customers = sources()
    rows = transform(orders, customers)
    load.expand(country=rows) >> report()


sales()
'''
OTHERS = """
from orchestrator import dag, task


@task
def work() -> int:
    return 1


@task
def check(rows: int) -> int:
    return rows


def make(name, tags, schedule, owner, about):
    @dag(dag_id=name, tags=tags, schedule=schedule, default_args={"owner": owner}, description=about)
    def made():
        check(work())

    made()


make("backup", ["ops"], "0 1 * * *", "ops", "Dumps and checks the databases")
make("clickstream", ["events", "hourly"], "5 * * * *", "data", "An hour of clicks")
make("invoice_mails", ["finance"], "30 7 * * 1-5", "shop", "Sends each customer's invoice")
make("gdpr_erasure", ["compliance"], None, "ops", "Erases a customer everywhere")
"""
BROKEN = "from orchestrator import dag\n\n\n@dag(schedule='@dialy')\ndef late():\n    pass\n\n\nlate()\n"


class Site(NamedTuple):
    """A home that runs, where its pages are, and the password of its admin."""

    home: LiveHome
    url: str
    password: str


def start_site(folder: Path) -> Site:
    """Whoever calls it kills the home."""
    home = LiveHome(folder)
    home.write_dag("sales.py", SALES)
    home.write_dag("others.py", OTHERS)
    home.write_dag("late.py", BROKEN)
    home.start()
    url = home.wait_for("the pages' address is told", lambda: ADDRESS.search(home.log.read_text()))[1]
    password = home.wait_for("the password is told", lambda: PASSWORD.search(home.log.read_text()))[1]
    with home.open() as opened:
        home.wait_for("all DAGs are there", lambda: len(opened.reads.dags()) == 5)
    return Site(home, url, password)


def fill(site: Site, runs: int) -> None:
    """Runs of every DAG, one of which in five fails."""
    with site.home.open() as home:
        for number in range(runs):
            for dag_id in ("sales", "backup", "clickstream", "invoice_mails"):
                is_bad = number % 5 == 2 and dag_id == "sales"
                conf = msgspec.Raw(b'{"mood": "bad"}' if is_bad else b"{}")
                trigger_run(home, dag_id, run_id=f"run_{number:02}", conf=conf)
                site.home.wait_for("the run has ended", lambda: _is_idle(home), timeout=60)


def _is_idle(home: Home) -> bool:
    return not home.reads.open_runs() and not home.reads.pending_requests()


def sign_in(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/sign-in")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#overview")
