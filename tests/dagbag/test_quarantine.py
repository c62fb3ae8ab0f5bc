"""What the quarantine refuses, warns of and lets pass while DAG files are parsed, in real child processes."""

import contextlib
import socket
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.dagbag.dag_processor import DagProcessor
from orchestrator.dagbag.quarantine.authors import Authors
from orchestrator.dagbag.roots import Roots
from orchestrator.names import QuarantineMode
from orchestrator.ports import ImportFailure, ParsedFile
from tests.dagbag.folders import DAG_FILE, DagsFolder, DictCatalog, dag_ids

ROOT = Path(__file__).parents[2]
WHILE = "while the DAG file is parsed; move it into a task"
HERE = "# here"


class Case(NamedTuple):
    """Lines of which one, marked ``# here``, does what ``says`` says."""

    source: str
    says: str = ""


REFUSED = {
    "connect": Case(
        "import socket\nsocket.create_connection(('127.0.0.1', PORT))  # here", "connects to 127.0.0.1:PORT"
    ),
    "long_path": Case(f"open('/none/{'long/' * 30}x', 'w')  # here", f"writes the file /none/{'long/' * 30}x"),
    "look_up": Case("import socket\nsocket.getaddrinfo('db', 5432)  # here", "connects to db:5432"),
    "bind": Case("import socket\nsocket.socket().bind(('127.0.0.1', 0))  # here", "listens at 127.0.0.1:0"),
    "send": Case(
        "import socket\ns = socket.socket(type=socket.SOCK_DGRAM)\ns.sendto(b'x', ('127.0.0.1', PORT))  # here",
        "sends to 127.0.0.1:PORT",
    ),
    "unix": Case(
        "import socket\nsocket.socket(socket.AF_UNIX).connect('/run/x.sock')  # here", "connects to /run/x.sock"
    ),
    "url": Case(
        "from urllib.request import urlopen\nurlopen('http://me:secret@127.0.0.1:PORT/a?key=secret')  # here",
        "opens http://127.0.0.1:PORT/a",
    ),
    "http": Case(
        "from http.client import HTTPConnection\nHTTPConnection('127.0.0.1', PORT).request('GET', '/')  # here",
        "connects to 127.0.0.1:PORT",
    ),
    "ftp": Case("import ftplib\nftplib.FTP('files')  # here", "connects to files:21"),
    "smtp": Case("import smtplib\nsmtplib.SMTP('mail', 25)  # here", "connects to mail:25"),
    "asyncio": Case(
        "import asyncio\nasync def main():\n    await asyncio.open_connection('127.0.0.1', PORT)\n"
        "asyncio.run(main())  # here",
        "connects to 127.0.0.1:PORT",
    ),
    "subprocess": Case("import subprocess\nsubprocess.run(['touch', MARK])  # here", "starts the program touch"),
    "shell": Case("import subprocess\nsubprocess.run(f'touch {MARK}', shell=True)  # here", "runs the command touch"),
    "system": Case("import os\nos.system(f'touch {MARK}')  # here", "runs the command touch"),
    "popen": Case("import os\nos.popen(f'touch {MARK}')  # here", "runs the command touch"),
    "fork": Case("import os\nos.fork()  # here", "starts a process"),
    "exec": Case("import os\nos.execv('/bin/true', ['true'])  # here", "starts the program /bin/true"),
    "spawn": Case("import os\nos.spawnv(os.P_WAIT, '/bin/true', ['true'])  # here", "starts a process"),
    "posix_spawn": Case("import os\nos.posix_spawn('/bin/true', ['true'], {})  # here", "starts the program /bin/true"),
    "multiprocessing": Case(
        "import multiprocessing\nmultiprocessing.Process(target=print).start()  # here", "starts a process"
    ),
    "spawned": Case(
        "import multiprocessing\nmultiprocessing.get_context('spawn').Process(target=print).start()  # here",
        "starts a process",
    ),
    "dbm": Case("import dbm\ndbm.open(MARK, 'c')  # here", "writes the file MARK"),
    "kill": Case("import os\nos.kill(os.getppid(), 0)  # here", "sends a signal to the process"),
    "thread": Case("import threading\nthreading.Thread(target=print).start()  # here", "starts a thread"),
    "raw_thread": Case("import _thread\n_thread.start_new_thread(print, ())  # here", "starts a thread"),
    "pool": Case(
        "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor().submit(print)  # here",
        "starts a thread",
    ),
    "write": Case("open(MARK, 'w')  # here", "writes the file MARK"),
    "append": Case("open(MARK, 'a')  # here", "writes the file MARK"),
    "os_open": Case("import os\nos.open(MARK, os.O_WRONLY | os.O_CREAT)  # here", "writes the file MARK"),
    "path": Case("from pathlib import Path\nPath(MARK).write_text('x')  # here", "writes the file MARK"),
    "touch": Case("from pathlib import Path\nPath(MARK).touch()  # here", "changes the times of MARK"),
    "mkdir": Case("import os\nos.makedirs(MARK)  # here", "makes the folder MARK"),
    "symlink": Case("import os\nos.symlink('/etc', MARK)  # here", "makes the link MARK"),
    "remove": Case("import os\nos.remove(KEPT)  # here", "deletes the file KEPT"),
    "rename": Case("import os\nos.rename(KEPT, MARK)  # here", "moves KEPT to MARK"),
    "replace": Case("from pathlib import Path\nPath(KEPT).replace(MARK)  # here", "moves KEPT to MARK"),
    "chmod": Case("import os\nos.chmod(KEPT, 0o600)  # here", "changes the mode of KEPT"),
    "truncate": Case("import os\nos.truncate(KEPT, 0)  # here", "cuts off the file KEPT"),
    "utime": Case("import os\nos.utime(KEPT)  # here", "changes the times of KEPT"),
    "rmtree": Case("import shutil\nshutil.rmtree(FOLDER)  # here", "deletes the folder FOLDER"),
    "rmdir": Case("import os\nos.rmdir(FOLDER)  # here", "deletes the folder FOLDER"),
    "copy": Case("import shutil\nshutil.copy(KEPT, MARK)  # here", "copies KEPT to MARK"),
    "move": Case("import shutil\nshutil.move(KEPT, MARK)  # here", "moves KEPT to MARK"),
    "archive": Case("import shutil\nshutil.make_archive(MARK, 'tar', FOLDER)  # here", "makes the archive MARK"),
    "sqlite": Case("import sqlite3\nsqlite3.connect(MARK)  # here", "opens the SQLite database MARK"),
    "dlopen": Case("import ctypes\nctypes.CDLL('libc.so.6')  # here", "loads the C library libc.so.6"),
    "parquet": Case("import pyarrow.parquet\npyarrow.parquet.write_table([], MARK)  # here", "writes the file MARK"),
    "hdf": Case("import h5py\nh5py.File(MARK, 'w')  # here", "writes the file MARK"),
    "client_in_c": Case("import psycopg2\npsycopg2.connect('host=db password=secret')  # here", "connects to db:5432"),
    "class_in_c": Case("import confluent_kafka\nconfluent_kafka.Producer({})  # here", "connects to Kafka"),
    "caught": Case(
        "import socket\ntry:\n    socket.create_connection(('db', 5432))  # here\nexcept Exception:\n    pass",
        "connects to db:5432",
    ),
    "made_something_else": Case(
        "import socket\ntry:\n    socket.create_connection(('db', 5432))  # here\n"
        "except Exception as error:\n    raise ValueError('no database') from None",
        "connects to db:5432",
    ),
    "library": Case("import thirdparty\nthirdparty.fetch('127.0.0.1', PORT)  # here", "connects to 127.0.0.1:PORT"),
    "library_thread": Case("import thirdparty\nthirdparty.begin()  # here", "starts a thread"),
    "several_lines": Case(
        "import socket\nsocket.create_connection(  # here\n    (\n        'db',\n        5432,\n    )\n)",
        "connects to db:5432",
    ),
    "evaluated": Case("import socket\neval('socket.create_connection((\"db\", 5432))')  # here", "connects to db:5432"),
}

