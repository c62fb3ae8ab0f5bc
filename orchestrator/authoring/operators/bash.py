"""BashOperator: runs a command."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Unpack

from orchestrator.authoring.callables import call, checked_arguments
from orchestrator.authoring.checks import Check, checked
from orchestrator.authoring.literal import Literal
from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.operators.commands import Command, exit_codes, names_of_attempt
from orchestrator.authoring.references import Reference
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.settings import TaskSettings
from orchestrator.authoring.templating import Field
from orchestrator.exceptions import AirflowSkipException, CommandError, UsageError

_LONGEST_ARGUMENT = 131_071  # bytes; the kernel's limit


class BashOperator(BaseOperator):
    """Runs a shell command, or a program with its arguments; the last line that it prints is the result.

    ``bash_command`` is a text for bash, the name of a template file ending in .sh or .bash, or a list: a program and
    its arguments, which no shell reads and so nothing in them needs quoting. What comes from outside belongs into
    ``env`` or such a list, never into the text. ``env`` replaces the environment unless ``append_env``; a value in it
    that is no text is passed as JSON. Without ``cwd`` it runs in a folder of its own that is removed afterwards.

    Exit code 0 is success, one of ``skip_on_exit_code`` ends the task as skipped, any other is a CommandError.
    """

    template_fields: Sequence[str] = ("bash_command", "env", "cwd")
    template_ext: Sequence[str] = (".sh", ".bash")

    _command: Command | None = None

    def __init__(
        self,
        *,
        bash_command: str | Sequence[Any] | Reference,
        env: Mapping[str, Any] | Reference | None = None,
        append_env: bool = False,
        output_encoding: str = "utf-8",
        skip_on_exit_code: int | Container[int] | None = 99,
        cwd: str | None = None,
        output_processor: Callable[[str], Any] = str,
        **settings: Unpack[TaskSettings],
    ) -> None:
        super().__init__(**settings)
        self.bash_command = self._checked("bash_command", bash_command, _command)
        self.env = self._checked("env", env, _environment)
        self.append_env = append_env
        self.output_encoding = output_encoding
        self.skip_on_exit_code = exit_codes(skip_on_exit_code)
        self.cwd = cwd
        self.output_processor = output_processor
        if isinstance(bash_command, list | tuple):
            self.template_ext = ()  # ["./load.sh", "x"] names a program

    def execute(self, context: Context) -> Any:
        with ExitStack() as folders:
            argv, cwd = self._argv(folders), self._working_folder(folders)
            self._command = Command(argv, cwd=cwd, env=self.environment(context))
            code, last = self._command.run(self.output_encoding)
        self._judge(code)
        return self.output_processor(last)

    def on_kill(self) -> None:
        """End the command and all that it has started."""
        if self._command is not None:
            self._command.kill()

    def environment(self, context: Context) -> dict[str, str]:
        """The command's environment: the author's, and what the attempt is called, in Airflow's words."""
        env = self._checked("env", self.env, _environment) or {}
        own = {name: value if isinstance(value, str) else json.dumps(value) for name, value in env.items()}
        base = dict(os.environ) if self.env is None or self.append_env else {}
        return {**base, **own, **names_of_attempt(context)}

    def _checked(self, name: str, value: Any, check: Check) -> Any:
        later = isinstance(value, Literal)  # it stands for what it holds once the fields are filled
        return value if later else checked(self.place, f"task {self.task_id!r}", name, value, check)

    def _argv(self, folders: ExitStack) -> list[str]:
        command = self._checked("bash_command", self.bash_command, _command)
        if not isinstance(command, str):
            return [word if isinstance(word, str) else json.dumps(word) for word in command]
        bash = shutil.which("bash") or "bash"
        if len(command.encode()) <= _LONGEST_ARGUMENT:
            return [bash, "-c", command]
        script = Path(folders.enter_context(TemporaryDirectory(prefix="orchestrator-"))) / "command.sh"
        script.write_text(command, encoding="utf-8")
        return [bash, str(script)]

    def _working_folder(self, folders: ExitStack) -> str:
        if self.cwd is None:
            return folders.enter_context(TemporaryDirectory(prefix="orchestrator-"))
        if not Path(self.cwd).is_dir():
            raise CommandError(f"cwd {self.cwd!r} is no folder", 127)
        return self.cwd

    def _judge(self, code: int) -> None:
        if code in self.skip_on_exit_code:
            raise AirflowSkipException(f"the command ended with exit code {code}, which skips the task")
        if code < 0:
            raise CommandError(f"the command was ended by signal {-code} ({signal.strsignal(-code)})", code)
        if code:
            raise CommandError(f"the command failed with exit code {code}", code)


class BashFunctionOperator(BashOperator):
    """What ``@task.bash`` makes: the function returns the command, which is rendered like any template."""

    template_fields = ("op_args", "op_kwargs", "env", "cwd")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Sequence[Any] | Reference | None = None,
        op_kwargs: Mapping[str, Any] | Reference | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(bash_command="", **settings)
        self.python_callable = python_callable
        what = f"task {self.task_id!r}"
        self.op_args, self.op_kwargs = checked_arguments(self.place, what, python_callable, op_args, op_kwargs)

    def execute(self, context: Context) -> Any:
        command = call(self.python_callable, self.op_args, self.op_kwargs, context)
        if not isinstance(command, str | list | tuple):
            raise UsageError(f"task {self.task_id!r}: its function must return a command, not {command!r}")
        extensions = self.template_ext if isinstance(command, str) else ()
        self.bash_command = Field(self, "bash_command", extensions).render(command, context, {})
        return super().execute(context)


def _command(value: Any) -> Any:
    if isinstance(value, str | list | tuple | Reference):
        return value
    raise ValueError("a text for bash, or a list of a program and its arguments")


def _environment(value: Any) -> Any:
    if value is None or isinstance(value, Mapping | Reference):
        return value
    raise ValueError("a dict")
