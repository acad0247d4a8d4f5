"""What an adapter must not change: approved wording and refusals, asked of the whole bot, from message to route.

Every golden question that must not be answered (to be refused, asked back or handed over) and a question for each
intent goes through the real manager with both contenders. Where it takes another way, something broke, unless that way
is the right one: that an adapter declines what was answered wrongly is what it is trained for.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.answering.generator import Generator
from bot.content import Content
from bot.conversation import Reply, Route, VisitorId
from bot.factory import assemble
from bot.golden import Golden
from bot.manager import Manager
from bot.settings import Settings
from finetune.errors import EvaluationError
from retrieval.encoder import Encoder

_ANSWERED = (Route.TEMPLATE, Route.GROUNDED)
_VISITOR = VisitorId("evaluation")


@dataclass(frozen=True)
class Fixed:
    """A question whose route must stay. `kind` is what must come of it: refuse, clarify, handoff or template."""

    id: str
    question: str
    context: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Taken:
    """Which way a question went: its route, its intent, and the approved wording that was given, if any was."""

    route: Route
    intent: str | None
    wording: str


@dataclass(frozen=True)
class RouteChange:
    """A question that went another way. `broke` says that it may not."""

    id: str
    question: str
    kind: str
    current: str
    candidate: str
    broke: bool


def fixed_questions(golden: Sequence[Golden], content: Content) -> list[Fixed]:
    """The questions whose route must stay: golden ones that are not to be answered, and one an intent and language."""
    refused = [
        Fixed(each.id, each.question, each.context, each.kind) for each in golden if each.kind != "answer"
    ]
    approved = [
        Fixed(f"{intent.id}-{language}", examples[0], (), "template")
        for intent in content.intents.values()
        for language, examples in (("zh", intent.examples.zh), ("en", intent.examples.en))
    ]
    return [*refused, *approved]


def routes(
    questions: Sequence[Fixed],
    settings: Settings,
    encoder: Encoder,
    generator: Generator | None,
    tick: Callable[[], None] = lambda: None,
) -> dict[str, Taken]:
    """Ask each question in a conversation of its own, in a log that nobody keeps.

    Args:
        questions: what is asked.
        settings: the bot's; drafts get all the time they need.
        encoder: the bot's.
        generator: the contender's model; None composes.
        tick: called after each question.
    """
    with tempfile.TemporaryDirectory() as scratch:
        bot = assemble(
            settings.patient(),
            encoder,
            generator,
            log_path=Path(scratch) / "log.db",
        )
        try:
            return dict(_asked(questions, bot.manager, tick))
        finally:
            bot.store.close()


def changes(
    questions: Sequence[Fixed], candidate: Mapping[str, Taken], current: Mapping[str, Taken]
) -> list[RouteChange]:
    """Where the two went different ways."""
    found = []
    for question in questions:
        mine, theirs = candidate[question.id], current[question.id]
        if mine != theirs:
            found.append(
                RouteChange(
                    question.id,
                    question.question,
                    question.kind,
                    current=_said(theirs),
                    candidate=_said(mine),
                    broke=question.kind == "template" or not _right(question, mine),
                )
            )
    return found


def _asked(
    questions: Sequence[Fixed], manager: Manager, tick: Callable[[], None]
) -> Iterator[tuple[str, Taken]]:
    for question in questions:
        conversation = manager.open_conversation(_VISITOR, channel="evaluation")
        reply: object = None
        for message in (*question.context, question.question):
            *_, reply = manager.answer(conversation, message, visitor=_VISITOR)
        if not isinstance(reply, Reply):
            raise EvaluationError(
                f"Question {question.id} ended without a reply. This is a mistake in Kefu; please report it."
            )
        wording = reply.text if reply.route is Route.TEMPLATE else ""
        yield question.id, Taken(reply.route, reply.intent, wording)
        tick()


def _right(question: Fixed, taken: Taken) -> bool:
    """Whether a question went the way that it must."""
    return {  # of a template nobody can say: there, any change is one too many
        "refuse": taken.route not in _ANSWERED,
        "clarify": taken.route is Route.CLARIFY,
        "handoff": taken.route is Route.HANDOFF,
    }[question.kind]


def _said(taken: Taken) -> str:
    return taken.route.value if taken.intent is None else f"{taken.route.value} ({taken.intent})"