ALLOWED = {
    "said_so": "import os\nos.system('true')  # effect: ok",
    "said_so_over_lines": "import os\nos.system(\n    'true',\n)  # effect: ok",
    "said_so_in_between": "import os\ndef f():\n    os.system('true')\nf()  # it is fine  # effect: ok",
    "reads": "open(__file__).read()\nimport os\nos.listdir('.')\nos.stat('/')\nopen('/etc/passwd', 'rb').close()",
    "null": "open('/dev/null', 'w').write('x')",
    "temporary": "import tempfile\nwith tempfile.TemporaryDirectory() as d:\n    open(d + '/x', 'w').close()\n"
    "    import os, shutil\n    os.mkdir(d + '/y')\n    shutil.copy(d + '/x', d + '/y/x')\n    shutil.rmtree(d + '/y')",
    "temporary_file": "import tempfile\nwith tempfile.NamedTemporaryFile('w') as f:\n    f.write('x')",
    "caches": "import os\nos.makedirs(FOLDER + '/__pycache__/deep')\nopen(FOLDER + '/__pycache__/x.pyc', 'wb').close()",
    "folder_that_is_there": "import os\nos.makedirs(FOLDER, exist_ok=True)",
    "temporary_file_of_c": "import tempfile, pyarrow.parquet, io\nwith tempfile.TemporaryDirectory() as d:\n"
    "    pyarrow.parquet.write_table([], d + '/x')\npyarrow.parquet.write_table([], io.BytesIO())",
    "reads_of_c": "import h5py\nh5py.File(__file__)\nh5py.File(__file__, mode='r')",
    "kind_of_class": "import h5py\nassert isinstance(h5py.again(), h5py.File)",
    "memory_database": "import sqlite3\nsqlite3.connect(':memory:').execute('select 1')",
    "clocks": "import datetime, time\ndatetime.datetime.now()\ntime.time()\ntime.sleep(0)\ndatetime.date.today()",
    "randomness": "import random, secrets, uuid, os\nrandom.random()\nuuid.uuid4()\nsecrets.token_hex()\nos.urandom(1)",
    "environment": "import os\nos.getenv('HOME')\nos.environ['SOMETHING'] = 'x'",
    "imports_that_do_much": "import busy\nassert busy.thread",
    "imports_by_name": "import importlib\nassert importlib.import_module('busy').thread",
    "imports_in_a_function": "def f():\n    import busy\n    return busy\nf()",
    "a_library_that_imports_late": "import thirdparty\nthirdparty.late()",
    "a_thread_of_an_import": "import busy\nbusy.go.set()\nbusy.thread.join()\nassert busy.done == ['written']",
    "logging": "import logging\nlogging.warning('hello')\nlogging.getLogger('x').error('hello')",
    "asyncio": "import asyncio\nasync def main():\n    await asyncio.sleep(0)\nasyncio.run(main())",
    "socket_that_goes_nowhere": "import socket\nsocket.socket().close()\na, b = socket.socketpair()\na.send(b'x')",
    "handed_in_data": "from urllib.request import urlopen\nassert urlopen('data:,hello').read() == b'hello'",
}

