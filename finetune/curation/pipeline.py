"""The conversations on their way through curation, with the table of what each step dropped and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from finetune.curation.choose import Agreement, Candidate, worse_ones
from finetune.curation.likeness import alike, asked
from finetune.errors import NothingToLearn
from finetune.masking import Redactor, check_masked, masked_texts
from finetune.records import Conversation, Exchange
from finetune.tongues import LISTED, TOLD, filled, joined, read_words

_WORDS = read_words(TOLD)
_CAME_TWICE = "the same conversation came twice"


@dataclass(frozen=True)
class Drop:
    """Why an exchange is not learned from. `exchange` is "" where the whole conversation went."""

    step: str
    conversation: str
    exchange: str
    reason: str


@dataclass(frozen=True)
class Step:
    """What a step left: exchanges to learn from, before and after it."""

    name: str
    before: int
    after: int


class Line:
    """What is left after each step. An exchange that is dropped stays as context, unless it is removed."""

    def __init__(self, conversations: list[Conversation], redactor: Redactor) -> None:
        self.conversations = conversations
        self.drops: list[Drop] = []
        self.steps: list[Step] = []
        self.masked_again: Counter[str] = Counter()
        self._redactor = redactor

    @property
    def selected(self) -> list[Exchange]:
        """The exchanges that are learned from, so far."""
        return [exchange for conversation in self.conversations for exchange in conversation.selected]

    def merge_twins(self) -> None:
        """Of conversations with one id, the fullest stays: an export of May holds the beginning of June's."""
        before = len(self.selected)
        best: dict[str, Conversation] = {}
        for conversation in self.conversations:
            other = best.get(conversation.id)
            if other is not None:
                self.drops.append(Drop("twins", conversation.id, "", _CAME_TWICE))
            if other is None or len(conversation.exchanges) > len(other.exchanges):
                best[conversation.id] = conversation
        self.conversations = list(best.values())
        self._count("twins", before)

    def mask(self) -> None:
        """Mask again, and hold the result against the detectors.

        Raises:
            PersonalDataLeft: they still find something.
        """
        self.conversations = [
            replace(
                conversation,
                exchanges=tuple(masked_texts(exchange, self._masked) for exchange in conversation.exchanges),
            )
            for conversation in self.conversations
        ]
        check_masked(self.conversations, self._redactor)

    def remove(self, step: str, reason_of: Callable[[Exchange], str | None]) -> None:
        """Take exchanges out of their conversations, context or not."""
        before, kept = len(self.selected), []
        for conversation in self.conversations:
            reasons = {exchange.id: reason_of(exchange) for exchange in conversation.exchanges}
            self._note(step, conversation, reasons)
            left = tuple(exchange for exchange in conversation.exchanges if reasons[exchange.id] is None)
            kept.append(replace(conversation, exchanges=left))
        self.conversations = kept
        self._count(step, before)

    def unlearn(self, step: str, reason_of: Callable[[Exchange], str | None]) -> None:
        """Keep exchanges as context only."""
        reasons = {
            exchange.id: reason for exchange in self.selected if (reason := reason_of(exchange)) is not None
        }
        self.unlearn_ids(step, reasons)

    def unlearn_ids(self, step: str, reasons: Mapping[str, str]) -> None:
        """As `unlearn`, for exchanges by id."""
        before = len(self.selected)
        for conversation in self.conversations:
            self._note(step, conversation, {e.id: reasons.get(e.id) for e in conversation.selected})
        self.conversations = [
            replace(
                conversation,
                exchanges=tuple(
                    replace(exchange, selected=exchange.selected and exchange.id not in reasons)
                    for exchange in conversation.exchanges
                ),
            )
            for conversation in self.conversations
        ]
        self._count(step, before)

    def duplicates(self, threshold: float, agreement: Agreement) -> Mapping[str, str]:
        """What is the same question as a better answered one."""
        candidates = [
            Candidate(exchange, asked(conversation, index))
            for conversation in self.conversations
            for index, exchange in enumerate(conversation.exchanges)
            if exchange.selected
        ]
        found = alike([candidate.asked for candidate in candidates], threshold)
        return worse_ones(candidates, found, agreement)

    def leave_out(self, step: str, reasons: Mapping[str, str]) -> None:
        """Note whole conversations, by id, that are on no side; they are not learned from."""
        before = len(self.selected)
        self.drops += [Drop(step, id_, "", reason) for id_, reason in reasons.items()]
        gone = sum(
            len(conversation.selected) for conversation in self.conversations if conversation.id in reasons
        )
        self.steps.append(Step(step, before, before - gone))

    def require(self, least: int) -> None:
        """Refuse to go on with too little.

        Raises:
            NothingToLearn: says how much each step took.
        """
        left = len(self.selected)
        if left < least:
            taken = [
                filled(_WORDS["steps"][step.name], count=step.before - step.after)
                for step in self.steps
                if step.after < step.before
            ]
            began = self.steps[0].before if self.steps else 0
            raise NothingToLearn(
                filled(
                    _WORDS["curation"]["too_few"],
                    began=began,
                    left=left,
                    least=least,
                    taken=joined(taken, LISTED) if taken else _WORDS["curation"]["nothing"],
                )
            )

    def _masked(self, text: str) -> str:
        redacted = self._redactor(text)
        self.masked_again.update(redacted.found)
        return redacted.text

    def _note(self, step: str, conversation: Conversation, reasons: Mapping[str, str | None]) -> None:
        self.drops += [
            Drop(step, conversation.id, id_, reason) for id_, reason in reasons.items() if reason is not None
        ]

    def _count(self, step: str, before: int) -> None:
        self.steps.append(Step(step, before, len(self.selected)))
