import ast
import textwrap

import pytest

from orchestrator.dagbag.fingerprint import code_fingerprint

BASE = '''
"""About the file.

    More of it.
"""
from orchestrator import DAG, task

default_args = {"retries": 2, "owner": "me"}
COLUMNS = {"b": 1, "a": 2}

with DAG("d", default_args=default_args, params={"x": {"p": 1, "q": 2}, "y": [1, 2]}):

    @task(retries=3)
    def one(limit=10):
        """Do it."""
        rows = {"id": 1, "name": "n"}
        return rows
'''


def of(source: str | bytes, **others: bytes) -> str:
    data = source.encode() if isinstance(source, str) else source
    return code_fingerprint({"d.py": data, **others}, {"d.py": ast.parse(data)})


def replaced(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new)


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(replaced("@task", "# a comment\n\n    @task"), id="comment"),
        pytest.param(replaced("limit=10", "\n        limit = 10,\n    "), id="layout"),
        pytest.param(replaced('"retries"', "'retries'"), id="quotes"),
        pytest.param(replaced("return rows", "return (rows)"), id="parentheses"),
        pytest.param(textwrap.dedent(BASE).replace("    More of it.", "    More of it.   "), id="docstring layout"),
        pytest.param(
            replaced('"retries": 2, "owner": "me"', '"owner": "me", "retries": 2'), id="order of default_args"
        ),
        pytest.param(
            replaced('"x": {"p": 1, "q": 2}, "y": [1, 2]', '"y": [1, 2], "x": {"q": 2, "p": 1}'), id="order of params"
        ),
        pytest.param(BASE.replace("\n", "\r\n"), id="line ends"),
    ],
)
def test_layout_does_not_change_the_fingerprint(same: str) -> None:
    assert of(same) == of(BASE)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replaced("limit=10", "limit=11"), id="constant"),
        pytest.param(replaced('"retries": 2', '"retries": 3'), id="setting"),
        pytest.param(replaced("[1, 2]", "[2, 1]"), id="order of a list"),
        pytest.param(replaced("Do it.", "Do that."), id="words of a docstring"),
        pytest.param(replaced('"b": 1, "a": 2', '"a": 2, "b": 1'), id="order of a dict that code can read"),
        pytest.param(replaced('"id": 1, "name": "n"', '"name": "n", "id": 1'), id="order of a dict in a body"),
    ],
)
def test_meaning_changes_the_fingerprint(other: str) -> None:
    assert of(other) != of(BASE)


def test_data_files_count_as_their_bytes() -> None:
    assert of(BASE, **{"q.sql": b"select 1"}) != of(BASE, **{"q.sql": b"select  1"})
    assert of(BASE, **{"q.sql": b"select 1"}) != of(BASE)


def test_a_file_that_moves_is_other_code() -> None:
    tree = ast.parse("x = 1")
    assert code_fingerprint({"a.py": b"x = 1"}, {"a.py": tree}) != code_fingerprint({"b.py": b"x = 1"}, {"b.py": tree})


def test_the_order_of_the_files_does_not_matter() -> None:
    assert code_fingerprint({"a": b"1", "b": b"2"}, {}) == code_fingerprint({"b": b"2", "a": b"1"}, {})


def test_what_stands_in_one_file_cannot_be_taken_for_two() -> None:
    assert code_fingerprint({"a": b"1b2"}, {}) != code_fingerprint({"a": b"1", "b": b"2"}, {})


def test_a_very_long_chain_has_a_fingerprint() -> None:
    long = "x = " + " + ".join(["1"] * 2500)
    assert of(long) != of(f"{long} + 1")


def test_equal_text_of_another_kind_is_other_code() -> None:
    assert of("x = '1'") != of("x = 1")
    assert of("x = b'1'") != of("x = '1'")
    assert of("x = None") != of("x = ''")
    assert of("f(a, b)") != of("f(a, *b)")
    assert of("def f(): return") != of("def f(): return None")
