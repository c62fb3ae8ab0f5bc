"""SmtpNotifier: mails what became of a task or a run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator.authoring.notifier import BaseNotifier
from orchestrator.authoring.runtime import Context
from orchestrator.hooks.smtp import SmtpHook, message_of

__all__ = ["SmtpNotifier"]

_SUBJECT = (
    "DAG {{ dag.dag_id }}{% if ti is defined %}, task {{ ti.task_id }}: {{ ti.state }}"
    "{% else %}: {{ dag_run.state }}{% endif %}, run {{ run_id }}"
)
_BODY = (
    "<p>DAG <b>{{ dag.dag_id | e }}</b>, run <b>{{ run_id | e }}</b> is {{ dag_run.state }}.</p>"
    "{% if ti is defined %}<p>Task <b>{{ ti.task_id | e }}</b>"
    "{% if ti.map_index >= 0 %}, instance {{ ti.map_index }},{% endif %} is {{ ti.state }} after try "
    "{{ ti.try_number }} of {{ ti.max_tries + 1 }}.</p>{% endif %}"
    "{% if exception is defined and exception %}<pre>{{ exception | string | e }}</pre>{% endif %}"
    "{% if reason is defined and reason %}<p>{{ reason | e }}</p>{% endif %}"
)


class SmtpNotifier(BaseNotifier):
    """Mails ``html_content`` under ``subject`` to ``to``; without these it says what the callback is told.

    The server is that of the connection ``smtp_conn_id`` (see SmtpHook); ``from_email`` may stand in its extra.
    """

    template_fields: Sequence[str] = (
        "from_email",
        "to",
        "subject",
        "html_content",
        "files",
        "cc",
        "bcc",
        "mime_subtype",
        "mime_charset",
        "custom_headers",
    )

    def __init__(
        self,
        to: str | Iterable[str],
        from_email: str | None = None,
        subject: str | None = None,
        html_content: str | None = None,
        files: list[str] | None = None,
        cc: str | Iterable[str] | None = None,
        bcc: str | Iterable[str] | None = None,
        mime_subtype: str = "mixed",
        mime_charset: str = "utf-8",
        custom_headers: Mapping[str, Any] | None = None,
        smtp_conn_id: str = SmtpHook.default_conn_name,
    ) -> None:
        super().__init__()
        self.to = to
        self.from_email = from_email
        self.subject = subject or _SUBJECT
        self.html_content = html_content or _BODY
        self.files = files
        self.cc = cc
        self.bcc = bcc
        self.mime_subtype = mime_subtype
        self.mime_charset = mime_charset
        self.custom_headers = custom_headers
        self.smtp_conn_id = smtp_conn_id

    def notify(self, context: Context) -> None:  # noqa: ARG002 - its fields are rendered already
        message = message_of(
            to=self.to,
            subject=self.subject,
            html_content=self.html_content,
            files=self.files,
            cc=self.cc,
            mime_subtype=self.mime_subtype,
            mime_charset=self.mime_charset,
            custom_headers=self.custom_headers,
        )
        SmtpHook(self.smtp_conn_id).send(message, from_email=self.from_email, bcc=self.bcc)
