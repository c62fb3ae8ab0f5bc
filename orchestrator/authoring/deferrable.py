"""Whether operators that can wait by a trigger do so where they are not told."""

from typing import ClassVar


class _Kept:
    """The default of this process, the same in all of its threads."""

    default: ClassVar[bool] = False


def keep_default_deferrable(default: bool) -> bool:
    """Let this be the default from now on; what it was before."""
    before, _Kept.default = _Kept.default, default
    return before


def is_deferrable(given: bool | None) -> bool:
    """What an operator was given as ``deferrable``, or ``[operators] default_deferrable``."""
    return _Kept.default if given is None else bool(given)
