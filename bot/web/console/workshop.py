"""What the pages for editors work with: the assistant's parts, the knowledge base as files, and work beside the serving."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends
from starlette.datastructures import FormData
from starlette.requests import Request

from bot.config_file import ConfigFile
from bot.errors import AccessRefused
from bot.factory import Kefu
from bot.memory.staff import Staff
from bot.safety.redact import Redacted, redact
from bot.settings import Settings
from bot.upkeep.background import Background
from bot.upkeep.backtest.scratch import Models
from bot.upkeep.cycle_process import CycleProcess
from bot.upkeep.editing.editor import Editor
from bot.upkeep.editing.history import FOLDER, Author
from bot.upkeep.editing.shelf import Shelf


class Workshop:
    """One Kefu's workshop. Without a wired assistant (a scripted one, in tests) files can be edited, nothing asked."""

    def __init__(self, settings: Settings, kefu: Kefu | None) -> None:
        self._kefu = kefu
        self.settings = settings
        self.shelf = Shelf(settings.knowledge_base)
        self.editor = Editor(settings.knowledge_base, settings.var / FOLDER, self.shelf.articles)
        self.background = Background()
        self.config = ConfigFile()
        self.cycle = CycleProcess(settings)

    @property
    def kefu(self) -> Kefu:
        """The wired assistant.

        Raises:
            AccessRefused: `not_wired`: there is none.
        """
        if self._kefu is None:
            raise AccessRefused(
                "not_wired", "This server has no wired assistant. Start it with `kefu serve`."
            )
        return self._kefu

    @property
    def models(self) -> Models:
        """The encoder and language model that serve."""
        return Models(self.kefu.encoder, self.kefu.generator)

    def mask(self, text: str) -> Redacted:
        """A text with personal data masked, but for the company's own numbers and addresses."""
        return redact(text, allow=self.settings.safety.shown_contacts)

    def today(self) -> date:
        """Today where the shop is."""
        return datetime.now(ZoneInfo(self.settings.time_zone)).date()


def author_of(staff: Staff) -> Author:
    """Somebody of the team as the history names them."""
    return Author(staff.id, staff.name)


async def whole_form(request: Request) -> FormData:
    """The form that was sent, whatever its fields are called."""
    return await request.form()


SentForm = Annotated[FormData, Depends(whole_form)]


def texts_of(form: FormData, prefix: str = "") -> dict[str, str]:
    """The text fields of a form whose names begin with `prefix`, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in form.items()
        if isinstance(value, str) and name.startswith(prefix)
    }
