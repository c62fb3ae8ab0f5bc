"""The commands of plugins: their names come from what was found out when the plugins last changed."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from orchestrator.cli.lazy import Entry, LazyGroup
from orchestrator.exceptions import OrchestratorError

if TYPE_CHECKING:
    from orchestrator.plugins.cards import Card

_DOORS = ("orchestrator.cli.edge", "orchestrator.assembly.plugins", "orchestrator.assembly.plugin_code")
"""Imported when they are needed, as every command is: most command lines are none of a plugin's."""


class PluginLeaf(NamedTuple):
    """A command of a plugin, which is loaded when it is called."""

    card: "Card"
    name: str
    summary: str

    def load(self) -> click.Command:
        edge, code = import_module(_DOORS[0]), import_module(_DOORS[2])
        command, active = code.command_of(edge.own_config(), self.card, self.name)
        assert isinstance(command, click.Command), self.card
        command.__dict__["invoke"] = self._at_home(command.invoke, active)
        return command

    def _at_home(
        self, invoke: Callable[[click.Context], Any], active: Callable[[], AbstractContextManager[None]]
    ) -> Callable[[click.Context], Any]:
        """The same where imports find the plugin's modules; what its code raises is no defect of this program."""

        def invoke_plugin(context: click.Context) -> Any:
            try:
                with active():
                    return invoke(context)
            except (click.ClickException, click.Abort, click.exceptions.Exit, OrchestratorError):
                raise
            except Exception as error:
                edge, code = import_module(_DOORS[0]), import_module(_DOORS[2])
                raise code.blamed(edge.own_config(), self.card, error) from error

        return invoke_plugin


class PluggedGroup(LazyGroup):
    """Has the commands of plugins too, which are asked for only by those who list commands or call one of them."""

    def added(self) -> Mapping[str, Entry]:
        return self._added

    @cached_property
    def _added(self) -> Mapping[str, Entry]:
        edge, plugins = import_module(_DOORS[0]), import_module(_DOORS[1])
        try:
            cards: tuple[Card, ...] = plugins.roll(edge.own_config()).cards
        except OrchestratorError:
            return {}  # help is shown all the same, and every other command says what is wrong
        return {
            name: PluginLeaf(card, name, summary)
            for card in reversed(cards)
            for name, summary in card.commands.items()
            if name not in self._tree
        }
