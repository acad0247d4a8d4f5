"""What the console's pages have in common: the assistant, the accounts, who is here, and how a page is shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from bot.desk.accounts import Accounts
from bot.desk.desk import Desk
from bot.factory import Kefu
from bot.memory.calls import CallState
from bot.memory.staff import Staff
from bot.settings import Settings
from bot.web.assistant import Assistant
from bot.web.console.navigation import current_place, in_bar, places_for
from bot.web.console.presence import Presence
from bot.web.console.render import Templates
from bot.web.console.session import Signed
from bot.web.console.text import console_language, console_text
from bot.web.console.workshop import Workshop
from bot.web.render import MarkdownRenderer


class Console:
    """One Kefu's console. Pages get it by `ConsoleHere` (`bot.web.console.access`)."""

    def __init__(self, assistant: Assistant, settings: Settings, kefu: Kefu | None = None) -> None:
        self.assistant = assistant
        self.settings = settings
        self.accounts = Accounts(assistant.desk.log, session=timedelta(hours=settings.desk.session_hours))
        self.presence = Presence(assistant.desk)
        self.templates = Templates(time_zone=settings.time_zone)
        self.markdown = MarkdownRenderer(settings.server.allowed_sites)
        self.workshop = Workshop(settings, kefu)

    @property
    def desk(self) -> Desk:
        """Where talks are taken."""
        return self.assistant.desk

    def text(self, request: Request) -> Any:
        """What the console says, in the language of this request."""
        return console_text(console_language(request))

    def page(
        self, request: Request, signed: Signed, template: str, *, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """A whole page, from a template that extends `base.html.jinja`."""
        places = places_for(signed.staff.role)
        frame = {
            "shop": self.settings.server.name,
            "places": places,
            "in_bar": in_bar(places),
            "here": current_place(request.url.path),
            "waiting": sum(call.state is CallState.WAITING for call in self.desk.queue()),
            "available": self.presence.available(signed.staff.id),
            "back": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            "done": request.query_params.get("done", ""),
        }
        return self.part(request, signed, template, status=status, **(frame | values))

    def part(
        self, request: Request, signed: Signed, template: str, *, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """A piece of a page, for htmx to put in place."""
        return self.bare(request, template, status=status, me=signed.staff, csrf=signed.csrf, **values)

    def bare(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page for nobody in particular: signing in, an error."""
        values.setdefault("shop", self.settings.server.name)
        html = self.templates.html(template, console_language(request), values)
        return HTMLResponse(html, status, {"cache-control": "no-store"})

    def note(self, staff: Staff, action: str, subject: str, detail: str = "") -> None:
        """Add to the record of who did what; `action` is worded in the locale as `audit.actions.<action>`."""
        self.accounts.note(staff, action, subject, detail)
