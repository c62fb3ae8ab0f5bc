"""Verdict: what to say of a workflow whose code has brought its process to an end."""

import linecache
import re
from pathlib import Path

from orchestrator.core.activations import Activation, Block
from orchestrator.dagbag.blame import Frame, listing
from orchestrator.dagbag.roots import Roots
from orchestrator.names import BlockKind
from orchestrator.worker.blue.pulse import Sign

_STACK = "(most recent call first):"
_LINE = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)


def killed_for(sign: Sign, activation: Activation, output: str) -> Block:
    """Its process could not be reached any more; ``output`` ends with where it stood, as faulthandler tells it."""
    doing = "loading the file" if sign.is_loading else "the code of this workflow"
    return _block(
        sign,
        activation,
        f"{doing} has held its process for more than {sign.patience:g} s in one call that could not be interrupted; "
        f"move the work into an activity",
        output,
    )


def deadly(sign: Sign, activation: Activation, times: int, how: str, output: str) -> Block:
    """It has ended one process after another; ``how`` tells of the last one."""
    doing = f"they loaded {activation.file}" if sign.is_loading else "they ran the code of this workflow"
    return _block(sign, activation, f"{times} processes have died while {doing}; the last time {how}", output)


def _block(sign: Sign, activation: Activation, message: str, output: str) -> Block:
    frames = _authors_frames(output, Roots(Path(activation.code)))
    return Block(
        kind=BlockKind.LOADING if sign.is_loading else BlockKind.STUCK,
        message=message,
        where=f"{frames[-1].name}:{frames[-1].line}" if frames else activation.file,
        frames=listing(frames),
    )


def _authors_frames(output: str, roots: Roots) -> list[Frame]:
    """Those of the last stack in the output, outermost first."""
    _, found, stack = output.rpartition(_STACK)
    frames = []
    for path, line, function in _LINE.findall(stack) if found else ():
        name = roots.name(path)
        if name is not None:
            frames.append(Frame(name, int(line), function, linecache.getline(path, int(line)).strip()))
    return frames[::-1]
