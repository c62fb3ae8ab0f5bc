"""YAML: what is written is read back as the same value."""

from typing import Any

import pytest

from orchestrator.cli.yaml import to_yaml


def test_a_document_is_in_block_style() -> None:
    value = {"dag_id": "order_1001", "tags": ["a", "b"], "tasks": [{"task_id": "x", "up": []}, {"conf": {"count": 1}}]}
    assert to_yaml(value) == (
        "dag_id: order_1001\ntags:\n  - a\n  - b\ntasks:\n  - task_id: x\n    up: []\n  - conf:\n      count: 1\n"
    )


@pytest.mark.parametrize("text", ["", "yes", "No", "null", "~", "1", "1.5", "1e3", "2026-01-31", "- a", "a: b", "a #b"])
def test_a_string_that_could_be_read_as_something_else_is_quoted(text: str) -> None:
    assert to_yaml([text]) == f'- "{text}"\n'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (2.5, "2.5"),
        (1e22, "1.0e+22"),
        ("weather_report", "weather_report"),
        ("two words", "two words"),
        ('say "hi"\n', '"say \\"hi\\"\\n"'),
        ("caf\u00e9", '"caf\u00e9"'),
        ("a\u0085b", '"a\\u0085b"'),
        ([], "[]"),
        ({}, "{}"),
        ([[1], []], "- - 1\n- []"),
        ({"a b:": 1}, '"a b:": 1'),
    ],
)
def test_values_are_written_so_that_they_come_back(value: Any, text: str) -> None:
    assert to_yaml(value) == text + "\n"
