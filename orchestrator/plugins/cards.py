"""Cards: what is known of each plugin without running its code."""

import msgspec


class Trouble(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a plugin is not used: one sentence, its place, and the traceback lines of the plugin's own code."""

    message: str
    file: str
    line: int | None = None
    frames: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}"


class Card(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One plugin. ``brings`` has names by kind: macros, filters, operators, secrets_backends, executors,
    listeners. ``commands`` are lines of help by name. ``ignored`` is what of an AirflowPlugin nobody takes. ``trouble``
    says why it is not used.
    """

    name: str
    source: str
    is_installed: bool = False
    brings: dict[str, tuple[str, ...]] = {}
    commands: dict[str, str] = {}
    ignored: tuple[str, ...] = ()
    trouble: Trouble | None = None


class Roll(msgspec.Struct, frozen=True, kw_only=True):
    """All plugins of a home, as they were when ``stamp`` was taken."""

    stamp: str
    cards: tuple[Card, ...] = ()

    def bringing(self, kind: str) -> list[Card]:
        """The plugins that have something of that kind, in order."""
        return [card for card in self.cards if card.brings.get(kind)]


class RollJob(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is told that loads the plugins of these folders; ``patience`` in seconds for each."""

    dags: str
    plugins: str
    patience: float = 10.0
