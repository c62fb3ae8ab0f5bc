"""Results of an author's own classes, arrays and tables: as they were, or refused by name."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from orchestrator.authoring.typed.types import AuthorTypes
from orchestrator.core.typed import keep_types
from orchestrator.core.values import decode, encode, readable
from orchestrator.dagbag import importing
from orchestrator.dagbag.classes import VersionClasses
from orchestrator.exceptions import ValueDecodingError, ValueEncodingError
from orchestrator.testing.home import LiveHome

MODELS = """
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, Flag, auto
from typing import NamedTuple

from pydantic import BaseModel, Field


class Colour(Enum):
    RED = "r"
    BLUE = {"any": "thing"}


class Right(Flag):
    READ = auto()
    WRITE = auto()


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    price: Decimal = Decimal("1.50")
    colour: Colour = Colour.RED
    parts: tuple = ()


@dataclass
class Basket:
    rows: list[Row] = field(default_factory=list)
    total: int = field(init=False, default=0)

    def __post_init__(self):
        self.total = -1


class Point(NamedTuple):
    x: float
    y: float = 0.0


class Order(BaseModel):
    number: int = Field(alias="orderNumber")
    rows: list[Row] = []
    note: str | None = None


class Loose(BaseModel, extra="allow"):
    a: int = 1


class Outer:
    @dataclass
    class Inner:
        x: int


def local():
    @dataclass
    class Hidden:
        x: int

    return Hidden(1)
"""

FLOW = """
from fractions import Fraction

import shop_models
from orchestrator import dag, task


@dag
def flow():
    @task
    def nothing():
        pass

    nothing()


flow()
"""


def version(folder: Path, models: str = MODELS, flow: str = FLOW) -> importing.LoadedFile:
    """A version of the author's code, loaded as a worker does it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shop_models.py").write_text(textwrap.dedent(models))
    (folder / "flow.py").write_text(textwrap.dedent(flow))
    return importing.load(folder, "flow.py")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ModuleType]:
    """The module ``shop_models`` of a version that is active, in a process that keeps types."""
    loaded = version(tmp_path / "one")
    before = keep_types(AuthorTypes(VersionClasses()))
    with loaded.activate():
        yield sys.modules["shop_models"]
    keep_types(before)


@pytest.fixture(scope="module")
def types() -> Iterator[None]:
    """A process that keeps types, with no code active."""
    before = keep_types(AuthorTypes(VersionClasses()))
    yield
    keep_types(before)


# ── an author's classes ──────────────────────────────────────────────────────────────────────────────────


def test_instances_of_an_authors_classes_come_back_as_they_were(shop: ModuleType) -> None:
    row = shop.Row(1, parts=(1, {2}))
    for value in (
        row,
        [row, {"a": row}],
        shop.Colour.BLUE,
        shop.Right.READ | shop.Right.WRITE,
        shop.Point(1.5),
        shop.Order(orderNumber=7, rows=[row]),
        shop.Loose(a=2, b=[1]),
        shop.Outer.Inner(3),
    ):
        found = decode(encode(value))
        assert found == value
        assert type(found) is type(value)


def test_a_restored_model_knows_which_fields_were_set(shop: ModuleType) -> None:
    found = decode(encode(shop.Order(orderNumber=7)))
    assert found.model_fields_set == {"number"}
    assert found.model_dump(exclude_unset=True) == {"number": 7}
    assert decode(encode(shop.Loose(b=2))).model_extra == {"b": 2}


def test_no_constructor_runs_when_an_instance_comes_back(shop: ModuleType) -> None:
    basket = shop.Basket([shop.Row(1)])
    basket.total = 5
    assert decode(encode(basket)).total == 5


def test_what_is_recorded_can_be_read_by_people(shop: ModuleType) -> None:
    assert json.loads(readable(encode({"row": shop.Row(1), "colour": shop.Colour.RED}))) == {
        "row": {
            "__type__": "dataclass",
            "class": "shop_models:Row",
            "value": {
                "number": 1,
                "price": {"__type__": "decimal", "value": "1.50"},
                "colour": {"__type__": "enum", "class": "shop_models:Colour", "name": "RED"},
                "parts": {"__type__": "tuple", "value": []},
            },
        },
        "colour": {"__type__": "enum", "class": "shop_models:Colour", "name": "RED"},
    }


def test_a_part_that_cannot_be_recorded_is_named_by_its_path(shop: ModuleType) -> None:
    with pytest.raises(
        ValueEncodingError, match=r"^result\['a'\]\[1\]\.rows\[0\] is an object, which cannot be recorded;"
    ):
        encode({"a": [1, shop.Basket([object()])]})


def test_a_class_inside_of_a_function_is_refused_with_what_to_do(shop: ModuleType) -> None:
    with pytest.raises(
        ValueEncodingError, match=r"is a Hidden.*inside of a function; define it at the top of a module"
    ):
        encode(shop.local())


def test_a_circle_of_instances_is_refused(shop: ModuleType) -> None:
    basket = shop.Basket()
    basket.rows.append(basket)
    with pytest.raises(ValueEncodingError, match="nested more than 100 levels deep or in a circle"):
        encode(basket)


def test_a_class_that_has_changed_takes_its_defaults_or_says_what_is_missing(tmp_path: Path, shop: ModuleType) -> None:
    data = encode(shop.Row(1))
    more = MODELS.replace("    parts: tuple = ()", "    parts: tuple = ()\n    weight: int = 9")
    needs = MODELS.replace("    number: int\n    price", "    number: int\n    name: str\n    price", 1)
    fewer = MODELS.replace("    parts: tuple = ()", "")
    gone = MODELS.replace("class Row:", "class Line:").replace("Row", "Line")
    for name, models, words in (
        ("needs", needs, "no field 'name', which it needs in this version"),
        ("fewer", fewer, "a field 'parts', which it has not in this version"),
        ("gone", gone, "no class shop_models:Row in this version"),
    ):
        with switched(tmp_path / name, models), pytest.raises(ValueDecodingError, match=words):
            decode(data)
    with switched(tmp_path / "more", more):
        assert decode(data).weight == 9


def switched(folder: Path, models: str) -> ExitStack:
    """Another version in place of the one that is active."""
    stack = ExitStack()
    kept = {name: sys.modules.pop(name) for name in ("shop_models",) if name in sys.modules}
    stack.callback(sys.modules.update, kept)
    stack.enter_context(version(folder, models).activate())
    return stack


# ── what a recorded name may lead to ─────────────────────────────────────────────────────────────────────


def recorded(name: str, tag: str = "dataclass") -> bytes:
    return json.dumps({"__type__": tag, "class": name, "name": "x", "value": {}}).encode()


@pytest.mark.parametrize(
    "name", ["os:system", "antigravity:fly", "subprocess:Popen", "builtins:eval", "dataclasses:Field"]
)
def test_a_recorded_name_leads_to_nothing_but_the_authors_classes(shop: ModuleType, name: str) -> None:
    with pytest.raises(ValueDecodingError, match="is not of the DAGs folder"):
        decode(recorded(name))
    assert "antigravity" not in sys.modules


def test_a_recorded_name_of_the_authors_module_must_be_a_class_of_that_kind(shop: ModuleType) -> None:
    for name, tag in (
        ("shop_models:local", "dataclass"),
        ("shop_models:Row", "enum"),
        ("shop_models:Decimal", "model"),
    ):
        with pytest.raises(ValueDecodingError, match=f"which is no {tag}"):
            decode(recorded(name, tag))


def test_a_class_of_a_package_may_be_restored_where_the_author_names_it(tmp_path: Path, shop: ModuleType) -> None:
    from hypothesis import Phase

    with pytest.raises(
        ValueEncodingError, match=r"import it at the top of the DAG file, or name it in \[core\] allowed_des"
    ):
        encode(Phase.shrink)
    before = keep_types(AuthorTypes(VersionClasses(["hypothesis.*"])))
    data = encode(Phase.shrink)
    assert decode(data) is Phase.shrink
    keep_types(before)
    with pytest.raises(ValueDecodingError):
        decode(data)
    named = FLOW.replace("from fractions import Fraction", "from hypothesis import Phase")
    with version(tmp_path / "named", flow=named).activate():
        assert keep_types(AuthorTypes(VersionClasses())) is not None
        shadow = [finder for finder in sys.meta_path if type(finder).__name__ == "LocalFinder"]
        assert len(shadow) == 2
        assert decode(data) is Phase.shrink


def test_a_process_that_keeps_no_types_reads_none() -> None:
    before = keep_types(None)
    try:
        with pytest.raises(ValueDecodingError, match="'dataclass', which only workers read"):
            decode(recorded("shop_models:Row"))
    finally:
        keep_types(before)


