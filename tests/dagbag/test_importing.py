import linecache
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.dagbag.importing import LoadedFile, load
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import DagImportError
from tests.dagbag.folders import DagsFolder

CALLS_HELPER = """
from orchestrator import DAG
import helper

def value():
    import late
    return helper.VALUE, late.VALUE

with DAG("d", schedule=None, doc_md=str(helper.VALUE)):
    pass
"""


@pytest.fixture
def snapshot(tmp_path: Path) -> Callable[..., Path]:
    """Lays out a snapshot of these files."""

    def lay_out(name: str, **files: str) -> Path:
        folder = tmp_path / name
        for file, source in files.items():
            path = folder / f"{file}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, encoding="utf-8")
        return folder

    return lay_out


def call(loaded: LoadedFile, module: str, function: str = "value") -> object:
    """What a function of the DAG file returns, called as a task's body is."""
    with loaded.activate():
        return getattr(sys.modules[module], function)()


def test_two_versions_with_helpers_of_the_same_names_live_side_by_side(snapshot: Callable[..., Path]) -> None:
    old = load(snapshot("old", d=CALLS_HELPER, helper="VALUE = 1", late="VALUE = 'old'"), "d.py")
    new = load(snapshot("new", d=CALLS_HELPER, helper="VALUE = 2", late="VALUE = 'new'"), "d.py")
    assert [old.dags["d"].doc_md, new.dags["d"].doc_md] == ["1", "2"]
    assert call(old, "dag_file_d") == (1, "old")
    assert call(new, "dag_file_d") == (2, "new")
    assert call(old, "dag_file_d") == (1, "old")


def test_nothing_of_a_version_is_left_behind_when_it_is_not_active(snapshot: Callable[..., Path]) -> None:
    before = set(sys.modules), list(sys.meta_path), list(sys.path)
    loaded = load(snapshot("v", d=CALLS_HELPER, helper="VALUE = 1", late="VALUE = 2"), "d.py")
    call(loaded, "dag_file_d")
    assert (set(sys.modules), list(sys.meta_path), list(sys.path)) == before


def test_a_version_is_left_as_it_was_found_when_its_file_cannot_be_loaded(snapshot: Callable[..., Path]) -> None:
    before = set(sys.modules), list(sys.meta_path)
    with pytest.raises(DagImportError):
        load(snapshot("v", d="import helper", helper="1 / 0"), "d.py")
    assert (set(sys.modules), list(sys.meta_path)) == before


def test_the_files_that_were_run_are_known(folder: DagsFolder) -> None:
    folder.write("d.py", "import pkg.mod\nfrom ns import part\n")
    for file, source in {"__init__": "", "mod": "from . import other", "other": "", "unused": ""}.items():
        folder.write(f"pkg/{file}.py", source)
    folder.write("ns/part.py", "")
    assert load(folder.dags, "d.py").needs == ("d.py", "ns/part.py", "pkg/__init__.py", "pkg/mod.py", "pkg/other.py")


