"""Debian's Chromium, and Kefu's server with a scripted assistant behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.console_people import PASSWORD
from tests.desk_staff import LI
from tests.fake_assistant import FakeAssistant
from tests.web_server import build, serving
from tests.widget_site import Site, Visit, Visiting, new_context, shop_site, visit

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@dataclass
class Kefu:
    """A running server."""

    address: str
    assistant: FakeAssistant


@dataclass
class Watched:
    """A page, all that it asked the network for, and all that it complained about."""

    page: Page
    context: BrowserContext
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


OpenPage = Callable[..., Watched]
SignIn = Callable[..., Page]


def enter_console(page: Page, address: str, login: str) -> None:
    """Sign in at the console of `address` and wait for its first page."""
    page.goto(f"{address}/console/login")
    page.locator("[name=login]").fill(login)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/console")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_ARGUMENTS)
        yield chromium
        chromium.close()


def _serve(**server: Any) -> Iterator[Kefu]:
    assistant = FakeAssistant(pause_seconds=0.02)
    with serving(build(assistant, **server)) as address:
        yield Kefu(address, assistant)


@pytest.fixture(scope="module")
def kefu() -> Iterator[Kefu]:
    yield from _serve(messages_per_minute=10_000)


@pytest.fixture
def strict_kefu() -> Iterator[Kefu]:
    """A server that takes three events a minute, the opening of the page among them."""
    yield from _serve(messages_per_minute=3)


@pytest.fixture
def sign_in(browser: Browser, kefu: Kefu) -> Iterator[SignIn]:
    """Opens the console in a browser of one's own; `more` is what `Browser.new_context` takes."""
    contexts: list[BrowserContext] = []

    def sign_in(
        login: str, *, locale: str = "en-US", size: tuple[int, int] = (1360, 860), **more: Any
    ) -> Page:
        context = browser.new_context(locale=locale, viewport={"width": size[0], "height": size[1]}, **more)
        contexts.append(context)
        page = context.new_page()
        enter_console(page, kefu.address, login)
        return page

    yield sign_in
    for context in contexts:
        context.close()
    for call in kefu.assistant.desk.queue():  # left by a test that failed; the next one counts who waits
        holder = LI if call.agent is None else replace(LI, id=call.agent)
        kefu.assistant.desk.close_call(call.conversation_id, holder)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    contexts: list[BrowserContext] = []

    def open_page(
        address: str,
        *,
        locale: str = "en-US",
        size: tuple[int, int] = (1280, 860),
        context: BrowserContext | None = None,
    ) -> Watched:
        if context is None:
            context = browser.new_context(locale=locale, viewport={"width": size[0], "height": size[1]})
            contexts.append(context)
        page = context.new_page()
        watched = Watched(page, context)
        page.on("request", lambda request: watched.requests.append(request.url))
        page.on("console", lambda message: _note(watched, message.type, message.text))
        page.on("pageerror", lambda error: watched.complaints.append(f"exception: {error}"))
        page.goto(address)
        page.wait_for_selector("#kefu-log .kefu-message")
        return watched

    yield open_page
    for context in contexts:
        context.close()


def _note(watched: Watched, kind: str, text: str) -> None:
    if kind in {"error", "warning"}:
        watched.complaints.append(f"{kind}: {text}")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A site of another origin with the widget on it."""
    with shop_site() as site:
        yield site


@pytest.fixture
def visiting(browser: Browser, site: Site) -> Iterator[Visiting]:
    """Opens pages of the site; with `context`, in the browser of an earlier visit."""
    contexts: list[BrowserContext] = []

    def visiting(
        query: str = "",
        *,
        locale: str = "en-US",
        size: tuple[int, int] = (1280, 860),
        scheme: str = "light",
        context: BrowserContext | None = None,
    ) -> Visit:
        if context is None:
            context = new_context(browser, locale, size, scheme)
            contexts.append(context)
        return visit(site.address, context, query)

    yield visiting
    for context in contexts:
        context.close()


def ask(page: Page, text: str) -> None:
    """Write to the page as a customer does."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def wait_for_answers(page: Page, count: int) -> None:
    """Wait until so many answers stand there whole."""
    expect(page.locator(".kefu-foot")).to_have_count(count)