# ── arrays and tables ────────────────────────────────────────────────────────────────────────────────────

_DTYPES = arrays.scalar_dtypes() | arrays.unicode_string_dtypes() | arrays.byte_string_dtypes()


@given(arrays.arrays(dtype=_DTYPES, shape=arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)))
@settings(max_examples=150)
def test_an_array_comes_back_with_its_dtype_and_shape(types: None, array: np.ndarray) -> None:
    found = decode(encode({"a": [array]}))["a"][0]
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(found, array)


@given(arrays.from_dtype(np.dtype("datetime64[ns]")) | arrays.from_dtype(np.dtype("complex64")))
@settings(max_examples=40)
def test_a_scalar_that_python_has_no_equal_for_comes_back_as_numpys(types: None, value: np.generic) -> None:
    found = decode(encode(value))
    assert found.dtype == value.dtype
    np.testing.assert_equal(found, value)


_FRAMES = st.lists(
    st.tuples(
        st.integers(-(2**60), 2**60),
        st.floats(allow_nan=False),
        st.text(st.characters(codec="utf-8"), max_size=5),
        st.datetimes(datetime.fromisoformat("1700-01-01"), datetime.fromisoformat("2200-01-01")),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
).map(lambda rows: pd.DataFrame(rows, columns=["i", "f", "s", "at", "b"]))


@given(_FRAMES)
@settings(max_examples=60)
def test_a_data_frame_comes_back_equal(types: None, frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(decode(encode(frame)), frame)
    indexed = frame.set_index(["s", "i"])
    pd.testing.assert_frame_equal(decode(encode([indexed]))[0], indexed)


def test_series_and_arrow_tables_come_back_equal(types: None) -> None:
    series = pd.Series([1.5, None], name="price", index=["a", "b"])
    pd.testing.assert_series_equal(decode(encode(series)), series)
    nameless = pd.Series(pd.Categorical(["x", "y", "x"]))
    pd.testing.assert_series_equal(decode(encode(nameless)), nameless)
    table = pa.table({"a": [1, 2], "b": [[1], []]})
    assert decode(encode(table)).equals(table)


def test_the_bytes_of_tables_are_counted_and_not_shown(types: None) -> None:
    shown = json.loads(readable(encode({"df": pd.DataFrame({"a": range(1000), "b": 1})})))["df"]
    assert (shown["__type__"], shown["rows"], shown["columns"]) == ("dataframe", 1000, ["a", "b"])
    assert shown["value"].endswith(" bytes)")
    array = json.loads(readable(encode(np.zeros((2, 3)))))
    assert (array["dtype"], array["shape"]) == ("float64", [2, 3])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.array([object()]), r"result\['x'\] is a ndarray, which cannot be recorded: its dtype is object"),
        (pd.DataFrame({"a": [1, "x"]}), r"a DataFrame, which cannot be recorded: Arrow cannot hold it .*one type"),
        (pd.DataFrame({"a": [{1}, {2}]}), "a DataFrame, which cannot be recorded: "),
        (pd.DataFrame({"a": [(1, 2), (3,)]}), "come back as others"),
        (pd.DataFrame({1: [1], (2, 3): [2]}), "names of its columns would come back as others"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), r"Arrow cannot hold it .*Duplicate column names"),
        (np.ma.masked_array([1], mask=[True]), "a MaskedArray, which cannot be recorded"),
        (pd.Timestamp("2026-01-01T00:00:00.000000001"), "a Timestamp, which cannot be recorded"),
    ],
)
def test_what_would_come_back_as_something_else_is_refused_with_a_reason(
    types: None, value: object, words: str
) -> None:
    with pytest.raises(ValueEncodingError, match=words):
        encode({"x": value})


def test_a_table_without_pyarrow_is_told_what_to_install(types: None, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(pa.table({"a": [1]}))
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueEncodingError, match="pyarrow writes tables, and is not installed; pip install pyarrow"):
        encode(pd.DataFrame({"a": [1]}))
    with pytest.raises(ValueDecodingError, match="read by pyarrow, which is not installed here"):
        decode(data)


def test_a_path_comes_back_as_one(types: None) -> None:
    assert decode(encode([Path("/data/x.csv"), Path("a")])) == [Path("/data/x.csv"), Path("a")]


# ── on their way through a worker ────────────────────────────────────────────────────────────────────────


