"""The architecture, held by tests: who imports whom, how large things get, and what the package offers."""

import ast
import functools
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import networkx as nx
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "orchestrator"
MODULES = sorted(PACKAGE.rglob("*.py"))
AIRFLOWS_OWN = {"DagRunInfo", "next_dagrun_info"}  # what an author of timetables writes
NAMES_TO_AVOID = re.compile(r"(?:^|_)(?:managers?|helpers?|utils?|utilities|handlers?|infos?|common)(?:_|$)")
LONGEST_MODULE = 500
LONGEST_FUNCTION = 50
PICKLES = frozenset({"pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"})

OFFERED = {
    "ActivityError",
    "AirflowFailException",
    "AirflowSkipException",
    "BaseAsyncOperator",
    "BaseBranchOperator",
    "BaseHook",
    "BaseNotifier",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "BranchMixIn",
    "ChildError",
    "Connection",
    "Context",
    "CronDataIntervalTimetable",
    "CronTriggerTimetable",
    "DAG",
    "DagRunInfo",
    "DataInterval",
    "DeltaDataIntervalTimetable",
    "DeltaTriggerTimetable",
    "EdgeModifier",
    "EventsTimetable",
    "ExceptionRetryPolicy",
    "Label",
    "MultipleCronTriggerTimetable",
    "Param",
    "ParamsDict",
    "PokeReturnValue",
    "RetryAction",
    "RetryPolicy",
    "RetryRule",
    "SkipMixin",
    "TaskGroup",
    "TimeRestriction",
    "Timetable",
    "TriggerRule",
    "Variable",
    "WeightRule",
    "WorkflowCancelled",
    "XComArg",
    "activity",
    "chain",
    "chain_linear",
    "cross_downstream",
    "dag",
    "gather",
    "get_current_context",
    "heartbeat",
    "hookimpl",
    "last_progress",
    "literal",
    "mask_secret",
    "schedule_activity",
    "setup",
    "start_activity",
    "task",
    "task_group",
    "teardown",
    "workflow",
}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def place(path: Path, node: ast.AST) -> str:
    return f"{relative(path)}:{getattr(node, 'lineno', 0)} {getattr(node, 'name', '')}".strip()


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def imported(node: ast.AST) -> list[str]:
    """The top-level packages that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [(node.module or "").partition(".")[0]]
    return []


def words(name: str) -> str:
    """``DagFileHandler`` as ``dag_file_handler``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def test_every_import_contract_of_the_architecture_holds() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("orchestrator", cache_dir=None)
    imports = nx.DiGraph(
        (name, other) for name in graph.modules for other in graph.find_modules_directly_imported_by(name)
    )
    circles = [sorted(group) for group in nx.strongly_connected_components(imports) if len(group) > 1]
    assert circles == []


def test_every_module_can_be_imported() -> None:
    for found in pkgutil.walk_packages([str(PACKAGE)], "orchestrator."):
        if not found.name.endswith("__main__") and ".migrations." not in found.name:
            importlib.import_module(found.name)


def test_a_module_and_each_of_its_functions_fit_in_a_readers_head() -> None:
    modules = [relative(path) for path in MODULES if len(path.read_text("utf-8").splitlines()) > LONGEST_MODULE]
    long = [place(path, node) for path in MODULES for node in functions(tree(path)) if length(node) > LONGEST_FUNCTION]
    assert modules + long == []


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_a_module_imports_at_its_top_only() -> None:
    hidden = {
        place(path, node)
        for path in MODULES
        for function in functions(tree(path))
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert hidden == set(), "an import inside a function hides a dependency; the two lazy tables are the only doors"


def test_pickles_are_read_only_by_a_worker_that_talks_to_another_python_of_its_own() -> None:
    def names_one(node: ast.AST) -> bool:
        return bool(PICKLES.intersection(imported(node))) or (isinstance(node, ast.Constant) and node.value in PICKLES)

    readers = {relative(path) for path in MODULES for node in ast.walk(tree(path)) if names_one(node)}
    assert readers == {
        "orchestrator/authoring/environments/parcel.py",  # the worker's end; opened while a body runs
        "orchestrator/authoring/operators/virtualenv.py",  # which ones are to be installed
    }


def test_names_say_what_a_thing_is() -> None:
    vague = [relative(path) for path in MODULES if NAMES_TO_AVOID.search(path.stem)]
    vague += [
        place(path, node)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name not in AIRFLOWS_OWN
        and NAMES_TO_AVOID.search(words(node.name))
    ]
    assert vague == []


def test_the_package_offers_exactly_what_a_dag_file_writes() -> None:
    assert set(importlib.import_module("orchestrator").__all__) == OFFERED


def test_each_name_that_the_package_offers_is_there() -> None:
    package = importlib.import_module("orchestrator")
    missing = [name for name in package.__all__ if not hasattr(package, name)]
    assert missing == []


def test_a_name_that_the_package_does_not_offer_is_refused_as_by_any_module() -> None:
    with pytest.raises(AttributeError, match="orchestrator"):
        importlib.import_module("orchestrator").no_such_name  # noqa: B018 - the look-up is what is tested


def test_each_command_that_help_lists_can_be_loaded() -> None:
    cli = importlib.import_module("orchestrator.cli")
    click = importlib.import_module("click")
    context = click.Context(cli.orchestrator, info_name="orchestrator")
    for name in cli.orchestrator.list_commands(context):
        assert cli.orchestrator.get_command(context, name) is not None, name


def test_importing_the_package_loads_no_large_library() -> None:
    script = "import sys, orchestrator; print(*(sys.modules.keys() & {'sqlalchemy', 'networkx', 'rich', 'alembic'}))"
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
