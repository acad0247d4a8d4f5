"""Drafts of an intent and of articles about a gap, as the files that they would become. What is missing is marked `TODO:`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.conversation import Language
from bot.errors import ContentError
from bot.upkeep.gaps.material import FACES, MASKED, Face, Material
from bot.upkeep.gaps.yaml_examples import scalar

TODO = "TODO:"
_LANGUAGE_NAMES = {Language.ZH: "Chinese", Language.EN: "English"}


@dataclass(frozen=True)
class Draft:
    """A file that is not there yet. `name` is its place in the knowledge base, like "articles/zh/returns.md"."""

    name: str
    text: str


@dataclass(frozen=True)
class Wording:
    """What a person adds to a draft, by language: the answer, and questions as customers would type them."""

    answers: Mapping[Language, str]
    questions: Mapping[Language, Sequence[str]]
    name: str | None = None  # id of the new intent or article


NOTHING = Wording({}, {})


def intent_draft(material: Material, wording: Wording = NOTHING) -> Draft:
    """An intent with the gap's questions as examples."""
    faces = {language: _worded(material.face(language), language, wording) for language in FACES}
    name = material.slug if wording.name is None else wording.name
    lines = [f"id: {name}", "title:"]
    lines += [f"  {language}: {_title(face, language)}" for language, face in faces.items()]
    lines.append("answer:")
    for language, face in faces.items():
        lines += [f"  # {line}" for line in _material_lines(face)]
        lines += _answer_lines(face, language)
    lines.append("examples:")
    for language, face in faces.items():
        lines.append(f"  {language}:")
        lines += [f"    - {scalar(question)}" for question in face.questions]
        if not face.questions:
            lines.append(
                f"    - {scalar(f'{TODO} what a customer would type in {_LANGUAGE_NAMES[language]}')}"
            )
    return Draft(f"intents/{name}.yaml", "\n".join(lines) + "\n")


def article_drafts(material: Material, wording: Wording = NOTHING, *, day: date) -> tuple[Draft, ...]:
    """Articles, one in each language that there is an answer in; without any, in each that customers asked in."""
    faces = {language: _worded(material.face(language), language, wording) for language in FACES}
    written = [language for language, face in faces.items() if face.answer is not None]
    chosen = written if written else [language for language, face in faces.items() if face.questions]
    name = material.slug if wording.name is None else wording.name
    return tuple(
        Draft(f"articles/{language}/{name}.md", _article(name, faces[language], language, day))
        for language in (chosen if chosen else FACES)
    )


def refuse_unfinished(draft: Draft) -> None:
    """Let nothing into the knowledge base that a person has still to write.

    Raises:
        ContentError: the draft holds a `TODO:`, or a place where personal data was masked; names each with its line.
    """
    open_places = [
        f"line {number}: {line.strip()}"
        for number, line in enumerate(draft.text.splitlines(), start=1)
        if TODO in line or MASKED.search(line)
    ]
    if open_places:
        raise ContentError(
            f"The draft of {draft.name} is not finished. Write what is marked {TODO} or masked (`kefu unanswered show ID --write "
            "FILE` puts the draft into a file, `accept ID --file FILE` takes it), or give --answer-zh, --answer-en, "
            "--question-zh and --question-en:\n  " + "\n  ".join(open_places)
        )


def _worded(face: Face, language: Language, wording: Wording) -> Face:
    """The face with what a person added: their answer instead of another, their questions first."""
    answer = wording.answers.get(language, face.answer)
    questions = dict.fromkeys((*wording.questions.get(language, ()), *face.questions))
    return Face(tuple(questions), answer, face.sources)


def _title(face: Face, language: Language) -> str:
    return scalar(face.title if face.title is not None else f"{TODO} a title in {_LANGUAGE_NAMES[language]}")


def _answer_lines(face: Face, language: Language) -> list[str]:
    if face.answer is None:
        hint = f"{TODO} the answer in {_LANGUAGE_NAMES[language]}, with the same numbers and links as in the other language"
        return [f"  {language}: {scalar(hint)}"]
    text = face.answer.strip().replace("{", "{{").replace("}", "}}")  # braces would be read as slots
    if len(text.splitlines()) == 1:
        return [f"  {language}: {scalar(text)}"]
    return [f"  {language}: |-", *(f"    {line.rstrip()}".rstrip() for line in text.splitlines())]


def _article(name: str, face: Face, language: Language, day: date) -> str:
    head = [
        "---",
        f"id: {name}",
        f"title: {_title(face, language)}",
        f"language: {language}",
        f"updated: {day.isoformat()}",
    ]
    others = [question for question in face.questions if question != face.title]
    if others:
        head += ["questions:", *(f"  - {scalar(question)}" for question in others)]
    head.append("---")
    if face.answer is not None:
        return "\n".join([*head, face.answer.strip(), ""])
    todo = f"{TODO} the answer in {_LANGUAGE_NAMES[language]}, in the first sentence; details after it"
    notes = (
        ["", "<!--", *(line.replace("--", "–") for line in _material_lines(face)), "-->"]
        if face.sources
        else []
    )
    return "\n".join([*head, todo, *notes, ""])


def _material_lines(face: Face) -> list[str]:
    """What the nearest articles say, for the one who writes the answer; nothing where it is written."""
    if face.answer is not None or not face.sources:
        return []
    return ["What the nearest articles say:", *face.sources]
