"""HTTP: what a server is asked, what becomes of its answer, and what is said when there is none."""

import base64
import json
import logging
import socket

import pytest

from orchestrator import DAG, PokeReturnValue
from orchestrator.authoring.masking import masked
from orchestrator.exceptions import (
    AirflowException,
    AirflowRescheduleException,
    DagError,
    HttpErrorException,
    NotFoundError,
    UsageError,
)
from orchestrator.hooks.http import HttpHook
from orchestrator.operators.http import HttpOperator
from orchestrator.sensors.http import HttpSensor


@pytest.fixture
def api(server, connections):
    connections("http_default", server.url)
    return server


def calling(**settings) -> DAG:
    with DAG("d") as dag:
        HttpOperator(task_id="call", **settings)
    return dag


def waiting(**settings) -> DAG:
    with DAG("d") as dag:
        HttpSensor(task_id="call", mode="reschedule", **settings)
    return dag


def test_the_text_of_the_answer_is_the_result(api, run):
    api.says(lambda asked: "hello")
    assert run(calling(endpoint="v1/x", data={"a": "1"}), "call") == "hello"
    (asked,) = api.asked
    assert (asked.command, asked.path, asked.body) == ("POST", "/v1/x", b"a=1")


def test_a_get_sends_its_data_as_the_query_and_templates_are_rendered(api, run):
    run(calling(endpoint="{{ ds }}", method="get", data={"day": "{{ ds }}"}, headers={"X-Day": "{{ ds }}"}), "call")
    (asked,) = api.asked
    assert (asked.path, asked.headers["X-Day"]) == ("/2026-01-31?day=2026-01-31", "2026-01-31")


def test_json_is_sent_as_such(api, run):
    run(calling(request_kwargs={"json": {"n": 1}}), "call")
    assert json.loads(api.asked[0].body) == {"n": 1}
    assert api.asked[0].headers["Content-Type"] == "application/json"


def test_the_connection_gives_the_login_the_headers_and_the_options(server, connections, run):
    host, port = server.url.removeprefix("http://").split(":")
    extra = {"X-Team": "blue", "timeout": 5, "verify": False}
    fields = {"conn_type": "http", "host": host, "port": int(port), "login": "me", "password": "pass-word"}
    connections("c", json.dumps({**fields, "extra": extra}))
    run(calling(http_conn_id="c", headers={"Accept": "text/plain"}), "call")
    headers = server.asked[0].headers
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"me:pass-word").decode()
    assert (headers["X-Team"], headers["Accept"], headers["timeout"]) == ("blue", "text/plain", None)


def test_a_check_and_a_filter_are_given_the_answer_and_the_context(api, run):
    api.says(lambda asked: '{"rows": 3}')
    dag = calling(response_check=lambda response, ds: ds in "2026-01-31", response_filter=lambda r: r.json()["rows"])
    assert run(dag, "call") == 3
    with pytest.raises(AirflowException, match="the response_check of task 'call' did not return True"):
        run(calling(response_check=lambda response: False), "call")


def test_pages_are_asked_for_until_there_is_no_next(api, run):
    api.says(lambda asked: asked.path)

    def following(response):
        page = int(response.text.partition("page=")[2] or 1)
        return {"data": {"page": page + 1}} if page < 3 else None

    dag = calling(method="GET", endpoint="/x", data={"size": 2}, pagination_function=following)
    assert run(dag, "call") == ["/x?size=2", "/x?size=2&page=2", "/x?size=2&page=3"]


def test_a_pagination_function_that_returns_something_else_is_told(api, run):
    with pytest.raises(UsageError, match="must return a dict of data, endpoint, extra_options, headers"):
        run(calling(pagination_function=lambda response: {"page": 2}), "call")


def test_the_idempotency_key_is_sent_when_asked_for_and_is_the_attempts_own(api, run):
    run(calling(), "call")
    run(calling(idempotency_key=True), "call", idempotency_key="uid/call/-1/1")
    run(calling(idempotency_key="X-Once"), "call", idempotency_key="uid/call/-1/1")
    assert [asked.headers["Idempotency-Key"] for asked in api.asked] == [None, "uid/call/-1/1", None]
    assert api.asked[2].headers["X-Once"] == "uid/call/-1/1"


def test_each_page_has_an_idempotency_key_of_its_own(api, run):
    pages = iter([{"endpoint": "two"}, None])
    run(calling(idempotency_key=True, pagination_function=lambda response: next(pages)), "call")
    assert [asked.headers["Idempotency-Key"] for asked in api.asked] == ["uid/call/-1/1", "uid/call/-1/1/page-2"]


