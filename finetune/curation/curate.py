"""From conversations to a curated training set: each step drops with a reason, and the reasons are kept.

1. The same conversation from two imports counts once.
2. Everything is masked again; personal data that the detectors still find afterwards stops it all.
3. Noise goes: empty texts, emoji and links alone, notices. Greetings stay as context.
4. An answer that was voted down and not corrected is not learned; it is kept apart for preference training.
5. So is one in another language than its question.
6. Of questions that are nearly the same, the best answer stays.
7. The largest intents and the larger language are capped.
8. Training, validation and test part by customer, question and time.
9. Training questions are varied, if asked for.

An exchange that is dropped stays in its conversation as context, not to be learned, unless it is noise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.safety.redact import redact
from finetune.curation.augment import BackTranslator, Wordings, augment
from finetune.curation.balance import over_intent_cap, over_language_cap
from finetune.curation.choose import Agreement, no_opinion
from finetune.curation.noise import noise_in, nothing_asked, speaks_another_language
from finetune.curation.pipeline import Drop, Line, Step
from finetune.curation.splits import Splits, apart, split
from finetune.errors import CurationError, NothingToLearn
from finetune.masking import Redactor, check_masked
from finetune.records import Conversation, Exchange
from finetune.tongues import TOLD, filled, read_words

# Of the threshold for duplicates: a test question must be farther from training than a duplicate.
_WORDS = read_words(TOLD)["curation"]
_NEAR_FOR_SPLIT = 0.8


@dataclass(frozen=True)
class CurationSettings:
    """How a set is curated. Shares are 0 to 1; the same settings and conversations give the same set."""

    seed: int = 20261124
    near_duplicate: float = 0.7  # least similarity of two questions that are the same
    intent_cap: float = 5.0  # times the median intent
    language_cap: float = 4.0  # times the smaller language
    validation: float = 0.1
    test: float = 0.1
    augmented: float = 0.3  # variants, as a share of the training exchanges; 0: none
    least: int = 20  # exchanges, below which nothing can be learned

    def check(self) -> None:
        """Refuse impossible settings.

        Raises:
            CurationError: names the first one.
        """
        for name, value, low, high in (
            ("near_duplicate", self.near_duplicate, 0.1, 1.0),
            ("intent_cap", self.intent_cap, 1.0, float("inf")),
            ("language_cap", self.language_cap, 1.0, float("inf")),
            ("validation", self.validation, 0.0, 0.5),
            ("test", self.test, 0.0, 0.4),
            ("augmented", self.augmented, 0.0, 5.0),
            ("least", self.least, 1, float("inf")),
        ):
            if not low <= value <= high:
                raise CurationError(f"{name} is {value}; it must lie between {low} and {high}.")


@dataclass(frozen=True)
class Curated:
    """A curated set. `disliked` holds talks that end with an answer that was voted down: for preference training only."""

    splits: Splits
    disliked: tuple[Conversation, ...]
    drops: tuple[Drop, ...]
    steps: tuple[Step, ...]
    augmented: int
    masked_again: Mapping[str, int]


def curate(
    conversations: Iterable[Conversation],
    settings: CurationSettings | None = None,
    *,
    redactor: Redactor = redact,
    agreement: Agreement = no_opinion,
    wordings: Wordings | None = None,
    back_translate: BackTranslator | None = None,
) -> Curated:
    """Make a training set of conversations.

    Args:
        conversations: from the log and from imports; what is not selected is only context.
        settings: see there.
        redactor: masks, and checks what was masked.
        agreement: how far the knowledge base agrees with an answer.
        wordings: what questions are varied with; None: no variants.
        back_translate: makes one more kind of variant.

    Raises:
        PersonalDataLeft: masking left personal data.
        NothingToLearn: too little is left; says how much each step took.
        CurationError: a setting is impossible.
    """
    settings = CurationSettings() if settings is None else settings
    settings.check()
    line = Line(list(conversations), redactor)
    line.merge_twins()
    line.mask()
    line.remove("noise", noise_in)
    line.unlearn("nothing asked", nothing_asked)
    line.unlearn("voted down", _voted_down)
    line.unlearn("language", _wrong_language)
    line.unlearn_ids("duplicates", line.duplicates(settings.near_duplicate, agreement))
    line.unlearn_ids("intents", over_intent_cap(line.selected, settings.intent_cap, settings.seed))
    line.unlearn_ids("languages", over_language_cap(line.selected, settings.language_cap, settings.seed))
    line.require(settings.least)
    parted = _part(line, settings)
    near = settings.near_duplicate * _NEAR_FOR_SPLIT
    variants = () if wordings is None else _variants(parted.train, settings, wordings, back_translate)
    variants = apart(variants, parted, near)
    disliked = apart(_disliked(line.conversations), parted, near)
    splits = replace(parted, train=(*parted.train, *variants))
    check_masked((*splits.train, *splits.validation, *splits.test, *disliked), redactor)
    return Curated(
        splits, disliked, tuple(line.drops), tuple(line.steps), len(variants), dict(line.masked_again)
    )


def _part(line: Line, settings: CurationSettings) -> Splits:
    """Split what is left, each conversation up to its last selected exchange.

    Raises:
        NothingToLearn: a side that was asked for stays empty.
    """
    trimmed = [_trimmed(conversation) for conversation in line.conversations if conversation.selected]
    splits = split(
        trimmed,
        validation=settings.validation,
        test=settings.test,
        near=settings.near_duplicate * _NEAR_FOR_SPLIT,
        seed=settings.seed,
    )
    sides = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    wanted = {"train": 1.0, "validation": settings.validation, "test": settings.test}
    empty = [name for name, side in sides.items() if not side and wanted[name] > 0]
    if empty:
        raise NothingToLearn(filled(_WORDS["empty_side"], count=len(trimmed), sides=", ".join(empty)))
    line.leave_out("split", splits.left_out)
    return splits


def _variants(
    train: Sequence[Conversation],
    settings: CurationSettings,
    wordings: Wordings,
    back_translate: BackTranslator | None,
) -> tuple[Conversation, ...]:
    return augment(train, settings.augmented, wordings, seed=settings.seed, back_translate=back_translate)


def _disliked(conversations: Iterable[Conversation]) -> tuple[Conversation, ...]:
    """Talks up to an answer that was voted down and never corrected, that answer alone selected."""
    return tuple(
        replace(
            conversation,
            id=f"{conversation.id}-disliked-{index + 1}",
            exchanges=(
                *(replace(before, selected=False) for before in conversation.exchanges[:index]),
                replace(exchange, selected=True),
            ),
        )
        for conversation in conversations
        for index, exchange in enumerate(conversation.exchanges)
        if _voted_down(exchange) and not nothing_asked(exchange)
    )


def _voted_down(exchange: Exchange) -> str | None:
    return "voted down and never corrected" if exchange.rating == -1 and not exchange.corrected else None


def _wrong_language(exchange: Exchange) -> str | None:
    return "the answer is in another language" if speaks_another_language(exchange) else None


def _trimmed(conversation: Conversation) -> Conversation:
    last = max(index for index, exchange in enumerate(conversation.exchanges) if exchange.selected)
    return replace(conversation, exchanges=conversation.exchanges[: last + 1])
