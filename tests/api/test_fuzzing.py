"""The REST API under whatever its own document allows, and more: no error of the server, and answers as promised."""

import os
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from orchestrator.api.app import make_app
from orchestrator.assembly.home import Home
from orchestrator.config import load_config
from orchestrator.core.events import ActivityScheduled, RunStarted
from tests.api.conftest import KnownAccounts
from tests.cli.homes import FilledHome, order

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EXAMPLES = int(os.environ.get("ORCHESTRATOR_TEST_EXAMPLES", "15"))
"""Of each operation."""
STREAMS = r"/(events|wait)$"
_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.BaseSchema]:
    """The API's own, of a home with a run."""
    folder = tmp_path_factory.mktemp("fuzzed")
    filled = FilledHome(folder)
    filled.add_dag(order())
    filled.begin("order_1001", "first", RunStarted(), ActivityScheduled(task_id="charge_card", attempt=1))
    app = make_app(Home(load_config({"ORCHESTRATOR_HOME": str(folder)}, folder), filled.engine), KnownAccounts())
    yield schemathesis.openapi.from_asgi("/api/v2/openapi.json", app).exclude(path_regex=STREAMS)
    filled.close()


def test_no_request_is_too_much_for_the_server(document: schemathesis.BaseSchema) -> None:
    for found in document.get_all_operations():
        _fuzz(found.ok())


def _fuzz(operation: APIOperation) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy(), is_known=strategies.booleans())
    def ask(case: schemathesis.Case, is_known: bool) -> None:
        known = {"dag_id": "order_1001", "dag_run_id": "first", "task_id": "charge_card"}
        if is_known:
            case.path_parameters |= {name: value for name, value in known.items() if name in case.path_parameters}
        case.call_and_validate(headers={"Authorization": "Bearer admin"}, checks=_CHECKS)

    ask()
