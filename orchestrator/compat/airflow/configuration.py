"""``airflow.configuration.conf``: the settings of this program under Airflow's names, for DAG files that read them.

What Airflow calls otherwise is translated. Any other section is the author's own, and is read from the environment as
in Airflow: ``AIRFLOW__SECTION__KEY``. Secrets of this program are given to nobody.
"""

import json
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pendulum

from orchestrator.config import Config, Setting, is_secret, load_config, settings, write
from orchestrator.exceptions import ConfigError
from orchestrator.nearest import did_you_mean

_NOTHING: Any = object()
_TRUE, _FALSE = frozenset({"t", "true", "1"}), frozenset({"f", "false", "0"})
_HIDDEN = frozenset({("database", "sql_alchemy_conn")})
_CONSTANT: Mapping[tuple[str, str], str] = {
    ("core", "load_examples"): "False",
    ("core", "unit_test_mode"): "False",
    ("operators", "default_owner"): "airflow",
    ("operators", "default_queue"): "default",
    ("email", "default_email_on_failure"): "True",
    ("email", "default_email_on_retry"): "True",
}
"""What is so here, and no setting."""
_RENAMED: Mapping[tuple[str, str], tuple[str, str]] = {
    ("dag_processor", "dagbag_import_timeout"): ("core", "dagbag_import_timeout"),
    ("scheduler", "parsing_processes"): ("dag_processor", "parsing_processes"),
    ("triggerer", "default_capacity"): ("triggerer", "capacity"),
}


class AirflowConfig:
    """What ``conf`` is. Each question takes a ``fallback``, for where nothing is set; else it is a ConfigError."""

    def get(self, section: str, key: str, fallback: Any = _NOTHING, **_kwargs: Any) -> Any:
        """The text of a setting."""
        found = _text(section.lower(), key.lower())
        if found is not None:
            return found
        if fallback is not _NOTHING:
            return fallback
        raise ConfigError(_unset(section, key))

    def get_mandatory_value(self, section: str, key: str, **kwargs: Any) -> str:
        """The text of a setting that has to be there."""
        found = self.get(section, key, **kwargs)
        if found is None:
            raise ConfigError(_unset(section, key))
        return str(found)

    def getboolean(self, section: str, key: str, fallback: Any = _NOTHING, **_kwargs: Any) -> Any:
        """true, t and 1 are True; false, f and 0 are False; however they are written."""
        return self._read(section, key, fallback, _flag, "true or false")

    def getint(self, section: str, key: str, fallback: Any = _NOTHING, **_kwargs: Any) -> Any:
        return self._read(section, key, fallback, int, "a whole number")

    def getfloat(self, section: str, key: str, fallback: Any = _NOTHING, **_kwargs: Any) -> Any:
        return self._read(section, key, fallback, float, "a number")

    def getlist(self, section: str, key: str, delimiter: str = ",", fallback: Any = _NOTHING, **_kwargs: Any) -> Any:
        """What stands between the delimiters."""
        return self._read(section, key, fallback, lambda text: _parts(text, delimiter), "a list")

    def getjson(self, section: str, key: str, fallback: Any = None, **_kwargs: Any) -> Any:
        return self._read(section, key, fallback, json.loads, "JSON")

    def gettimedelta(self, section: str, key: str, fallback: Any = None, **_kwargs: Any) -> Any:
        """Of so many seconds."""
        return self._read(section, key, fallback, lambda text: timedelta(seconds=int(text)), "a number of seconds")

    def has_option(self, section: str, option: str, **_kwargs: Any) -> bool:
        """Whether ``get`` finds something."""
        return _text(section.lower(), option.lower()) is not None

    def getsection(self, section: str, **_kwargs: Any) -> dict[str, Any] | None:
        """All that is set in a section, as texts; None where nothing is."""
        prefix = f"AIRFLOW__{section.upper()}__"
        named = {name.removeprefix(prefix).lower() for name in os.environ if name.startswith(prefix)}
        named |= {one.key for one in settings() if one.section == section.lower()}
        found = {key: self.get(section, key) for key in sorted(named) if not _is_hidden(section.lower(), key)}
        return found or None

    def _read(self, section: str, key: str, fallback: Any, read: Callable[[str], Any], words: str) -> Any:
        found = self.get(section, key, fallback)
        if found is None or not isinstance(found, str):
            return found  # the fallback, as it was given
        try:
            return read(found.strip())
        except ValueError:
            raise ConfigError(f"[{section}] {key} is {found!r}, which is not {words}") from None


conf = AirflowConfig()


def home() -> str:
    """The folder that all else of this program lies in."""
    return str(_config().home)


def default_timezone() -> pendulum.Timezone:
    """That of moments which name none."""
    return pendulum.timezone(_config().core.default_timezone)


def __getattr__(name: str) -> Any:
    """What Airflow has as constants of its modules."""
    if name not in _NAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _NAMED[name]()


_NAMED: Mapping[str, Callable[[], Any]] = {
    "AIRFLOW_HOME": home,
    "DAGS_FOLDER": lambda: conf.get("core", "dags_folder"),
    "PLUGINS_FOLDER": lambda: conf.get("core", "plugins_folder"),
    "TIMEZONE": default_timezone,
}


def _text(section: str, key: str) -> str | None:
    if _is_hidden(section, key):
        raise ConfigError(f"[{section}] {key} is a secret of this program, and no DAG file is given it")
    section, key = _RENAMED.get((section, key), (section, key))
    setting = _settings().get((section, key))
    if setting is not None:
        value = _config().value(setting)
        return str(value) if isinstance(value, Path) else write(value)
    constant = _CONSTANT.get((section, key))
    return os.environ.get(f"AIRFLOW__{section}__{key}".upper(), constant)


def _is_hidden(section: str, key: str) -> bool:
    setting = _settings().get((section, key))
    return (section, key) in _HIDDEN or (setting is not None and is_secret(setting))


@cache
def _settings() -> dict[tuple[str, str], Setting]:
    return {(one.section, one.key): one for one in settings()}


@cache
def _config() -> Config:
    return load_config(os.environ, Path.cwd())


def _unset(section: str, key: str) -> str:
    near = did_you_mean(key, (one.key for one in settings() if one.section == section.lower()))
    return (
        f"[{section}] {key} is no setting of this program{near}; give conf.get a fallback, or set the environment "
        f"variable AIRFLOW__{section.upper()}__{key.upper()}"
    )


def _flag(text: str) -> bool:
    word = text.partition("#")[0].strip().lower()
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise ValueError(text)


def _parts(text: str, delimiter: str) -> list[str]:
    return [part.strip() for part in text.split(delimiter)] if text else []
