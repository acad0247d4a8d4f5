"""The customer's page: Gradio brings page, queue and streaming; what is shown comes from `view`.

The transcript is a `gr.HTML` whose value is a list of finished messages: while an answer streams, Gradio sends only
the message that changed and the page changes only the words that are new. (`gr.Chatbot` renders Markdown and HTML in
the browser, cannot stream two answers at once, and labels its buttons in English.) The writing field is ours as well,
because Gradio's sends a message on the Enter that ends a Chinese input method's composition.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gradio as gr
import structlog

from bot.conversation import (
    ConversationId,
    Delta,
    Language,
    Option,
    Reply,
    Route,
    Turn,
    TurnId,
    VisitorId,
)
from bot.errors import BotError, ConversationUnknown, InputRefused
from bot.memory.calls import DeskEvent
from bot.web.assistant import Assistant
from bot.web.page_text import page_text, preferred_language, refusal_text
from bot.web.transcript import Tab, Tabs, Transcript
from bot.web.view import ASSETS, AssistantMessage, View
from bot.web.visitors import new_visitor, visitor_of

_log = structlog.get_logger(__name__)

TURN_QUEUE = "turn"  # page and endpoints share one line for the model
_SHOWN_TURNS = 50
_EVERYTHING_AT_ONCE = "${[].concat(value).join('')}"
_SAY_FAILED = "() => { document.dispatchEvent(new Event('kefu-failed')) }"
Stored = Mapping[str, str]
_Restored = tuple[ConversationId | None, Sequence[Turn], Mapping[TurnId, int], Sequence[DeskEvent]]


class ChatPage:
    """The handlers behind the page. Whatever a browser sends here is believed only as far as its cookie reaches."""

    def __init__(self, assistant: Assistant, view: View) -> None:
        self._assistant = assistant
        self._view = view
        self._tabs = Tabs()

    def open(self, stored: object, request: gr.Request) -> list[str]:
        """Show a page that was just opened or reloaded: the visitor's conversation, or the greeting."""
        return self._tab(stored, request).transcript.html()

    def new_chat(self, request: gr.Request) -> tuple[list[str], Stored]:
        """Start afresh; the old conversation stays in the log."""
        tab = self._tab({}, request)
        tab.transcript = self._transcript(tab.language, (), {}, ())
        return tab.transcript.html(), _stored(tab.transcript)

    def send(
        self, stored: object, event: gr.EventData, request: gr.Request
    ) -> Iterator[tuple[list[str], Stored]]:
        """Answer a message. Others of the same page may be under way."""
        text, message_id = _text(event, "text"), _text(event, "id")[:64]
        tab = self._tab(stored, request)
        transcript = tab.transcript
        asked = transcript.add_customer(text, message_id)
        bubble = transcript.add_assistant(AssistantMessage(transcript.language, streaming=True))
        yield tab.transcript.html(), _stored(tab.transcript)
        try:
            for message in self._answer(tab, transcript, text):
                if message is None:
                    transcript.remove(bubble)
                else:
                    transcript.change_assistant(bubble, message)
                yield tab.transcript.html(), _stored(tab.transcript)
        except InputRefused as refusal:
            transcript.remove(asked, bubble)
            wording = self._assistant.wording(transcript.language)
            transcript.refuse(refusal_text(refusal, wording), restore=text)
        except ConversationUnknown as error:  # e.g. the log was replaced; "send again" opens another
            transcript.conversation_id = None
            transcript.change_assistant(bubble, self._problem(error, text, transcript.language))
        except Exception as error:  # the edge: a customer never sees what broke
            transcript.change_assistant(bubble, self._problem(error, text, transcript.language))
        yield tab.transcript.html(), _stored(tab.transcript)

    def rate(self, event: gr.EventData, request: gr.Request) -> Any:
        """Take a thumb up or down, if it is about an answer that this very page shows."""
        tab = self._tabs.find(request.session_hash, visitor_of(request.cookies))
        turn_id, value = TurnId(_text(event, "turn")), _sent(event, "value")
        if (
            tab is None
            or tab.transcript.conversation_id is None
            or type(value) is not int
            or value not in (1, -1)
        ):
            return gr.skip()
        transcript, conversation_id = tab.transcript, tab.transcript.conversation_id
        before = transcript.mark_rating(turn_id, value)
        if before is None:
            return gr.skip()
        try:
            self._assistant.rate(conversation_id, turn_id, value, "", visitor=tab.visitor)
        except BotError as error:
            _log.warning("rating_refused", turn_id=turn_id, error=type(error).__name__)
            transcript.mark_rating(turn_id, before)
        return tab.transcript.html()

    def catch_up(self, request: gr.Request) -> Any:
        """Show what people of the team have said and done since; the page asks for it when it hears of it."""
        tab = self._tabs.find(request.session_hash, visitor_of(request.cookies))
        if tab is None or tab.transcript.conversation_id is None:
            return gr.skip()
        transcript = tab.transcript
        try:
            events = self._assistant.events(
                tab.transcript.conversation_id, transcript.shown_event, visitor=tab.visitor
            )
        except BotError as error:
            _log.warning("events_unavailable", error=type(error).__name__)
            return gr.skip()
        return transcript.html() if transcript.add_events(events) else gr.skip()

    def _tab(self, stored: object, request: gr.Request) -> Tab:
        cookie = visitor_of(request.cookies)
        tab = self._tabs.find(request.session_hash, cookie)
        if tab is not None:
            return tab
        visitor = cookie if cookie is not None else new_visitor()
        language = preferred_language(request.headers.get("accept-language", ""))
        conversation_id, turns, ratings, events = self._restore(stored, visitor)
        transcript = self._transcript(language, turns, ratings, events)
        transcript.conversation_id = conversation_id
        return self._tabs.keep(request.session_hash, Tab(visitor, cookie, language, transcript))

    def _restore(self, stored: object, visitor: VisitorId) -> _Restored:
        """The conversation that the browser remembers, if it is this visitor's."""
        remembered = stored.get("conversation") if isinstance(stored, Mapping) else None
        if not isinstance(remembered, str) or not remembered:
            return None, (), {}, ()
        conversation_id = ConversationId(remembered)
        try:
            turns = self._assistant.history(conversation_id, visitor=visitor)
            ratings = self._assistant.last_ratings(conversation_id, visitor=visitor)
            return (
                conversation_id,
                turns,
                ratings,
                self._assistant.events(conversation_id, 0, visitor=visitor),
            )
        except ConversationUnknown:
            return None, (), {}, ()
        except BotError as error:  # the log cannot be read now; the conversation goes on without its past
            _log.warning("history_unavailable", conversation_id=conversation_id, error=type(error).__name__)
            return conversation_id, (), {}, ()

    def _transcript(
        self,
        language: Language,
        turns: Sequence[Turn],
        ratings: Mapping[TurnId, int],
        events: Sequence[DeskEvent],
    ) -> Transcript:
        transcript = Transcript(self._view, language)
        transcript.add_greeting()
        for turn in turns[-_SHOWN_TURNS:]:
            transcript.add_events([event for event in events if event.sent_at <= turn.asked_at])
            transcript.add_customer(turn.customer_text)
            if turn.answer:
                transcript.add_assistant(
                    AssistantMessage(
                        turn.language,
                        turn.answer,
                        turn_id=turn.id,
                        rating=ratings.get(turn.id, 0),
                        sources=turn.sources,
                        options=turn.options,
                        actions=turn.actions,
                    )
                )
            transcript.language = turn.language
        transcript.add_events(events)
        return transcript

    def _answer(self, tab: Tab, transcript: Transcript, text: str) -> Iterator[AssistantMessage | None]:
        """What the bubble holds, step by step; None when the message is answered together with the next one."""
        with transcript.lock:
            if transcript.conversation_id is None:
                transcript.conversation_id = self._assistant.open_conversation(tab.visitor, channel="page")
        so_far = ""
        for part in self._assistant.answer(transcript.conversation_id, text, visitor=tab.visitor):
            if isinstance(part, Delta):
                so_far += part.text
                yield AssistantMessage(transcript.language, so_far, streaming=True)
            else:
                transcript.language = part.language
                yield _final(part)

    def _problem(self, error: Exception, text: str, language: Language) -> AssistantMessage:
        reference = secrets.token_hex(4)
        _log.error("turn_failed", reference=reference, error=type(error).__name__, exc_info=error)
        wording, page = self._assistant.wording(language), page_text(language)
        return AssistantMessage(
            language,
            f"{wording['technical_problem']}\n\n{page['reference']}: {reference}",
            options=(Option(page["try_again"], text),),
        )