SITE = {
    "thirdparty.py": """
        import socket, threading
        def fetch(host, port):
            return _deep(host, port)
        def _deep(host, port):
            return socket.create_connection((host, port))
        def begin():
            threading.Thread(target=print).start()
        def late():
            import busy
        """,
    "busy.py": """
        import os, subprocess, tempfile, threading
        mark = os.environ["BUSY"] + str(os.getpid())  # files are parsed side by side
        subprocess.run(["true"])
        open(mark, "w").close()
        os.remove(mark)
        go, done = threading.Event(), []
        def work():
            go.wait()
            open(mark, "w").close()
            done.append("written")
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        """,
    "psycopg2.py": "def connect(dsn):\n    print('connected to the database')\n",
    "pyarrow/__init__.py": "",
    "pyarrow/parquet.py": "def write_table(table, where):\n    print('written')\n",
    "h5py/__init__.py": """
        from h5py._hl.files import File

        def again():
            return type("Other", (File,), {})("x")
        """,
    "h5py/_hl/__init__.py": "",
    "h5py/_hl/files.py": "class File:\n    def __init__(self, name, mode='r'):\n        print('opened')\n",
    "confluent_kafka.py": "class Producer:\n    def __init__(self, config):\n        print('connected to Kafka')\n",
    "airflow.py": "from orchestrator import DAG\n",
}


