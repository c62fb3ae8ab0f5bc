"""Words of Airflow's context that a file asks for and that are not there: read from its source."""

import ast
import re
from collections.abc import Iterator

from orchestrator.authoring.airflow_context import ABSENT_WORDS, absence
from orchestrator.compat.airflow.findings import Finding, Kind

_WORD = re.compile(rf"\b(?:{'|'.join(ABSENT_WORDS)})\b")
_TEMPLATE = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)
_FEATURE = "words of the context"


def context_findings(file: str, tree: ast.Module) -> Iterator[Finding]:
    """A finding for each parameter, key or template that is to be filled with such a word."""
    for node in ast.walk(tree):
        for word in sorted(_asked_by(node)):
            yield Finding(
                file=file,
                line=getattr(node, "lineno", 0),
                kind=Kind.MISSING,
                sentence=absence(word) or word,
                feature=_FEATURE,
            )


def _asked_by(node: ast.AST) -> set[str]:
    if isinstance(node, ast.arg):
        return {node.arg} & ABSENT_WORDS.keys()
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return set()
    if node.value in ABSENT_WORDS:
        return {node.value}
    return {word for template in _TEMPLATE.findall(node.value) for word in _WORD.findall(template)}
