"""What somebody probably meant who wrote a name that does not exist."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like ``word``; None where none comes near."""
    by_folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of an error's sentence: ``"; did you mean 'x'?"``, or nothing."""
    name = nearest(word, known)
    return "" if name is None else f"; did you mean {name!r}?"