class Yard:
    """All cases, each a DAG file of one folder, parsed at once."""

    def __init__(self, home: Path, port: int) -> None:
        self.folder = DagsFolder(home)
        self.port = port
        self.left = home / "left"
        self.left.mkdir()
        for name, case in REFUSED.items():
            self._write(f"refused_{name}", case.source)
        for name, source in ALLOWED.items():
            self._write(f"allowed_{name}", source)
        self.folder.scan()

    def _write(self, name: str, source: str) -> None:
        kept = self.folder.dags / "kept" / name
        (kept / "folder").mkdir(parents=True)
        (kept / "file").write_text("kept", encoding="utf-8")
        values = {"MARK": f"{kept}/mark", "KEPT": f"{kept}/file", "FOLDER": f"{kept}/folder"}
        source = source.replace("PORT", str(self.port))
        head = "".join(f"{variable} = {value!r}\n" for variable, value in values.items() if variable in source)
        self.folder.write(f"{name}.py", f"{head}{source}\n{DAG_FILE.format(dag_id=name)}")

    def of(self, name: str) -> ParsedFile:
        return self.folder.catalog.files[f"{name}.py"]

    def line(self, name: str) -> int:
        lines = (self.folder.dags / f"{name}.py").read_text(encoding="utf-8").splitlines()
        return 1 + next(number for number, line in enumerate(lines) if HERE in line)

    def words(self, name: str, says: str) -> str:
        for word, file in {"MARK": "mark", "KEPT": "file", "FOLDER": "folder"}.items():
            says = says.replace(word, f"kept/{name}/{file}")
        return says.replace("PORT", str(self.port))


