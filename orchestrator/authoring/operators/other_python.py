"""Tasks whose function runs in another Python: ExternalPythonOperator, and what all of them have."""

import os
from abc import abstractmethod
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from orchestrator.authoring.branching import Branching
from orchestrator.authoring.callables import from_context, parameters_of
from orchestrator.authoring.context import CONTEXT_KEYS
from orchestrator.authoring.environments.calling import PASSED, Body, called
from orchestrator.authoring.environments.parcel import Serializer, checked_serializer
from orchestrator.authoring.environments.source import check_body, source_of
from orchestrator.authoring.operators.commands import Command, exit_codes, names_of_attempt
from orchestrator.authoring.operators.python import PythonOperator
from orchestrator.authoring.references import Reference
from orchestrator.authoring.runtime import Context, current_runtime
from orchestrator.exceptions import CommandError


class OtherPythonOperator(PythonOperator):
    """Calls its function in a Python of its own process, which need not have this program.

    The function is taken out of its file: it sees its arguments, ``virtualenv_string_args``, what it imports itself,
    and of the context the keys that are texts, moments or plain values. What it prints is the log, what it raises
    fails the task, and what it returns is the result. ``serializer`` is how arguments and result pass. ``env_vars``
    add to the environment variables, or are all of them unless ``inherit_env``. ``expect_airflow`` is taken and
    changes nothing: nothing of Airflow's is loaded there.
    """

    _command: Command | None = None

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        serializer: Serializer | None = None,
        string_args: Iterable[str] | None = None,
        expect_airflow: bool = True,
        expect_pendulum: bool = False,
        use_airflow_context: bool = False,
        skip_on_exit_code: int | Container[int] | None = None,
        env_vars: Mapping[str, str] | None = None,
        inherit_env: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(python_callable=python_callable, **settings)
        what = f"task {self.task_id!r}"
        check_body(self.place, what, python_callable)
        self.serializer = checked_serializer(self.place, what, serializer)
        self.string_args = list(string_args or ())
        self.expect_airflow = expect_airflow
        self.expect_pendulum = expect_pendulum
        self.skip_on_exit_code = exit_codes(skip_on_exit_code)
        self.env_vars = dict(env_vars or {})
        self.inherit_env = inherit_env
        if use_airflow_context:
            raise self.place.refuse(f"{what}: there is no get_current_context() in another Python; {_INSTEAD}")
        self._check_parameters(what)

    def execute(self, context: Context) -> Any:
        if self.templates_dict is not None:
            context["templates_dict"] = self.templates_dict
        given = {name: context[name] for name in PASSED if name in context}
        body = Body(
            self.task_id,
            source_of(self.python_callable),
            self.serializer,
            self.op_args,
            self.op_kwargs,
            from_context(self.python_callable, self.op_args, self.op_kwargs, given),
            self.string_args,
            self.expect_pendulum,
        )
        with self.interpreter() as python:
            variables = {**self._variables(python), **names_of_attempt(context)}
            return called(body, python, lambda argv: self.run_command(argv, variables), self.skip_on_exit_code)

    @abstractmethod
    def interpreter(self) -> AbstractContextManager[Path]:
        """The Python that the function is to run in; it stays there while this is entered."""

    def on_kill(self) -> None:
        """End the other process and all that it has started."""
        if self._command is not None:
            self._command.kill()

    def run_command(
        self, argv: Sequence[str], variables: Mapping[str, str], listener: Callable[[str], object] | None = None
    ) -> int:
        """The program's exit code; it is ended with the attempt, and what it prints is a sign of life."""

        def heard(text: str) -> None:
            self.beat()
            if listener is not None:
                listener(text)

        self._command = Command(argv, cwd=str(Path.cwd()), env=variables)
        code, _last = self._command.run(listener=heard, in_silence=None if listener is None else self.beat)
        return code

    def beat(self, _: object = None) -> None:
        """Say that the attempt is alive, if anybody listens for that."""
        runtime = current_runtime()
        if self.heartbeat_timeout is not None and runtime is not None:
            runtime.heartbeat(None)

    def _variables(self, python: Path) -> dict[str, str]:
        inherited = dict(os.environ) if self.inherit_env else {}
        inherited.pop("PYTHONHOME", None)
        path = os.pathsep.join(part for part in (str(python.parent), inherited.get("PATH", os.defpath)) if part)
        return {**inherited, "PATH": path, "PYTHONIOENCODING": "utf-8", **self.env_vars}

    def _check_parameters(self, what: str) -> None:
        parameters = parameters_of(self.python_callable)
        required = () if parameters is None else parameters.from_context
        for name in required:
            default = parameters.signature.parameters[name].default if parameters is not None else None
            is_given = isinstance(self.op_kwargs, Mapping) and name in self.op_kwargs
            if name in CONTEXT_KEYS - PASSED and default is not None and not is_given:
                raise self.place.refuse(
                    f"{what}: {name!r} of the context cannot be passed to another Python; {_INSTEAD}"
                )


_INSTEAD = "pass the values that the function needs as arguments, such as templates of op_kwargs"


class ExternalPythonOperator(OtherPythonOperator):
    """Calls its function in the Python at the absolute path ``python``, as it is."""

    template_fields: Sequence[str] = ("python", "templates_dict", "op_args", "op_kwargs")

    def __init__(self, *, python: str | os.PathLike[str] | Reference, **settings: Any) -> None:
        super().__init__(**settings)
        self.python: Any = python if isinstance(python, Reference) or not python else os.fspath(python)
        if not self.python:
            raise self.place.refuse(f"task {self.task_id!r}: python must be the path of a Python, not {python!r}")

    def interpreter(self) -> AbstractContextManager[Path]:
        path = Path(self.python)
        if not path.is_absolute() or not path.is_file() or not os.access(path, os.X_OK):
            raise CommandError(f"task {self.task_id!r}: python={self.python!r} is no absolute path of a program", 127)
        return nullcontext(path)


class BranchExternalPythonOperator(Branching, ExternalPythonOperator):
    """Goes on with the tasks whose id, or list of ids, its function returns there; see Branching."""
