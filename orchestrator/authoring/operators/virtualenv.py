"""PythonVirtualenvOperator: a function that runs in an environment of its own requirements."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from orchestrator.authoring.branching import Branching
from orchestrator.authoring.connection import Connection
from orchestrator.authoring.environments.builders import builder, python_of
from orchestrator.authoring.environments.building import Building
from orchestrator.authoring.environments.cache import EnvironmentCache
from orchestrator.authoring.environments.keeping import kept_environments
from orchestrator.authoring.environments.recipe import Recipe, requirement_lines
from orchestrator.authoring.masking import mask_secret
from orchestrator.authoring.operators.other_python import OtherPythonOperator
from orchestrator.authoring.references import Reference
from orchestrator.authoring.variable import Variable
from orchestrator.exceptions import UsageError

logger = logging.getLogger("orchestrator")

_CACHE_KEY = "python_virtualenv_operator_cache_key"


class PythonVirtualenvOperator(OtherPythonOperator):
    """Calls its function in an environment with ``requirements``, built by uv or pip when it is first asked for.

    ``requirements`` is a list, a text of several lines, or the name of a template file that ends in .txt.
    ``python_version`` is "3.12" or the like, by default that of the worker. ``pip_install_options`` are passed on.
    ``index_urls``, and those of ``index_urls_from_connection_ids`` after them, are asked instead of the machine's own
    indexes; an empty list means none. Environments are kept in ``[core] venv_cache_folder``, or in
    ``venv_cache_path``, and shared by all tasks that ask for the same.
    """

    template_fields: Sequence[str] = (
        "requirements",
        "index_urls",
        "index_urls_from_connection_ids",
        "venv_cache_path",
        "templates_dict",
        "op_args",
        "op_kwargs",
    )

    def __init__(
        self,
        *,
        requirements: str | os.PathLike[str] | Sequence[str] | Reference | None = None,
        python_version: str | None = None,
        system_site_packages: bool = True,
        pip_install_options: Sequence[str] | None = None,
        index_urls: Sequence[str] | str | None = None,
        index_urls_from_connection_ids: Sequence[str] | str | None = None,
        venv_cache_path: str | os.PathLike[str] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.requirements = _no_templates(self._texts("requirements", requirements) or [])
        self.python_version = self._version(python_version)
        self.system_site_packages = system_site_packages
        self.pip_install_options = self._texts("pip_install_options", pip_install_options) or []
        self.index_urls = self._texts("index_urls", index_urls)
        self.index_urls_from_connection_ids = self._texts(
            "index_urls_from_connection_ids", index_urls_from_connection_ids
        )
        self.venv_cache_path = None if venv_cache_path is None else os.fspath(venv_cache_path)

    def extensions_of(self, field: str) -> tuple[str, ...]:
        """A text among the requirements that ends in .txt names a file; an argument of the function does not."""
        return (".txt", *self.template_ext) if field == "requirements" else tuple(self.template_ext)

    @contextmanager
    def interpreter(self) -> Iterator[Path]:
        kept = kept_environments()
        recipe = self._recipe()
        cache = EnvironmentCache(kept.folder if self.venv_cache_path is None else Path(self.venv_cache_path))
        building = Building(self.task_id, recipe, builder(kept.method), self.run_command)
        waits = _Once("another attempt builds the same environment; this one waits for it")

        def waiting() -> None:
            waits.say()
            self.beat()

        with cache.held(recipe.key, building.build, waiting) as folder:
            yield python_of(folder)

    def _recipe(self) -> Recipe:
        lines = list(requirement_lines(self._texts("requirements", self.requirements)))
        if self.serializer in ("cloudpickle", "dill") and not any(line.startswith(self.serializer) for line in lines):
            lines.append(self.serializer)
        return Recipe(
            requirements=tuple(
                f"-r {line}" if line.startswith("/") and line.endswith(".txt") else line for line in lines
            ),
            python_version=self.python_version,
            system_site_packages=self.system_site_packages,
            options=tuple(self.pip_install_options or ()),
            index_urls=self._indexes(),
            cache_key=str(Variable.get(_CACHE_KEY, default="")),
        )

    def _indexes(self) -> tuple[str, ...] | None:
        found = [_index_url(name) for name in self.index_urls_from_connection_ids or ()]
        if self.index_urls is None and not found:
            return None
        urls = (*(self.index_urls or ()), *found)
        for url in urls:
            mask_secret(urlsplit(url).password)
        return urls

    def _texts(self, name: str, value: Any) -> Any:
        """A list of texts, or None; a reference stands for either."""
        if value is None or isinstance(value, Reference):
            return value
        several = [value] if isinstance(value, str | os.PathLike) else value
        try:
            found = [item if isinstance(item, Reference) else os.fspath(item) for item in several]
        except TypeError:
            raise self.place.refuse(f"task {self.task_id!r}: {name} must be a list of texts, not {value!r}") from None
        return found

    def _version(self, value: Any) -> str | None:
        parts = value.split(".") if isinstance(value, str) else []
        if value is not None and not (0 < len(parts) <= 3 and parts[0] == "3" and all(map(str.isdigit, parts))):
            raise self.place.refuse(
                f"task {self.task_id!r}: python_version must be a text such as '3.12', of Python 3, not {value!r}"
            )
        return None if value is None else str(value)


class BranchPythonVirtualenvOperator(Branching, PythonVirtualenvOperator):
    """Goes on with the tasks whose id, or list of ids, its function returns there; see Branching."""


def _no_templates(requirements: Any) -> Any:
    """Lines for pip that end in .txt name files to pip: with a space at the end they are no names of templates."""
    if isinstance(requirements, Reference):
        return requirements
    return [
        f"{text} " if isinstance(text, str) and (text.startswith(("-", "/")) or "\n" in text) else text
        for text in requirements
    ]


class _Once:
    """Something that is said once."""

    def __init__(self, words: str) -> None:
        self._words = words

    def say(self) -> None:
        words, self._words = self._words, ""
        if words:
            logger.info(words)


def _index_url(conn_id: str) -> str:
    """The URL of a connection of type package_index: its host, with login and password put in."""
    connection = Connection.get(conn_id)
    parts = urlsplit(str(connection.host or ""))
    if not parts.scheme or not parts.netloc:
        raise UsageError(
            f"connection {conn_id!r} has the host {connection.host!r}, which is no index; give it the URL of one, such "
            f"as https://packages.example.com/simple"
        )
    if connection.login is None and connection.password is None:
        return urlunsplit(parts)
    login, password = quote(connection.login or "", safe=""), quote(connection.password or "", safe="")
    return urlunsplit(parts._replace(netloc=f"{login}:{password}@{parts.netloc.rpartition('@')[2]}"))