def test_an_error_says_the_status_the_place_and_what_the_server_said(api, run, caplog):
    api.says(lambda asked: (500, "the disk\n is full " + "x" * 5000))
    with pytest.raises(HttpErrorException) as told:
        run(calling(endpoint="v1/x?token=abcdefgh"), "call")
    assert str(told.value).startswith(
        f"500:Internal Server Error from POST {api.url}/v1/x; it said: the disk is full x"
    )
    assert len(str(told.value)) < 450
    assert told.value.status_code == 500
    assert "token" not in str(told.value)
    assert "x" * 5000 in caplog.text


def test_an_error_is_an_answer_like_any_other_where_nothing_is_checked(api, run):
    api.says(lambda asked: (404, "nothing"))
    assert run(calling(extra_options={"check_response": False}), "call") == "nothing"


def test_a_host_that_refuses_is_told_in_one_line(connections, run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        connections("http_default", f"http://127.0.0.1:{port}")
        with pytest.raises(HttpErrorException) as told:
            run(calling(endpoint="x"), "call")
    assert str(told.value) == (
        f"POST http://127.0.0.1:{port}/x (connection 'http_default'): the server cannot be reached: Connection refused"
    )


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(connections, run):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connections("http_default", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(HttpErrorException, match=r"no answer within the timeout of 0\.05 s"):
            run(calling(extra_options={"timeout": 0.05}), "call")


def test_without_a_connection_or_a_host_the_sentence_says_so(connections, run):
    with pytest.raises(NotFoundError, match="there is no connection 'nowhere'"):
        run(calling(http_conn_id="nowhere"), "call")
    connections("empty", '{"conn_type": "http"}')
    with pytest.raises(UsageError, match="connection 'empty' has no host"):
        run(calling(http_conn_id="empty"), "call")
    connections("odd", '{"conn_type": "http", "host": "h", "schema": "ftp"}')
    with pytest.raises(UsageError, match="the schema 'ftp', which is neither http nor https"):
        run(calling(http_conn_id="odd"), "call")


def test_the_login_of_a_connection_is_not_sent_to_another_server(api, run):
    assert run(calling(endpoint=f"{api.url}/same"), "call") == "ok"
    with pytest.raises(UsageError, match=r"http://other/x is not on .*give it a connection of its own"):
        run(calling(endpoint="http://other/x"), "call")


def test_a_connection_of_the_type_https_is_never_called_in_clear(connections):
    connections("safe", "https://api.example.com")
    hook = HttpHook("GET", "safe")
    hook.get_conn()
    assert hook.url_from_endpoint("v1") == "https://api.example.com/v1"


def test_what_cannot_be_obeyed_is_refused_while_the_file_is_parsed():
    with pytest.raises(DagError, match=r"deferrable=True is not supported.*remove it"):
        calling(deferrable=True)
    with pytest.raises(DagError, match="retry_args is not supported; retries="):
        calling(retry_args={"stop": 3})
    with pytest.raises(DagError, match="no option 'time_out'; did you mean 'timeout'"):
        calling(extra_options={"time_out": 3})
    with pytest.raises(DagError, match="give it mode='reschedule'"):
        waiting(endpoint="x", deferrable=True)


def test_secrets_in_headers_are_masked(api, run):
    run(calling(headers={"Authorization": "Bearer hidden-word", "X-Plain": "shown-word"}), "call")
    assert masked("Bearer hidden-word, shown-word") == "***, shown-word"


def test_the_log_has_the_answer_only_where_it_is_asked_for(api, run, caplog):
    caplog.set_level(logging.INFO)
    api.says(lambda asked: "the-answer")
    run(calling(), "call")
    assert "the-answer" not in caplog.text
    assert ": 200 after" in caplog.text
    run(calling(log_response=True), "call")
    assert "the-answer" in caplog.text


def test_a_sensor_waits_while_there_is_nothing_and_until_its_check_is_true(api, run):
    answers = iter([(404, ""), (200, "no"), (200, "yes")])
    api.says(lambda asked: next(answers))
    dag = waiting(endpoint="x", request_params={"a": "b"}, response_check=lambda response: response.text == "yes")
    for _ in range(2):
        with pytest.raises(AirflowRescheduleException):
            run(dag, "call")
    assert run(dag, "call") is None
    assert api.asked[0].path == "/x?a=b"


def test_a_sensor_gives_on_what_its_check_returns(api, run):
    dag = waiting(endpoint="x", response_check=lambda response: PokeReturnValue(True, response.text))
    assert run(dag, "call") == "ok"


def test_a_sensor_fails_on_statuses_that_it_does_not_wait_through(api, run):
    api.says(lambda asked: (503, "later"))
    with pytest.raises(HttpErrorException, match="503:Service Unavailable"):
        run(waiting(endpoint="x"), "call")
    with pytest.raises(AirflowRescheduleException):
        run(waiting(endpoint="x", response_error_codes_allowlist=["404", "503"]), "call")
    api.says(lambda asked: (404, ""))
    with pytest.raises(HttpErrorException, match="404"):
        run(waiting(endpoint="x", response_error_codes_allowlist=[]), "call")
