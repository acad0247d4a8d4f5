"""The server: one FastAPI app around Gradio's page, closed first and then opened door by door."""

from __future__ import annotations

import sys
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from bot.conversation import Language
from bot.factory import Kefu
from bot.settings import Settings
from bot.web.api import ENDPOINTS, add_endpoints
from bot.web.articles import article_response
from bot.web.assistant import Assistant
from bot.web.calls import Callables
from bot.web.chat import ChatPage, build_page
from bot.web.console.app import CONSOLE_BODIES, add_console
from bot.web.endpoints import Endpoints
from bot.web.gate import Gate, is_event, is_for_sites
from bot.web.headers import SecurityHeaders
from bot.web.middleware import BodyLimit, LastResort, RateLimit
from bot.web.page_events import PATH as PAGE_EVENTS
from bot.web.page_events import page_events
from bot.web.page_text import preferred_language
from bot.web.people_endpoints import PeopleEndpoints
from bot.web.programs import add_programs
from bot.web.render import MarkdownRenderer
from bot.web.view import ASSETS, View
from bot.web.visitors import VisitorCookie
from bot.web.widget_origins import OriginPolicy
from bot.web.widget_routes import UPLOAD_PATH, add_widget

# What browsers call the languages that the page speaks; any other language reads English.
# Longer than proxies and clients keep a connection that nobody uses (nginx: 60 s), so that the server is never the one who
# closes it while a request is on its way.
KEEP_ALIVE_SECONDS = 75
# Of each call over the API Gradio keeps a session of its own, 100 kB, and by default the last 10,000: a gigabyte. What a tab
# has to remember, bot.web.transcript remembers.
GRADIO_SESSIONS = 500

_BROWSER_LANGUAGES = {
    "en": Language.EN,
    "zh": Language.ZH,
    "zh-CN": Language.ZH,
    "zh-SG": Language.ZH,
    "zh-TW": Language.ZH_HANT,
    "zh-HK": Language.ZH_HANT,
    "zh-MO": Language.ZH_HANT,
}
_FONTS = (
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "sans-serif",
)


def build_app(assistant: Assistant, settings: Settings, kefu: Kefu | None = None) -> FastAPI:
    """The whole server for `assistant`, ready for uvicorn (with `proxy_headers=False`: trusted proxies are a setting).

    `kefu` is what `assistant` is part of; without it the console's pages cannot ask, try or train.

    A request passes, from outside in: headers, size, rate, the gate, the CORS policy; then a route of ours or Gradio.
    """
    server = settings.server
    view = View(
        assistant,
        MarkdownRenderer(server.allowed_sites),
        name=server.name,
        max_characters=settings.safety.max_characters,
    )
    app = FastAPI(title=server.name, docs_url=None, redoc_url=None, openapi_url=None)
    _add_pages(app, assistant, view)
    add_console(app, assistant, settings, kefu)
    add_programs(app, assistant, settings)
    add_widget(app, assistant, settings, gradio_files=Path(gr.__file__).parent / "templates" / "frontend")
    callables = _mount_chat(app, assistant, view, settings)
    _close(app, assistant, settings, callables)
    return app


def _add_pages(app: FastAPI, assistant: Assistant, view: View) -> None:
    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Whether the process answers at all."""
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> JSONResponse:
        """Which parts can work; 503 until all can."""
        parts = dict(assistant.ready())
        return JSONResponse(
            {"ready": all(parts.values()), "parts": parts}, 200 if all(parts.values()) else 503
        )

    @app.get("/articles/{language}/{article_id}")
    def article(language: str, article_id: str) -> HTMLResponse:
        """One article of the knowledge base."""
        return article_response(assistant, view, language, article_id)

    @app.get(PAGE_EVENTS)
    async def events(request: Request, conversation: str) -> Response:
        """What an open page hears of people of the team."""
        return await page_events(request, assistant, conversation)


def _mount_chat(app: FastAPI, assistant: Assistant, view: View, settings: Settings) -> Callables:
    server = settings.server
    i18n = gr.I18n(
        **{
            tag: {"kefu.header": view.header(language), "kefu.composer": view.composer(language)}
            for tag, language in _BROWSER_LANGUAGES.items()
        }
    )
    blocks = build_page(ChatPage(assistant, view), i18n, title=server.name, workers=server.workers)
    renderer = MarkdownRenderer(server.allowed_sites)
    secret = settings.widget.identity_secret
    endpoints = (Endpoints(assistant, renderer), PeopleEndpoints(assistant, renderer, identity_secret=secret))
    add_endpoints(blocks, endpoints, workers=server.workers)
    blocks.queue(max_size=server.queue, default_concurrency_limit=server.workers)
    # After every event Gradio turns its last 10,000 into a pandas table, for the monitoring page that is shut here.
    blocks._queue.ANAYLTICS_CACHE_FREQUENCY = sys.maxsize  # (their spelling)
    blocks.state_session_capacity = GRADIO_SESSIONS
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        i18n=i18n,
        theme=gr.themes.Base(font=_FONTS, font_mono=("ui-monospace", "monospace")),
        css_paths=ASSETS / "chat.css",
        favicon_path=str(ASSETS / "icon.svg"),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        mcp_server=server.mcp,
        ssr_mode=False,
        pwa=False,
        max_file_size=1,
        allowed_paths=[],
    )
    inputs = {
        number: len(function.inputs) for number, function in blocks.fns.items() if function.fn is not None
    }
    return Callables(inputs, ENDPOINTS)


def _close(app: FastAPI, assistant: Assistant, settings: Settings, callables: Callables) -> None:
    server = settings.server

    def too_fast(scope: Scope) -> str:
        language = preferred_language(Headers(scope=scope).get("accept-language", ""))
        return str(assistant.wording(language)["too_fast"])

    # The last one added is the first that a request meets. A CORS policy of ours keeps Gradio from adding its own.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=server.allowed_sites,
        allow_methods=["GET", "POST"],
        allow_headers=["content-type", "authorization", "x-conversation"],
    )
    app.add_middleware(VisitorCookie, days=server.visitor_days)
    app.add_middleware(Gate, callables=callables, mcp=server.mcp)
    app.add_middleware(OriginPolicy, allowed_sites=server.allowed_sites, is_guarded=is_for_sites)
    app.add_middleware(
        RateLimit,
        per_minute=server.messages_per_minute,
        trusted_proxies=server.trusted_proxies,
        is_counted=is_event,
        wording=too_fast,
    )
    larger = {**CONSOLE_BODIES, UPLOAD_PATH: settings.widget.max_upload_bytes}
    app.add_middleware(BodyLimit, max_bytes=server.max_body_bytes, larger=larger)
    app.add_middleware(LastResort)
    app.add_middleware(SecurityHeaders, allowed_sites=server.allowed_sites)
