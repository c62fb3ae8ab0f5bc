"""PAGES: every page and list of the site on 1,000 DAGs, 100,000 runs and 5 million activities."""

import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx2 as httpx
from fastapi.routing import APIRoute
from playwright.sync_api import sync_playwright
from rich.console import Console

from benchmarks import web_home
from benchmarks.figures import Figure
from benchmarks.web_home import MAPPED, SAMPLE, TANGLED, WIDE
from benchmarks.workload import Bench
from orchestrator.api.app import API, ROUTERS
from orchestrator.assembly.accounts import make_accounts
from orchestrator.config import load_config
from orchestrator.core.orders import log_path
from orchestrator.core.rights import Grant, Role
from orchestrator.testing.home import LiveHome
from orchestrator.web.site import PAGES

HTML_MS = 100
INTERACTIVE_MS = 1000
ROUNDS = 7
PASSWORD = "open sesame, please"
_ADDRESS = re.compile(r"pages are at (http://127\.0\.0\.1:\d+)")
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_LOG_LINES = 1_000_000
_TASKS = {
    SAMPLE: "stage_0.step_5",
    WIDE: "stage_5.step_50",
    TANGLED: "node_100",
    MAPPED: "each",
}
_KNOWN = {
    "map_index": "-1",
    "version_number": "1",
    "try_number": "1",
    "pool_name": "default_pool",
    "variable_key": "rate",
    "connection_id": "warehouse",
    "xcom_key": "return_value",
    "section": "core",
    "option": "parallelism",
    "name": "ada",
}
# What is no page: files, streams that last, what sends elsewhere, and answers that a person waits for on purpose.
_LEFT_OUT = (
    "/static/{version}/{name:path}",
    "/sign-in",
    "/auth/oidc",
    "/auth/oidc/begin",
    "/audit/export",
    "/variables/export",
    "/log/follow",
    "/log/raw",
    "/raw",
    "/wait",
    "/events",
)
_MORE: Mapping[str, tuple[str, ...]] = {
    "/dags": ("?q=daily_04", "?tag=team_7", "?last=failed", "?page=9"),
    "/dags/{dag_id}/runs": ("?state=failed", "?page=2"),
    "/dags/{dag_id}/calendar": ("?by=hour",),
    "/audit": ("?dag=daily_0003", "?by=ada", "?q=nothing+of+the+kind"),
    "/dags/{dag_id}/runs/{run_id}/history": ("?at=5", "?at=40"),
    "/dags/{dag_id}/runs/{run_id}/tasks/{task_id}/instances": ("?state=failed", "?page=200"),
}
# By when somebody can use what a script draws, besides that the page follows what happens.
_DRAWN = {
    "/dags/{dag_id}": ".grid-cell",
    "/dags/{dag_id}/graph": ".card",
    "/dags/{dag_id}/runs/{run_id}/graph": ".card",
}


class Subject(NamedTuple):
    """What a route is asked about."""

    dag_id: str
    run_id: str
    run_key: int
    scheduled_seq: int

    @property
    def words(self) -> dict[str, str]:
        return {
            **_KNOWN,
            "dag_id": self.dag_id,
            "run_id": self.run_id,
            "dag_run_id": self.run_id,
            "run_key": str(self.run_key),
            "task_id": _TASKS[self.dag_id],
        }


class Asked(NamedTuple):
    """How long a route took about the subject that took longest: ms, the first time and the median of the others."""

    route: str
    address: str
    about: str
    first: float
    usual: float
    is_page: bool


def measure(bench: Bench) -> list[Figure]:
    console = Console(stderr=True, soft_wrap=True)
    folder = bench.folder / "home"
    folder.mkdir(parents=True)
    for step in web_home.make(folder, web_home.QUICK if bench.quick else web_home.Sizes()):
        console.log(f"making a home: {step}")
    with LiveHome(folder) as home:
        let_in(home)
        subjects = _subjects(home)
        _write_log(home, subjects[0])
        home.start("api-server", "--port", "0")
        url = home.wait_for("its address is told", lambda: _ADDRESS.search(home.log.read_text()))[1]
        asked = list(_ask_all(url, subjects, console))
        seen = list(_look_at_all(url, asked, console))
    return [*_figures(asked), *seen]


def let_in(home: LiveHome) -> None:
    """Make the user that looks at the pages, and something for them to show."""
    config = load_config(home.environment, home.folder)
    with home.open() as opened:
        make_accounts(config, opened.engine).create_user("ada", PASSWORD, [Grant(role=Role.ADMIN)], by="benchmark")
    home.run("variables", "set", "rate", "1.17").check_returncode()
    home.run("connections", "add", "warehouse", "--conn-type", "postgres").check_returncode()


