"""Splits conversations into training, validation and test so that the test is honest.

The test holds the latest conversations, because a model meets tomorrow's customers. No customer and no nearly equal
question stands on two sides: what belongs together is moved together. Where a customer or a question of the earlier
part comes back in the time of the test, those later conversations are left out, rather than moved before their time.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from finetune.curation.likeness import Question, alike, asked, near_any
from finetune.records import Conversation

SIDES = ("train", "validation", "test")
_UNDATED = datetime.min.replace(tzinfo=UTC)  # nobody can say that it is late, so it comes first


@dataclass(frozen=True)
class Splits:
    """The three sides, and the ids of conversations that fit on none, each with the reason."""

    train: tuple[Conversation, ...]
    validation: tuple[Conversation, ...]
    test: tuple[Conversation, ...]
    left_out: Mapping[str, str]


def split(
    conversations: Sequence[Conversation], *, validation: float, test: float, near: float, seed: int
) -> Splits:
    """Split by customer, by question and by time.

    Args:
        conversations: each with at least one selected exchange.
        validation: share of the conversations, 0 to 1; one at least, where there are enough groups.
        test: as `validation`.
        near: least similarity (0 to 1) of two selected questions that must not be on two sides, whatever their numbers.
        seed: decides which groups validate, and the order of conversations without a time.
    """
    chance = random.Random(seed)  # noqa: S311 — a sample, no secret
    ordered = sorted(conversations, key=lambda conversation: conversation.id)
    chance.shuffle(ordered)
    ordered.sort(key=_time)
    groups = _groups(ordered, near)
    tested, cut = _latest(groups, _wanted(test, len(ordered)))
    rest = [group for group in groups if group not in tested]
    chance.shuffle(rest)
    validated = _first(rest, _wanted(validation, len(ordered)))
    side = {at: "validation" for group in validated for at in group}
    side |= {at: "test" for group in tested for at in group}
    # Dated beyond the cut, but in a group that begins before it: too late for training, too known for the test.
    late = {at for group in rest for at in group if at >= cut}
    left_out = {ordered[at].id: "customer or question also stands before the time of the test" for at in late}
    placed = [(side.get(at, "train"), ordered[at]) for at in range(len(ordered)) if at not in late]
    kept: defaultdict[str, list[Conversation]] = defaultdict(list)
    for name, conversation in without_leaks(placed, near):
        if conversation.selected:
            kept[name].append(conversation)
        else:
            left_out[conversation.id] = "its context asks what another side is asked"
    return Splits(tuple(kept["train"]), tuple(kept["validation"]), tuple(kept["test"]), left_out)


def apart(conversations: Sequence[Conversation], splits: Splits, near: float) -> tuple[Conversation, ...]:
    """Of conversations that were made beside the splits, those that may join the training: apart from the other sides.

    Args:
        conversations: variants of training questions, or talks for preference training.
        splits: what they must share neither a customer nor a question with: validation and test.
        near: least similarity of two questions, 0 to 1.
    """
    held = (*splits.validation, *splits.test)
    customers = {conversation.customer for conversation in held} - {None}
    pairs = _selected_questions(conversations)
    questions = [question for _, question in pairs]
    found = near_any(questions, [question for _, question in _selected_questions(held)], near)
    close = {at for (at, _), is_near in zip(pairs, found, strict=True) if is_near}
    return tuple(
        conversation
        for at, conversation in enumerate(conversations)
        if at not in close and conversation.customer not in customers
    )


def without_leaks(
    placed: Sequence[tuple[str, Conversation]], near: float
) -> Iterator[tuple[str, Conversation]]:
    """Cut context that asks what is to be answered on a later side, so that no answer of the test is read in training.

    Args:
        placed: conversations with their side.
        near: least similarity of two questions, 0 to 1.

    Yields:
        Each with its side, beginning after the last such exchange and after follow-ups of it.
    """
    begins = [0] * len(placed)
    for number, later in enumerate(SIDES[1:], start=1):
        asked_there = [
            question for _, question in _selected_questions([talk for name, talk in placed if name == later])
        ]
        context = [
            (at, index)
            for at, (name, talk) in enumerate(placed)
            for index, exchange in enumerate(talk.exchanges)
            if name in SIDES[:number] and not exchange.selected
        ]
        found = near_any([asked(placed[at][1], index) for at, index in context], asked_there, near)
        for (at, index), leaks in zip(context, found, strict=True):
            begins[at] = max(begins[at], index + 1 if leaks else 0)
    for (name, conversation), begin in zip(placed, begins, strict=True):
        yield name, _from(conversation, begin)


def _from(conversation: Conversation, begin: int) -> Conversation:
    if begin == 0:
        return conversation
    exchanges = conversation.exchanges
    while begin < len(exchanges) and asked(conversation, begin).follows:
        begin += 1
    return replace(conversation, exchanges=exchanges[begin:])


def _time(conversation: Conversation) -> datetime:
    return _UNDATED if conversation.started_at is None else conversation.started_at


def _wanted(share: float, count: int) -> int:
    return 0 if share <= 0 else max(1, round(share * count))


def _groups(ordered: Sequence[Conversation], near: float) -> list[tuple[int, ...]]:
    """Positions of conversations that must stay together, each group in order of time."""
    parent = list(range(len(ordered)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[str, int] = {}
    for at, conversation in enumerate(ordered):
        if conversation.customer is not None:
            parent[root(at)] = root(first.setdefault(conversation.customer, at))
    pairs = _selected_questions(ordered)
    found = alike([question for _, question in pairs], near, same_facts=False)
    asking: dict[int, int] = {}  # number of a question → a conversation that asks it
    for (at, _), number in zip(pairs, found.numbers, strict=True):
        parent[root(at)] = root(asking.setdefault(number, at))
    for number, others in enumerate(found.near):
        for other in others:
            parent[root(asking[number])] = root(asking[other])
    members: defaultdict[int, list[int]] = defaultdict(list)
    for at in range(len(ordered)):
        members[root(at)].append(at)
    return [tuple(group) for group in members.values()]


def _latest(groups: Sequence[tuple[int, ...]], wanted: int) -> tuple[set[tuple[int, ...]], int]:
    """Whole groups from the end of time until there are enough, but never all; and where their time begins."""
    taken: set[tuple[int, ...]] = set()
    cut = 1 + max((at for group in groups for at in group), default=0)
    for group in sorted(groups, key=lambda group: group[0], reverse=True)[: max(0, len(groups) - 2)]:
        if sum(map(len, taken)) >= wanted:
            break
        taken.add(group)
        cut = group[0]
    return taken, cut


def _first(groups: Sequence[tuple[int, ...]], wanted: int) -> set[tuple[int, ...]]:
    """Small groups until there are enough; a group larger than what is wanted would starve the training."""
    taken: set[tuple[int, ...]] = set()
    for group in sorted(groups, key=len)[:-1] if wanted else ():
        if sum(map(len, taken)) >= wanted:
            break
        taken.add(group)
    return taken


def _selected_questions(conversations: Sequence[Conversation]) -> list[tuple[int, Question]]:
    """Selected questions as they are compared, each with the position of its conversation."""
    return [
        (at, asked(conversation, index))
        for at, conversation in enumerate(conversations)
        for index, exchange in enumerate(conversation.exchanges)
        if exchange.selected
    ]
