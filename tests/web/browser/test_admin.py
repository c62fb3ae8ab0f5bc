"""What is administered, in a real browser: variables, connections, users, tokens and the proof of the audit."""

import json
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from orchestrator.assembly.vault import vault_of
from tests.web.browser.site import Site

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=alert(1)>"
PASSWORD = "planted-5ecret"
Open = Callable[..., Page]


def test_a_variable_with_html_in_it_is_made_in_a_dialog_and_shown_as_text(open_page: Open) -> None:
    page = open_page("/variables")
    page.keyboard.press("n")
    form = page.locator("#dialog form")
    expect(form.get_by_label("Key")).to_be_focused()
    form.get_by_role("button", name="Save").click()
    expect(form.locator(".wrong")).to_contain_text("1 to 250 characters")
    form.get_by_label("Key").fill(HOSTILE)
    form.get_by_label("Value").fill(f'{{"greeting": "{HOSTILE}"}}')
    form.get_by_role("button", name="Save").click()
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("td.name")).to_contain_text(HOSTILE)
    expect(page.locator("td.value pre")).to_contain_text(HOSTILE)
    assert page.locator("td img").count() == 0


def test_a_connection_takes_a_password_and_never_gives_it_back(open_page: Open, site: Site) -> None:
    page = open_page("/connections")
    seen: list[str] = []
    page.on("response", lambda answer: seen.append(answer.text()) if "/connections" in answer.url else None)
    page.get_by_role("link", name="New connection").click()
    form = page.locator("#dialog form")
    form.get_by_label("Id").fill("warehouse")
    form.get_by_label("Type").fill("sqlite")
    expect(form.get_by_label("File")).to_be_visible()
    expect(form.get_by_label("Port")).to_be_hidden()
    form.get_by_label("Type").fill("postgres")
    form.get_by_label("Host").fill("db")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="warehouse").click()
    expect(form.get_by_label("Password")).to_have_value("")
    form.get_by_label("Host").fill("db2")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("db2")).to_be_visible()
    assert PASSWORD not in page.content() + "".join(seen)
    with site.home.open() as home:
        kept = vault_of(home).connections.get("warehouse")
        assert kept is not None
        assert (kept.host, kept.password) == ("db2", PASSWORD)


def test_a_token_is_shown_once_and_opens_the_api(open_page: Open, site: Site) -> None:
    page = open_page("/account")
    page.get_by_role("link", name="New token").click()
    form = page.locator("#dialog form")
    form.get_by_label("Name").fill("ci")
    form.get_by_label("Scopes").fill("viewer")
    form.get_by_role("button", name="Make it").click()
    secret = page.locator("#once").text_content() or ""
    request = urllib.request.Request(f"{site.url}/api/v2/pools", headers={"Authorization": f"Bearer {secret}"})
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["total_entries"] == 1
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#once")).to_have_count(0)
    expect(page.locator("#account td.name")).to_have_text("ci")
    assert secret not in page.content()


def test_who_is_disabled_is_out_at_once(open_page: Open, chromium: Browser, site: Site) -> None:
    page = open_page("/users")
    page.keyboard.press("n")
    form = page.locator("#dialog form")
    form.get_by_label("Name").fill("ada")
    form.get_by_role("button", name="Create").click()
    password = page.locator("#once").text_content() or ""
    page.get_by_role("button", name="Done").click()
    context = chromium.new_context(base_url=site.url)
    other = context.new_page()
    other.goto("/sign-in")
    other.get_by_label("Name").fill("ada")
    other.get_by_label("Password").fill(password)
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_selector("#overview")
    page.get_by_role("link", name="ada").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Disable").click()
    expect(page.locator("h1 .badge")).to_have_text("disabled")
    other.goto("/dags")
    other.wait_for_url("**/sign-in**")
    context.close()


def test_the_audit_is_proven_and_tells_of_all_that(open_page: Open) -> None:
    page = open_page("/audit")
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("#proof .badge.state-success")).to_contain_text("proven to line")
    page.get_by_label("What was done").fill("sign in")
    expect(page.locator("#audit-list tbody tr").first).to_contain_text("sign in")
    expect(page).to_have_url("**/audit?action=sign+in".replace("**", page.url.split("/audit")[0]))


def test_the_parts_of_a_home_that_runs_are_alive(open_page: Open) -> None:
    page = open_page("/")
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page.get_by_role("heading", name="Health")).to_be_visible()
    expect(page.locator("#health .badge.state-success")).to_have_count(4, timeout=30_000)
