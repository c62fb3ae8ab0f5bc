"""Environments of a task's own requirements: built once, by uv or pip, from wheels that the test makes."""

import fcntl
import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest

from orchestrator import DAG
from orchestrator.authoring.environments.cache import EnvironmentCache, Made
from orchestrator.authoring.environments.keeping import Keeping, keep_environments
from orchestrator.authoring.environments.recipe import Recipe, requirement_lines
from orchestrator.exceptions import DagError, EnvironmentBuildError, UsageError
from orchestrator.operators import EmptyOperator
from orchestrator.operators.python import BranchPythonVirtualenvOperator, PythonVirtualenvOperator
from tests.operators.wheels import make_wheel

METHODS = ("uv", "pip")


@pytest.fixture
def wheels(tmp_path):
    make_wheel(tmp_path / "wheels")
    make_wheel(tmp_path / "wheels", version="2.0")
    return tmp_path / "wheels"


@pytest.fixture
def cache(tmp_path):
    """Where environments are kept, by uv."""
    before = keep_environments(Keeping(tmp_path / "venvs", "uv"))
    yield EnvironmentCache(tmp_path / "venvs")
    keep_environments(before)


def shelf_version():
    import shelf

    return shelf.VERSION


@pytest.fixture
def virtualenv(run, wheels):
    """Run a function in an environment with ``requirements``; give back its result."""

    def virtualenv(requirements=("shelf",), function=shelf_version, **given):
        options = ["--no-index", "--find-links", str(wheels), *given.pop("options", ())]
        with DAG("d", template_searchpath=[str(wheels.parent)]) as made:
            PythonVirtualenvOperator(
                **{
                    "task_id": "t",
                    "python_callable": function,
                    "requirements": requirements,
                    "system_site_packages": False,
                    "pip_install_options": options,
                    **given,
                }
            )
        return run(made, "t")

    return virtualenv


@pytest.mark.parametrize("method", METHODS)
def test_a_function_runs_with_its_requirements(virtualenv, cache, method, capsys):
    keep_environments(Keeping(cache.folder, method))
    assert virtualenv(["shelf==1.0"]) == "1.0"
    assert "shelf" in capsys.readouterr().out, "the builder's own words are in the log"
    (kept,) = cache.environments()
    assert kept.made.builder == method
    assert "shelf==1.0" in kept.made.packages
    assert kept.made.python.startswith(f"3.{sys.version_info.minor}")


@pytest.mark.parametrize("method", METHODS)
def test_an_environment_that_cannot_be_built_is_one_clear_error(virtualenv, cache, method):
    keep_environments(Keeping(cache.folder, method))
    with pytest.raises(EnvironmentBuildError) as caught:
        virtualenv(["shelf", "no-such-thing-at-all==9"])
    assert f"the environment of task 't' cannot be built: {method} ended with exit code 1: " in str(caught.value)
    assert "no-such-thing-at-all" in str(caught.value)
    assert any("no-such-thing-at-all" in line for line in caught.value.lines)
    assert cache.environments() == []
    assert [path.suffix for path in cache.folder.iterdir()] == [".lock"], "nothing of it is left"


def test_an_environment_is_built_once_for_all_that_ask_for_the_same(virtualenv, cache, capsys):
    assert virtualenv(["shelf==1.0"]) == virtualenv("# which one\nshelf==1.0  # the old one\n") == "1.0"
    assert virtualenv(["shelf==2.0"]) == "2.0"
    assert len(cache.environments()) == 2


def test_requirements_come_from_a_template_file(virtualenv, cache, wheels):
    (wheels.parent / "requirements.txt").write_text("shelf=={{ params.version }}\n")

    def takes(name):
        return name

    with DAG("d", template_searchpath=[str(wheels.parent)], params={"version": "2.0"}) as made:
        PythonVirtualenvOperator(task_id="t", python_callable=takes, requirements="requirements.txt", op_args=["a.txt"])
    ready = made.get_task("t")
    ready.render_fields({"params": {"version": "2.0"}}, {})
    assert ready.requirements == ["shelf==2.0"]
    assert list(ready.op_args) == ["a.txt"], "an argument that ends in .txt is an argument"


def test_requirements_may_be_an_absolute_file_whose_content_counts(virtualenv, cache, wheels):
    file = wheels.parent / "pinned.txt"
    file.write_text("shelf==1.0\n")
    assert virtualenv([f"-r {file}"]) == "1.0"
    file.write_text("shelf==2.0\n")
    assert virtualenv([f"-r {file}"]) == "2.0"
    wheel = wheels / "shelf-1.0-py3-none-any.whl"
    assert virtualenv([str(wheel)]) == "1.0"
    make_wheel(wheels, version="1.0", source="VERSION = 'rebuilt'\n")
    assert virtualenv([str(wheel)], options=["--reinstall", "--no-cache"]) == "rebuilt"


def test_a_folder_of_the_authors_own_is_honoured(virtualenv, cache, tmp_path):
    assert virtualenv(venv_cache_path=str(tmp_path / "elsewhere" / "{{ ds }}")) == "2.0"
    assert cache.environments() == []
    assert len(EnvironmentCache(tmp_path / "elsewhere" / "2026-01-31").environments()) == 1


def test_a_bare_environment_needs_no_index_and_has_nothing_of_the_workers(virtualenv, cache):
    def what_is_there():
        import importlib.util
        import sys

        return importlib.util.find_spec("msgspec") is None, sys.prefix

    alone, prefix = virtualenv((), what_is_there, inherit_env=False)
    assert alone
    assert Path(prefix).parent == cache.folder


def test_the_programs_of_the_environment_are_on_its_path(virtualenv, cache):
    def which():
        import shutil

        return shutil.which("python")

    assert Path(virtualenv((), which)).parent.parent.parent == cache.folder


def test_a_branch_is_chosen_in_it(run, wheels, cache):
    def chooses():
        return "left"

    with DAG("d") as made:
        branch = BranchPythonVirtualenvOperator(task_id="t", python_callable=chooses)
        branch >> [EmptyOperator(task_id="left"), EmptyOperator(task_id="right")]
    assert run(made, "t") == "left"


def test_without_a_home_it_is_said_that_nothing_can_be_kept(virtualenv):
    before = keep_environments(None)
    try:
        with pytest.raises(UsageError, match="no home"):
            virtualenv()
    finally:
        keep_environments(before)


# ── indexes ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def told(monkeypatch, tmp_path, cache):
    """A uv that writes down what it is told, and fails."""
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/told\nenv | grep -E "^(UV|PIP)_" >> {tmp_path}/told\nexit 3\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr("orchestrator.authoring.environments.builders.sys.executable", str(program.with_name("python")))
    monkeypatch.setenv("UV_INDEX_URL", "https://elsewhere.example.com")
    return lambda: (tmp_path / "told").read_text()


def test_indexes_and_their_passwords_go_by_variables_and_not_by_the_command_line(virtualenv, told, monkeypatch):
    monkeypatch.setenv(
        "AIRFLOW_CONN_SHOP",
        '{"conn_type": "package_index", "host": "https://two.example.com/simple",'
        ' "login": "me", "password": "s3cret/word"}',
    )
    with pytest.raises(EnvironmentBuildError, match="exit code 3: it said nothing"):
        virtualenv(index_urls="https://one.example.com/simple", index_urls_from_connection_ids=["SHOP"])
    words = told().splitlines()
    assert "example.com" not in words[0]
    assert "UV_DEFAULT_INDEX=https://one.example.com/simple" in words
    assert "UV_INDEX=https://me:s3cret%2Fword@two.example.com/simple" in words
    assert not any("elsewhere" in word for word in words)


def test_no_indexes_means_that_none_is_asked(virtualenv, told):
    with pytest.raises(EnvironmentBuildError):
        virtualenv(index_urls=[])
    assert "UV_NO_INDEX=1" in told()


