"""What a file of workflows becomes when it is parsed, and what is refused."""

from pathlib import Path

import pytest

from orchestrator.authoring.conf import check_fits
from orchestrator.core.spec import Cron
from orchestrator.names import DagKind, Delivery, NewVersion
from tests.authoring.plays import HEAD, Files

FIRST = HEAD.count("\n") + 1


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_workflow_is_a_dag_whose_tasks_are_the_activities_of_its_file(files: Files) -> None:
    spec = files.spec("""
        @activity(retries=3, retry_delay=5, pool="cards", delivery="at_most_once", heartbeat_timeout=30)
        def charge(order, amount):
            "Charge the card."

        @activity(activity_id="mail.send")
        def mail(order): ...

        @workflow(schedule="@daily", tags=["shop"], max_active_runs=3, on_new_version="move")
        def flow(order="o1", amount: float = 42.0):
            "An order."
    """)
    assert spec.kind is DagKind.WORKFLOW
    assert spec.on_new_version is NewVersion.MOVE
    assert isinstance(spec.schedule, Cron)
    assert (spec.tags, spec.max_active_runs, spec.doc_md) == (("shop",), 3, "An order.")
    assert spec.params == {"order": "o1", "amount": 42.0}
    assert [task.task_id for task in spec.tasks] == ["charge", "mail.send"]
    charge = spec.task("charge")
    assert charge.is_activity
    assert charge.is_mapped
    assert (charge.retry.retries, charge.pool, charge.delivery) == (3, "cards", Delivery.AT_MOST_ONCE)
    assert charge.heartbeat_timeout is not None
    assert charge.heartbeat_timeout.total_seconds() == 30
    assert (charge.doc, charge.line) == ("Charge the card.", FIRST + 1)


