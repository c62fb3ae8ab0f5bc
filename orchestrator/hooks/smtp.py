"""SmtpHook: sends mail through the server of a connection."""

import mimetypes
import smtplib
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

from orchestrator.authoring.alerts import addresses
from orchestrator.authoring.connection import Connection
from orchestrator.authoring.hook import BaseHook
from orchestrator.exceptions import AirflowException, UsageError

__all__ = ["SmtpHook", "message_of"]

_SSL, _STARTTLS = 465, 587
_TIMEOUT = 30.0  # seconds
Addresses = str | Iterable[str]


class SmtpHook(BaseHook):
    """The server of ``smtp_conn_id``: its host and port, and its login and password where it wants them.

    The extra of the connection may say ``from_email``, ``timeout`` in seconds, ``disable_ssl`` (the connection is not
    encrypted from its first byte) and ``disable_tls`` (nor after STARTTLS). Certificates are checked.
    """

    conn_name_attr = "smtp_conn_id"
    default_conn_name = "smtp_default"
    conn_type = "smtp"
    hook_name = "SMTP"

    def __init__(self, smtp_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.smtp_conn_id = smtp_conn_id

    def send(self, message: EmailMessage, *, from_email: str | None = None, bcc: Addresses | None = None) -> None:
        """Send ``message`` to all that it names, and to ``bcc``; AirflowException where the server does not take it."""
        connection = Connection.get(self.smtp_conn_id)
        sender = from_email or connection.extra_dejson.get("from_email") or connection.login
        if not sender:
            raise UsageError(
                f"nobody is named as the sender: give from_email, or set it in {self.smtp_conn_id!r}'s extra"
            )
        message["From"] = sender
        named = [str(message[name]) for name in ("To", "Cc") if message[name]]
        receivers = addresses([*named, *(addresses(bcc) if bcc else ())])
        try:
            with self._server(connection) as server:
                refused = server.send_message(message, str(sender), list(receivers))
        except (OSError, smtplib.SMTPException) as error:
            where = f"{connection.host or 'localhost'}, of connection {self.smtp_conn_id!r},"
            raise AirflowException(f"the mail server {where} did not take the mail: {_reason(error)}") from error
        if refused:
            raise AirflowException(f"the mail server refused the mail to {', '.join(sorted(refused))}")

    @contextmanager
    def _server(self, connection: Connection) -> Iterator[smtplib.SMTP]:
        extra, host = connection.extra_dejson, connection.host or "localhost"
        timeout = float(extra.get("timeout") or _TIMEOUT)
        checks = ssl.create_default_context()
        server: smtplib.SMTP
        if _is_true(extra.get("disable_ssl")):
            server = smtplib.SMTP(host, connection.port or _STARTTLS, timeout=timeout)
        else:
            server = smtplib.SMTP_SSL(host, connection.port or _SSL, timeout=timeout, context=checks)
        with server:
            if _is_true(extra.get("disable_ssl")) and not _is_true(extra.get("disable_tls")):
                server.starttls(context=checks)
            if connection.login:
                server.login(connection.login, connection.password or "")
            yield server


def message_of(
    *,
    to: Addresses,
    subject: str,
    html_content: str,
    files: Iterable[str] | None = None,
    cc: Addresses | None = None,
    mime_subtype: str = "mixed",
    mime_charset: str = "utf-8",
    custom_headers: Mapping[str, Any] | None = None,
) -> EmailMessage:
    """A mail of HTML with ``files`` attached; UsageError for an address that is none, or a file that is not there."""
    message = EmailMessage()
    try:
        message["To"] = ", ".join(addresses(to))
        if cc:
            message["Cc"] = ", ".join(addresses(cc))
    except ValueError as error:
        raise UsageError(f"to and cc must be {error}") from None
    message["Subject"] = " ".join(subject.split())
    message["Date"], message["Message-ID"] = formatdate(), make_msgid()
    for name, value in (custom_headers or {}).items():
        message[name] = str(value)
    message.set_content(html_content, subtype="html", charset=mime_charset)
    if files:
        message.make_mixed()
    for file in files or ():
        _attach(message, Path(file))
    if files and mime_subtype != "mixed":
        message.set_type(f"multipart/{mime_subtype}")
    return message


def _attach(message: EmailMessage, path: Path) -> None:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be attached: {error.strerror}") from None
    kind, _, subtype = (mimetypes.guess_type(path.name)[0] or "application/octet-stream").partition("/")
    message.add_attachment(data, maintype=kind, subtype=subtype, filename=path.name)


def _is_true(value: Any) -> bool:
    return str(value).lower() in ("true", "1", "yes")


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
