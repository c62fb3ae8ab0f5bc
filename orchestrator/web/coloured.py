"""Coloured: source code as lines of HTML, each word with the class that Pygments has for it."""

from functools import lru_cache

from markupsafe import Markup, escape
from pygments import lex
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.token import STANDARD_TYPES, Token, _TokenType
from pygments.util import ClassNotFound

_LONGEST = 300_000  # beyond that nobody reads, and colouring takes long


@lru_cache(maxsize=128)
def coloured_lines(code: str, file: str) -> tuple[Markup, ...]:
    """The lines of a file without their ends; the language is that of its name."""
    lexer = _lexer(file) if len(code) <= _LONGEST else None
    if lexer is None:
        return tuple(escape(line) for line in code.split("\n"))
    lines: list[list[Markup]] = [[]]
    for kind, text in lex(code, lexer):
        first, *more = text.split("\n")
        lines[-1].append(_word(kind, first))
        lines.extend([_word(kind, part)] for part in more)
    return tuple(Markup().join(line) for line in lines)


def _lexer(file: str) -> Lexer | None:
    try:
        return get_lexer_for_filename(file, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _word(kind: _TokenType, text: str) -> Markup:
    if not text:
        return Markup()
    name = _class(kind)
    return Markup('<span class="{}">{}</span>').format(name, text) if name else escape(text)


def _class(kind: _TokenType) -> str:
    while kind is not Token and kind not in STANDARD_TYPES:
        kind = kind.parent or Token
    return STANDARD_TYPES.get(kind, "")