def _subjects(home: LiveHome) -> list[Subject]:
    """The newest run of each kind of DAG."""
    found = []
    with home.open() as opened:
        for dag_id, task_id in _TASKS.items():
            run = opened.reads.runs(dag_id, limit=1)[0]
            row = next(row for row in opened.reads.tasks(run) if row.task_id == task_id)
            found.append(Subject(dag_id, run.run_id, run.run_key, row.scheduled_seq))
    return found


def _write_log(home: LiveHome, subject: Subject) -> None:
    path = home.folder / "logs" / log_path(subject.run_key, subject.scheduled_seq, -1)
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"2026-01-01T00:00:00.000000Z info line {n} of what was said\n" for n in range(_LOG_LINES)))


# ── on the server ────────────────────────────────────────────────────────────────────────────────────────────


def _ask_all(url: str, subjects: list[Subject], console: Console) -> Iterator[Asked]:
    """Each route, about the subject for which it takes longest."""
    with signed_in(url) as client:
        for route in _routes():
            for query in ("", *_MORE.get(route, ())):
                found = [one for one in (_ask(client, route, query, subject) for subject in subjects) if one]
                if not found:
                    console.log(f"[bold red]nothing answers {route}{query}")
                    continue
                yield max(found, key=lambda one: one.usual)


@contextmanager
def signed_in(url: str) -> Iterator[httpx.Client]:
    """A client with the cookie of a session."""
    with httpx.Client(base_url=url, timeout=60, headers={"accept": "text/html"}) as client:
        client.post("/sign-in", data={"name": "ada", "password": PASSWORD}, follow_redirects=True).raise_for_status()
        yield client


def _routes() -> Iterator[str]:
    routers = [(API, router) for router in ROUTERS] + [("", router) for router in PAGES]
    for prefix, router in routers:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            path = prefix + route.path
            if "GET" in (route.methods or ()) and not path.endswith(_LEFT_OUT):
                yield path


def _ask(client: httpx.Client, route: str, query: str, subject: Subject) -> Asked | None:
    """None where there is no such thing of it; what has no subject is asked about once."""
    if "{dag_id" not in route and "{run_key" not in route and subject.dag_id != SAMPLE:
        return None
    address = _PARAMETER.sub(lambda found: quote(subject.words[found[1]], safe=""), route) + query
    needs = _needs(route, subject)
    address += "?" + urlencode(needs) if needs else ""
    answer = client.get(address, follow_redirects=False)
    if answer.status_code != 200:
        return None
    first, *others = [answer.elapsed.total_seconds() * 1000, *(_ms(client, address) for _ in range(ROUNDS))]
    is_page = answer.headers["content-type"].startswith("text/html")
    return Asked(route + query, address, subject.dag_id, first, median(others), is_page)


def _needs(route: str, subject: Subject) -> dict[str, str | int]:
    """What has to follow the ``?`` of an address for it to be one."""
    found: dict[str, dict[str, str | int]] = {
        "/lines": {"parts": subject.scheduled_seq},
        "/search": {"parts": subject.scheduled_seq, "q": "line"},
        "/graph.json": {"version": 1},
        "/instances.json": {"task": _TASKS[subject.dag_id], "origin": 0},
        "/parts": {"attempt": 1},
    }
    return next((needs for end, needs in found.items() if route.endswith(end)), {})


def _ms(client: httpx.Client, address: str) -> float:
    before = time.perf_counter()
    client.get(address).raise_for_status()
    return (time.perf_counter() - before) * 1000


def _figures(asked: list[Asked]) -> Iterator[Figure]:
    for one in asked:
        yield Figure(
            workload="PAGES",
            what=one.route,
            measured=one.usual,
            unit="ms",
            budget=HTML_MS,
            note=f"{one.about}; the first time {one.first:.0f} ms",
        )


# ── in the browser ───────────────────────────────────────────────────────────────────────────────────────────


def _look_at_all(url: str, asked: list[Asked], console: Console) -> Iterator[Figure]:
    """From asking for a page to the moment at which it follows what happens and its scripts have drawn."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "there is no Chromium here; install it (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(base_url=url)
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("#overview")
        for one in (one for one in asked if one.is_page):
            took = [_look(page, one) for _ in range(3)]
            console.log(f"{one.address} {median(took):.0f} ms")
            yield Figure(
                workload="BROWSER",
                what=one.route,
                measured=median(took),
                unit="ms",
                budget=INTERACTIVE_MS,
                note=f"{one.about}; the first time {took[0]:.0f} ms",
            )
        browser.close()


def _look(page: Any, one: Asked) -> float:
    page.goto(one.address, wait_until="commit")
    page.wait_for_selector("#live[data-state=on]")
    drawn = _DRAWN.get(one.route.partition("?")[0])
    if drawn:
        page.wait_for_selector(drawn)
    return float(page.evaluate("performance.now()"))