def _final(reply: Reply) -> AssistantMessage | None:
    if reply.route in (Route.MERGED, Route.PERSON) and not reply.text:
        return None
    return AssistantMessage(
        reply.language,
        reply.text,
        turn_id=reply.turn_id,
        sources=reply.sources,
        options=reply.options,
        actions=reply.actions,
    )


def _text(event: gr.EventData, name: str) -> str:
    """A text that the browser sent along with an event; nothing else is taken for one."""
    value = _sent(event, name)
    return value if isinstance(value, str) else ""


def _sent(event: gr.EventData, name: str) -> object:
    return event._data.get(name) if isinstance(event._data, Mapping) else None


def _stored(transcript: Transcript) -> Stored:
    """What the browser keeps: which conversation to ask for after a reload. Useless without the visitor's cookie."""
    return {"conversation": transcript.conversation_id or ""}


def build_page(page: ChatPage, i18n: gr.I18n, *, title: str, workers: int) -> gr.Blocks:
    """Lay the page out and wire its events. Must run before endpoints are added to the same Blocks."""
    blocks = gr.Blocks(title=title, fill_height=True, analytics_enabled=False)
    with blocks:
        stored = gr.BrowserState({"conversation": ""}, storage_key="kefu", secret="kefu")  # noqa: S106 (hides nothing)
        gr.HTML(i18n("kefu.header"), elem_id="kefu-header", js_on_load=None, apply_default_css=False)
        log = gr.HTML(
            [],
            elem_id="kefu-log",
            html_template=_EVERYTHING_AT_ONCE,
            js_on_load=None,
            apply_default_css=False,
        )
        composer = gr.HTML(
            i18n("kefu.composer"),
            elem_id="kefu-composer",
            js_on_load=(ASSETS / "page.js").read_text(encoding="utf-8"),
            apply_default_css=False,
        )
        quiet: dict[str, Any] = {
            "show_progress": "hidden",
            "api_visibility": "private",
            "trigger_mode": "multiple",
        }
        blocks.load(page.open, [stored], [log], **quiet)
        sent = composer.submit(
            page.send, [stored], [log, stored], concurrency_id=TURN_QUEUE, concurrency_limit=workers, **quiet
        )
        sent.failure(None, js=_SAY_FAILED)
        composer.like(page.rate, None, [log], **quiet)
        composer.tick(page.catch_up, None, [log], **quiet)
        composer.clear(page.new_chat, None, [log, stored], **quiet)
    return blocks
