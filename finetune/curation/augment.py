"""Varies training questions as customers vary them: politeness, typing mistakes, words in the other language.

Only questions change, never answers. Masked data, numbers, models and links stay as they are, so that no variant asks
for another thing or uncovers anything. The same seed makes the same variants.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.conversation import Language
from bot.understanding.language import to_traditional
from finetune.curation.likeness import facts, normalised
from finetune.errors import CurationError
from finetune.records import Conversation

WORDINGS = Path(__file__).with_name("augmentation.yaml")

# What no variation may touch: placeholders, links, and everything with a digit in it.
_PROTECTED = re.compile(r"<[A-Z_]+>|(?:https?://|www\.)\S+|[A-Za-z-]*\d[A-Za-z0-9./:-]*")
_WORD = re.compile(r"[a-z]{4,}", re.IGNORECASE)  # in a shorter word a mistake makes another word
_PUNCTUATION = re.compile(r"[，。！？、；：,.!?;:]")
_TRIES = 5


class _Faces(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: tuple[str, ...]
    en: tuple[str, ...]


class Wordings(BaseModel):
    """What questions are varied with; see augmentation.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    openers: _Faces
    endings: _Faces
    homophones: Mapping[str, str]
    keyboard: Mapping[str, str]
    glossary: Mapping[str, str]  # Chinese → English


class BackTranslator(Protocol):
    """Says a question in other words by way of another language."""

    def __call__(self, text: str, language: Language) -> str | None:
        """The text said differently in the same language, or None if that fails."""


_Way = Callable[[str, Language, Wordings, random.Random], str]


def load_wordings(path: Path = WORDINGS) -> Wordings:
    """Read and check a file of wordings.

    Raises:
        CurationError: it is missing, no YAML, or lacks something; names the place.
    """
    try:
        return Wordings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CurationError(
            f"{path} cannot be used: {reason}. Mend it, or curate without variants."
        ) from error


def augment(
    conversations: Sequence[Conversation],
    share: float,
    wordings: Wordings,
    *,
    seed: int,
    back_translate: BackTranslator | None = None,
) -> tuple[Conversation, ...]:
    """Variants of conversations, each with one question changed, that one alone to be learned.

    Args:
        conversations: of the training split.
        share: how many variants, as a share of their selected exchanges.
        wordings: what is varied with.
        seed: decides which questions change, and how.
        back_translate: one more way to vary.

    Returns:
        At most that many; a question that no way changes has no variant, and none is made twice. `metadata` says in
        `variant` how a question was changed.
    """
    chance = random.Random(seed)  # noqa: S311 — variety, no secret
    places = [
        (conversation, index)
        for conversation in sorted(conversations, key=lambda conversation: conversation.id)
        for index, exchange in enumerate(conversation.exchanges)
        if exchange.selected
    ]
    ways = {**_WAYS, **({} if back_translate is None else {"back-translation": _translating(back_translate)})}
    wanted = round(share * len(places))
    seen = {exchange.question for conversation in conversations for exchange in conversation.exchanges}
    variants: list[Conversation] = []
    for number in range(wanted * _TRIES):
        if len(variants) == wanted or not places:
            break
        conversation, index = chance.choice(places)
        name = chance.choice(sorted(ways))
        exchange = conversation.exchanges[index]
        question = ways[name](exchange.question, exchange.language, wordings, chance)
        if question not in seen and _asks_the_same(question, exchange.question):
            seen.add(question)
            variants.append(_variant(conversation, index, question, name, number))
    return tuple(variants)


def _asks_the_same(variant: str, question: str) -> bool:
    return (
        bool(normalised(variant))
        and facts(variant) == facts(question)
        and _PROTECTED.findall(variant) == _PROTECTED.findall(question)
    )


def _variant(conversation: Conversation, index: int, question: str, name: str, number: int) -> Conversation:
    exchange = conversation.exchanges[index]
    changed = replace(
        exchange,
        id=f"{exchange.id}~{number}",
        question=question,
        rejected=None,  # the pair is in the original already
        metadata={**exchange.metadata, "variant": name},
    )
    before = (replace(earlier, selected=False) for earlier in conversation.exchanges[:index])
    return replace(conversation, id=f"{conversation.id}~{number}", exchanges=(*before, changed))


