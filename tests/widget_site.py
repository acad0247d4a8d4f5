"""A site of somebody else with Kefu's widget on it: its own origin, its own pages, for tests in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, Locator, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.desk.writing import Writing
from tests.fake_assistant import FakeAssistant
from tests.web_server import build, serving

SECRET = "the site's and Kefu's secret"
HOSTILE = """
* { all: unset; color: red !important; font-size: 99px !important; line-height: 9 !important; text-transform: uppercase !important; }
html { font-size: 62.5%; visibility: hidden; } div, section, button { display: none !important; visibility: hidden !important; }
kefu-widget { display: none !important; opacity: 0 !important; position: static !important; left: -9999px !important; }
"""


@dataclass
class Site:
    """The site, Kefu's server, and the pages that were opened."""

    address: str
    kefu: str
    assistant: FakeAssistant
    writing: Writing | None = None
    styles: dict[str, str] = field(default_factory=lambda: {"hostile": HOSTILE})

    def page(self, request: Request) -> Response:
        """A page of the site: `lang`, a `style` by name, and the attributes of the script tag as the query says."""
        query = dict(request.query_params)
        language, style = query.pop("lang", "en"), self.styles.get(query.pop("style", ""), "")
        query.pop("question", None)
        tag = " ".join(f'data-{name}="{value}"' for name, value in query.items())
        return HTMLResponse(
            f'<!doctype html><html lang="{language}"><head><title>A shop</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head><body><main>'
            f'<h1>A shop</h1><button id="own">Add to basket</button><p style="height: 1800px">…</p></main>'
            f'<script src="{self.kefu}/widget.js" {tag}></script></body></html>'
        )


@contextmanager
def shop_site(pause_seconds: float = 0.02) -> Iterator[Site]:
    """A site that may use the widget of a Kefu with a scripted assistant."""
    site = Site("", "", FakeAssistant(pause_seconds=pause_seconds))
    with serving(Starlette(routes=[Route("/{path:path}", site.page)])) as shop:
        sections = {"var": site.assistant.folder, "widget": {"identity_secret": SECRET}}
        app = build(site.assistant, sections=sections, allowed_sites=(shop,), messages_per_minute=100_000)
        site.writing = app.state.writing
        with serving(app) as kefu:
            site.address, site.kefu = shop, kefu
            yield site


@dataclass
class Visit:
    """A page of the site in a browser, with the widget's parts by name, and what it asked and complained about."""

    page: Page
    context: BrowserContext
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def launcher(self) -> Locator:
        return self.page.locator(".launcher")

    @property
    def panel(self) -> Locator:
        return self.page.locator(".panel")

    @property
    def field(self) -> Locator:
        return self.page.locator(".field textarea")

    @property
    def answers(self) -> Locator:
        """The answers that are whole."""
        return self.page.locator(".message.assistant:has(footer)")

    def said(self, kind: str) -> Locator:
        """The messages of a kind."""
        return self.page.locator(f".messages .{kind}")

    def say(self, text: str) -> None:
        """Type a message and send it."""
        self.field.fill(text)
        self.field.press("Enter")


Visiting = Callable[..., Visit]


def visit(address: str, context: BrowserContext, query: str = "") -> Visit:
    """Open a page of the site at `address`; waits for the bubble."""
    visit = Visit(context.new_page(), context)
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    visit.page.on("console", lambda message: _note(visit, message.type, message.text))
    visit.page.on("pageerror", lambda error: visit.complaints.append(f"exception: {error}"))
    visit.page.goto(f"{address}/{query}")
    visit.launcher.wait_for()
    return visit


def new_context(browser: Browser, locale: str, size: tuple[int, int], scheme: str) -> BrowserContext:
    """A browser of its own, without a past."""
    dark = "dark" if scheme == "dark" else "light"
    return browser.new_context(
        locale=locale, viewport={"width": size[0], "height": size[1]}, color_scheme=dark
    )


def _note(visit: Visit, kind: str, text: str) -> None:
    if kind in {"error", "warning"} and "favicon" not in text and "404" not in text:
        visit.complaints.append(f"{kind}: {text}")
