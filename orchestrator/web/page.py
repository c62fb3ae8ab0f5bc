"""Page: what a route needs to show one: who looks, the home as they may see it, and the templates."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qs, quote

from fastapi import Depends, Request, Response
from jinja2 import Environment
from starlette.responses import HTMLResponse

from orchestrator.api.paging import no_nul
from orchestrator.api.visitor import COOKIE, SignedIn, Visitor
from orchestrator.assembly.accounts import Accounts
from orchestrator.assembly.home import Home
from orchestrator.assembly.sign_in import session_id
from orchestrator.core.rights import Right
from orchestrator.exceptions import ForbiddenError, UsageError
from orchestrator.web.door import Door
from orchestrator.web.navigation import REQUIRED, Link, admin_links_for, links_for
from orchestrator.web.rendering import render

FRAGMENT_HEADER = "x-fragment"
_MAX_FIELDS = 1000


class Page:
    """One answer to one visitor. Asked with the header ``x-fragment``, it is what stands between the bars of the site:
    what a dialog shows, or what a live page takes the place of its parts with.
    """

    def __init__(self, request: Request, visitor: Visitor) -> None:
        home: Home = request.app.state.home
        self.request = request
        self.visitor = visitor
        self.home = home.seen_by(visitor.who)
        self.now = datetime.now(UTC)
        self.since = "" if self.is_fragment else self._standing()

    @property
    def accounts(self) -> Accounts:
        """Those of the home, as the visitor may see them."""
        door: Door = self.request.app.state.accounts
        return door.accounts_for(self.visitor.who)

    @property
    def session_id(self) -> str:
        """What the visitor's own session is called; "" where they come by a token."""
        cookie = self.request.cookies.get(COOKIE)
        return session_id(cookie) if cookie and self.visitor.csrf else ""

    @property
    def address(self) -> str:
        """Where the visitor comes from."""
        return "" if self.request.client is None else self.request.client.host

    @property
    def is_fragment(self) -> bool:
        return is_fragment(self.request)

    @property
    def query(self) -> dict[str, list[str]]:
        """What follows the ``?`` of the address, each name with all of its values."""
        found: dict[str, list[str]] = {}
        for name, value in self.request.query_params.multi_items():
            found.setdefault(name, []).append(value)
        return found

    def _standing(self) -> str:
        """How far the home has come before anything of the page is read: what is newer, its script wants to hear."""
        if self.home.who.dags(Right.VIEW).nothing:
            return ""
        seen = self.home.reads.standing()
        return f"{seen.position}-{seen.revision}"

    def may(self, right: Right, dag_id: str | None = None) -> bool:
        """Whether to show what takes that right; whether it is allowed is asked again when it is done."""
        return self.visitor.who.may(right, dag_id)

    def require(self, right: Right) -> None:
        """ForbiddenError unless the visitor may do that to what belongs to no DAG."""
        if not self.may(right):
            raise ForbiddenError(f"{self.visitor.who.name} may not do this here")

    def show(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """``values`` are the template's; to all of them come ``page``, ``layout`` and ``now``."""
        layout = "fragment.html" if self.is_fragment else "site.html"
        environment: Environment = self.request.app.state.templates
        text = render(environment, template, {"page": self, "layout": layout, "now": self.now} | values)
        return HTMLResponse(text, status)

    def json(self, body: bytes) -> Response:
        """JSON for a script, which is not sent where the script has it already."""
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache, private"}
        if self.request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/json")

    @property
    def links(self) -> list[Link]:
        return links_for(self.visitor.who, self.request.url.path, {REQUIRED: awaited(self.home)})

    @property
    def admin_links(self) -> list[Link]:
        return admin_links_for(self.visitor.who, self.request.url.path)


def awaited(home: Home) -> int:
    """How many activities wait for people."""
    return 0 if home.who.dags(Right.VIEW).nothing else home.reads.awaiting_count()


def is_fragment(request: Request) -> bool:
    return FRAGMENT_HEADER in request.headers


def _opened(request: Request, visitor: SignedIn) -> Page:
    no_nul(request)
    page = Page(request, visitor)
    request.state.page = page
    return page


Opened = Annotated[Page, Depends(_opened)]


async def _fields(request: Request) -> dict[str, list[str]]:
    """The fields of an urlencoded form, each with all of its values."""
    body = await request.body()
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise UsageError("this is no form; send its fields urlencoded, in UTF-8") from None
    if b"%00" in body or b"\0" in body:
        raise UsageError("a field has a NUL character in it; leave it out")
    return found


Fields = Annotated[dict[str, list[str]], Depends(_fields)]


def last(fields: Mapping[str, Sequence[str]], name: str) -> str:
    """The value of a field; "" where it was not sent. Lines end as those of files do."""
    return fields.get(name, [""])[-1].replace("\r\n", "\n")


def go_to(path: str) -> Response:
    """Done: the page's script goes on to ``path``."""
    return Response(status_code=204, headers={"x-go-to": quote(path, safe="/?&=%:~+,;@")})


def done(message: str) -> Response:
    """Done: the page's script says so, and shows the page as it is now."""
    return Response(status_code=204, headers={"x-say": quote(message)})
