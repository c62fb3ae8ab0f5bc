"""Config: the settings of one home, read from the environment, its airflow_like.cfg and the defaults, in that order."""

import configparser
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.config.settings import (
    PREFIX,
    SECTIONS,
    Api,
    Auth,
    Callbacks,
    Core,
    DagProcessor,
    Database,
    Logging,
    Oidc,
    Operators,
    Payloads,
    Scheduler,
    Secrets,
    Section,
    Setting,
    Triggerer,
    Workers,
    Workflows,
    settings,
)
from orchestrator.config.values import read, settle
from orchestrator.exceptions import ConfigError
from orchestrator.nearest import did_you_mean

FILE_NAME = "airflow_like.cfg"
HOME_VARIABLE = "ORCHESTRATOR_HOME"


class SourceKind(StrEnum):
    """Where a value can come from."""

    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


class Source(msgspec.Struct, frozen=True):
    """Where a value came from; ``place`` is ``path:line``, or the variable's name, or nothing."""

    kind: SourceKind = SourceKind.DEFAULT
    place: str = ""


class Given(msgspec.Struct, frozen=True):
    """What somebody wrote for a setting, and where; the default is given by nobody."""

    text: str
    source: Source


Place = tuple[str, str]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting with its type; paths are absolute.

    ``given`` says, by (section, key), what was written for a setting, the strongest first.
    """

    home: Path
    core: Core
    database: Database
    scheduler: Scheduler
    dag_processor: DagProcessor
    workers: Workers
    workflows: Workflows
    triggerer: Triggerer
    operators: Operators
    callbacks: Callbacks
    logging: Logging
    payloads: Payloads
    secrets: Secrets
    api: Api
    auth: Auth
    oidc: Oidc
    given: Mapping[Place, tuple[Given, ...]]

    @property
    def fernet_file(self) -> Path:
        """Where the key is kept that secrets are encrypted with, unless one is set."""
        return self.home / "fernet.key"

    @property
    def doorbell(self) -> Path:
        """The named pipe by which other processes wake the scheduler."""
        return self.home / ".doorbell"

    def value(self, setting: Setting) -> Any:
        return getattr(getattr(self, setting.section), setting.key)

    def source(self, setting: Setting) -> Source:
        """Where the value in force comes from."""
        given = self.given.get((setting.section, setting.key))
        return given[0].source if given else Source()


def load_config(environ: Mapping[str, str], cwd: Path) -> Config:
    """The settings of the home that ``environ`` and ``cwd`` lead to; ConfigError names the place of what is wrong."""
    home = find_home(environ, cwd)
    given = _strongest_first(_from_environment(environ), _from_file(home / FILE_NAME))
    sections: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for setting in settings():
        written = given.get((setting.section, setting.key))
        sections[setting.section][setting.key] = (
            _value(setting, written[0], home) if written else settle(setting.default, setting, home)
        )
    structs: dict[str, Any] = {name: struct(**sections[name]) for name, struct in SECTIONS.items()}
    return Config(home=home, given=given, **structs)


def find_home(environ: Mapping[str, str], cwd: Path) -> Path:
    """$ORCHESTRATOR_HOME, else the folder of the nearest airflow_like.cfg from ``cwd`` upwards, else ~/orchestrator."""
    if environ.get(HOME_VARIABLE):
        home = cwd / Path(environ[HOME_VARIABLE]).expanduser()
    else:
        above = (folder for folder in (cwd, *cwd.parents) if (folder / FILE_NAME).is_file())
        home = next(above, Path.home() / "orchestrator")
    if home.exists() and not home.is_dir():
        raise ConfigError(f"the home {home} is not a folder; set {HOME_VARIABLE} to one")
    return home


def _value(setting: Setting, given: Given, home: Path) -> Any:
    try:
        return read(given.text, setting, home)
    except ValueError as error:
        raise ConfigError(f"{given.source.place}: {setting.name} is {given.text!r}; {error}") from None


def _strongest_first(*layers: Mapping[Place, Given]) -> dict[Place, tuple[Given, ...]]:
    places = {place for layer in layers for place in layer}
    return {place: tuple(layer[place] for layer in layers if place in layer) for place in places}


# ── the environment ──────────────────────────────────────────────────────────────────────────────────────


def _from_environment(environ: Mapping[str, str]) -> dict[Place, Given]:
    by_variable = {setting.variable: setting for setting in settings()}
    found: dict[Place, Given] = {}
    for name, text in environ.items():
        if not name.startswith(PREFIX):
            continue
        setting = by_variable.get(name)
        if setting is None:
            raise ConfigError(f"the environment variable {name} names no setting{did_you_mean(name, by_variable)}")
        found[setting.section, setting.key] = Given(text.strip(), Source(SourceKind.ENVIRONMENT, name))
    return found


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────


def _from_file(path: Path) -> dict[Place, Given]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    parser = _parse(text, path)
    lines = dict(_places(text))
    known = {(setting.section, setting.key) for setting in settings()}
    found: dict[Place, Given] = {}
    for section in parser.sections():
        _check_section(section, f"{path}:{lines[section, '']}")
        for key, value in parser.items(section):
            place = f"{path}:{lines.get((section, key), '?')}"
            if (section, key) not in known:
                raise ConfigError(f"{place}: there is no setting [{section}] {key}{_hint(section, key)}")
            found[section, key] = Given(value, Source(SourceKind.FILE, place))
    return found


def _parse(text: str, path: Path) -> configparser.RawConfigParser:
    """The sections and keys of ``text``. No section is everybody's default: each key stands where it counts."""
    parser = configparser.RawConfigParser(default_section="\0", strict=True)
    try:
        parser.read_string(text, source=str(path))
    except configparser.DuplicateSectionError as error:
        raise ConfigError(f"{path}:{error.lineno}: section [{error.section}] stands here twice; join the two") from None
    except configparser.DuplicateOptionError as error:
        twice = f"[{error.section}] {error.option}"
        raise ConfigError(f"{path}:{error.lineno}: {twice} is set twice; keep one") from None
    except configparser.MissingSectionHeaderError as error:
        raise ConfigError(f"{path}:{error.lineno}: a setting stands before the first [section]") from None
    except configparser.ParsingError as error:
        line = error.errors[0][0]
        raise ConfigError(f"{path}:{line}: expected 'key = value', a [section] or a # comment") from None
    return parser


_SECTION = re.compile(r"\[(?P<name>[^]]+)\]")
_KEY = re.compile(r"(?P<name>[^\s#;=:][^=:]*?)\s*[=:]")


def _places(text: str) -> Iterator[tuple[Place, int]]:
    """Where each section (with the key "") and each key stands; configparser does not tell."""
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _SECTION.match(line):
            section = header["name"]
            yield (section, ""), number
        elif entry := _KEY.match(line):
            yield (section, entry["name"].lower()), number


def _check_section(section: str, place: str) -> None:
    if section not in SECTIONS:
        raise ConfigError(f"{place}: there is no section [{section}]{did_you_mean(section, SECTIONS)}")


def _hint(section: str, key: str) -> str:
    elsewhere = [setting.section for setting in settings() if setting.key == key]
    if elsewhere:
        return f"; it belongs in [{elsewhere[0]}]"
    return did_you_mean(key, _keys(SECTIONS[section])) or did_you_mean(key, (s.key for s in settings()))


def _keys(struct: type[Section]) -> tuple[str, ...]:
    return struct.__struct_fields__
