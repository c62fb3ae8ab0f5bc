"""Calls an HTTP server."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from requests import Response

from orchestrator.authoring.callables import call
from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.runtime import Context
from orchestrator.exceptions import AirflowException, UsageError
from orchestrator.hooks.http import HttpHook, known_options

__all__ = ["HttpOperator"]

IDEMPOTENCY_KEY = "Idempotency-Key"
_KEYS_OF_A_PAGE = frozenset({"data", "endpoint", "extra_options", "headers"})


class HttpOperator(BaseOperator):
    """Sends a request to ``endpoint`` of the server of ``http_conn_id``; the text of the answer is the result.

    ``response_check(response, …)`` says whether the answer is a success, ``response_filter(response, …)`` what its
    result is; both may take keys of the context besides. ``pagination_function(response)`` gives what differs in the
    request for the next page (``endpoint``, ``data``, ``headers``, ``extra_options``), nothing after the last; the
    other two then get a list. ``extra_options`` are those of requests: timeout, verify, proxies, ….

    ``idempotency_key=True`` sends the attempt's key as the header Idempotency-Key, a text under that name instead: it
    is the same for each attempt, after a crash too, so that a server that knows it does once what is asked for twice.
    Trying again is the task's own affair: ``retries`` and ``retry_delay``.
    """

    conn_id_field = "http_conn_id"
    template_fields: Sequence[str] = ("endpoint", "data", "headers")

    def __init__(
        self,
        *,
        endpoint: str | None = None,
        method: str = "POST",
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        pagination_function: Callable[..., Any] | None = None,
        response_check: Callable[..., bool] | None = None,
        response_filter: Callable[..., Any] | None = None,
        extra_options: Mapping[str, Any] | None = None,
        request_kwargs: Mapping[str, Any] | None = None,
        http_conn_id: str = "http_default",
        log_response: bool = False,
        auth_type: Any = None,
        tcp_keep_alive: bool = True,
        tcp_keep_alive_idle: int = 120,
        tcp_keep_alive_count: int = 20,
        tcp_keep_alive_interval: int = 30,
        deferrable: bool = False,
        retry_args: Mapping[str, Any] | None = None,
        idempotency_key: bool | str = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._refuse(deferrable, retry_args)
        self.http_conn_id = http_conn_id
        self.method = method
        self.endpoint = endpoint
        self.headers = headers or {}
        self.data = data or {}
        self.pagination_function = pagination_function
        self.response_check = response_check
        self.response_filter = response_filter
        self.extra_options = self._options(extra_options or {})
        self.request_kwargs = dict(request_kwargs or {})
        self.log_response = log_response
        self.auth_type = auth_type
        self.tcp_keep_alive = tcp_keep_alive
        self.tcp_keep_alive_idle = tcp_keep_alive_idle
        self.tcp_keep_alive_count = tcp_keep_alive_count
        self.tcp_keep_alive_interval = tcp_keep_alive_interval
        self.idempotency_key = IDEMPOTENCY_KEY if idempotency_key is True else idempotency_key

    def _refuse(self, deferrable: bool, retry_args: Any) -> None:
        if deferrable:
            raise self.place.refuse(
                f"task {self.task_id!r}: deferrable=True is not supported, as a request holds its worker for no longer "
                f"than extra_options={{'timeout': …}}; remove it"
            )
        if retry_args:
            raise self.place.refuse(
                f"task {self.task_id!r}: retry_args is not supported; retries=, retry_delay= and "
                f"retry_exponential_backoff= try the task again, and each attempt is recorded"
            )

    def _options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return known_options(options)
        except UsageError as error:
            raise self.place.refuse(f"task {self.task_id!r}: {error}") from None

    @property
    def hook(self) -> HttpHook:
        return HttpHook(
            self.method,
            getattr(self, self.conn_id_field),
            self.auth_type,
            self.tcp_keep_alive,
            self.tcp_keep_alive_idle,
            self.tcp_keep_alive_count,
            self.tcp_keep_alive_interval,
        )

    def execute(self, context: Context) -> Any:
        responses = list(self._responses(context))
        return self.process_response(context, responses if self.pagination_function else responses[0])

    def process_response(self, context: Context, response: Response | list[Response]) -> Any:
        """The result that an answer, or the list of all pages, comes to."""
        if self.log_response:
            self.log.info("%s", _text(response))
        if self.response_check and not call(self.response_check, [response], {}, context):
            raise AirflowException(
                f"the response_check of task {self.task_id!r} did not return True for what "
                f"{self.method} {self.endpoint or '/'} answered"
            )
        return call(self.response_filter, [response], {}, context) if self.response_filter else _text(response)

    def _responses(self, context: Context) -> Iterator[Response]:
        """The pages, each asked for when the one before it has come."""
        request: dict[str, Any] = {
            "endpoint": self.endpoint,
            "data": self.data,
            "headers": self.headers,
            "extra_options": self.extra_options,
        }
        page, number = request, 1
        while True:
            headers = {**page["headers"], **self._key(context, number)}
            response = self.hook.run(**{**page, "headers": headers}, **self.request_kwargs)
            yield response
            changes = self.pagination_function(response) if self.pagination_function else None
            if not changes:
                return
            page, number = self._next(request, changes), number + 1

    def _key(self, context: Context, page: int) -> dict[str, str]:
        if not self.idempotency_key:
            return {}
        key = quote(context["idempotency_key"], safe="/-_.~:")
        return {str(self.idempotency_key): key if page == 1 else f"{key}/page-{page}"}

    def _next(self, request: Mapping[str, Any], changes: Any) -> dict[str, Any]:
        if not isinstance(changes, Mapping) or not changes.keys() <= _KEYS_OF_A_PAGE:
            raise UsageError(
                f"the pagination_function of task {self.task_id!r} must return a dict of "
                f"{', '.join(sorted(_KEYS_OF_A_PAGE))}, or nothing after the last page, not {changes!r}"
            )
        return {name: _merged(request[name], changes.get(name)) for name in request}


def _merged(first: Any, then: Any) -> Any:
    if isinstance(first, Mapping) and isinstance(then, Mapping):
        return {**first, **then}
    return then or first


def _text(response: Response | list[Response]) -> Any:
    return [one.text for one in response] if isinstance(response, list) else response.text
