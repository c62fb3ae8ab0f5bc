"""Reach in SQL: both databases let through what the rule itself lets through."""

from itertools import product

import pytest
from sqlalchemy import Engine, insert, select

from orchestrator.core.rights import Reach
from orchestrator.storage.database import reading, writing
from orchestrator.storage.reach import within
from orchestrator.storage.tables import cursors
from tests.contracts.conftest import NOW

IDS = ["".join(letters) for size in (1, 2, 3) for letters in product("aA_.-x", repeat=size)] + [
    "etl_daily",
    "etlXdaily",
]


@pytest.fixture
def dags(engine: Engine) -> Engine:
    with writing(engine) as connection:
        connection.execute(insert(cursors), [{"dag_id": dag_id, "slot": NOW} for dag_id in IDS])
    return engine


REACHES = [
    [],
    [[]],
    [["*"]],
    [["a*"]],
    [["?"]],
    [["_*"], ["*x"]],
    [["etl_daily"]],
    [["etl?daily", "a"]],
    [["etl_*", "a.?", "*-", "A"], ["*a*", "*.*", "A"]],
    [["*"], []],
]


def test_a_list_holds_exactly_the_dags_within_reach(dags: Engine) -> None:
    for sets in REACHES:
        reach = Reach(tuple(map(frozenset, sets)))
        with reading(dags) as connection:
            found = set(connection.execute(select(cursors.c.dag_id).where(within(cursors.c.dag_id, reach))).scalars())
        assert found == {dag_id for dag_id in IDS if dag_id in reach}, sets


def test_whole_ids_are_looked_up_in_an_index(engine: Engine) -> None:
    query = select(cursors.c.dag_id).where(within(cursors.c.dag_id, Reach((frozenset({"etl_daily", "shop"}),))))
    text = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
    assert "IN ('etl_daily', 'shop')" in text
