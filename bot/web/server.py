"""The server: one FastAPI app around Gradio's page, closed first and then opened door by door."""

from __future__ import annotations

import sys

import gradio as gr
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.datastructures import Headers
from starlette.types import Scope

from bot.conversation import Language
from bot.settings import Settings
from bot.web.api import ENDPOINTS, Endpoints, add_endpoints
from bot.web.articles import article_response
from bot.web.assistant import Assistant
from bot.web.calls import Callables
from bot.web.chat import ChatPage, build_page
from bot.web.gate import Gate, is_event
from bot.web.headers import SecurityHeaders
from bot.web.middleware import BodyLimit, LastResort, RateLimit
from bot.web.page_text import preferred_language
from bot.web.render import MarkdownRenderer
from bot.web.view import ASSETS, View
from bot.web.visitors import VisitorCookie

# What browsers call the languages that the page speaks; any other language reads English.
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


def build_app(assistant: Assistant, settings: Settings) -> FastAPI:
    """The whole server for `assistant`, ready for uvicorn (with `proxy_headers=False`: trusted proxies are a setting).

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


def _mount_chat(app: FastAPI, assistant: Assistant, view: View, settings: Settings) -> Callables:
    server = settings.server
    i18n = gr.I18n(
        **{
            tag: {"kefu.header": view.header(language), "kefu.composer": view.composer(language)}
            for tag, language in _BROWSER_LANGUAGES.items()
        }
    )
    blocks = build_page(ChatPage(assistant, view), i18n, title=server.name, workers=server.workers)
    add_endpoints(blocks, Endpoints(assistant), workers=server.workers)
    blocks.queue(max_size=server.queue, default_concurrency_limit=server.workers)
    # After every event Gradio turns its last 10,000 into a pandas table, for the monitoring page that is shut here.
    blocks._queue.ANAYLTICS_CACHE_FREQUENCY = sys.maxsize  # (their spelling)
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
        mcp_server=False,
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
        allow_headers=["content-type"],
    )
    app.add_middleware(VisitorCookie, days=server.visitor_days)
    app.add_middleware(Gate, callables=callables)
    app.add_middleware(
        RateLimit,
        per_minute=server.messages_per_minute,
        trusted_proxies=server.trusted_proxies,
        is_counted=is_event,
        wording=too_fast,
    )
    app.add_middleware(BodyLimit, max_bytes=server.max_body_bytes)
    app.add_middleware(LastResort)
    app.add_middleware(SecurityHeaders, allowed_sites=server.allowed_sites)
