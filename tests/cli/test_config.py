"""Settings: where they come from, and what is said of a wrong one."""

from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.config import Config, Source, SourceKind, load_config, settings
from orchestrator.exceptions import ConfigError
from orchestrator.names import WeightRule


def load(home: Path, text: str | None = None, **environ: str) -> Config:
    if text is not None:
        (home / "airflow_like.cfg").write_text(text, encoding="utf-8")
    return load_config({"ORCHESTRATOR_HOME": str(home), **environ}, home)


def source(config: Config, section: str, key: str) -> Source:
    return next(config.source(setting) for setting in settings() if (setting.section, setting.key) == (section, key))


def test_without_a_file_every_setting_has_its_default(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert config.core.parallelism == 32
    assert config.core.dags_are_paused_at_creation is False
    assert config.core.default_task_weight_rule is WeightRule.DOWNSTREAM
    assert config.scheduler.task_queued_timeout == timedelta(minutes=10)
    assert {config.source(setting).kind for setting in settings()} == {SourceKind.DEFAULT}


def test_the_file_wins_over_the_default_and_says_its_line(tmp_path: Path) -> None:
    config = load(tmp_path, "# mine\n[core]\n\nparallelism = 8\n")
    assert config.core.parallelism == 8
    assert source(config, "core", "parallelism") == Source(SourceKind.FILE, f"{tmp_path}/airflow_like.cfg:4")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    config = load(tmp_path, "[core]\nparallelism = 8\n", ORCHESTRATOR__CORE__PARALLELISM="2")
    assert config.core.parallelism == 2
    assert source(config, "core", "parallelism").place == "ORCHESTRATOR__CORE__PARALLELISM"


def test_what_was_overridden_is_remembered(tmp_path: Path) -> None:
    config = load(tmp_path, "[core]\nparallelism = 8\n", ORCHESTRATOR__CORE__PARALLELISM="2")
    assert [given.text for given in config.given["core", "parallelism"]] == ["2", "8"]


def test_relative_paths_start_at_the_home(tmp_path: Path) -> None:
    config = load(tmp_path, "[core]\ndags_folder = pipelines\n[logging]\nbase_log_folder = /var/log/x\n")
    assert config.core.dags_folder == tmp_path / "pipelines"
    assert config.logging.base_log_folder == Path("/var/log/x")
    assert config.database.sql_alchemy_conn == f"sqlite:///{tmp_path}/orchestrator.db"
    assert config.payloads.url == str(tmp_path / "payloads")


def test_the_url_of_a_server_or_an_object_store_stays_as_it_is(tmp_path: Path) -> None:
    config = load(tmp_path, "[database]\nsql_alchemy_conn = postgresql://u@db/x\n[payloads]\nurl = s3://bucket/x\n")
    assert config.database.sql_alchemy_conn == "postgresql://u@db/x"
    assert config.payloads.url == "s3://bucket/x"


def test_the_home_is_the_folder_of_the_nearest_file_upwards(tmp_path: Path) -> None:
    (tmp_path / "airflow_like.cfg").touch()
    inside = tmp_path / "dags" / "deep"
    inside.mkdir(parents=True)
    assert load_config({}, inside).home == tmp_path


def test_without_any_file_the_home_is_in_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_config({}, Path("/")).home == tmp_path / "orchestrator"
    assert not (tmp_path / "orchestrator").exists()


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(ConfigError, match="not a folder"):
        load(tmp_path / "home")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[core]\nparalelism = 3", 2, "no setting [core] paralelism; did you mean 'parallelism'?"),
        ("\n[cor]\n", 2, "no section [cor]; did you mean 'core'?"),
        ("[core]\ntask_queued_timeout = 3", 2, "it belongs in [scheduler]"),
        ("[core]\nparallelism = many", 2, "expected a whole number, 1 or more"),
        ("[core]\nparallelism = 0", 2, "expected a whole number, 1 or more"),
        ("[core]\nparallelism =", 2, "expected a whole number, 1 or more"),
        ("[core]\ndags_are_paused_at_creation = maybe", 2, "expected True or False"),
        ("[core]\ndefault_task_weight_rule = downstraem", 2, "did you mean 'downstream'?"),
        ("[core]\ndefault_timezone = Mars/Olympus", 2, "IANA time zone"),
        ("[core]\ndags_folder =", 2, "expected a path"),
        ("[core]\nexecutor = LocalExecutor, CeleryExecutor", 2, "expected one executor"),
        ("[scheduler]\nshutdown_grace = -1", 2, "expected a number of seconds"),
        ("[scheduler]\nshutdown_grace = nan", 2, "expected a number of seconds"),
        ("[core]\nparallelism = 1\nparallelism = 2", 3, "set twice"),
        ("[core]\n[core]", 2, "twice"),
        ("parallelism = 1", 1, "before the first [section]"),
        ("[core]\nparallelism", 2, "expected 'key = value'"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/airflow_like.cfg:{line}: ")
    assert words in str(caught.value)


def test_an_unknown_variable_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ORCHESTRATOR__CORE__PARALELISM.*mean 'ORCHESTRATOR__CORE__PARALLELISM'"):
        load(tmp_path, ORCHESTRATOR__CORE__PARALELISM="3")


def test_a_bad_value_in_a_variable_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^ORCHESTRATOR__CORE__PARALLELISM: .*whole number"):
        load(tmp_path, ORCHESTRATOR__CORE__PARALLELISM="lots")


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "airflow_like.cfg").write_bytes(b"[core]\n# caf\xe9\n")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "airflow_like.cfg").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize("text", ["True", "true", "t", "1", "yes", "on"])
def test_flags_are_read_as_airflow_reads_them(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, f"[core]\ndags_are_paused_at_creation = {text}").core.dags_are_paused_at_creation is True


def test_the_zone_utc_is_known_by_airflows_spelling(tmp_path: Path) -> None:
    assert load(tmp_path).core.default_timezone == "UTC"
    assert load(tmp_path, "[core]\ndefault_timezone = Europe/Brussels").core.default_timezone == "Europe/Brussels"
