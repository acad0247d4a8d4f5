"""Sheets: what is computed on one is what separate rows would give, whatever the model's attention looks like."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import PreTrainedModel

from bot.answering.turn_markers import CANONICAL
from finetune.training.rows import tokenized
from finetune.training.sheets import IGNORED, OneSheet, Row, Sheet, apart, can_share, sheets
from tests.tiny_training import SETTINGS, WINDOW, Kind, tiny_examples, tiny_model, tiny_tokenizer

KINDS: list[tuple[Kind, str]] = [
    ("gemma", "sdpa"),
    ("gemma", "eager"),
    ("llama", "sdpa"),
    ("llama", "eager"),
    ("mistral", "sdpa"),
]


def rows(count: int = 6) -> list[Row]:
    return list(tokenized(tiny_tokenizer(), tiny_examples(count), SETTINGS.shape).rows)


def one_sheet() -> Sheet:
    (sheet,) = (sheet for sheet in sheets(rows(3)) if len(sheet.rows) > 1)
    assert sheet.tokens > WINDOW
    return sheet


def logits_of(model: PreTrainedModel, sheet: Sheet) -> Tensor:
    """Logits at the places of a sheet, shape (tokens, vocabulary)."""
    inputs = OneSheet(model.config)([sheet.as_features()])
    del inputs["labels"]
    logits: Tensor = model(**inputs, use_cache=False).logits[0]
    return logits


def branch_of(sheet: Sheet, number: int) -> tuple[slice, Row]:
    """Where the end of a sheet's row lies, and the row."""
    start = sheet.shared + sum(len(row.tokens) - sheet.shared for row in sheet.rows[:number])
    return slice(start, start + len(sheet.rows[number].tokens) - sheet.shared), sheet.rows[number]


def loss_of(model: PreTrainedModel, sheet: Sheet) -> Tensor:
    features = sheet.as_features()
    labels = torch.tensor(features["labels"])
    places = (labels != IGNORED).nonzero()[:, 0]
    return nn.functional.cross_entropy(logits_of(model, sheet)[places - 1], labels[places], reduction="sum")


@pytest.mark.parametrize(("kind", "attention"), KINDS)
def test_a_sheet_gives_the_logits_of_its_rows(kind: Kind, attention: str) -> None:
    model, sheet = tiny_model(kind, attention), one_sheet()
    together = logits_of(model, sheet)
    for number in range(len(sheet.rows)):
        place, row = branch_of(sheet, number)
        alone = model(input_ids=torch.tensor([row.tokens]), use_cache=False).logits[0]
        torch.testing.assert_close(together[place], alone[sheet.shared :], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(together[: sheet.shared], alone[: sheet.shared], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("kind", "attention"), KINDS)
def test_a_sheet_gives_the_loss_and_the_gradients_of_its_rows(kind: Kind, attention: str) -> None:
    gradients: list[dict[str, Tensor]] = []
    losses = []
    for parts in ([one_sheet()], apart(one_sheet().rows)):
        model = tiny_model(kind, attention)
        total = sum((loss_of(model, sheet) for sheet in parts), torch.zeros(()))
        total.backward()  # type: ignore[no-untyped-call]
        losses.append(total.item())
        gradients.append(
            {name: value.grad for name, value in model.named_parameters() if value.grad is not None}
        )
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], atol=2e-5, rtol=1e-3)


@pytest.mark.parametrize(("kind", "attention"), KINDS)
def test_no_branch_sees_another(kind: Kind, attention: str) -> None:
    model, sheet = tiny_model(kind, attention), one_sheet()
    place, changed = branch_of(sheet, 1)
    tokens = (*changed.tokens[: sheet.shared], *(5 for _ in changed.tokens[sheet.shared :]))
    other = Sheet(sheet.shared, (sheet.rows[0], Row(tokens, changed.answer_from), *sheet.rows[2:]))
    before, after = logits_of(model, sheet), logits_of(model, other)
    kept = torch.ones(len(before), dtype=torch.bool)
    kept[place] = False
    assert torch.equal(before[kept], after[kept])
    assert not torch.equal(before[place], after[place])


def test_labels_are_the_answer_and_its_end_and_nothing_else() -> None:
    tokenizer = tiny_tokenizer()
    for example, row in zip(tiny_examples(6), rows(6), strict=True):
        ((start, end),) = example.rendered(SETTINGS.shape).loss_spans
        answer = example.rendered(SETTINGS.shape).text[start:end]
        assert answer.endswith(CANONICAL.end)
        for sheet in (*sheets([row]), *apart([row])):
            labels = [label for label in sheet.as_features()["labels"] if label != IGNORED]
            assert tokenizer.decode(labels) == answer


