"""The widget's doors: its files, its wording, the stream of what people say, customers' files, and a page that shows it all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from fastapi import APIRouter, FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from bot.conversation import ConversationId, Language
from bot.desk.writing import Writing
from bot.errors import ConversationUnknown, InputRefused, SettingsError
from bot.memory.uploads import Upload
from bot.settings import Settings
from bot.web.assistant import Assistant
from bot.web.middleware import client_address
from bot.web.page_text import page_text, preferred_language
from bot.web.render import MarkdownRenderer
from bot.web.visitors import new_visitor
from bot.web.widget_events import StreamLimit, widget_events
from bot.web.widget_files import FOLDER, StaticFile, WidgetFiles, static_file
from bot.web.widget_text import readable_hours, widget_text
from bot.web.widget_uploads import ACCEPTED, Uploads

UPLOAD_PATH = "/widget/upload"
_MOST_WAIT = "60"  # seconds, said to who opens too many streams
_OF_THE_TEAM = (
    "ai_label", "sources", "talk_to_person", "new_chat", "rate_up", "rate_down", "rated_thanks", "placeholder", "send",
    "empty_message", "too_long", "too_fast", "off_line_notice", "technical_problem",
)  # fmt: skip


def add_widget(app: FastAPI, assistant: Assistant, settings: Settings, *, gradio_files: Path) -> None:
    """Add the widget's routes to the server. Must run before Gradio is mounted at the root.

    Args:
        app: the server.
        assistant: who answers.
        settings: all settings.
        gradio_files: Gradio's own files for browsers, which `<gradio-app>` needs.

    Raises:
        SettingsError: `widget.logo` is no picture that can be read.
    """
    app.state.writing = Writing(assistant.desk.bell)  # the console's pages note there what the widget shows
    app.include_router(Widget(assistant, settings, app.state.writing).router())
    app.mount("/widget/gradio", StaticFiles(directory=gradio_files), name="gradio-app")


class Widget:
    """What the routes need, and the routes."""

    def __init__(self, assistant: Assistant, settings: Settings, writing: Writing) -> None:
        self._assistant = assistant
        self._writing = writing
        self._settings = settings
        self._files = WidgetFiles()
        self._logo = _logo(settings.widget.logo)
        self._renderer = MarkdownRenderer(settings.server.allowed_sites)
        self._uploads = Uploads(
            settings.uploads_path, assistant.desk.log, max_bytes=settings.widget.max_upload_bytes
        )
        self._streams = StreamLimit()
        self._proxies = frozenset(settings.server.trusted_proxies)
        self._demo = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER / "demo"), autoescape=True, undefined=jinja2.StrictUndefined
        ).get_template("demo.html.jinja")
        self._demo_files = {name: static_file(FOLDER / "demo" / name) for name in ("demo.css", "demo.js")}

    def router(self) -> APIRouter:
        """Every route."""
        router = APIRouter()
        router.add_api_route("/widget.js", self.launcher, methods=["GET"])
        router.add_api_route("/widget/config", self.config, methods=["GET"])
        router.add_api_route("/widget/logo", self.logo, methods=["GET"])
        router.add_api_route("/widget/events", self.events, methods=["GET"], response_model=None)
        router.add_api_route("/widget/files", self.files, methods=["GET"])
        router.add_api_route("/widget/files/{upload_id}", self.file, methods=["GET"])
        router.add_api_route(UPLOAD_PATH, self.upload, methods=["POST"])
        router.add_api_route("/widget/at/{version}/{name}", self.module, methods=["GET"])
        router.add_api_route("/demo", self.demo, methods=["GET"])
        router.add_api_route("/demo/{name}", self.demo_file, methods=["GET"])
        return router

    def launcher(self, request: Request) -> Response:
        """What a site's script tag loads."""
        return self._files.launcher(request.headers)

    def module(self, request: Request, version: str, name: str) -> Response:
        """A script or style sheet of the widget."""
        return self._files.file(version, name, request.headers) or _not_here()

    def logo(self, request: Request) -> Response:
        """The picture that the settings name."""
        return _not_here() if self._logo is None else self._logo.response(request.headers, for_ever=False)

    def config(self, lang: str = "en") -> JSONResponse:
        """Everything that the widget says and may do, in one language."""
        language = _language(lang)
        return JSONResponse(self._config(language), headers={"cache-control": "no-cache"})

    def events(
        self, request: Request, conversation_id: str, after: int = 0
    ) -> StreamingResponse | JSONResponse:
        """What people of the team say in a conversation, after the event of that number."""
        conversation = ConversationId(conversation_id)
        if not self._is_known(conversation):
            return _unknown()
        address = client_address(request.scope, request.headers, self._proxies)
        if not self._streams.has_room(address):
            return JSONResponse(
                {"detail": "Too many streams are open from this address."}, 429, {"retry-after": _MOST_WAIT}
            )

        async def counted() -> Any:
            with self._streams.counted(address):
                desk, writing = self._assistant.desk, self._writing
                async for part in widget_events(desk, writing, conversation, after, self._renderer):
                    yield part

        return StreamingResponse(
            counted(),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    def files(self, conversation_id: str) -> JSONResponse:
        """The files that a customer sent in a conversation, the oldest first."""
        conversation = ConversationId(conversation_id)
        if not self._is_known(conversation):
            return _unknown()
        return JSONResponse([_info(upload) for upload in self._uploads.of(conversation)])

    def file(self, upload_id: str) -> Response:
        """One of those files."""
        return self._uploads.response(upload_id) or _not_here()

    async def upload(self, request: Request, name: str = "", conversation_id: str = "") -> JSONResponse:
        """Take a file, which is the request's whole body; without a conversation, open one."""
        if not self._settings.widget.uploads:
            return JSONResponse({"detail": "Files are not taken here.", "code": "no_files"}, 403)
        content: bytes = request.scope["kefu.body"]
        return await run_in_threadpool(self._keep, ConversationId(conversation_id), name, content)

    def demo(self, request: Request, lang: str = "") -> HTMLResponse:
        """A made-up shop that shows the three ways to embed Kefu."""
        language = _language(lang) if lang else preferred_language(request.headers.get("accept-language", ""))
        page = self._demo.render(
            text=widget_text(language)["demo"],
            language=language.value,
            origin=str(request.base_url).rstrip("/"),
        )
        return HTMLResponse(page)

    def demo_file(self, request: Request, name: str) -> Response:
        """What that page loads."""
        file = self._demo_files.get(name)
        return _not_here() if file is None else file.response(request.headers, for_ever=False)

    # -- how

    def _keep(self, conversation: ConversationId, name: str, content: bytes) -> JSONResponse:
        if conversation and not self._is_known(conversation):
            return _unknown()
        try:
            if not conversation:
                conversation = self._assistant.open_conversation(new_visitor(), channel="widget")
            upload = self._uploads.keep(conversation, name, content)
        except InputRefused as refusal:
            status = 413 if refusal.code == "file_too_large" else 415
            return JSONResponse({"detail": str(refusal), "code": refusal.code}, status)
        self._assistant.desk.hear(conversation, f"📎 {upload.name}\n{_address(upload)}")
        return JSONResponse({"conversation_id": conversation, **_info(upload)})

    def _is_known(self, conversation: ConversationId) -> bool:
        """Whether the conversation is one that its id alone opens."""
        try:
            self._assistant.events(conversation, 0, visitor=None)
        except ConversationUnknown:
            return False
        return True

    def _config(self, language: Language) -> dict[str, Any]:
        settings, wording, desk = self._settings, self._assistant.wording(language), self._assistant.desk
        own = widget_text(language)
        return {
            "language": language.value,
            "name": settings.server.name,
            "colour": settings.widget.colour,
            "logo": "" if self._logo is None else "/widget/logo",
            "greeting": self._renderer.html(wording["greeting"]),
            "suggested": wording["suggested"],
            "text": {
                **page_text(language),
                **own["widget"],
                **{key: wording[key] for key in _OF_THE_TEAM},
            },
            "most_characters": settings.safety.max_characters,
            "uploads": settings.widget.uploads,
            "accepted_files": ACCEPTED,
            "most_upload_bytes": settings.widget.max_upload_bytes,
            "staffed": desk.staffed(),
            "opening_hours": readable_hours(desk.hours.rules, language),
        }


def _language(value: str) -> Language:
    try:
        return Language(value)
    except ValueError:
        return preferred_language(value)


def _logo(path: Path | None) -> StaticFile | None:
    if path is None:
        return None
    try:
        return static_file(path)
    except (OSError, KeyError) as error:
        raise SettingsError(
            f"widget.logo is {path}, which cannot be shown ({error!r}). Name an SVG, PNG or JPEG file."
        ) from error


def _info(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "name": upload.name,
        "media_type": upload.media_type,
        "bytes": upload.bytes,
        "url": _address(upload),
        "uploaded_at": upload.uploaded_at.isoformat(),
    }


def _address(upload: Upload) -> str:
    return f"/widget/files/{upload.id}"


def _unknown() -> JSONResponse:
    return JSONResponse({"detail": "No conversation of the widget has this id."}, 404)


def _not_here() -> JSONResponse:
    return JSONResponse({"detail": "There is nothing here."}, 404)