def write_site(site: Path) -> None:
    """Installed packages: on the path, and not below the roots."""
    site.mkdir()
    for name, source in SITE.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(textwrap.dedent(source), encoding="utf-8")


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    home = tmp_path_factory.mktemp("quarantine")
    write_site(home / "site")
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as server:
        patch.setenv("PYTHONPATH", str(home / "site"))
        patch.setenv("BUSY", str(home / "dags" / "busy.mark"))
        made = Yard(home, server.getsockname()[1])
        server.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            pytest.fail(f"something has connected: {server.accept()}")
        yield made
        made.folder.close()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_site(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("BUSY", str(tmp_path / "busy.mark"))
    return tmp_path / "site"


def failure(parsed: ParsedFile) -> ImportFailure:
    assert parsed.failure is not None
    return parsed.failure


@pytest.mark.parametrize("name", REFUSED)
def test_a_side_effect_is_refused_with_the_authors_line(yard: Yard, name: str) -> None:
    found = failure(yard.of(f"refused_{name}"))
    says = yard.words(f"refused_{name}", REFUSED[name].says)
    assert found.message.startswith(says)
    assert "while the DAG file is parsed" in found.message
    assert found.message.endswith("; move it into a task")
    assert (found.file, found.line) == (f"refused_{name}.py", yard.line(f"refused_{name}"))
    assert found.frames[0].startswith(f'File "refused_{name}.py", line {found.line}')
    assert yard.of(f"refused_{name}").dags == ()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_has_not_happened(yard: Yard, name: str) -> None:
    kept = yard.folder.dags / "kept" / f"refused_{name}"
    assert sorted(path.name for path in kept.iterdir()) == ["file", "folder"]
    assert (kept / "file").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("name", ALLOWED)
def test_what_does_no_harm_is_let_pass(yard: Yard, name: str) -> None:
    parsed = yard.of(f"allowed_{name}")
    assert parsed.failure is None
    assert parsed.warning is None
    assert dag_ids(parsed) == [f"allowed_{name}"]


def test_no_secret_is_shown(yard: Yard) -> None:
    assert "secret" not in " ".join(failure(yard.of(f"refused_{name}")).message for name in REFUSED)


def test_the_sentence_is_that_of_the_documentation(folder: DagsFolder) -> None:
    folder.write("x.py", "#\n" * 13 + "import socket; socket.getaddrinfo('db', 5432)\n" + DAG_FILE.format(dag_id="x"))
    found = failure(folder.parse("x.py"))
    assert f"{found.file}:{found.line}: {found.message}" == f"x.py:14: connects to db:5432 {WHILE}"


def test_a_call_three_modules_deep_names_the_line_that_led_to_it_and_its_own(folder: DagsFolder) -> None:
    folder.write("x.py", "from lib.a import one\n\none()\n" + DAG_FILE.format(dag_id="x"))
    folder.write("lib/__init__.py", "")
    folder.write("lib/a.py", "from lib.b import two\n\n\ndef one():\n    two()\n")
    folder.write("lib/b.py", "from mine import three\n\n\ndef two():\n    three()\n")
    (folder.plugins / "mine.py").write_text("import os\n\ndef three():\n    os.system('true')\n", encoding="utf-8")
    found = failure(folder.parse("x.py"))
    assert (found.file, found.line) == ("x.py", 3)
    assert "(through .plugins/mine.py:4)" in found.message
    assert [frame.splitlines()[0] for frame in found.frames] == [
        'File "x.py", line 3, in <module>',
        'File "lib/a.py", line 5, in one',
        'File "lib/b.py", line 5, in two',
        'File ".plugins/mine.py", line 4, in three',
    ]


def test_a_local_module_may_do_no_more_than_the_file_that_imports_it(folder: DagsFolder) -> None:
    folder.write("x.py", "import os\nimport helper\n" + DAG_FILE.format(dag_id="x"))
    folder.write("helper.py", "import socket\nsocket.getaddrinfo('db', 5432)\n")
    found = failure(folder.parse("x.py"))
    assert (found.file, found.line) == ("x.py", 2)
    assert "(through helper.py:2)" in found.message


def test_a_body_is_not_run_and_so_not_judged(folder: DagsFolder) -> None:
    folder.write(
        "x.py",
        """
        import os, socket
        from orchestrator import DAG, task
        with DAG("x", schedule=None):
            @task
            def body():
                socket.create_connection(("db", 5432))
                os.remove("/etc/passwd")
            body()
        """,
    )
    assert folder.parse("x.py").failure is None


def test_all_effects_of_a_file_are_told_with_the_first(folder: DagsFolder) -> None:
    folder.write(
        "x.py",
        "import os, threading\ntry:\n    os.system('true')\nexcept Exception:\n    pass\n"
        "threading.Thread(target=print).start()\n" + DAG_FILE.format(dag_id="x"),
    )
    found = failure(folder.parse("x.py"))
    assert (found.line, found.message) == (3, f"runs the command true {WHILE}")
    assert found.frames[-1] == f"x.py:6: starts a thread {WHILE}"


def test_one_parse_knows_nothing_of_another(folder: DagsFolder) -> None:
    folder.write("bad.py", "import os\nos.system('true')\n" + DAG_FILE.format(dag_id="bad"))
    folder.write_dag("good.py")
    folder.scan()
    assert folder.catalog.files["good.py"].failure is None
    folder.write("bad.py", "import os\nos.system('true')  # effect: ok\n" + DAG_FILE.format(dag_id="bad"))
    assert folder.parse("bad.py").failure is None


def test_an_environment_below_the_dags_folder_is_not_the_authors() -> None:
    package = networkx.__file__
    assert Authors(Roots(Path(sys.prefix))).name(package) is None
    assert Authors(Roots(Path(package).parent)).name(package) == "__init__.py"


# ── modes ────────────────────────────────────────────────────────────────────────────────────────────────────


def scan(folder: DagsFolder, source: str, mode: QuarantineMode) -> ParsedFile:
    folder.write("x.py", source)
    folder.processor(quarantine=mode).scan()
    return folder.catalog.files["x.py"]


WRITES = "\nopen(__file__ + '.mark', 'w')\n" + DAG_FILE.format(dag_id="x")


def test_a_warning_lets_it_happen_and_shows_it(folder: DagsFolder, caplog: pytest.LogCaptureFixture) -> None:
    parsed = scan(folder, WRITES, QuarantineMode.WARN)
    assert parsed.failure is None
    assert dag_ids(parsed) == ["x"]
    assert parsed.warning is not None
    assert parsed.warning.is_warning
    assert (parsed.warning.file, parsed.warning.line) == ("x.py", 1)
    assert (folder.dags / "x.py.mark").exists()
    assert "x.py:1: writes the file" in caplog.text


def test_off_means_that_nobody_looks(folder: DagsFolder) -> None:
    parsed = scan(folder, WRITES, QuarantineMode.OFF)
    assert (parsed.failure, parsed.warning) == (None, None)
    assert (folder.dags / "x.py.mark").exists()


def test_a_file_that_was_written_for_airflow_is_only_warned_of(folder: DagsFolder, site: Path) -> None:
    source = "from airflow import DAG\nimport os\nos.system('true')\nDAG('x', schedule=None)\n"
    parsed = scan(folder, source, QuarantineMode.AUTO)
    assert parsed.failure is None
    assert parsed.warning is not None
    assert parsed.warning.line == 3
    parsed = scan(folder, source + "import orchestrator\n", QuarantineMode.AUTO)
    assert failure(parsed).line == 3


def test_a_changed_mode_has_every_file_parsed_again(folder: DagsFolder) -> None:
    parsed = scan(folder, WRITES, QuarantineMode.WARN)
    assert folder.processor(quarantine=QuarantineMode.WARN).scan().parsed == 0
    assert folder.processor(quarantine=QuarantineMode.ERROR).scan().parsed == 1
    assert folder.catalog.files["x.py"].failure is not None
    assert parsed.digest


# ── clean files ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_worked_examples_are_clean(folder: DagsFolder) -> None:
    for path in sorted((ROOT / "dags").glob("*.py")):
        folder.write(path.name, path.read_bytes())
    folder.processor(quarantine=QuarantineMode.ERROR).scan()
    assert folder.catalog.files
    for parsed in folder.catalog.files.values():
        assert (parsed.failure, parsed.warning) == (None, None)


CLEAN_LINES = [
    "import json, logging, math, os, re, sys, tempfile, datetime, decimal, collections, networkx",
    "logging.getLogger(__name__).info('hello')",
    "home = os.environ.get('HOME')",
    "text = open(__file__).read()",
    "table = [(n, n * n) for n in range(50)]",
    "from helper import LIMIT",
    "with tempfile.TemporaryFile() as f: f.write(b'x')",
    "names = sorted(os.listdir(os.path.dirname(__file__)))",
    "@task\ndef extra(): open('/etc/passwd', 'w')",
]

clean_sources = st.lists(st.sampled_from(CLEAN_LINES), unique=True).map(
    lambda lines: "import os, logging, tempfile\nfrom orchestrator import DAG, task\n" + "\n".join(lines) + "\n"
)


class Both:
    """The same file parsed with nobody looking, and behind the fence."""

    def __init__(self, home: Path) -> None:
        self.folder = DagsFolder(home)
        self.folder.write("helper.py", "LIMIT = 3\n")
        modes = (QuarantineMode.OFF, QuarantineMode.ERROR)
        self._processors = [self.folder.processor(writer=DictCatalog(), quarantine=mode) for mode in modes]

    def parse(self, source: str) -> list[tuple[object, ...]]:
        """All that each parse comes to, but for what depends on the setting and on the clock."""
        self.folder.write("x.py", source)
        return [self._outcome(processor) for processor in self._processors]

    def _outcome(self, processor: DagProcessor) -> tuple[object, ...]:
        catalog = DictCatalog()
        processor._writer, processor._known = catalog, None  # a first parse, also of what was seen before
        processor.scan()
        parsed = catalog.files["x.py"]
        return parsed.dags, parsed.files, parsed.needs, parsed.failure, parsed.warning


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    made = Both(tmp_path_factory.mktemp("clean"))
    yield made
    made.folder.close()


@settings(max_examples=25)
@given(clean=clean_sources, tasks=st.integers(1, 5))
def test_a_clean_file_is_parsed_to_the_same_with_and_without(both: Both, clean: str, tasks: int) -> None:
    body = "\n".join(f"    EmptyOperator(task_id='t{number}')" for number in range(tasks))
    source = f"{clean}from orchestrator.operators import EmptyOperator\nwith DAG('x', schedule=None):\n{body}\n"
    without, behind = both.parse(source)
    assert behind == without
    assert behind[3] is None
