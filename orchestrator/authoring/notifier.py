"""BaseNotifier: what tells people of something derives from, to be used as a callback."""

import asyncio
import copy
import logging
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import jinja2

from orchestrator.authoring.dag import DAG
from orchestrator.authoring.literal import Literal
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.templating import is_template, templates_of_dag
from orchestrator.exceptions import BodyError, UsageError


class BaseNotifier:
    """Sends something in ``notify(context)``, or in ``async_notify``; an instance is a callback.

    ``template_fields`` name the attributes in which templates are rendered with the callback's context, in a copy made
    for each call; a text there that ends with one of ``template_ext`` names a template file.
    """

    template_fields: Sequence[str] = ()
    template_ext: Sequence[str] = ()

    def __init__(self, context: Context | None = None) -> None:
        self.context: Context = Context() if context is None else context

    def notify(self, context: Context) -> None:
        """Send it; an exception fails the callback, and is recorded."""
        if type(self).async_notify is BaseNotifier.async_notify:
            raise NotImplementedError(f"{type(self).__name__} does not say what to send; define notify(self, context)")
        asyncio.run(self.async_notify(context))

    async def async_notify(self, context: Context) -> None:
        """The same in a coroutine."""
        raise NotImplementedError(f"{type(self).__name__} has no async_notify(self, context)")

    def __call__(self, context: Context) -> None:
        ready = copy.copy(self)
        ready.context = context
        ready.render_template_fields(context)
        ready.notify(context)

    def __await__(self) -> Generator[Any, None, None]:
        ready = copy.copy(self)
        ready.render_template_fields(self.context)
        return ready.async_notify(self.context).__await__()

    def render_template_fields(self, context: Context) -> None:
        """Fill its template fields, in place. UsageError names the field."""
        for name in self.template_fields:
            setattr(self, name, self._render(name, getattr(self, name, None), context))

    @property
    def log(self) -> logging.Logger:
        """Writes to the log of the callback, under the name of the class."""
        kind = type(self)
        return logging.getLogger(f"{kind.__module__}.{kind.__qualname__}")

    def _render(self, name: str, value: Any, context: Context) -> Any:
        if isinstance(value, str):
            return self._text(name, value, context)
        if isinstance(value, Literal):
            return value.value
        if isinstance(value, list | tuple):
            return type(value)([self._render(name, item, context) for item in value])
        if isinstance(value, Mapping):
            return {key: self._render(name, item, context) for key, item in value.items()}
        return value

    def _text(self, name: str, text: str, context: Context) -> Any:
        from_file = text.endswith(tuple(self.template_ext))
        if not from_file and not is_template(text):
            return text
        dag = context.get("dag")
        templates = templates_of_dag(dag if isinstance(dag, DAG) else None)
        try:
            return (templates.of_file if from_file else templates.of_text)(text).render(context)
        except BodyError:
            raise
        except jinja2.TemplateNotFound as error:
            raise UsageError(f"{type(self).__name__}: there is no template file {error.name!r} for {name!r}") from error
        except Exception as error:
            words = error.message if isinstance(error, jinja2.TemplateError) else str(error)
            raise UsageError(f"{type(self).__name__}: {name!r} cannot be rendered: {words}") from error
