"""THE renderer: turns passages, a conversation and a question into model input, for serving and for training.

A prompt is a conversation in turn markers. Its first turns never change for a language and version: the rules, and
worked examples that show a model how an answer looks (they cost nothing once their key/value cache is kept). Then
come the history and the question with its passages:

    fixed     rules · "understood" · example question · example answer · …
    variable  earlier messages … passages and question ▸ (the model writes here)

The model begins its answer with the number of the passage that answers, `[2] Breakfast is served …`; `[0]` alone says
that none does. That number is how a model declines: a field, never a phrase.

What customers and articles wrote is data: it is labelled, none of its lines begins at the margin, where a label
would, and turn markers inside it are made harmless. Every adapter names the `PROMPT_VERSION` that it was trained with;
change anything here that reaches the model, and the version goes up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.answering.generator import DEFAULT_SHAPE, Prompt, PromptShape
from bot.answering.prompt_wording import WORDING, Exchange, Wording
from bot.answering.turn_markers import CANONICAL, TurnMarkers, in_markers, turns
from bot.conversation import Language
from retrieval.chunking import width
from retrieval.sentences import sentences

PROMPT_VERSION = 2

_CONTROL = re.compile(
    r"<(/?(?:start_of_\w+|end_of_\w+|bos|eos|pad|unk|mask|s|unused\d+|\|[^<>|\n]{1,40}\|))>"
    r"|<(</?SYS>)>|\[(/?INST)\]",
    re.IGNORECASE,
)
_INVISIBLE = re.compile("[\u0000-\u0008\u000b-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_HEADING = re.compile(r"^#{1,6}\s+(.*)$")
_TABLE_RULE = re.compile(r"[|:\-\s]+")
_HISTORY_SHARE = 0.25  # of the budget, at most
_INDENT = " "
_SOURCE = re.compile(r"\s*\[(\d{1,2})\]\s*")
_CITED = re.compile(r"\s*\[\d{1,2}\](?!\()")


@dataclass(frozen=True)
class PromptPassage:
    """A passage as the model reads it. `number` is its rank, from 1; `text` is Markdown."""

    number: int
    title: str
    text: str


@dataclass(frozen=True)
class PromptMessage:
    """An earlier message of the conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class Rendered:
    """A training text. `loss_spans` are the character ranges [start, end) that carry loss: the answer and its end."""

    text: str
    loss_spans: tuple[tuple[int, int], ...]


def render(
    language: Language,
    passages: Sequence[PromptPassage],
    history: Sequence[PromptMessage],
    question: str,
    *,
    shape: PromptShape = DEFAULT_SHAPE,
) -> Prompt:
    """The prompt for a question, in canonical turn markers.

    Args:
        language: of the answer; content language decides the wording (`zh-Hant` reads as `zh`).
        passages: best first; those that do not fit the shape's width are left out from the back.
        history: oldest first; left out from the front, and before any passage is.
        question: the customer's.
        shape: how to build it.
    """
    wording = WORDING[language.content]
    asked = harmless(question)
    room = shape.width - width(asked)
    shown = _fitting(passages[: shape.passages], room)
    room -= sum(width(passage.title + passage.text) for passage in shown)
    said = _recent(history, min(room, int(shape.width * _HISTORY_SHARE)))
    if shape.best_last:
        shown.reverse()
    parts = [f"{text}{_turn_to(role)}" for role, text in _turns(said)]
    parts += [_asked(shown, asked, wording, flat=shape.flat), CANONICAL.to_model, wording.answer_label]
    fixed = _fixed(wording, shape.examples, flat=shape.flat)
    return Prompt(
        fixed, "".join(parts), wording.answer_gap, max((passage.number for passage in shown), default=0)
    )


def render_training(
    language: Language,
    passages: Sequence[PromptPassage],
    history: Sequence[PromptMessage],
    question: str,
    answer: str,
    source: int,
    *,
    markers: TurnMarkers = CANONICAL,
    shape: PromptShape = DEFAULT_SHAPE,
) -> Rendered:
    """The same prompt followed by its answer and the end marker, with the part that carries loss.

    Args:
        language: as for `render`, like the next three.
        passages: best first.
        history: oldest first.
        question: the customer's.
        answer: what the model should say; empty if and only if `source` is 0.
        source: number of the passage that answers; 0 if none does.
        markers: of the model that is trained (`turn_markers.markers_for`).
        shape: how to build it.

    Raises:
        ValueError: there is a source without an answer, or the reverse, or the source is not among the passages shown.
    """
    said = harmless(answer)
    if bool(said) != (source > 0):
        raise ValueError(
            f"Source {source} and an answer of {len(said)} characters do not fit to the question of "
            f"{len(question)} characters: 0 goes with an empty answer. Leave the example out."
        )
    prompt = render(language, passages, history, question, shape=shape)
    if source and f"[{source}] " not in prompt.variable:
        raise ValueError(
            f"Passage {source} of {len(passages)} is not shown, so no answer may name it. Put it first."
        )
    written = f"[{source}] {said}".strip()
    before = in_markers(prompt.fixed + prompt.variable, markers)
    text = before + WORDING[language.content].answer_gap + written + markers.end
    return Rendered(text, ((len(before), len(text)),))