def test_no_bytecode_is_written_or_read(snapshot: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    folder = snapshot("v", d=CALLS_HELPER, helper="VALUE = 1")
    load(folder, "d.py")
    assert sorted(path.name for path in folder.iterdir()) == ["d.py", "helper.py"]


def test_plugins_are_found_beside_the_dags(folder: DagsFolder) -> None:
    folder.write("d.py", "import mine, plugins.mine\nfrom dags.beside import VALUE\nassert VALUE == mine.VALUE\n")
    folder.write("beside.py", "VALUE = 1")
    (folder.plugins / "mine.py").write_text("VALUE = 1", encoding="utf-8")
    loaded = load(folder.dags, "d.py", plugins=folder.plugins)
    assert loaded.needs == (".plugins/mine.py", "beside.py", "d.py")


def test_a_snapshot_holds_the_files_of_both_folders(folder: DagsFolder) -> None:
    folder.write("d.py", "import mine\nfrom plugins import mine\nimport dags.beside\n")
    folder.write("beside.py", "")
    folder.write(".plugins/mine.py", "")
    assert load(folder.dags, "d.py").needs == (".plugins/mine.py", "beside.py", "d.py")


def test_an_installed_module_comes_before_a_local_one_of_its_name(folder: DagsFolder) -> None:
    folder.write("colorsys.py", "raise RuntimeError('a DAG file')")
    folder.write("tzdata.py", "raise RuntimeError('a DAG file')")
    folder.write("d.py", "import colorsys, tzdata\n")
    assert load(folder.dags, "d.py").needs == ("d.py",)


def test_a_local_module_comes_before_one_on_the_path_that_is_not_installed(
    folder: DagsFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "helper.py").write_text("VALUE = 'live'", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    folder.write("helper.py", "VALUE = 'pinned'")
    folder.write("d.py", "import helper\nassert helper.VALUE == 'pinned'\n")
    load(folder.dags, "d.py")


def test_the_dags_of_another_dag_file_stay_its_own(folder: DagsFolder) -> None:
    folder.write_dag("other.py")
    folder.write(
        "d.py", "from other import *\nimport other\nfrom orchestrator import DAG\nmine = DAG('mine', schedule=None)"
    )
    assert list(load(folder.dags, "d.py").dags) == ["mine"]


def test_a_factory_makes_dags_for_the_file_that_calls_it(folder: DagsFolder) -> None:
    folder.write("factory.py", "from orchestrator import DAG\ndef make(name):\n    return DAG(name, schedule=None)\n")
    folder.write("d.py", "from factory import make\nfor name in ('a', 'b'):\n    make(name)\n")
    assert list(load(folder.dags, "d.py").dags) == ["a", "b"]


def test_a_dag_of_a_plugin_that_the_file_names_is_the_files(folder: DagsFolder) -> None:
    folder.write(".plugins/standard.py", "from orchestrator import DAG\nnightly = DAG('nightly', schedule=None)")
    folder.write("d.py", "from standard import nightly")
    assert list(load(folder.dags, "d.py").dags) == ["nightly"]


def test_a_file_without_dags_is_no_error(folder: DagsFolder) -> None:
    folder.write("d.py", "x = 1")
    assert load(folder.dags, "d.py").dags == {}


def test_tracebacks_show_the_authors_lines(folder: DagsFolder) -> None:
    folder.write("d.py", "from orchestrator import DAG\n\ndef value():\n    raise KeyError('gone')  # here\n")
    loaded = load(folder.dags, "d.py")
    linecache.clearcache()
    with pytest.raises(KeyError) as caught:
        call(loaded, "dag_file_d")
    assert "raise KeyError('gone')  # here" in "".join(traceback.format_exception(caught.value))


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────


def refusal(folder: DagsFolder, file: str = "d.py") -> DagImportError:
    with pytest.raises(DagImportError) as caught:
        load(folder.dags, file, plugins=folder.plugins)
    return caught.value


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        pytest.param("x = (\n", 1, "this is not valid Python: '(' was never closed", id="syntax"),
        pytest.param("def f():\nreturn 1\n", 2, "this is not valid Python: expected an indented block", id="indent"),
        pytest.param(b"x = 1\n# caf\xe9\n", 2, "byte 0xe9 is no UTF-8 text; save the file as UTF-8", id="no utf-8"),
        pytest.param(b"# coding: klingon\n", 1, "unknown encoding: klingon; save the file as UTF-8", id="encoding"),
        pytest.param(b"x = 1\ny = '\0'\n", 2, "null bytes in the text; save the file as UTF-8", id="null bytes"),
        pytest.param("x = 1\n1 / 0\n", 2, "ZeroDivisionError: division by zero", id="exception"),
        pytest.param("import sys\nsys.exit(3)\n", 2, "sys.exit()", id="exit"),
        pytest.param(
            "import not_there.at_all\n", 1, "there is no module 'not_there'; install its package", id="import"
        ),
        pytest.param("def f():\n    f()\nf()\n", 2, "calls itself without end", id="recursion"),
        pytest.param("x = [0] * 10**15\n", 1, "more memory than a parse may have", id="memory"),
        pytest.param("class E(Exception):\n    def __str__(self): 1 / 0\nraise E\n", 3, "E was raised", id="no words"),
        pytest.param("raise ValueError('a\\n  b ' + 'c' * 999)\n", 1, "ValueError: a b ccc", id="many words"),
        pytest.param(
            "from orchestrator import DAG\nDAG('a', schedule=None)\nDAG('a', schedule=None)\n",
            3,
            "DAG 'a' is defined on line 2 already; give one of them another dag_id",
            id="duplicate dag_id",
        ),
        pytest.param("from orchestrator import DAG\n\nDAG('a', schedul=None)\n", 3, "schedul", id="unknown setting"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_with_its_line(
    folder: DagsFolder, source: str | bytes, line: int, words: str
) -> None:
    folder.write("d.py", source)
    error = refusal(folder)
    assert (error.file, error.line) == ("d.py", line)
    assert words in error.message
    assert "\n" not in error.message
    assert str(folder.home) not in error.message
    assert len(error.message) < 400


def test_only_the_authors_own_frames_are_shown(folder: DagsFolder) -> None:
    folder.write("d.py", "import helper\nhelper.read('{')\n")
    folder.write("helper.py", "import json\ndef read(text):\n    return json.loads(text)\n")
    error = refusal(folder)
    assert (error.file, error.line) == ("helper.py", 3)
    assert error.frames == (
        "File \"d.py\", line 2, in <module>\n    helper.read('{')",
        'File "helper.py", line 3, in read\n    return json.loads(text)',
    )


def test_of_very_many_frames_the_first_and_the_last_are_shown(folder: DagsFolder) -> None:
    folder.write("d.py", "def f():\n    f()\nf()\n")
    frames = refusal(folder).frames
    assert len(frames) == 21
    assert frames[0].startswith('File "d.py", line 3, in <module>')
    assert frames[3].startswith("…")


def test_a_broken_module_is_named_and_not_the_file_that_imports_it(folder: DagsFolder) -> None:
    folder.write("d.py", "import helper\n")
    folder.write("helper.py", "x = 1\nif True\n    pass\n")
    error = refusal(folder)
    assert (error.file, error.line) == ("helper.py", 2)
    assert error.frames[0] == 'File "d.py", line 1, in <module>\n    import helper'


def test_a_file_of_the_plugins_is_named_as_such(folder: DagsFolder) -> None:
    folder.write("d.py", "import broken\n")
    (folder.plugins / "broken.py").write_text("1 / 0", encoding="utf-8")
    assert refusal(folder).file == ".plugins/broken.py"


def test_a_name_leads_to_its_file_and_back(folder: DagsFolder) -> None:
    roots = Roots(folder.dags, folder.plugins)
    for name in ("a.py", "team/b.py", ".plugins/c.py", ".plugins/team/d.py"):
        assert roots.name(str(roots.path(name))) == name
    assert roots.name(str(folder.home / "elsewhere.py")) is None
    assert roots.name(f"{folder.dags}_other/a.py") is None