SHOP = """
from decimal import Decimal

import numpy as np
import pandas as pd
import shop_models
from orchestrator import activity, dag, schedule_activity, task, workflow
from orchestrator.operators import BashOperator
from shop_models import Colour, Row


@task
def rows():
    return [Row(n, colour=Colour.BLUE) for n in range(3)]


@task
def late():
    import shop_late  # not imported where it is read

    return shop_late.Late(7)


@task
def frame():
    return pd.DataFrame({"n": range(20_000), "x": 1.5})


@task
def total(rows, late, frame, ti=None):
    assert all(type(row) is Row for row in rows), rows
    pulled = ti.xcom_pull("frame")
    ti.xcom_push("row", rows[0])
    assert ti.xcom_pull("total", key="row") == rows[0]
    return [sum(row.number for row in rows), late.x, int(frame.n.sum()), pulled.equals(frame), type(frame).__name__]


@task
def one(row):
    return row.number * 10


@task
def broken():
    return {"a": [1, 2, 3, object()]}


@dag
def typed():
    found = rows()
    total(found, late(), frame())
    one.expand(row=found)
    found >> BashOperator(task_id="said", bash_command="echo {{ ti.xcom_pull(task_ids='rows')[0].colour.name }}")


@dag
def refused():
    broken.override(retries=0)()


@activity
def price(row: Row):
    return Row(row.number + 1, price=Decimal("2.50"))


@workflow
def prices():
    row = schedule_activity(price, Row(1))
    return [row, schedule_activity(price, row).number]


typed(), refused()
"""
LATE = """
from dataclasses import dataclass


@dataclass
class Late:
    x: int
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("typed")) as home:
        (home.dags / "shop_models.py").write_text(MODELS)
        (home.dags / "shop_late.py").write_text(LATE)
        home.write_dag("shop.py", SHOP)
        home.start()
        home.wait_for("the DAGs are listed", lambda: home.lists("typed"))
        yield home


def run_of(home: LiveHome, dag_id: str) -> str:
    """The state in which a run of that DAG ends."""
    done = home.run("dags", "trigger", dag_id, "--run-id", "it", "--wait", timeout=90)
    assert done.returncode in (0, 1), done.stderr
    return str(home.ask("runs", "show", dag_id, "it")["state"])


def test_tasks_are_given_what_others_returned(home: LiveHome) -> None:
    state = run_of(home, "typed")
    assert state == "success", home.run("runs", "why", "typed", "it").stdout
    assert home.ask("tasks", "result", "typed", "total") == [3, 7, sum(range(20_000)), True, "DataFrame"]
    assert home.ask("tasks", "result", "typed", "one", "--map-index", "2") == 20
    assert home.ask("tasks", "result", "typed", "said") == "BLUE"
    shown = home.ask("tasks", "result", "typed", "frame")
    assert (shown["__type__"], shown["rows"], shown["columns"]) == ("dataframe", 20_000, ["n", "x"])
    pushed = {row["key"]: row["value"] for row in home.ask("tasks", "xcom", "typed", "total")}
    assert pushed["row"]["class"] == "shop_models:Row"


def test_what_cannot_be_recorded_fails_the_task_with_its_path(home: LiveHome) -> None:
    assert run_of(home, "refused") == "failed"
    why = " ".join(home.run("runs", "why", "refused", "it").stdout.split())
    assert "result['a'][3] is an object, which cannot be recorded; return JSON values" in why


def test_workflows_call_activities_with_an_authors_classes(home: LiveHome) -> None:
    assert run_of(home, "prices") == "success", home.run("runs", "why", "prices", "it").stdout
    row, number = home.ask("runs", "result", "prices")
    assert (row["class"], row["value"]["number"], number) == ("shop_models:Row", 2, 3)


def test_a_script_that_runs_its_own_dag_has_its_classes_back(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from dataclasses import dataclass\n"
        "from orchestrator import dag, task\n\n\n"
        "@dataclass\nclass Row:\n    n: int\n\n\n"
        "@task\ndef make():\n    return [Row(20), Row(22)]\n\n\n"
        "@task\ndef total(rows):\n    print('the sum is', sum(row.n for row in rows), type(rows[0]) is Row)\n\n\n"
        "@dag\ndef flow():\n    total(make())\n\n\n"
        "flow().test()\n"
    )
    environment = {**os.environ, "ORCHESTRATOR_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert "the sum is 42 True" in done.stdout + done.stderr
