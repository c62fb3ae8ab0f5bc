"""The fence: what stands around author's code while it runs, and judges each side effect on its way out."""

from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

import msgspec

from orchestrator.dagbag.blame import listing
from orchestrator.dagbag.quarantine.authors import Authors, is_allowed
from orchestrator.dagbag.quarantine.effects import REFUSED, Kind, Scene, sentence
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import QuarantineError
from orchestrator.names import QuarantineMode


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A side effect of blue code. ``file`` and ``line`` are the author's line that led to it; ``through`` is the
    place (``file:line``) of the call itself where that is another. ``what`` begins with a verb in the third person.
    """

    kind: Kind
    scene: Scene
    file: str
    line: int
    what: str
    instead: str = ""
    through: str = ""
    frames: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """One sentence, for where file and line stand beside it."""
        return sentence(self.scene, self.what, self.through, self.instead)

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"

    def __str__(self) -> str:
        by = f" (through {self.through})" if self.through else ""
        return f"{self.where}{by}: {sentence(self.scene, self.what, instead=self.instead)}"


class Fence:
    """Stands while it is entered; may be entered again and again, and keeps what it has met.

    ``refused`` are the effects that it has kept from happening, and that the author was told of by QuarantineError;
    they stay here also if the author's code has caught that. ``warned`` are those that it let happen. Both are
    in order, each author's line once for each kind.

    >>> with Fence(roots, Scene.WORKFLOW) as fence:
    ...     run_the_authors_code()
    >>> fence.refused
    """

    def __init__(self, roots: Roots, scene: Scene = Scene.PARSE, mode: QuarantineMode = QuarantineMode.ERROR) -> None:
        self.roots = roots
        self.refused: list[Violation] = []
        self.warned: list[Violation] = []
        self.kinds = frozenset[Kind]() if mode is QuarantineMode.OFF else REFUSED[scene]
        self._scene = scene
        self._refuses = mode is not QuarantineMode.WARN
        self._authors = Authors(roots)
        self._met: set[tuple[Kind, str]] = set()
        self._outer: Fence | None = None

    def __enter__(self) -> Self:
        self._outer, _STANDING.fence = _STANDING.fence, self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _STANDING.fence, self._outer = self._outer, None

    def meet(
        self,
        kind: Kind,
        frame: FrameType | None,
        describe: Callable[[], str | None],
        *,
        instead: str = "",
        is_direct: bool = False,
    ) -> None:
        """An effect is about to happen below ``frame``: QuarantineError keeps it from that.

        ``describe`` says what it is, None if it does no harm. ``is_direct``: only the author's own call counts, and
        not what a library does on the way.
        """
        if kind not in self.kinds:
            return
        led = self._authors.called(frame) if is_direct else self._authors.led(frame)
        if not led:
            return
        what = describe()
        if what is not None and not is_allowed(led):
            self._judge(self._violation(kind, what, instead, led))

    def _violation(self, kind: Kind, what: str, instead: str, led: list[FrameType]) -> Violation:
        frames = self._authors.frames(led)
        first, last = frames[0], frames[-1]
        through = "" if (first.name, first.line) == (last.name, last.line) else f"{last.name}:{last.line}"
        return Violation(
            kind=kind,
            scene=self._scene,
            file=first.name,
            line=first.line,
            what=self.roots.shorten(what),
            instead=instead,
            through=through,
            frames=listing(frames),
        )

    def _judge(self, violation: Violation) -> None:
        place = (violation.kind, violation.where + violation.through)
        if place not in self._met:
            self._met.add(place)
            (self.refused if self._refuses else self.warned).append(violation)
        if self._refuses:
            raise QuarantineError(violation.message, file=violation.file, line=violation.line)


class _Standing:
    """The one fence of this process that stands now, in whichever thread."""

    fence: Fence | None = None


_STANDING = _Standing()


def standing(kind: Kind) -> Fence | None:
    """The fence that stands now, if effects of that kind are its concern."""
    fence = _STANDING.fence
    return fence if fence is not None and kind in fence.kinds else None