# ── what is refused while the file is parsed ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"python_version": 3.12}, "python_version must be a text such as '3.12', of Python 3, not 3.12"),
        ({"python_version": "2.7"}, "of Python 3"),
        ({"requirements": 7}, "requirements must be a list of texts, not 7"),
        ({"requirments": []}, "did you mean 'requirements'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given, words):
    with pytest.raises(DagError) as caught, DAG("d"):
        PythonVirtualenvOperator(task_id="t", python_callable=shelf_version, **given)
    assert words in str(caught.value)


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_lines_of_requirements_are_read_as_pip_reads_them():
    text = "# all\nshelf==1 \\\n  --hash=sha256:00\n\nbook[extra]>2 ; python_version > '3'  # why\n"
    assert requirement_lines(text) == ("shelf==1    --hash=sha256:00", "book[extra]>2 ; python_version > '3'")
    assert requirement_lines(["b", "a\nc"]) == ("b", "a", "c")


def test_a_key_tells_apart_what_comes_to_other_environments():
    base = Recipe(requirements=("a", "b"))
    others = [
        Recipe(requirements=("a",)),
        Recipe(requirements=("a", "b"), python_version="3.99"),
        Recipe(requirements=("a", "b"), system_site_packages=False),
        Recipe(requirements=("a", "b"), options=("--pre",)),
        Recipe(requirements=("a", "b"), index_urls=()),
        Recipe(requirements=("a", "b"), cache_key="2"),
    ]
    assert len({recipe.key for recipe in (base, *others)}) == 7
    assert Recipe(requirements=("b", "a")).key == base.key
    own = f"3.{sys.version_info.minor}"
    assert Recipe(requirements=("a", "b"), python_version=own).key == base.key


# ── the cache ────────────────────────────────────────────────────────────────────────────────────────────


def made_in(key, folder, builder="uv"):
    from datetime import UTC, datetime

    (folder / "bin").mkdir()
    (folder / "bin" / "python").touch()
    return Made(
        key=key,
        folder=folder.name,
        builder=builder,
        python="3.11",
        requirements=(),
        packages=(),
        made_at=datetime.now(UTC),
        seconds=0.0,
    )


def _ask(folder, name, began, go):
    """In a process of its own: ask for an environment whose build leaves a mark, and waits for ``go``."""

    def build(key, place):
        with (Path(folder) / "builds").open("a") as marks:
            marks.write(f"{name}\n")
        began.set()
        assert go.wait(30)
        return made_in(key, place)

    with EnvironmentCache(Path(folder)).held("k", build, lambda: None) as found:
        assert (found / "bin" / "python").exists()


def test_processes_that_ask_at_once_get_one_build(tmp_path):
    context = multiprocessing.get_context("spawn")
    began, go = context.Event(), context.Event()
    asking = [context.Process(target=_ask, args=(str(tmp_path), name, began, go)) for name in range(3)]
    for process in asking:
        process.start()
    assert began.wait(30)
    go.set()
    for process in asking:
        process.join(30)
    assert [process.exitcode for process in asking] == [0, 0, 0]
    assert len((tmp_path / "builds").read_text().split()) == 1


def test_a_build_that_was_killed_is_not_taken_for_whole(tmp_path):
    context = multiprocessing.get_context("spawn")
    began, go = context.Event(), context.Event()
    doomed = context.Process(target=_ask, args=(str(tmp_path), "doomed", began, go))
    doomed.start()
    assert began.wait(30)
    os.kill(doomed.pid, signal.SIGKILL)
    doomed.join(30)
    cache = EnvironmentCache(tmp_path)
    assert cache.environments() == []
    assert cache.left_behind() == {"k"}
    with cache.held("k", made_in, lambda: None) as folder:
        assert (folder / "bin" / "python").exists()
    assert len(cache.environments()) == 1
    assert cache.left_behind() == set()


def test_a_build_that_fails_leaves_nothing_and_the_next_one_builds(tmp_path):
    cache = EnvironmentCache(tmp_path)

    def fails(key, folder):
        (folder / "half").touch()
        raise EnvironmentBuildError("no")

    with pytest.raises(EnvironmentBuildError, match="no"), cache.held("k", fails, lambda: None):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["k.lock"]
    with cache.held("k", made_in, lambda: None) as folder:
        assert folder.is_dir()


def test_an_environment_in_use_is_not_removed(tmp_path):
    cache = EnvironmentCache(tmp_path)
    with cache.held("k", made_in, lambda: None) as folder:
        assert not cache.remove("k")
        assert folder.is_dir()
    assert cache.remove("k")
    assert cache.environments() == []
    assert not folder.exists()


def test_an_environment_whose_python_is_gone_is_built_again(tmp_path):
    cache = EnvironmentCache(tmp_path)
    with cache.held("k", made_in, lambda: None) as first:
        (first / "bin" / "python").unlink()
    with cache.held("k", made_in, lambda: None) as second:
        assert second != first
        assert (second / "bin" / "python").exists()


def test_who_waits_for_a_build_gives_signs_of_life(tmp_path):
    cache = EnvironmentCache(tmp_path)
    with (tmp_path / "k.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        signs = []

        def waiting():
            signs.append(1)
            fcntl.flock(lock, fcntl.LOCK_UN)

        with cache.held("k", made_in, waiting):
            assert signs == [1]


def test_a_folder_that_cannot_be_written_is_told_with_its_setting(tmp_path):
    (tmp_path / "file").touch()
    cache = EnvironmentCache(tmp_path / "file" / "venvs")
    with pytest.raises(EnvironmentBuildError, match="venv_cache_folder"), cache.held("k", made_in, lambda: None):
        pass
