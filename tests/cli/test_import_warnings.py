"""What the quarantine let happen, as the command line shows it."""

import msgspec
import pytest

from orchestrator.core.spec import fingerprint
from orchestrator.ports import ImportFailure, ParsedDag, ParsedFile
from tests.cli.homes import FilledHome, order, run_command

MESSAGE = "runs the command git while the DAG file is parsed; move it into a task"


@pytest.fixture
def warned(shop: FilledHome) -> FilledHome:
    """ORDER #1001, whose file does something as it is parsed."""
    spec = order()
    warning = ImportFailure(message=MESSAGE, file=spec.file, line=3, is_warning=True)
    dag = ParsedDag(spec=spec, fingerprint=fingerprint(spec), code_fingerprint="c0de")
    shop.record(ParsedFile(file=spec.file, digest="1", dags=(dag,), warning=warning))
    return shop


def test_a_warning_is_told_beside_the_list_of_errors_and_is_none(warned: FilledHome) -> None:
    said = run_command("dags", "list-import-errors")
    assert f"warning: order_1001.py:3: {MESSAGE}" in " ".join(said.err.split())
    assert run_command("dags", "list-import-errors", "-o", "json").json == []
    assert "cannot be read" not in run_command("dags", "list").err


def test_the_details_of_a_dag_show_what_its_file_was_warned_of(warned: FilledHome) -> None:
    assert run_command("dags", "details", "order_1001", "-o", "json").json["warning"] == MESSAGE


def test_a_file_without_a_warning_has_none(shop: FilledHome) -> None:
    assert run_command("dags", "details", "order_1001", "-o", "json").json["warning"] is None


def test_a_warning_goes_with_the_next_clean_parse_and_an_error_comes_before_it(warned: FilledHome) -> None:
    (found,) = warned.reads.import_warnings()
    both = ParsedFile(
        file=found.file,
        digest="2",
        failure=msgspec.structs.replace(found.failure, message="SyntaxError", is_warning=False),
        warning=found.failure,
    )
    warned.record(both)
    assert [error.failure.message for error in warned.reads.import_errors()] == ["SyntaxError"]
    assert warned.reads.import_warnings() == []
    warned.add_dag(order())
    assert warned.reads.import_errors() == warned.reads.import_warnings() == []
