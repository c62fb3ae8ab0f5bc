"""Rendering: templates with everything escaped, and the words in which moments, durations and states are told."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from orchestrator.web import wording
from orchestrator.web.statics import Statics


def make_environment(statics: Statics) -> Environment:
    """What is given to a template is text, however it looks; only ``Markup`` made in ``web`` is not."""
    environment = Environment(
        loader=PackageLoader("orchestrator.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(wording.FILTERS)
    environment.globals.update(static=statics.url)
    return environment


def render(environment: Environment, template: str, values: Mapping[str, Any]) -> str:
    """The text of a page, or of a part of one."""
    return environment.get_template(template).render(values)
