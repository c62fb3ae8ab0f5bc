"""``conf``: the settings of this program under Airflow's names, and time zones by them."""

import importlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.compat.airflow import configuration, timezone
from orchestrator.compat.airflow.configuration import conf
from orchestrator.exceptions import ConfigError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__ACME__REGIONS", "eu, us")
    monkeypatch.setenv("AIRFLOW__ACME__IS_LARGE", "T")
    monkeypatch.setenv("AIRFLOW__ACME__SHAPE", '{"sides": 3}')
    (tmp_path / "airflow_like.cfg").write_text("[core]\nparallelism = 7\ndefault_timezone = Europe/Brussels\n")
    configuration._config.cache_clear()
    yield tmp_path
    configuration._config.cache_clear()


def test_a_setting_of_this_program_is_read_as_it_is_in_force(home: Path) -> None:
    assert conf.get("core", "parallelism") == "7"
    assert conf.getint("core", "parallelism") == 7
    assert conf.get("core", "dags_folder") == str(home / "dags")
    assert conf.getboolean("operators", "default_deferrable", fallback=True) is False
    assert conf.gettimedelta("core", "dagbag_import_timeout") == timedelta(seconds=30)


def test_an_authors_own_section_comes_from_the_environment() -> None:
    assert conf.getlist("acme", "regions") == ["eu", "us"]
    assert conf.getboolean("ACME", "is_large") is True
    assert conf.getjson("acme", "shape") == {"sides": 3}
    assert conf.getsection("acme") == {"regions": "eu, us", "is_large": "T", "shape": '{"sides": 3}'}
    assert conf.has_option("acme", "regions")
    assert not conf.has_option("acme", "colours")


def test_what_is_set_nowhere_is_the_fallback_or_a_sentence() -> None:
    assert conf.get("kubernetes_executor", "namespace", fallback=None) is None
    assert conf.getint("acme", "size", fallback=4) == 4
    with pytest.raises(ConfigError, match=r"^\[acme\] size is no setting of this program; give conf.get a fallback"):
        conf.getint("acme", "size")
    with pytest.raises(ConfigError, match=r"did you mean 'parallelism'\?"):
        conf.get("core", "paralelism")


def test_a_value_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"\[acme\] regions is 'eu, us', which is not a whole number"):
        conf.getint("acme", "regions")
    with pytest.raises(ConfigError, match="which is not true or false"):
        conf.getboolean("acme", "regions")


@pytest.mark.parametrize(
    "place", [("core", "fernet_key"), ("database", "sql_alchemy_conn"), ("secrets", "backend_kwargs")]
)
def test_secrets_of_the_program_are_given_to_no_file(place: tuple[str, str]) -> None:
    with pytest.raises(ConfigError, match="is a secret of this program"):
        conf.get(*place, fallback="x")
    assert place[1] not in (conf.getsection(place[0]) or {})


def test_what_airflow_has_as_constants_is_there(home: Path) -> None:
    assert str(home) == configuration.AIRFLOW_HOME  # type: ignore[attr-defined]
    assert str(configuration.TIMEZONE.name) == "Europe/Brussels"  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        _ = importlib.import_module(configuration.__name__).NO_SUCH_NAME


def test_naive_moments_are_of_the_default_time_zone() -> None:
    winter = timezone.datetime(2026, 1, 1)
    assert winter.utcoffset() == timedelta(hours=1)
    assert timezone.parse("2026-01-01T12:00").utcoffset() == timedelta(hours=1)
    assert timezone.utcnow().utcoffset() == timedelta(0)
    assert timezone.convert_to_utc(timezone.make_naive(winter)) == winter
