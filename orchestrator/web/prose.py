"""Prose: Markdown that authors wrote, as HTML in which nothing of theirs is more than text."""

from functools import lru_cache
from typing import TypeAlias

from markdown_it import MarkdownIt
from markupsafe import Markup

Prose: TypeAlias = Markup
_LONGEST = 100_000


@lru_cache(maxsize=256)
def prose(text: str) -> Prose:
    """Paragraphs, lists, tables, code and links; tags stand as they were typed, and pictures are left out."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_inline", "html_block"])
    return Markup(reader.render(text[:_LONGEST]))  # noqa: S704 - it escapes, and makes no links to scripts
