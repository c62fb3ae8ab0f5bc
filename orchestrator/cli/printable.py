"""Other people's text on a terminal: what an author, a worker or a file name says must never steer it."""

import re

# Control characters but for tab and line break, what turns the direction of writing round, and halves of surrogates.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_COLOR = re.compile(r"(\x1b\[[0-9;:]*m)")
_UNCOLOR = "\x1b[0m"


def printable(text: str) -> str:
    r"""The text with everything that would steer a terminal as an escape, such as ``\x1b``; line breaks stay."""
    return _STEERING.sub(_as_python, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """The same, without line breaks."""
    return printable(" ".join(text.splitlines()))


def json_text(text: str) -> str:
    """JSON that says the same and holds nothing that steers a terminal."""
    return _STEERING.sub(_as_json, text)


def log_line(line: str, *, colors: bool) -> str:
    """A line of a log with the colours that its task chose, if ``colors``, and nothing else that steers."""
    text, end = (line[:-1], "\n") if line.endswith("\n") else (line, "")
    parts = _COLOR.split(text)
    parts[::2] = map(printable, parts[::2])
    if not colors:
        parts[1::2] = [""] * (len(parts) // 2)
    return "".join(parts) + (_UNCOLOR if colors and len(parts) > 1 else "") + end


def _as_python(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _as_json(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
