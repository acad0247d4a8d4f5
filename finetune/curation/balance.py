"""Caps what there is most of, so that a model does not learn one language or one intent above all."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from finetune.curation.choose import standing
from finetune.records import Exchange


def over_intent_cap(exchanges: Sequence[Exchange], times: float, seed: int) -> Mapping[str, str]:
    """The exchanges beyond the cap of their intent, by id, each with the reason.

    Args:
        exchanges: those to be learned from; one without an intent is never capped.
        times: how many times the median intent an intent may have, at least 1.
        seed: decides which go, among those that people said the same of; judged ones stay longest.
    """
    groups = _groups(exchanges, lambda exchange: exchange.intent)
    if not groups:
        return {}
    cap = int(median(map(len, groups.values())) * times)
    return {
        id_: f"more than {cap} exchanges of one intent"
        for intent, members in groups.items()
        for id_ in _beyond(members, cap, f"{seed} {intent}")
    }


def over_language_cap(exchanges: Sequence[Exchange], times: float, seed: int) -> Mapping[str, str]:
    """The exchanges beyond the cap of their language, by id, each with the reason.

    Args:
        exchanges: those to be learned from; traditional Chinese counts as Chinese.
        times: how many times the smaller language the larger one may have, at least 1.
        seed: as in `over_intent_cap`.
    """
    groups = _groups(exchanges, lambda exchange: exchange.language.content.value)
    if len(groups) < 2:
        return {}
    cap = int(min(map(len, groups.values())) * times)
    return {
        id_: f"more than {cap} exchanges in one language"
        for language, members in groups.items()
        for id_ in _beyond(members, cap, f"{seed} {language}")
    }


def _groups(
    exchanges: Sequence[Exchange], name: Callable[[Exchange], str | None]
) -> Mapping[str, list[Exchange]]:
    groups: defaultdict[str, list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        key = name(exchange)
        if key is not None:
            groups[key].append(exchange)
    return groups


def _beyond(members: Sequence[Exchange], cap: int, seed: str) -> list[str]:
    chance = random.Random(seed)  # noqa: S311 — a sample, no secret
    order = sorted(members, key=lambda exchange: exchange.id)
    chance.shuffle(order)
    order.sort(key=standing)
    return [exchange.id for exchange in order[cap:]]
