"""Waits for what an HTTP server answers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from orchestrator.authoring.callables import call
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.sensor import BaseSensorOperator, PokeReturnValue
from orchestrator.exceptions import HttpErrorException, UsageError
from orchestrator.hooks.http import HttpHook, known_options

__all__ = ["HttpSensor"]


class HttpSensor(BaseSensorOperator):
    """Waits until ``endpoint`` answers with a success and ``response_check(response, …)``, if there is one, says so.

    A status in ``response_error_codes_allowlist`` (``["404"]``) means not yet; any other error fails the attempt, as
    does a server that cannot be reached. ``extra_options={"check_response": False}`` leaves every status to the check.
    """

    template_fields: Sequence[str] = ("endpoint", "request_params", "headers")

    def __init__(
        self,
        *,
        endpoint: str,
        http_conn_id: str = "http_default",
        method: str = "GET",
        request_params: Mapping[str, Any] | None = None,
        request_kwargs: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        response_error_codes_allowlist: Iterable[str | int] | None = None,
        response_check: Callable[..., bool | PokeReturnValue] | None = None,
        extra_options: Mapping[str, Any] | None = None,
        tcp_keep_alive: bool = True,
        tcp_keep_alive_idle: int = 120,
        tcp_keep_alive_count: int = 20,
        tcp_keep_alive_interval: int = 30,
        deferrable: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        if deferrable:
            raise self.place.refuse(
                f"sensor {self.task_id!r}: deferrable=True is not supported; give it mode='reschedule', which holds no "
                f"worker between two requests either"
            )
        self.endpoint = endpoint
        self.http_conn_id = http_conn_id
        self.method = method
        self.request_params = request_params or {}
        self.request_kwargs = dict(request_kwargs or {})
        self.headers = headers or {}
        codes = ("404",) if response_error_codes_allowlist is None else response_error_codes_allowlist
        self.response_error_codes_allowlist = tuple(map(str, codes))
        self.response_check = response_check
        self.extra_options = self._options(extra_options or {})
        self.tcp_keep_alive = tcp_keep_alive
        self.tcp_keep_alive_idle = tcp_keep_alive_idle
        self.tcp_keep_alive_count = tcp_keep_alive_count
        self.tcp_keep_alive_interval = tcp_keep_alive_interval

    def _options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return known_options(options)
        except UsageError as error:
            raise self.place.refuse(f"sensor {self.task_id!r}: {error}") from None

    def poke(self, context: Context) -> bool | PokeReturnValue:
        hook = HttpHook(
            self.method,
            self.http_conn_id,
            None,
            self.tcp_keep_alive,
            self.tcp_keep_alive_idle,
            self.tcp_keep_alive_count,
            self.tcp_keep_alive_interval,
        )
        try:
            response = hook.run(
                self.endpoint, self.request_params, self.headers, self.extra_options, **self.request_kwargs
            )
        except HttpErrorException as error:
            if error.status_code is not None and str(error).startswith(self.response_error_codes_allowlist):
                return False
            raise
        if self.response_check is None:
            return True
        found = call(self.response_check, [response], {}, context)
        return found if isinstance(found, PokeReturnValue) else bool(found)
