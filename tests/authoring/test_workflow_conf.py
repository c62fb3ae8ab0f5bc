"""What a run's conf is held to before there is a run: the recorded schema of the workflow, without its code."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.authoring.conf import check_conf
from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import UsageError
from tests.authoring.plays import Files

SOURCE = """
from dataclasses import dataclass
from datetime import date

@dataclass
class Item:
    name: str
    count: int = 1

@workflow
def flow(order: str, items: list[Item] = [], day: date = None, anything=1): ...

with DAG("daily", params={"a": 1}):
    pass
"""


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> DagSpec:
    return Files(tmp_path_factory.mktemp("dags")).spec(SOURCE)


@pytest.mark.parametrize(
    "conf",
    [
        {"order": "o1"},
        {"order": "o1", "items": [{"name": "pen"}], "day": "2026-01-31", "anything": {"x": [1]}},
        {"order": "o1", "day": None},
    ],
)
def test_a_conf_that_fits_is_let_through(spec: DagSpec, conf: dict[str, Any]) -> None:
    check_conf(spec, conf)


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ({}, "the workflow 'flow' (flows.py:13) needs 'order', which is missing"),
        ({"order": "o1", "itms": []}, "has no parameter 'itms'; did you mean 'items'?"),
        ({"order": 3}, "3 is not of type 'string' (in order)"),
        ({"order": "o1", "items": [{"name": "pen"}, {"name": 1}]}, "(in items[1].name)"),
    ],
)
def test_a_conf_that_does_not_fit_is_refused_in_one_sentence(spec: DagSpec, conf: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_conf(spec, conf)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_dag_takes_keys_that_nobody_knows(tmp_path: Path) -> None:
    check_conf(Files(tmp_path).spec(SOURCE, "daily"), {"whatever": 1})
