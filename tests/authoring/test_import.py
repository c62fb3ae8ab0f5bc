"""What ``import orchestrator`` costs and offers."""

import importlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

import orchestrator

ROOT = Path(__file__).parents[2]


def python(script):
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", orchestrator.__all__)
def test_each_name_is_the_one_of_its_module(name):
    found = getattr(orchestrator, name)
    module = orchestrator._MODULES[name]
    assert found is getattr(importlib.import_module(module), name)
    assert name in dir(orchestrator)


def test_editors_and_type_checkers_see_the_same_names():
    written = Path(orchestrator.__file__).read_text()
    for name, module in orchestrator._MODULES.items():
        assert f"    from {module} import {name} as {name}\n" in written


def test_importing_the_package_loads_nothing_of_it():
    loaded = python("import sys, orchestrator; print(*(m for m in sys.modules if m.startswith('orchestrator')))")
    assert loaded.split() == ["orchestrator"]


def test_writing_a_dag_loads_neither_networkx_nor_croniter():
    script = """
import sys
from orchestrator import DAG, task
from orchestrator.operators import BashOperator, BranchPythonOperator
print(*(sys.modules.keys() & {"networkx", "croniter", "sqlalchemy", "click", "rich"}))
"""
    assert python(script).split() == []


def test_importing_the_package_takes_less_than_thirty_milliseconds():
    script = "import time; began = time.perf_counter(); import orchestrator; print(time.perf_counter() - began)"
    deadline = time.monotonic() + 20
    while (took := float(python(script))) >= 0.03:
        assert time.monotonic() < deadline, took
