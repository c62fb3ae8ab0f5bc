"""EmailOperator: mails something."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.runtime import Context
from orchestrator.hooks.smtp import SmtpHook, message_of

__all__ = ["EmailOperator"]


class EmailOperator(BaseOperator):
    """Mails ``html_content`` under ``subject`` to ``to``, with ``files`` attached.

    The server is that of the connection ``conn_id`` (see SmtpHook); ``from_email`` may stand in its extra. A mail that
    may not go out twice wants ``delivery="at_most_once"``.
    """

    template_fields: Sequence[str] = (
        "to",
        "subject",
        "html_content",
        "from_email",
        "files",
        "cc",
        "bcc",
        "mime_subtype",
        "mime_charset",
        "conn_id",
        "custom_headers",
    )
    template_ext: Sequence[str] = (".html",)

    def __init__(
        self,
        *,
        to: str | Iterable[str],
        subject: str,
        html_content: str,
        from_email: str | None = None,
        files: list[str] | None = None,
        cc: str | Iterable[str] | None = None,
        bcc: str | Iterable[str] | None = None,
        mime_subtype: str = "mixed",
        mime_charset: str = "utf-8",
        conn_id: str = SmtpHook.default_conn_name,
        custom_headers: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.to = to
        self.subject = subject
        self.html_content = html_content
        self.from_email = from_email
        self.files = files
        self.cc = cc
        self.bcc = bcc
        self.mime_subtype = mime_subtype
        self.mime_charset = mime_charset
        self.conn_id = conn_id
        self.custom_headers = custom_headers

    def execute(self, context: Context) -> None:  # noqa: ARG002 - its fields are rendered already
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
        SmtpHook(self.conn_id).send(message, from_email=self.from_email, bcc=self.bcc)
