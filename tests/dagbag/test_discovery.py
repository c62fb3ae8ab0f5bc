import os
from pathlib import Path

import pytest

from orchestrator.dagbag.discovery import discover, may_hold_dags


@pytest.fixture
def dags(tmp_path: Path) -> Path:
    folder = tmp_path / "dags"
    folder.mkdir()
    return folder


def lay_out(folder: Path, *files: str) -> None:
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def ignore(folder: Path, *patterns: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".airflowignore").write_text("\n".join(patterns), encoding="utf-8")


def test_python_files_are_found_in_all_folders_below(dags: Path) -> None:
    lay_out(dags, "b.py", "team/a.py", "team/deep/er/c.py", "notes.txt", "team/query.sql")
    assert discover(dags).files == ("b.py", "team/a.py", "team/deep/er/c.py")


def test_hidden_files_hidden_folders_and_caches_are_passed_over(dags: Path) -> None:
    lay_out(dags, ".hidden.py", ".git/hook.py", "__pycache__/a.py", "a.py")
    assert discover(dags).files == ("a.py",)


def test_an_ignore_file_leaves_out_what_its_patterns_match(dags: Path) -> None:
    lay_out(dags, "a.py", "a_test.py", "drafts/b.py", "team/drafts/c.py", "team/d.py", "team/keep_test.py")
    ignore(dags, "# not these", "*_test.py", "drafts/", "!keep_test.py")
    assert discover(dags).files == ("a.py", "team/d.py", "team/keep_test.py")


def test_a_pattern_with_a_slash_is_anchored_at_its_own_folder(dags: Path) -> None:
    lay_out(dags, "x.py", "team/x.py", "team/deep/x.py")
    ignore(dags / "team", "/x.py")
    assert discover(dags).files == ("team/deep/x.py", "x.py")


def test_the_ignore_file_nearest_to_a_file_has_the_last_word(dags: Path) -> None:
    lay_out(dags, "x_old.py", "team/x_old.py", "other/x_old.py")
    ignore(dags, "*_old.py")
    ignore(dags / "team", "!x_old.py")
    assert discover(dags).files == ("team/x_old.py",)


def test_a_pattern_that_is_none_is_reported_with_its_line_and_the_others_hold(dags: Path) -> None:
    lay_out(dags, "a.py", "b.py")
    ignore(dags, "a.py", "!")
    found = discover(dags)
    assert found.files == ("b.py",)
    assert len(found.problems) == 1
    assert ".airflowignore:2:" in found.problems[0]


def test_links_are_followed_but_not_in_a_circle(dags: Path, tmp_path: Path) -> None:
    lay_out(tmp_path / "shared", "s.py")
    lay_out(dags, "team/a.py")
    (dags / "linked").symlink_to(tmp_path / "shared")
    (dags / "team" / "up").symlink_to(dags)
    (dags / "nowhere.py").symlink_to(tmp_path / "absent.py")
    (dags / "itself.py").symlink_to(dags / "itself.py")
    assert discover(dags).files == ("linked/s.py", "team/a.py")


def test_what_is_no_regular_file_is_passed_over(dags: Path) -> None:
    os.mkfifo(dags / "pipe.py")
    lay_out(dags, "folder.py/a.py")
    assert discover(dags).files == ("folder.py/a.py",)


def test_a_folder_that_cannot_be_listed_is_named(dags: Path) -> None:
    found = discover(dags / "absent")
    assert found.files == ()
    assert found.unseen == ("",)
    assert "absent" in found.problems[0]


def test_a_file_whose_name_is_no_text_is_reported(dags: Path) -> None:
    Path(os.fsdecode(os.fsencode(dags) + b"/caf\xe9.py")).touch()
    found = discover(dags)
    assert found.files == ()
    assert "rename it" in found.problems[0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"from orchestrator import DAG", True),
        (b"from airflow.sdk import dag", True),
        (b"from orchestrator import workflow", True),
        (b"import airflow\n@asset\ndef a(): ...", True),
        ("from orchestrator import DAG".encode("utf-16"), True),
        (b"def add(a, b): return a + b", False),
        (b"import orchestrator", False),
        (b"DAG = 1", False),
        (b"", False),
    ],
)
def test_a_source_may_hold_dags_if_it_names_them_and_where_they_come_from(source: bytes, expected: bool) -> None:
    assert may_hold_dags(source) is expected