def test_the_entrance_of_a_workflow_is_the_schema_of_its_parameters(files: Files) -> None:
    spec = files.spec("""
        from dataclasses import dataclass
        from datetime import timedelta

        @dataclass
        class Item:
            name: str
            count: int = 1

        @workflow
        def flow(items: list[Item], anything, limit: timedelta = timedelta(hours=1), note: str = None): ...
    """)
    assert spec.entrance is not None
    schema = spec.entrance.schema
    assert schema["required"] == ["items", "anything"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["items"] == {"type": "array", "items": {"$ref": "#/$defs/Item"}}
    assert schema["properties"]["anything"] == {}
    assert schema["properties"]["limit"] == {"type": "string", "format": "duration", "default": "PT3600S"}
    assert schema["properties"]["note"] == {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert "Item" in schema["$defs"]


def test_a_class_lists_its_signals_queries_and_updates(files: Files) -> None:
    spec = files.spec(
        """
        @workflow
        class Order:
            def run(self, order: str): ...

            @workflow.signal
            def approve(self, by: str): "Somebody agrees."

            @workflow.signal(name="stop")
            def halt(self): ...

            @workflow.query
            def state(self): ...

            @workflow.update
            def change(self, amount: float): ...

            @change.validator
            def check(self, amount: float): ...
    """,
        "Order",
    )
    assert [(one.name, one.schema.get("type"), one.doc) for one in spec.signals] == [
        ("approve", "string", "Somebody agrees."),
        ("stop", None, None),
    ]
    check_fits("stop", spec.signals[1], None)
    assert [one.name for one in spec.queries] == ["state"]
    assert [(one.name, one.schema["required"]) for one in spec.updates] == [("change", ["amount"])]


def test_a_function_lists_the_signals_of_its_file_and_what_it_opens_while_it_runs(files: Files) -> None:
    spec = files.spec("""
        approved = Signal("approved", bool, doc="Whether to ship.")

        def helper():
            set_query("depth", lambda: 1)

        @workflow
        def flow():
            @workflow.query
            def state():
                "Where it is."

            @workflow.update(name="amount")
            def change(to): ...

            @workflow.signal
            def stop(): ...
    """)
    assert [(one.name, one.schema, one.doc) for one in spec.signals] == [
        ("approved", {"type": "boolean"}, "Whether to ship."),
        ("stop", {}, None),
    ]
    assert [(one.name, one.doc) for one in spec.queries] == [("depth", None), ("state", "Where it is.")]
    assert [one.name for one in spec.updates] == ["amount"]


def test_a_loop_is_called_with_the_fields_of_its_state(files: Files) -> None:
    spec = files.spec("""
        from dataclasses import dataclass

        @dataclass
        class Cart:
            owner: str
            items: int = 0

        @workflow(state=Cart)
        def flow(cart):
            return AGAIN
    """)
    assert spec.entrance is not None
    assert spec.params == {"items": 0}
    assert spec.entrance.schema["required"] == ["owner"]
    assert spec.entrance.schema["additionalProperties"] is False


def test_the_hint_of_a_result_may_name_what_only_type_checkers_know(files: Files) -> None:
    spec = files.spec("@workflow\ndef flow(order: str) -> 'Receipt': ...\n")
    assert spec.entrance is not None
    assert spec.entrance.schema["properties"] == {"order": {"type": "string"}}


# ── which activities ─────────────────────────────────────────────────────────────────────────────────────


def test_activities_of_local_modules_are_collected_for_each_file_that_imports_them(files: Files) -> None:
    files.write("@activity\ndef refund(receipt): ...\n", "steps.py")
    files.write("import steps\n", "more.py")
    for name in ("one", "two"):
        spec = files.spec(f"import more\n\n@workflow\ndef {name}(): ...\n", name, f"{name}.py")
        assert [task.task_id for task in spec.tasks] == ["refund"]
        assert set(files.load(f"{name}.py").dags[name].task_dict) == {"refund"}


def test_activities_of_an_installed_package_are_found_by_name_whoever_loaded_it_first(
    files: Files, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Files(tmp_path_factory.mktemp("installed"))
    package.write("@activity\ndef charge(): ...\n\n@activity\ndef refund(): ...\n", "acme_cards.py")
    monkeypatch.syspath_prepend(str(package.folder))
    files.write("import acme_cards\n\n@workflow\ndef one(): ...\n", "one.py")
    files.write("from acme_cards import charge\n\n@workflow\ndef two(): ...\n", "two.py")
    for _ in range(2):
        assert set(files.load("one.py").dags["one"].task_dict) == {"charge", "refund"}
        assert set(files.load("two.py").dags["two"].task_dict) == {"charge"}


def test_a_module_that_is_imported_under_two_names_makes_each_activity_once(files: Files) -> None:
    files.write("@activity\ndef refund(receipt): ...\n", "steps.py")
    spec = files.spec("import steps\nimport dags.steps\n\n@workflow\ndef flow(): ...\n")
    assert [task.task_id for task in spec.tasks] == ["refund"]


def test_two_activities_of_one_id_are_refused_with_both_places(files: Files) -> None:
    files.write("@activity\ndef charge(): ...\n", "steps.py")
    failure = files.refusal("""
        import steps

        @activity(activity_id="charge")
        def other(): ...

        @workflow
        def flow(): ...
    """)
    assert f"there is an activity 'charge' already, made at steps.py:{FIRST}" in failure.message
    assert (failure.file, failure.line) == ("flows.py", FIRST + 3)


def test_activities_made_in_a_loop_under_one_id_are_refused(files: Files) -> None:
    failure = files.refusal("""
        for number in range(2):
            @activity
            def charge(): ...

        @workflow
        def flow(): ...
    """)
    assert "there is an activity 'charge' already" in failure.message


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────

MISTAKES = {
    "an activity inside a workflow": (
        "@workflow\ndef flow():\n    @activity\n    def charge(): ...\n",
        2,
        "activity 'charge' is made inside workflow 'flow'",
    ),
    "a workflow inside a workflow": (
        "@workflow\ndef flow():\n    if True:\n        @workflow(tags=['x'])\n        def inner(): ...\n",
        3,
        "workflow 'inner' is made inside workflow 'flow'",
    ),
    "an activity inside a class that is a workflow": (
        "@workflow\nclass flow:\n    def run(self):\n        @workflow.activity\n        def charge(): ...\n",
        3,
        "activity 'charge' is made inside workflow 'flow'",
    ),
    "an activity that is a lambda": ("charge = activity(lambda: 1)\n", 0, "not a lambda"),
    "a workflow that is a lambda": ("flow = workflow(lambda: 1)\n", 0, "not a lambda"),
    "an activity that yields": ("@activity\ndef charge():\n    yield 1\n", 0, "activity 'charge' yields"),
    "a workflow that yields": ("@workflow\ndef flow():\n    yield 1\n", 0, "workflow 'flow' yields"),
    "a workflow with *args": (
        "@workflow\ndef flow(*orders): ...\n",
        0,
        "takes *orders, but its input is given by name",
    ),
    "a workflow with **kwargs": ("@workflow\ndef flow(**more): ...\n", 0, "takes **more"),
    "a class without run": ("@workflow\nclass Flow:\n    def start(self): ...\n", 0, "has no method run(self, …)"),
    "a class whose __init__ takes something": (
        "@workflow\nclass Flow:\n    def __init__(self, x): ...\n    def run(self): ...\n",
        0,
        "__init__ takes arguments",
    ),
    "an unknown setting of a workflow": (
        "@workflow(shedule='@daily')\ndef flow(): ...\n",
        0,
        "did you mean 'schedule'?",
    ),
    "an unknown setting of an activity": ("@activity(retrys=3)\ndef charge(): ...\n", 0, "did you mean 'retries'?"),
    "an impossible setting": ("@workflow(on_new_version='jump')\ndef flow(): ...\n", 0, "must be one of pin, move"),
    "a schedule and a parameter that nobody gives": (
        "@workflow(schedule='@daily')\ndef flow(order): ...\n",
        0,
        "a scheduled run is given no 'order'",
    ),
    "a hint that no JSON can give": (
        "import socket\n@workflow\ndef flow(line: socket.socket): ...\n",
        1,
        "'line' is socket, which no JSON can give",
    ),
    "a hint that cannot be found": ("@workflow\ndef flow(order: 'Ordr'): ...\n", 0, "name 'Ordr' is not defined"),
    "a default that is no JSON": ("@workflow\ndef flow(order=object()): ...\n", 0, "the default of 'order'"),
    "a state that is no object": ("@workflow(state=int)\ndef flow(state): ...\n", 0, "state must be a dataclass"),
    "a loop of two parameters": ("@workflow(state=dict)\ndef flow(a, b): ...\n", 0, "a function of one parameter"),
    "a query that is no method": (
        "@workflow.query\ndef state(): ...\n",
        0,
        "no method of a class and not in a workflow",
    ),
    "an activity that is called in a DAG": (
        "@activity\ndef charge(): ...\nwith DAG('daily'):\n    charge()\n",
        3,
        "activity 'charge' is called inside a DAG",
    ),
    "a workflow that is called while the file is parsed": (
        "@workflow\ndef flow(): ...\nflow()\n",
        2,
        "orchestrator dags trigger flow",
    ),
    "a node whose arguments do not fit": (
        "@workflow\ndef flow(order): ...\nwith DAG('daily'):\n    flow(ordr=1)\n",
        3,
        "unexpected keyword argument 'ordr'",
    ),
    "a transactional activity without a connection": (
        "@activity(delivery='transactional')\ndef charge(): ...\n",
        0,
        "go together",
    ),
    "a signal with an impossible name": ("s = Signal('a b')\n", 0, "a character that is not allowed"),
    "an activity that is a method": ("class A:\n    @activity\n    def f(self): ...\n", 1, "activity 'f' is a method"),
    "a signal of two types": (
        "s = Signal('s', bool)\nt = Signal('s', str)\n@workflow\ndef flow(): ...\n",
        1,
        "signal 's' is declared at flows.py:",
    ),
    "a workflow that needs variables of the function around it": (
        "def make(x):\n    @workflow\n    def flow(): return x\nmake(1)\n",
        1,
        "uses variables of the function around it",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_with_its_line(files: Files, mistake: str) -> None:
    source, line, words = MISTAKES[mistake]
    failure = files.refusal(source)
    assert words in failure.message
    assert (failure.file, failure.line) == ("flows.py", FIRST + line)


# ── as a node of a DAG ───────────────────────────────────────────────────────────────────────────────────


def test_a_workflow_in_a_dag_is_a_task_that_takes_results(files: Files) -> None:
    spec = files.spec(
        """
        @workflow
        def ship(order, amount=1): ...

        with DAG("daily"):
            @task
            def pick(): ...

            ship(pick(), amount=3)
            ship.override(task_id="second", retries=2)("o2") >> ship("o3")
    """,
        "daily",
    )
    assert {task.task_id for task in spec.tasks} == {"pick", "ship", "second", "ship__1"}
    assert spec.task("ship").inputs == ("pick",)
    assert spec.task("second").retry.retries == 2
    assert spec.task("ship__1").upstream == ("second",)
