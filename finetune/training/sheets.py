"""Training rows that begin alike are read once: a sheet is their common beginning with each row's end as a branch.

Several questions about the same passages differ only in their last fifth. On a sheet, the passages stand once; each
branch sees them and itself, at the positions that it would have alone, and no other branch. What is computed is what
separate rows would give, at a third of the tokens (compare tree attention in Medusa, Cai et al. 2024, arXiv 2401.10774).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedConfig

IGNORED = -100  # a label that carries no loss
MOST_TOKENS = 1536  # of a sheet: attention costs the square of it
_WORTH_SHARING = 0.4  # share of a row that must be common
_MASKABLE = {"full_attention", "sliding_attention"}  # kinds of layers in which a mask keeps branches apart


@dataclass(frozen=True)
class Row:
    """A tokenized example: `tokens`, of which those from `answer_from` on carry loss.

    The first `marked` of these name the passage that answers, or decline: the decision that all the others follow from.
    """

    tokens: tuple[int, ...]
    answer_from: int
    marked: int = 0

    def weights(self, decision: float) -> list[float]:
        """How much each of `tokens` from `answer_from` on counts: `decision` for the marked ones, 1 for the others."""
        return [decision] * self.marked + [1.0] * (len(self.tokens) - self.answer_from - self.marked)


@dataclass(frozen=True)
class Sheet:
    """Rows with a common beginning of `shared` tokens."""

    shared: int
    rows: tuple[Row, ...] = field(default_factory=tuple)

    @property
    def tokens(self) -> int:
        """How many tokens the model reads."""
        return self.shared + sum(len(row.tokens) - self.shared for row in self.rows)

    def as_features(self, decision: float = 1.0) -> dict[str, list[Any]]:
        """`input_ids`, `labels`, `position_ids` and `branch` (0: the beginning), each of length `tokens`.

        `weights` has a number for each label that carries loss: `decision` for those that name the passage, else 1.
        """
        first = self.rows[0].tokens[: self.shared]
        features: dict[str, list[Any]] = {
            "input_ids": list(first),
            "labels": [IGNORED] * self.shared,
            "position_ids": list(range(self.shared)),
            "branch": [0] * self.shared,
            "weights": [weight for row in self.rows for weight in row.weights(decision)],
        }
        for number, row in enumerate(self.rows, start=1):
            end = row.tokens[self.shared :]
            features["input_ids"] += end
            features["labels"] += [
                token if place >= row.answer_from else IGNORED
                for place, token in enumerate(end, start=self.shared)
            ]
            features["position_ids"] += range(self.shared, len(row.tokens))
            features["branch"] += [number] * len(end)
        return features


def sheets(rows: Sequence[Row], most_tokens: int = MOST_TOKENS) -> list[Sheet]:
    """Group rows that begin alike; the same rows give the same sheets, in the order of each one's first row.

    Args:
        rows: each answer begins after at least one token of its own question.
        most_tokens: longest sheet; a single longer row stays whole.
    """
    order = {row: place for place, row in reversed(list(enumerate(rows)))}
    found: list[Sheet] = []
    for row in sorted(rows, key=lambda row: row.tokens):
        grown = _with(found[-1], row) if found else None
        if grown is not None and grown.tokens <= most_tokens:
            found[-1] = grown
        else:
            found.append(Sheet(row.answer_from - 1, (row,)))
    return sorted(found, key=lambda sheet: min(order[row] for row in sheet.rows))


def _with(sheet: Sheet, row: Row) -> Sheet | None:
    """The sheet with one more row; None if too little is common."""
    shared = min(_common(sheet.rows[0].tokens, row.tokens), sheet.shared, row.answer_from - 1)
    longest = max(len(each.tokens) for each in (*sheet.rows, row))
    return Sheet(shared, (*sheet.rows, row)) if shared >= _WORTH_SHARING * longest else None


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    for place, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return place
    return min(len(one), len(other))


def apart(rows: Sequence[Row]) -> list[Sheet]:
    """Each row on a sheet of its own, in the same order: for models and methods that take no masks of ours."""
    return [Sheet(row.answer_from - 1, (row,)) for row in rows]


def can_share(config: PreTrainedConfig) -> bool:
    """Whether a model with this configuration can read sheets: its attention is computed with the mask it is given."""
    text = config.get_text_config()
    kinds = set(getattr(text, "layer_types", None) or ())
    # Flash attention takes no such masks, and ignores them without a word.
    return kinds <= _MASKABLE and getattr(text, "_attn_implementation", None) in ("sdpa", "eager")


class OneSheet:
    """Collates a batch of one sheet into model inputs, with the attention masks that keep its branches apart."""

    def __init__(self, config: PreTrainedConfig) -> None:
        text = config.get_text_config()
        self._kinds = tuple(dict.fromkeys(getattr(text, "layer_types", None) or ()))
        self._window: int | None = getattr(text, "sliding_window", None)
        self._eager = getattr(text, "_attn_implementation", None) == "eager"
        self._dtype = getattr(text, "dtype", None) or torch.float32

    def __call__(self, batch: Sequence[dict[str, list[Any]]]) -> dict[str, Any]:
        """`input_ids`, `labels` (each (1, n) int64), `weights` (1, labels), and for several rows what keeps them apart.

        That is `position_ids` (1, n) and `attention_mask`: (1, 1, n, n), True where seen, or a dictionary of such masks
        by kind of layer. Eager attention adds its mask, so there it is 0 where seen, and else as low as it can be. A
        single row is what any model expects, so it gets neither.

        Raises:
            ValueError: the batch holds more than one sheet: they would have to be padded, which sheets make needless.
        """
        if len(batch) != 1:
            raise ValueError(f"A batch is one sheet, but this one has {len(batch)}. Set the batch size to 1.")
        columns = {name: torch.tensor([values]) for name, values in batch[0].items()}
        inputs: dict[str, Any] = {name: columns[name] for name in ("input_ids", "labels", "weights")}
        if max(batch[0]["branch"]) > 1:
            inputs["position_ids"] = columns["position_ids"]
            inputs["attention_mask"] = self._masks(columns["branch"][0], columns["position_ids"][0])
        return inputs

    def _masks(self, branch: Tensor, position: Tensor) -> Tensor | dict[str, Tensor]:
        """One mask for a model of one kind of layers, or one for each kind by its name."""
        own = (branch[None, :] == branch[:, None]) | (branch[None, :] == 0)
        seen = own & (position[None, :] <= position[:, None])
        near = seen & ((position[:, None] - position[None, :]) < (self._window or len(position) + 1))
        if not self._kinds:  # a window without kinds of layers is every layer's
            return self._as_taken(near)
        return {kind: self._as_taken(near if kind == "sliding_attention" else seen) for kind in self._kinds}

    def _as_taken(self, seen: Tensor) -> Tensor:
        if not self._eager:
            return seen[None, None]
        lowest = torch.finfo(self._dtype).min
        return torch.zeros(seen.shape, dtype=self._dtype).masked_fill(~seen, lowest)[None, None]


def each_once(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows without exact repetitions."""
    yield from dict.fromkeys(rows)
