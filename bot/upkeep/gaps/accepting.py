"""How a gap is closed: what a person chose becomes changes of the knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from bot.content import Content
from bot.errors import ContentError
from bot.understanding.intents import normalise
from bot.upkeep.gaps.drafts import NOTHING, Draft, Wording, article_drafts, intent_draft, refuse_unfinished
from bot.upkeep.gaps.material import FACES, Material
from bot.upkeep.gaps.placing import INTENTS, Change, new_file, read_draft
from bot.upkeep.gaps.report import Suggestion, Way
from bot.upkeep.gaps.yaml_examples import with_examples


@dataclass(frozen=True)
class Choice:
    """What a person wants done with a gap. Without a way, what was suggested is done; `files` are drafts, taken as they are."""

    way: Way | None = None
    intent: str | None = None  # whose examples the questions become
    wording: Wording = NOTHING
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Changes of the knowledge base, and in words what the gap becomes by them."""

    changes: tuple[Change, ...]
    outcome: str


def plan(
    choice: Choice,
    suggestion: Suggestion,
    material: Material,
    content: Content,
    knowledge_base: Path,
    *,
    day: date,
) -> Plan:
    """The changes that `choice` asks for. Writes nothing.

    Args:
        choice: what a person said.
        suggestion: is followed where they said nothing.
        material: what drafts are made from.
        content: the intents that there are.
        knowledge_base: where the changes will go.
        day: the date of new articles.

    Raises:
        ContentError: a draft is not finished, a name is taken or unknown, or the choice contradicts itself.
    """
    if choice.files:
        return _new([read_draft(path) for path in choice.files], knowledge_base)
    way = suggestion.way if choice.way is None else choice.way
    if way is Way.MEND:
        raise ContentError(
            f"What is suggested is to {suggestion.text}: edit that, then dismiss the gap. Or say what the gap is to "
            "become: --as-intent, --as-article or --into-intent INTENT."
        )
    if way is Way.INTO_INTENT:
        name = suggestion.target if choice.intent is None else choice.intent
        return _into_intent(str(name), material, choice.wording, content, knowledge_base)
    return _new(drafts_of(way, material, choice.wording, day=day), knowledge_base)


def drafts_of(way: Way, material: Material, wording: Wording = NOTHING, *, day: date) -> tuple[Draft, ...]:
    """What would be written: an intent, or else articles."""
    if way is Way.AS_INTENT:
        return (intent_draft(material, wording),)
    return article_drafts(material, wording, day=day)


def _new(drafts: Sequence[Draft], knowledge_base: Path) -> Plan:
    for draft in drafts:
        refuse_unfinished(draft)
    changes = tuple(new_file(knowledge_base, draft) for draft in drafts)
    return Plan(changes, ", ".join(change.name for change in changes))


def _into_intent(
    name: str, material: Material, wording: Wording, content: Content, knowledge_base: Path
) -> Plan:
    intent = content.intents.get(name)
    if intent is None:
        near = ", ".join(get_close_matches(name, content.intents, n=3))
        hint = f"Did you mean {near}?" if near else f"Choose one of: {', '.join(content.intents)}."
        raise ContentError(f"There is no intent {name!r}. {hint}")
    if wording.answers:
        raise ContentError(
            f"Examples of {name!r} get the answer that it has. Leave --answer-zh and --answer-en out, or edit "
            f"{INTENTS}/{name}.yaml."
        )
    there = set(map(normalise, intent.examples.all()))
    added = {
        language.value: [
            question
            for question in dict.fromkeys(
                (*wording.questions.get(language, ()), *material.face(language).questions)
            )
            if normalise(question) not in there
        ]
        for language in FACES
    }
    if not any(added.values()):
        raise ContentError(
            f"{name!r} has all these examples already. Look why it does not answer: its examples may be those of another "
            "intent, too (`kefu check`)."
        )
    file = f"{INTENTS}/{name}.yaml"
    before = (knowledge_base / file).read_bytes()
    text = with_examples(before.decode("utf-8"), added, file)
    return Plan((Change(file, text, before),), f"examples of {file}")
