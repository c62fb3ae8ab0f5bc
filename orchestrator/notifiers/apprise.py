"""AppriseNotifier: sends a message to whatever apprise has a URL for: Slack, e-mail, Teams, a web hook …"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from orchestrator.authoring.connection import Connection
from orchestrator.authoring.masking import mask_secret
from orchestrator.authoring.notifier import BaseNotifier
from orchestrator.authoring.place import author
from orchestrator.authoring.runtime import Context
from orchestrator.exceptions import AirflowException, UsageError

try:
    from apprise import Apprise, LogCapture, NotifyFormat, NotifyType
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "AppriseNotifier needs the library apprise, which is not installed: pip install 'orchestrator[notify]'",
        name=error.name,
    ) from error

__all__ = ["AppriseNotifier", "NotifyFormat", "NotifyType"]

_DEFAULT = "apprise_default"
_WARNING = 30
_PARTS = re.compile(r"[/:@?&=,]+")


class AppriseNotifier(BaseNotifier):
    """Sends ``body``, under ``title``, to each of ``urls`` (https://github.com/caronc/apprise/wiki), to what ``config``
    (an AppriseConfig) holds, and to those of a connection.

    The connection's extra is ``{"config": …}``: a URL, ``{"path": URL, "tag": …}``, or a list of these; without urls
    and config it is ``apprise_default``. ``tag`` chooses among them. The callback fails where a message could not be
    sent to one of them; URLs are shown without their secrets.
    """

    template_fields: Sequence[str] = ("body", "title", "tag", "attach", "urls")

    def __init__(
        self,
        *,
        body: str,
        title: str | None = None,
        notify_type: NotifyType | str = NotifyType.INFO,
        body_format: NotifyFormat | str = NotifyFormat.TEXT,
        tag: str | Iterable[str] | None = "all",
        attach: str | Iterable[str] | None = None,
        interpret_escapes: bool | None = None,
        config: Any = None,
        apprise_conn_id: str | None = None,
        urls: str | Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.body = body
        self.title = title
        self.notify_type = _known(NotifyType, "notify_type", notify_type)
        self.body_format = _known(NotifyFormat, "body_format", body_format)
        self.tag = tag
        self.attach = attach
        self.interpret_escapes = interpret_escapes
        self.config = config
        self.apprise_conn_id = apprise_conn_id
        self.urls = [urls] if isinstance(urls, str) else list(urls)

    def notify(self, context: Context) -> None:  # noqa: ARG002 - its fields are rendered already
        services = Apprise()
        for url, tag in self._services():
            _add(services, url, tag)
        if self.config is not None:
            services.add(self.config)
        with LogCapture(level=_WARNING, fmt="%(message)s") as said:
            sent = services.notify(
                body=self.body,
                title=self.title or "",
                notify_type=self.notify_type,
                body_format=self.body_format,
                tag=self.tag,
                attach=self.attach,
                interpret_escapes=self.interpret_escapes,
            )
            words = " ".join(str(said.getvalue()).split())
        if not sent:
            places = ", ".join(str(service.url(privacy=True)).partition("?")[0] for service in services)
            why = words or "no service has that tag"
            raise AirflowException(f"the message was not sent to all of {places or 'no service'}: {why}")

    def _services(self) -> Iterator[tuple[str, Any]]:
        """The URLs with their tags."""
        yield from ((url, None) for url in self.urls)
        conn_id = self.apprise_conn_id
        if conn_id is None and not self.urls and self.config is None:
            conn_id = _DEFAULT
        if conn_id is not None:
            yield from _of_connection(conn_id)


def _known(kind: type[NotifyType] | type[NotifyFormat], name: str, value: Any) -> str:
    """The word that apprise has for it; DagError with the author's line where it has none."""
    words = [str(one.value) for one in kind]
    word = str(getattr(value, "value", value))
    if word not in words:
        raise author().refuse(f"AppriseNotifier: {name} must be one of {', '.join(words)}, not {value!r}")
    return word


def _of_connection(conn_id: str) -> Iterator[tuple[str, Any]]:
    given = Connection.get(conn_id).extra_dejson.get("config")
    if isinstance(given, str) and given.lstrip().startswith(("[", "{")):
        given = json.loads(given)
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, str):
            yield one, None
        elif isinstance(one, dict) and isinstance(one.get("path"), str):
            yield one["path"], one.get("tag")
        else:
            raise UsageError(
                f"the connection {conn_id!r} says nowhere to send to; give its extra a config: a URL of apprise, "
                f'{{"path": URL, "tag": …}}, or a list of these'
            )


def _add(services: Apprise, url: str, tag: Any) -> None:
    mask_secret(url)
    service = Apprise.instantiate(url, tag=tag)
    if service is None:
        raise UsageError(f"apprise knows no service for a URL that begins with {url.partition('://')[0]}://")
    whole, shown = (_PARTS.split(str(service.url(privacy=hides))) for hides in (False, True))
    for part, hidden in zip(whole, shown, strict=False):
        if part != hidden:
            mask_secret(part)
            mask_secret(unquote(part))
    services.add(service)
