"""What an attempt pushes: recorded as results are, and refused where that cannot be."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator.core.orders import Completed, Failed, Order
from orchestrator.core.particulars import Failure, XCom
from orchestrator.exceptions import UsageError, ValueEncodingError
from orchestrator.names import AttemptKey, Delivery, RunType
from orchestrator.storage.payloads import FsspecPayloadStore
from orchestrator.worker.attempt import with_pushed
from orchestrator.worker.exchange import AttemptExchange, RunDatabase
from orchestrator.worker.results import Results, ResultTooLargeError
from tests.worker.workshop import MORNING

KEY = AttemptKey(1, "count", -1, 1)


@dataclass
class Shelf:
    """An exchange, and the results that it keeps values as."""

    exchange: AttemptExchange
    results: Results

    def value(self, key: str) -> Any:
        one = self.exchange.pushed[key]
        return msgspec.json.decode(one.value) if one.payload is None else self.results.fetch(one.payload)


def shelf(folder: Path, **fields: Any) -> Shelf:
    given = {"run_id": "r", "run_uid": "u", "run_type": RunType.MANUAL, "version_id": 1, "code": "", "file": "x.py"}
    order = Order(key=KEY, dag_id="d", idempotency_key="u/count/-1/1", **given, **fields)
    results = Results(FsspecPayloadStore(str(folder)), threshold=100, max_bytes=1_000)
    return Shelf(AttemptExchange(order, results, RunDatabase("").reads), results)


def test_large_values_go_to_the_payload_store(tmp_path: Path) -> None:
    kept = shelf(tmp_path)
    kept.exchange.push("small", [1, 2])
    kept.exchange.push("large", ["x"] * 50)
    assert kept.exchange.pushed["small"] == XCom(value=msgspec.Raw(b"[1,2]"), length=2)
    assert kept.exchange.pushed["large"].payload is not None
    assert kept.value("large") == ["x"] * 50


def test_an_attempt_pulls_what_it_has_pushed_itself(tmp_path: Path) -> None:
    kept = shelf(tmp_path)
    kept.exchange.push("step", 7)
    assert kept.exchange.pull("count", "step") == [(-1, 7)]
    with pytest.raises(UsageError, match="no runs are recorded here"):
        kept.exchange.pull("other", "step")


def test_what_cannot_be_recorded_is_refused_by_its_key(tmp_path: Path) -> None:
    kept = shelf(tmp_path)
    with pytest.raises(ValueEncodingError, match=r"the XCom 'open'\['file'\] is an? object"):
        kept.exchange.push("open", {"file": object()})
    with pytest.raises(ResultTooLargeError, match="the XCom 'huge' is"):
        kept.exchange.push("huge", "x" * 2_000)
    with pytest.raises(UsageError, match="the key of an XCom"):
        kept.exchange.push("", 1)


def test_a_transactional_task_pushes_nothing_but_its_result(tmp_path: Path) -> None:
    kept = shelf(tmp_path, delivery=Delivery.TRANSACTIONAL)
    with pytest.raises(UsageError, match="return 'rows' as a part of the result"):
        kept.exchange.push("rows", 3)


def test_what_was_pushed_goes_with_every_outcome_and_stands_in_for_a_result_under_its_key(tmp_path: Path) -> None:
    kept = shelf(tmp_path)
    kept.exchange.push("rows", 3)
    kept.exchange.push("return_value", {"a": 1})
    failed = with_pushed(Failed(key=KEY, at=MORNING, failure=Failure(message="no")), kept.exchange.pushed)
    assert isinstance(failed, Failed)
    assert list(failed.xcoms) == ["rows"]
    completed = with_pushed(Completed(key=KEY, at=MORNING), kept.exchange.pushed)
    assert isinstance(completed, Completed)
    assert (bytes(completed.result), completed.length, list(completed.xcoms)) == (b'{"a":1}', 1, ["rows"])