def _outside(text: str, change: Callable[[str], str]) -> str:
    """`change` applied to everything but what is protected."""
    parts, end = [], 0
    for match in _PROTECTED.finditer(text):
        parts += [change(text[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*parts, change(text[end:])])


def _face(faces: _Faces, language: Language) -> Sequence[str]:
    return faces.en if language is Language.EN else faces.zh


def _in_script(text: str, language: Language) -> str:
    return to_traditional(text) if language is Language.ZH_HANT else text


def _opener(text: str, language: Language, wordings: Wordings, chance: random.Random) -> str:
    return _in_script(chance.choice(_face(wordings.openers, language)), language) + text


def _ending(text: str, language: Language, wordings: Wordings, chance: random.Random) -> str:
    bare = text.rstrip("。.？?！! ")
    if re.search(r"(?:https?://|www\.)\S+$", bare):  # whose last letters an ending would become
        return text
    return bare + _in_script(chance.choice(_face(wordings.endings, language)), language)


def _homophone(text: str, language: Language, wordings: Wordings, chance: random.Random) -> str:
    del language  # a Chinese word in an English question is mistyped the same way
    return _one_word(text, wordings.homophones, chance)


def _keyboard(text: str, language: Language, wordings: Wordings, chance: random.Random) -> str:
    """One slip in one longer word: a neighbouring key, two letters swapped, one lost."""
    del language

    def slip(match: re.Match[str]) -> str:
        word = match.group()
        at = chance.randrange(1, len(word) - 1)
        kind = chance.randrange(3)
        near = wordings.keyboard.get(word[at].lower(), word[at])
        slipped = (chance.choice(near), word[at + 1] + word[at], "")[kind]
        return word[:at] + slipped + word[at + 1 + (kind == 1) :]

    words = [match for part in _parts(text) for match in _WORD.finditer(text, *part)]
    if not words:
        return text
    match = chance.choice(words)
    return text[: match.start()] + slip(match) + text[match.end() :]


def _no_punctuation(text: str, language: Language, wordings: Wordings, chance: random.Random) -> str:
    del language, wordings, chance
    return _outside(text, lambda part: _PUNCTUATION.sub(" ", part)).strip()


def _lower_case(text: str, language: Language, wordings: Wordings, chance: random.Random) -> str:
    del language, wordings, chance
    return _outside(text, str.lower)


def _code_switch(text: str, language: Language, wordings: Wordings, chance: random.Random) -> str:
    """One word in the other language: 「怎么 refund」, "how do I 退货"."""
    if language is not Language.EN:
        return _one_word(text, {zh: f" {en} " for zh, en in wordings.glossary.items()}, chance).strip()
    return _one_word(text, {en: zh for zh, en in wordings.glossary.items()}, chance)


def _translating(translate: BackTranslator) -> _Way:
    def way(text: str, language: Language, wordings: Wordings, chance: random.Random) -> str:
        del wordings, chance
        said = translate(text, language)
        return text if said is None else said

    return way


_WAYS: Mapping[str, _Way] = {
    "opener": _opener,
    "ending": _ending,
    "homophone": _homophone,
    "keyboard": _keyboard,
    "no-punctuation": _no_punctuation,
    "lower-case": _lower_case,
    "code-switch": _code_switch,
}


def _parts(text: str) -> list[tuple[int, int]]:
    """Where the text is not protected: start and end of each part."""
    edges = [0, *(edge for match in _PROTECTED.finditer(text) for edge in match.span()), len(text)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _one_word(text: str, words: Mapping[str, str], chance: random.Random) -> str:
    """One occurrence of one of the words replaced; a Latin word only where it stands alone."""
    found = []
    for word, other in words.items():
        edge = r"(?<![A-Za-z]){}(?![A-Za-z])" if word.isascii() else "{}"
        pattern = re.compile(edge.format(re.escape(word)), re.IGNORECASE)
        found += [(match, other) for part in _parts(text) for match in pattern.finditer(text, *part)]
    if not found:
        return text
    match, other = chance.choice(found)
    return text[: match.start()] + other + text[match.end() :]
