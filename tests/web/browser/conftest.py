"""A site that runs, and pages of it in a real browser: each module of tests has its own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.web.browser.site import CHROMIUM, PICTURES, Site, fill, sign_in, start_site

expect.set_options(timeout=30_000)  # as all else of a page is waited for: a machine may be slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = start_site(tmp_path_factory.mktemp("site"))
    with found.home:
        fill(found, runs=8 if PICTURES else 3)
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    assert CHROMIUM, "there is no Chromium here; install it (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def cookies(chromium: Browser, site: Site) -> list[Any]:
    """Those of somebody who has signed in."""
    context = chromium.new_context()
    sign_in(context.new_page(), site)
    found = context.cookies()
    context.close()
    return list(found)


@pytest.fixture
def open_page(chromium: Browser, site: Site, cookies: list[Any]) -> Iterator[Callable[..., Page]]:
    """A page of somebody who has signed in. What its scripts or its policy complain of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one(path: str, **options: Any) -> Page:
        context = chromium.new_context(base_url=site.url, **options)
        contexts.append(context)
        context.add_cookies(cookies)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Security Policy" in said.text else None)
        page.goto(path)
        page.wait_for_selector("#live[data-state=on]")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []
