"""Approved answers: the templates of the intents, checked when loaded, filled when a customer's turn needs one."""

from __future__ import annotations

from collections.abc import Mapping

from bot.answering.facts import facts, numbers
from bot.content import Content, Faces, Intent
from bot.conversation import Language
from bot.errors import ContentError


class TemplateBook:
    """The answer template of every intent, in both language faces.

    Raises:
        ContentError: the two faces of an answer state different numbers or links; lists every such answer.
    """

    def __init__(self, content: Content) -> None:
        problems = [problem for intent in content.intents.values() for problem in _face_problems(intent)]
        if problems:
            raise ContentError(
                "Answers say different things in Chinese and in English. Make both faces agree:\n  "
                + "\n  ".join(problems)
            )
        self._intents = content.intents

    def __contains__(self, intent: str) -> bool:
        return intent in self._intents

    def intent(self, name: str) -> Intent:
        """The intent called `name`; KeyError if there is none."""
        return self._intents[name]

    def missing_slot(self, intent: str, slots: Mapping[str, str]) -> str | None:
        """The first required slot that `slots` lacks, in the order of the file; None if the answer is complete."""
        return next((name for name in self._intents[intent].required_slots if not slots.get(name)), None)

    def render(self, intent: str, language: Language, slots: Mapping[str, str]) -> str:
        """The answer's face for `language` with its slots filled, Markdown.

        Raises:
            KeyError: a required slot is missing; ask `missing_slot` first.
        """
        return self._intents[intent].answer.face(language).format_map(dict(slots))

    def question_for(self, intent: str, slot: str, language: Language) -> str:
        """How the bot asks for `slot`."""
        ask = self._intents[intent].slots[slot].ask
        if ask is None:
            raise ContentError(
                f"Intent {intent!r} has no question for slot {slot!r}; add `ask` in zh and en."
            )
        return ask.face(language)

    def title(self, intent: str, language: Language) -> str:
        """What the intent is called on a button."""
        return self._intents[intent].title.face(language)


def _face_problems(intent: Intent) -> list[str]:
    faces: dict[str, Faces] = {"answer": intent.answer}
    faces |= {f"slots.{name}.ask": rule.ask for name, rule in intent.slots.items() if rule.ask is not None}
    problems = []
    for place, face in faces.items():
        differing = sorted(numbers(face.zh) ^ numbers(face.en)) + sorted(
            facts(face.zh).links ^ facts(face.en).links
        )
        if differing:
            problems.append(f"intents/{intent.id}.yaml: {place}: only one face says {', '.join(differing)}")
    return problems
