"""Raised: an exception in words that a history can keep."""

from orchestrator.exceptions import OrchestratorError

_MAX_TEXT = 8_000


def types_of(error: BaseException) -> tuple[str, ...]:
    """The dotted names of its class and bases, the class first."""
    known = [kind for kind in type(error).__mro__ if kind not in (object, BaseException)]
    return tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in known)


def sentence(error: BaseException) -> str:
    """``TypeName: text``; our own errors are whole sentences already."""
    text = text_of(error)
    if isinstance(error, OrchestratorError):
        return text or type(error).__name__
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def text_of(error: BaseException) -> str:
    """What it says itself."""
    try:
        return str(error)
    except Exception as second:
        return f"(its text cannot be had: str() raised {type(second).__name__})"


def recordable(text: str) -> str:
    """Text of a length that a history can bear, without half surrogate pairs."""
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT]} … ({len(text) - _MAX_TEXT} more characters)"
    return text.encode("utf-8", "backslashreplace").decode()
