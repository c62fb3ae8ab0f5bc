"""Groups whose commands are imported when they are called, and not before."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple, Protocol, TypeAlias

import click
from click.shell_completion import CompletionItem

from orchestrator.nearest import did_you_mean


def loaded(target: str) -> Any:
    """What ``module:name`` names, imported now: commands do not pay for each other."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


class Leaf(NamedTuple):
    """A command: where it is, as ``module:name``, and its one line of help."""

    target: str
    summary: str

    def load(self) -> click.Command:
        command = loaded(self.target)
        assert isinstance(command, click.Command), self.target
        return command


class Entry(Protocol):
    """A command that can be had."""

    @property
    def summary(self) -> str: ...

    def load(self) -> click.Command: ...


class Branch(NamedTuple):
    """A group of commands, with its one line of help."""

    summary: str
    commands: Mapping[str, Leaf]


Tree: TypeAlias = Mapping[str, Branch | Leaf]


class LazyGroup(click.Group):
    """Lists its commands from a table; each is imported when somebody asks for it by name."""

    def __init__(self, name: str, tree: Tree, help: str) -> None:  # noqa: A002 - click's own name
        super().__init__(name=name, help=help, no_args_is_help=True)
        self._tree = tree

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [*self._tree, *self.added()]

    def added(self) -> Mapping[str, Entry]:
        """Commands that are in no table."""
        return {}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        entry = self._tree.get(cmd_name) or self.added().get(cmd_name)
        if isinstance(entry, Branch):
            return LazyGroup(cmd_name, entry.commands, entry.summary)
        return None if entry is None else entry.load()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self._tree and not name.startswith("-") and not ctx.resilient_parsing:
            known = self.list_commands(ctx)
            if name not in known:
                raise click.UsageError(f"there is no command {name!r}{did_you_mean(name, known)}", ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self._tree.items()])
        if added := self.added():
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, entry.summary) for name, entry in added.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [
            CompletionItem(name, help=entry.summary)
            for name, entry in [*self._tree.items(), *self.added().items()]
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)