def as_messages(prompt: Prompt) -> list[dict[str, str]]:
    """The same prompt as chat messages, for a server that applies its model's own markers; the last is the user's."""
    *before, _ = turns(prompt.fixed + prompt.variable)  # the model's turn is empty but for its label
    return [
        {"role": "assistant", "content": _without_label(turn)}
        if number % 2
        else {"role": "user", "content": turn}
        for number, turn in enumerate(before)
    ]


def split_source(text: str) -> tuple[int | None, str]:
    """The passage number that a model's answer begins with (0: none answers; None: it gave no number), and the rest."""
    found = _SOURCE.match(text)
    return (None, text) if found is None else (int(found[1]), text[found.end() :])


def harmless(text: str) -> str:
    """`text` with turn markers, fences and invisible characters made harmless; what a person reads stays the same."""
    return _CONTROL.sub(_in_other_brackets, _INVISIBLE.sub("", text)).strip()


def _in_other_brackets(match: re.Match[str]) -> str:
    inner = match[1] or match[2] or match[3]
    return f"‹{inner.strip('<>')}›"


def _fixed(wording: Wording, examples: int, *, flat: bool) -> str:
    parts = [CANONICAL.begin, wording.rules, CANONICAL.to_model, wording.understood, CANONICAL.to_user]
    for example in wording.examples[:examples]:
        parts += [
            _asked(_example_passages(example), example.question, wording, flat=flat),
            CANONICAL.to_model,
        ]
        written = f"[{example.source}] {example.answer}".strip()
        parts += [wording.answer_label, wording.answer_gap, written, CANONICAL.to_user]
    return "".join(parts)


def _example_passages(example: Exchange) -> list[PromptPassage]:
    return [
        PromptPassage(number, title, text) for number, (title, text) in enumerate(example.passages, start=1)
    ]


def _asked(passages: Sequence[PromptPassage], question: str, wording: Wording, *, flat: bool) -> str:
    """A user's turn: the labelled passages and the question. Only labels and numbers begin a line."""
    shown = [_shown(passage, wording, flat=flat) for passage in passages]
    return "\n".join((wording.passages_label, *shown, f"{wording.question_label}{_indented(question)}"))


def _shown(passage: PromptPassage, wording: Wording, *, flat: bool) -> str:
    title = " ".join(_lines(passage.title))
    if not flat:
        return f"[{passage.number}] {title}\n{_INDENT}{_indented(passage.text)}"
    lines = [_HEADING.sub(rf"\1{wording.colon.strip()}", line) for line in _lines(passage.text)]
    text = " ".join(line for line in lines if not _TABLE_RULE.fullmatch(line))
    return f"[{passage.number}] {title}{wording.colon}{text}"


def _lines(text: str) -> list[str]:
    return [line.strip() for line in harmless(text).splitlines() if line.strip()]


def _indented(text: str) -> str:
    """Every line but the first one indented, blank ones left out."""
    return f"\n{_INDENT}".join(_lines(text))


def _without_label(turn: str) -> str:
    for wording in WORDING.values():
        turn = turn.removeprefix(wording.answer_label).lstrip()
    return turn


def _fitting(passages: Sequence[PromptPassage], room: int) -> list[PromptPassage]:
    """The passages that fit, from the best down. The best one is always there, cut after a sentence if it must be."""
    shown: list[PromptPassage] = []
    for passage in passages:
        needed = width(passage.title + passage.text)
        if needed > room:
            break
        shown.append(passage)
        room -= needed
    if not shown and passages:
        best = passages[0]
        shown.append(
            PromptPassage(best.number, best.title, _cut(best.text, max(room - width(best.title), 0)))
        )
    return shown


def _cut(text: str, room: int) -> str:
    """As many whole sentences as fit into `room` width units; the first one in any case, cut hard if it is huge."""
    kept: list[str] = []
    for sentence in sentences(text):
        room -= width(sentence)
        if room < 0:
            break
        kept.append(sentence)
    return "\n".join(kept) if kept else text[: max(room, 200)]


def _recent(history: Sequence[PromptMessage], room: int) -> list[PromptMessage]:
    """The last messages that fit, oldest first."""
    kept: list[PromptMessage] = []
    for message in reversed(history):
        room -= width(message.text)
        if room < 0:
            break
        kept.append(message)
    return kept[::-1]


def _turns(messages: Sequence[PromptMessage]) -> Iterator[tuple[str, str]]:
    """Messages as strictly alternating turns that begin with the user's and end with the assistant's."""
    pending = ""
    for message in messages:
        if message.role == "user":
            pending = f"{pending}\n{harmless(message.text)}".strip()
        elif pending:
            yield "user", pending
            yield "assistant", _CITED.sub("", harmless(message.text))
            pending = ""


def _turn_to(role: str) -> str:
    """The marker after a turn of `role`."""
    return CANONICAL.to_model if role == "user" else CANONICAL.to_user
