"""Replays: the runs whose code stands ready in this process; each activation is answered, or its history asked for."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

import msgspec

from orchestrator.core import values
from orchestrator.core.activations import Activation, Advance, Block, FactsWanted, ReplayLost, Standing, Word
from orchestrator.core.events import Recorded, RunContinued, RunCreated
from orchestrator.core.particulars import Failure
from orchestrator.exceptions import NotFoundError, StorageError, StorageUnavailableError
from orchestrator.names import BlockKind
from orchestrator.worker.blue.codes import Codes
from orchestrator.worker.blue.loading import BlockedError, Loader
from orchestrator.worker.blue.payloads import BluePayloads
from orchestrator.worker.blue.player import Player
from orchestrator.worker.blue.theatre import Theatre
from orchestrator.worker.failure import failure_of


class _Wanting:
    """An activation that facts go before; ``player`` has been told a part of its history, or nothing yet."""

    __slots__ = ("activation", "player")

    def __init__(self, activation: Activation, player: Player | None) -> None:
        self.activation = activation
        self.player = player


class Replays:
    """Keeps the ``kept`` runs that had news last; the others are replayed when there is news for them.

    ``remark`` is told of what a person should know.
    """

    def __init__(
        self,
        codes: Codes,
        loader: Loader,
        theatre: Theatre,
        payloads: BluePayloads,
        *,
        kept: int,
        remark: Callable[[str], None],
    ) -> None:
        self._codes = codes
        self._loader = loader
        self._theatre = theatre
        self._payloads = payloads
        self._kept = kept
        self._remark = remark
        self._players: OrderedDict[int, Player] = OrderedDict()
        self._wanting: dict[int, _Wanting] = {}

    def activate(self, activation: Activation) -> Word:
        """Tell the run its news: what its code asks for, that the facts before are needed, or that it must wait."""
        run_key = activation.run_key
        self._theatre.enter(run_key)
        player = self._players.get(run_key)
        if _is_beginning(activation.facts):
            self.forget([run_key])
            return self._play(activation, None)
        if player is None or player.at > activation.after or player.version_id != activation.version_id:
            self.forget([run_key])
            return self._want(_Wanting(activation, None))
        if player.at < activation.after:
            del self._players[run_key]
            return self._want(_Wanting(activation, player))
        return self._play(activation, player)

    def _want(self, wanting: _Wanting) -> FactsWanted:
        """Ask for what its code lacks: so much came at once that it was left out, or all of it."""
        run_key = wanting.activation.run_key
        self._wanting[run_key] = wanting
        return FactsWanted(run_key=run_key, after=0 if wanting.player is None else wanting.player.at)

    def supply(self, run_key: int, facts: Sequence[Recorded], *, is_all: bool) -> Word | None:
        """Take in facts that were wanted; None if they are wanted no more."""
        self._theatre.enter(run_key)
        wanting = self._wanting.get(run_key)
        if wanting is None:
            return None
        if wanting.player is not None and _is_beginning(facts):  # its code began anew meanwhile
            self._close(wanting.player)
            wanting.player = None
        if is_all:
            del self._wanting[run_key]
            whole = msgspec.structs.replace(wanting.activation, facts=(*facts, *wanting.activation.facts))
            return self._play(whole, wanting.player)
        try:
            wanting.player = wanting.player or self._begin(wanting.activation)
        except BlockedError as error:
            del self._wanting[run_key]
            return _blocked(wanting.activation, error.block)
        self._codes.activate(wanting.player.code)
        try:
            wanting.player.listen(facts)
        except (NotFoundError, StorageError) as error:
            self.forget([run_key])
            return _without(wanting.activation, error)
        if facts:
            wanting.player.at = facts[-1].seq
        return FactsWanted(run_key=run_key, after=wanting.player.at)

    def forget(self, run_keys: Sequence[int]) -> None:
        """Drop what is held of these."""
        for run_key in run_keys:
            wanting = self._wanting.pop(run_key, None)
            player = self._players.pop(run_key, None) or (None if wanting is None else wanting.player)
            if player is not None:
                self._close(player)

    def ask(self, run_key: int, name: str, payload: msgspec.Raw) -> msgspec.Raw | Failure:
        """What the code of a run says to a query, as JSON, or why it says nothing."""
        player = self._players.get(run_key)
        if player is None:
            return Failure(message="the workflow cannot be asked: its code is not at hand")
        self._codes.activate(player.code)
        try:
            return msgspec.Raw(values.encode(player.answer(name, values.decode(payload)), "the answer"))
        except Exception as error:  # whatever the author's code raises is its answer
            return failure_of(error, str(player.code.roots.folder))

    def standing(self, run_key: int) -> Standing:
        """Where the code of a run stands; nowhere, where it is not at hand."""
        player = self._players.get(run_key)
        return Standing() if player is None else player.standing()

    def close(self) -> None:
        """Drop everything."""
        self.forget([*self._players, *self._wanting])
        self._codes.close()

    def _begin(self, activation: Activation) -> Player:
        code, workflow = self._loader.find(activation)
        return Player(activation, code, workflow, self._theatre, self._payloads)

    def _play(self, activation: Activation, player: Player | None) -> Advance | ReplayLost:
        try:
            player = player or self._begin(activation)
        except BlockedError as error:
            return _blocked(activation, error.block)
        self._codes.activate(player.code)
        try:
            commands = player.play(activation.facts, activation.asked_until)
        except (NotFoundError, StorageError) as error:
            self._players.pop(activation.run_key, None)
            self._close(player)
            return _without(activation, error)
        for warning in player.warnings():
            self._remark(f"{activation.dag_id}, run {activation.run_id}: {warning}")
        if commands and isinstance(commands[0], Block):
            self._players.pop(activation.run_key, None)
            self._close(player)
        else:
            self._keep(activation.run_key, player)
        player.at = _last_seq(activation)
        return Advance(run_key=activation.run_key, seq=player.at, commands=commands)

    def _keep(self, run_key: int, player: Player) -> None:
        self._players[run_key] = player
        self._players.move_to_end(run_key)
        if len(self._players) > self._kept:
            self._close(self._players.popitem(last=False)[1])

    def _close(self, player: Player) -> None:
        """Its code may still have something to say as it is ended, and import something."""
        self._codes.activate(player.code)
        player.close()


def _is_beginning(facts: Sequence[Recorded]) -> bool:
    """Whether the code begins with them."""
    return bool(facts) and isinstance(facts[0].event, RunCreated | RunContinued)


def _last_seq(activation: Activation) -> int:
    return activation.facts[-1].seq if activation.facts else activation.after


def _without(activation: Activation, error: NotFoundError | StorageError) -> Advance | ReplayLost:
    """A large value cannot be had, or kept, just now; or it is gone."""
    if isinstance(error, StorageUnavailableError):
        return ReplayLost(run_key=activation.run_key, reason=str(error))
    return _blocked(activation, Block(kind=BlockKind.PAYLOAD, message=str(error)))


def _blocked(activation: Activation, block: Block) -> Advance:
    return Advance(run_key=activation.run_key, seq=_last_seq(activation), commands=(block,))
