"""Retry policies as rules of the spec."""

from datetime import timedelta

import pendulum
import pytest

from orchestrator import DAG, ExceptionRetryPolicy, RetryAction, RetryRule
from orchestrator.authoring.compiling import Defaults, compile_dag
from orchestrator.core import spec
from orchestrator.operators import EmptyOperator


class OwnError(Exception):
    pass


def rules(policy):
    with DAG("d") as dag:
        EmptyOperator(task_id="a", retries=3, retry_policy=policy)
    return compile_dag(dag, file="x.py", defaults=Defaults()).task("a").retry.rules


def test_rules_keep_their_order_and_name_classes_by_their_path():
    policy = ExceptionRetryPolicy(
        rules=[
            RetryRule(exception=OwnError, action=RetryAction.FAIL, reason="no use"),
            RetryRule(exception="requests.exceptions.HTTPError", retry_delay=timedelta(minutes=5)),
            RetryRule(exception=[ConnectionError, "socket.timeout"]),
        ]
    )
    assert rules(policy) == (
        spec.RetryRule(exception=f"{__name__}.OwnError", retry=False),
        spec.RetryRule(exception="requests.exceptions.HTTPError", retry_delay=timedelta(minutes=5)),
        spec.RetryRule(exception="builtins.ConnectionError"),
        spec.RetryRule(exception="socket.timeout"),
    )


@pytest.mark.parametrize(
    ("default", "last"),
    [
        (RetryAction.DEFAULT, ()),
        (RetryAction.FAIL, (spec.RetryRule(exception="builtins.BaseException", retry=False),)),
        (RetryAction.RETRY, (spec.RetryRule(exception="builtins.BaseException"),)),
    ],
)
def test_the_default_is_the_last_rule(default, last):
    assert rules(ExceptionRetryPolicy(rules=[], default=default)) == last


@pytest.mark.parametrize("name", ["", "not a path", "a-b"])
def test_a_name_that_is_no_path_is_refused(name):
    with pytest.raises(ValueError, match="must be a class or its dotted path"):
        RetryRule(exception=name)


def test_a_rule_may_ask_for_that_class_alone_and_wait_as_long_as_pendulum_says():
    policy = ExceptionRetryPolicy(
        rules=[
            RetryRule(exception=KeyError, action=RetryAction.FAIL, match_subclasses=False),
            RetryRule(exception=OSError, retry_delay=pendulum.duration(minutes=1, seconds=3)),
        ]
    )
    found = rules(policy)
    assert found == (
        spec.RetryRule(exception="builtins.KeyError", retry=False, exact=True),
        spec.RetryRule(exception="builtins.OSError", retry_delay=timedelta(seconds=63)),
    )
    assert type(found[1].retry_delay) is timedelta