def test_rows_are_cut_into_tokens_as_serving_cuts_its_prompt() -> None:
    rendered = tiny_examples(2)[1].rendered(SETTINGS.shape)
    row = rows(2)[1]
    ((start, _),) = rendered.loss_spans
    assert list(row.tokens[: row.answer_from]) == tiny_tokenizer()(rendered.text[:start])["input_ids"]


def test_examples_whose_passage_does_not_fit_are_counted_and_left_out() -> None:
    example = tiny_examples(2)[1]
    twice = [example, example, tiny_examples(5)[4]]
    found = tokenized(tiny_tokenizer(), twice, SETTINGS.shape)
    assert (len(found.rows), found.left_out) == (2, 1)


def test_questions_about_the_same_passages_share_a_sheet() -> None:
    both = sheets([row for n in range(0, 12, 2) for row in rows_about(n)])
    assert sum(sheet.tokens for sheet in both) < sum(len(row.tokens) for sheet in both for row in sheet.rows)
    assert all(
        sheet.shared >= 0.4 * len(row.tokens) for sheet in both for row in sheet.rows if len(sheet.rows) > 1
    )


def rows_about(number: int) -> list[Row]:
    return list(tokenized(tiny_tokenizer(), tiny_examples(1, number), SETTINGS.shape).rows)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.integers(0, 2), min_size=2, max_size=12).map(tuple), min_size=1, max_size=12, unique=True
    ),
    st.integers(4, 40),
)
def test_every_row_is_on_one_sheet_whole_with_its_first_label_behind_its_own_token(
    tokens: list[tuple[int, ...]], most: int
) -> None:
    given_rows = [Row(each, max(1, len(each) - 2)) for each in tokens]
    found = sheets(given_rows, most)
    assert sorted(row.tokens for sheet in found for row in sheet.rows) == sorted(tokens)
    for sheet in found:
        assert sheet.tokens <= most or len(sheet.rows) == 1
        features = sheet.as_features()
        weights = features.pop("weights")
        assert {len(column) for column in features.values()} == {sheet.tokens}
        assert len(weights) == sum(label != IGNORED for label in features["labels"])
        for number, row in enumerate(sheet.rows):
            place, _ = branch_of(sheet, number)
            assert row.tokens[: sheet.shared] == sheet.rows[0].tokens[: sheet.shared]
            assert features["labels"][place.start] == IGNORED
    assert found == sheets(given_rows, most)


def test_a_single_row_gets_no_mask_so_that_any_model_can_read_it() -> None:
    inputs = OneSheet(tiny_model("gemma").config)([apart(rows(1))[0].as_features()])
    assert inputs.keys() == {"input_ids", "labels", "weights"}


def test_the_tokens_that_name_the_passage_count_as_often_as_asked() -> None:
    (sheet,) = sheets([Row((7, 8, 9, 9, 1, 2, 3), 4, marked=2), Row((7, 8, 9, 9, 4, 5), 4, marked=2)])
    assert len(sheet.rows) == 2
    assert sheet.as_features(4.0)["weights"] == [4.0, 4.0, 1.0, 4.0, 4.0]
    assert sheet.as_features()["weights"] == [1.0] * 5


def test_the_marked_tokens_of_a_real_row_are_those_of_the_passages_number() -> None:
    tokenizer = tiny_tokenizer()
    for row in rows(3):
        mark = tokenizer.decode(row.tokens[row.answer_from : row.answer_from + row.marked])
        assert re.fullmatch(r"\s*\[\d\]", mark)


def test_a_batch_of_two_sheets_is_refused() -> None:
    features = apart(rows(2))
    with pytest.raises(ValueError, match="this one has 2"):
        OneSheet(tiny_model("llama").config)([sheet.as_features() for sheet in features])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"_attn_implementation": "flash_attention_2"}, False),
        ({"layer_types": ["full_attention", "linear_attention"]}, False),
        ({"layer_types": ["chunked_attention", "full_attention"]}, False),
    ],
)
def test_models_whose_attention_takes_no_mask_do_not_share(change: dict[str, Any], expected: bool) -> None:
    config = tiny_model("gemma").config
    for name, value in change.items():
        config.__dict__["_attn_implementation_internal" if "attn" in name else name] = value
    assert can_share(config) is expected
