"""Builders: the commands by which uv, or venv and pip, make an environment of a recipe."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from orchestrator.authoring.environments.recipe import Recipe
from orchestrator.exceptions import EnvironmentBuildError

Method: TypeAlias = Literal["auto", "uv", "pip"]

_INDEX_VARIABLES = frozenset(
    {
        *(f"PIP_{name}" for name in ("INDEX_URL", "EXTRA_INDEX_URL", "NO_INDEX")),
        *(f"UV_{name}" for name in ("DEFAULT_INDEX", "INDEX", "INDEX_URL", "EXTRA_INDEX_URL", "NO_INDEX")),
    }
)
_QUIET = {"NO_COLOR": "1", "UV_NO_PROGRESS": "1", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


class Step(NamedTuple):
    """One command, with the whole environment that it is given."""

    argv: Sequence[str]
    variables: Mapping[str, str]


class Builder(NamedTuple):
    """``uv`` is the path of that program; None: it is done with venv and pip."""

    uv: str | None

    @property
    def name(self) -> str:
        return "pip" if self.uv is None else "uv"

    def steps(self, recipe: Recipe, folder: Path, requirements: Path) -> Iterator[Step]:
        """What makes the environment in ``folder``, which is empty; ``requirements`` is a file of its lines."""
        variables = {**_inherited(recipe), **_QUIET, **self._indexes(recipe)}
        yield Step(self._create(recipe, folder), variables)
        if recipe.requirements:
            yield Step([*self._install(folder), *recipe.options, "-r", str(requirements)], variables)

    def _create(self, recipe: Recipe, folder: Path) -> list[str]:
        shared = ["--system-site-packages"] if recipe.system_site_packages else []
        if self.uv is not None:
            asked = sys.executable if recipe.is_for_this_python else str(recipe.python_version)
            return [self.uv, "venv", "--quiet", "--no-project", "--python", asked, *shared, str(folder)]
        bare = [] if recipe.requirements else ["--without-pip"]
        return [_interpreter(recipe), "-m", "venv", *bare, *shared, str(folder)]

    def _install(self, folder: Path) -> list[str]:
        python = str(python_of(folder))
        if self.uv is not None:
            return [self.uv, "pip", "install", "--python", python]
        return [python, "-m", "pip", "install"]

    def _indexes(self, recipe: Recipe) -> dict[str, str]:
        """By variables, since anybody on the machine may read a command line, and a URL may have a password in it."""
        if recipe.index_urls is None:
            return {}
        prefix = self.name.upper()
        if not recipe.index_urls:
            return {f"{prefix}_NO_INDEX": "1"}
        first, others = recipe.index_urls[0], " ".join(recipe.index_urls[1:])
        names = ("UV_DEFAULT_INDEX", "UV_INDEX") if self.uv is not None else ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
        return {names[0]: first, **({names[1]: others} if others else {})}


def builder(method: Method) -> Builder:
    """The one that ``method`` asks for; "auto": uv, if it is beside the Python that runs now or on PATH."""
    if method == "pip":
        return Builder(None)
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if os.access(beside, os.X_OK) else shutil.which("uv")
    if uv is None and method == "uv":
        raise EnvironmentBuildError(
            "[core] venv_install_method is uv, and there is no uv on this machine; install it, or set pip"
        )
    return Builder(uv)


def python_of(folder: Path) -> Path:
    """The interpreter of the environment in ``folder``."""
    return folder / "bin" / "python"


def _interpreter(recipe: Recipe) -> str:
    if recipe.is_for_this_python:
        return sys.executable
    found = shutil.which(f"python{recipe.python_version}")
    if found is None:
        raise EnvironmentBuildError(
            f"there is no python{recipe.python_version} on this machine's PATH; install it, or uv, which can fetch one"
        )
    return found


def _inherited(recipe: Recipe) -> dict[str, str]:
    left_out = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", *(() if recipe.index_urls is None else _INDEX_VARIABLES)}
    return {name: value for name, value in os.environ.items() if name not in left_out}
