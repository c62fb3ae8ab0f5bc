"""Safety: the headers that keep a browser from doing what no page of ours asks for."""

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
KEPT_NOWHERE = {"Cache-Control": "no-store"}
BY_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}
"""Said only where the browser has come by HTTPS: from then on it comes in no other way."""


class Safety:
    """ASGI middleware. An answer that does not say how long it may be kept is kept nowhere."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS | BY_HTTPS if scope["scheme"] == "https" else HEADERS)
                for name, value in KEPT_NOWHERE.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safely)


class Short:
    """ASGI middleware. A body of more than ``most`` bytes is refused before all of it is read."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"")
        announced = int(told) if told.isdigit() else 0
        got = 0

        async def receive_shortly() -> Message:
            nonlocal got
            self._require(announced)
            message = await receive()
            got += len(message.get("body", b""))
            self._require(got)
            return message

        await self._app(scope, receive_shortly, send)

    def _require(self, size: int) -> None:
        if size > self._most:
            raise HTTPException(413, f"a body has {self._most:,} bytes at most; send less at once")
