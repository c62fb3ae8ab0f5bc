"""QUARANTINE: what the fence around DAG files costs a clean one, as it is parsed."""

import os
import struct
from collections.abc import Mapping
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.sources import chain
from benchmarks.workload import Bench
from orchestrator.dagbag.jobs import Job
from orchestrator.dagbag.parsing import Parse
from orchestrator.dagbag.quarantine.installing import install
from orchestrator.names import QuarantineMode

ROUNDS, PLAIN = 25, 20
BUDGET = 1.05

_DOUBLE = struct.Struct("d")
_HELPER = """
LIMITS = {name: len(name) for name in ("a", "bb", "ccc")}
"""
_WORKING = """
import collections, csv, dataclasses, datetime, decimal, email, http.client, json, logging, os, random, re, sqlite3
import subprocess, tempfile, threading, urllib.request, uuid, xml.dom.minidom

import helper

log = logging.getLogger(__name__)
log.info("parsed at %s", datetime.datetime.now())
names = sorted(os.listdir(os.path.dirname(__file__)))
text = open(__file__).read()
"""
_HEAVY = """
import matplotlib.pyplot
import networkx
import pandas
"""


def measure(bench: Bench) -> list[Figure]:
    folder = bench.folder / "dags"
    folder.mkdir(parents=True)
    sets = {
        f"{PLAIN} plain files of 10 tasks": {f"d{n}.py": chain(f"d{n}", 10) for n in range(PLAIN)},
        "a file that imports 20 modules of Python's, a local one, and reads files": {
            "working.py": _WORKING + chain("working", 10)
        },
        "a file that imports networkx, matplotlib and pandas": {"heavy.py": _HEAVY + chain("heavy", 10)},
    }
    (folder / "helper.py").write_text(_HELPER, encoding="utf-8")
    rounds = 5 if bench.quick else ROUNDS
    return [_figure(folder, what, files, rounds) for what, files in sets.items()]


def _figure(folder: Path, what: str, files: Mapping[str, str], rounds: int) -> Figure:
    """The least of all rounds, with and without the fence in turns: what else the machine does only adds to it."""
    for name, source in files.items():
        (folder / name).write_text(source, encoding="utf-8")
    least = {(name, fenced): float("inf") for name in files for fenced in (False, True)}
    for number in range(rounds):
        for name in files:
            for fenced in (False, True) if number % 2 else (True, False):
                least[name, fenced] = min(least[name, fenced], _parse(folder, name, fenced=fenced))
    without, with_it = (sum(least[name, fenced] for name in files) * 1000 for fenced in (False, True))
    return Figure(
        workload="QUARANTINE",
        what=what,
        measured=with_it,
        floor=without,
        unit="ms",
        budget=BUDGET,
        on_ratio=True,
        note="floor: the same parse with nothing installed",
    )


def _parse(folder: Path, name: str, *, fenced: bool) -> float:
    """Seconds that one parse takes in a forked process, as the dag processor's do."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.write(writer, _DOUBLE.pack(_seconds(folder, name, fenced=fenced)))
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    packed = os.read(reader, _DOUBLE.size)
    os.close(reader)
    os.waitpid(pid, 0)
    return float(_DOUBLE.unpack(packed)[0])


def _seconds(folder: Path, name: str, *, fenced: bool) -> float:
    """AssertionError if the file is not clean."""
    mode = QuarantineMode.ERROR if fenced else QuarantineMode.OFF
    if fenced:
        install()
    parse = Parse(Job(file=name, folder=str(folder), plugins=str(folder / ".plugins"), quarantine=mode))
    parse.listen()
    parsed = parse.run()
    assert parsed.failure is None, parsed.failure
    return parsed.duration
