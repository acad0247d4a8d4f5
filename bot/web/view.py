"""The parts of the page as HTML. Everything that is not rendered Markdown is escaped by the templates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from bot.conversation import Action, ConversationId, Language, Option, Source, TurnId
from bot.web.assistant import Assistant
from bot.web.page_text import page_text
from bot.web.render import MarkdownRenderer, readable

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class AssistantMessage:
    """What a bubble of the assistant holds. Without `turn_id` it is no stored answer and cannot be rated."""

    language: Language
    text: str = ""  # Markdown
    streaming: bool = False
    turn_id: TurnId | None = None
    rating: int = 0  # +1, -1, or 0 for none
    sources: tuple[Source, ...] = ()
    options: tuple[Option, ...] = ()
    actions: tuple[Action, ...] = ()


class View:
    """Renders the page's parts in the language that each is shown in."""

    def __init__(
        self, assistant: Assistant, renderer: MarkdownRenderer, *, name: str, max_characters: int
    ) -> None:
        self._assistant = assistant
        self._renderer = renderer
        self._name = name
        self._max_characters = max_characters
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(ASSETS), autoescape=True, undefined=jinja2.StrictUndefined
        )
        self._message = self._templates.get_template("message.html.jinja").module
        self._frame = self._templates.get_template("frame.html.jinja").module
        self._style = Markup((ASSETS / "article.css").read_text(encoding="utf-8"))  # noqa: S704 (our own file)

    def header(self, language: Language) -> str:
        """The top of the page: the shop's name and "new chat"."""
        return str(self._frame.header(self._name, self._assistant.wording(language)))  # type: ignore[attr-defined]

    def composer(self, language: Language) -> str:
        """The bottom of the page: "talk to a person", a line for notices, and the field to write in."""
        wording = self._assistant.wording(language)
        return str(self._frame.composer(wording, page_text(language), self._max_characters))  # type: ignore[attr-defined]

    def greeting(self, language: Language) -> str:
        """The assistant's first words, with the suggested questions as buttons."""
        wording = self._assistant.wording(language)
        options = tuple(Option(label=question, text=question) for question in wording["suggested"])
        return self.assistant_message(AssistantMessage(language, text=wording["greeting"], options=options))

    def customer_message(self, text: str, language: Language, message_id: str = "") -> str:
        """A bubble with the customer's own words, as they are."""
        return str(self._message.customer(readable(text).strip(), page_text(language), message_id))  # type: ignore[attr-defined]

    def assistant_message(self, message: AssistantMessage) -> str:
        """A bubble of the assistant; without text yet, one that says it is writing."""
        html = Markup(self._renderer.html(message.text, message.sources))  # noqa: S704 (cleaned by the renderer)
        labels = self._assistant.wording(message.language), page_text(message.language)
        shown = {**vars(message), "html": html}
        return str(self._message.assistant(shown, *labels))  # type: ignore[attr-defined]

    def person_message(self, text: str, name: str) -> str:
        """A bubble of a person of the team, under their name; `text` is Markdown."""
        html = Markup(self._renderer.html(text))  # noqa: S704 (cleaned by the renderer)
        return str(self._message.person(html, name))  # type: ignore[attr-defined]

    def happened(self, text: str) -> str:
        """A line that says what happened: a person came, or left."""
        return str(self._message.happened(text))  # type: ignore[attr-defined]

    def conversation(self, conversation: ConversationId, shown: int) -> str:
        """Nothing to see: tells the page's script which conversation to follow, and up to which event it shows it."""
        return str(self._message.conversation(conversation, shown))  # type: ignore[attr-defined]

    def notice(self, text: str, *, restore: str, notice_id: str) -> str:
        """A line that says why a message was not taken; the page puts `restore` back into the field."""
        return str(self._message.notice(text, restore, notice_id))  # type: ignore[attr-defined]

    def article_page(self, language: Language, title: str, body: str, *, updated: str = "") -> str:
        """A page of its own for one article; `body` is Markdown."""
        return self._templates.get_template("article.html.jinja").render(
            language=language,
            title=title,
            body=Markup(self._renderer.html(body, new_tab=False)),  # noqa: S704 (cleaned by the renderer)
            updated=updated,
            name=self._name,
            page=page_text(language),
            style=self._style,
        )
