"""The team's own wording, read from the knowledge base: intents with their answer templates, and messages.

Only what is written *about* answers lives here; articles are read by `retrieval`. Every file is checked when it is
read: a wrong one is named with its file and key, and nothing half-right is ever served.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.conversation import Language
from bot.errors import ContentError

OUT_OF_SCOPE_FILE = "_out_of_scope.yaml"
MESSAGES_FILE = "messages.yaml"

Model = TypeVar("Model", bound=BaseModel)
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Faces(_Content):
    """One wording in both languages that content is written in."""

    zh: Text
    en: Text

    def face(self, language: Language) -> str:
        """The wording to show a customer of `language`; `zh-Hant` gets `zh`, to be converted where it is shown."""
        return self.zh if language.content is Language.ZH else self.en


class Examples(_Content):
    """What customers type for one intent."""

    zh: tuple[Text, ...] = Field(min_length=1)
    en: tuple[Text, ...] = Field(min_length=1)

    def all(self) -> tuple[str, ...]:
        """Both languages, Chinese first."""
        return self.zh + self.en


class SlotRule(_Content):
    """A fact that an intent's answer wants. `ask` is how the bot asks for it."""

    required: bool = False
    ask: Faces | None = None


class Intent(_Content):
    """One thing that customers want, and the approved answer to it."""

    id: Identifier
    title: Faces
    articles: tuple[Identifier, ...] = ()
    slots: Mapping[str, SlotRule] = Field(default_factory=dict)
    handoff: Literal["never", "always", "offer"] = "never"
    quick_replies: tuple[Identifier, ...] = Field((), max_length=3)
    answer: Faces
    examples: Examples

    @property
    def required_slots(self) -> tuple[str, ...]:
        """Names of the slots without which the answer cannot be given."""
        return tuple(name for name, rule in self.slots.items() if rule.required)


class _OutOfScope(_Content):
    id: Literal["out-of-scope"]
    examples: Examples


class Wording(_Content):
    """What the bot says around answers, in one language. See `knowledge_base/messages.yaml`."""

    greeting: Text
    suggested: tuple[Text, ...] = Field(max_length=6)
    no_answer: Text
    no_answer_off_topic: Text
    clarify: Text
    clarify_none: Text
    handoff: Text
    handoff_offer: Text
    only_other_language: Text
    expired: Text
    technical_problem: Text
    ai_label: Text
    sources: Text
    talk_to_person: Text
    new_chat: Text
    rate_up: Text
    rate_down: Text
    rated_thanks: Text
    placeholder: Text
    send: Text
    empty_message: Text
    too_long: Text
    too_fast: Text
    off_line_notice: Text


class _Messages(_Content):
    zh: Wording
    en: Wording


class Content(_Content):
    """Everything of the knowledge base that is not an article."""

    intents: Mapping[str, Intent]
    out_of_scope: Examples
    messages: _Messages

    def wording(self, language: Language) -> Wording:
        """The messages for a customer of `language`; `zh-Hant` gets `zh`."""
        return self.messages.zh if language.content is Language.ZH else self.messages.en


def load_content(knowledge_base: Path) -> Content:
    """Read and check `intents/*.yaml` and `messages.yaml`.

    Raises:
        ContentError: a file is missing, does not parse, or holds something impossible. Lists every problem found,
            one a line, each with its file and key.
    """
    problems: list[str] = []
    intents = _load_intents(knowledge_base / "intents", problems)
    out_of_scope = _load(knowledge_base / "intents" / OUT_OF_SCOPE_FILE, _OutOfScope, problems)
    messages = _load(knowledge_base / MESSAGES_FILE, _Messages, problems)
    _check_references(intents, knowledge_base / "intents", problems)
    if problems or out_of_scope is None or messages is None:
        raise ContentError(
            "The knowledge base has mistakes. Mend them; until then nothing changes:\n  "
            + "\n  ".join(problems)
        )
    return Content(intents=intents, out_of_scope=out_of_scope.examples, messages=messages)


def _load_intents(folder: Path, problems: list[str]) -> dict[str, Intent]:
    intents: dict[str, Intent] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name == OUT_OF_SCOPE_FILE:
            continue
        intent = _load(path, Intent, problems)
        if intent is None:
            continue
        if intent.id != path.stem:
            problems.append(f"{path}: id is {intent.id!r}; it must be the file's name, {path.stem!r}")
        problems.extend(f"{path}: {problem}" for problem in _template_problems(intent))
        intents[intent.id] = intent
    if not intents:
        problems.append(f"{folder}: no intents found; expected files like order-status.yaml")
    return intents


def _load(path: Path, model: type[Model], problems: list[str]) -> Model | None:
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        problems.append(f"{path}: this file is missing")
    except UnicodeDecodeError as error:
        problems.append(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8")
    except yaml.YAMLError as error:
        problems.append(f"{path}: not YAML: {' '.join(str(error).split())}")
    except ValidationError as error:
        problems.extend(
            f"{path}: {'.'.join(map(str, problem['loc'])) or 'file'}: {problem['msg']} (found {problem['input']!r:.80})"
            for problem in error.errors()
        )
    return None


def _template_problems(intent: Intent) -> list[str]:
    """What is wrong with an intent's answer: syntax, slots unknown, unused or not always there."""
    problems = []
    for language, answer in (("zh", intent.answer.zh), ("en", intent.answer.en)):
        try:
            used = {name for _, name, _, _ in string.Formatter().parse(answer) if name is not None}
        except ValueError as error:
            problems.append(f"answer.{language}: braces do not pair up ({error})")
            continue
        problems.extend(
            f"answer.{language}: slot {{{name}}} is not declared under slots"
            for name in sorted(used - set(intent.slots))
        )
        problems.extend(
            f"answer.{language}: required slot {{{name}}} is never used"
            for name in intent.required_slots
            if name not in used
        )
        problems.extend(
            f"answer.{language}: slot {{{name}}} is optional, so the answer could show a hole; make it required or leave it out"
            for name in sorted(used & set(intent.slots) - set(intent.required_slots))
        )
    problems.extend(
        f"slots.{name}: a required slot needs `ask` in zh and en"
        for name, rule in intent.slots.items()
        if rule.required and rule.ask is None
    )
    return problems


def _check_references(intents: Mapping[str, Intent], folder: Path, problems: list[str]) -> None:
    files = {
        path.stem for path in folder.glob("*.yaml")
    }  # a broken intent is named once, not by all who lead to it
    for intent in intents.values():
        problems.extend(
            f"{folder / intent.id}.yaml: quick_replies names {other!r}, which is no intent"
            for other in intent.quick_replies
            if other not in files
        )
