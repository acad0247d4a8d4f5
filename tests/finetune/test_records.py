"""A conversation comes back from its line as it was, whatever its texts, and a wrong line is named."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import given, settings

from bot.conversation import Language
from finetune.errors import RecordError
from finetune.lines import json_line, read_lines
from finetune.records import Conversation, Exchange, from_json, to_json
from tests.example_talks import conversations, talk


@settings(deadline=None, max_examples=60)
@given(conversation=conversations)
def test_any_conversation_comes_back_from_its_line(conversation: Conversation) -> None:
    line = json_line(to_json(conversation))
    assert len(line.splitlines()) == 1
    ((_, row),) = read_lines(line, "x.jsonl")
    assert from_json(row) == conversation


@settings(deadline=None, max_examples=60)
@given(conversation=conversations)
def test_nothing_on_disk_is_null(conversation: Conversation) -> None:
    row = to_json(conversation)
    assert None not in row.values()
    assert not any(None in exchange.values() for exchange in row["exchanges"])


def test_every_line_has_the_same_fields_of_the_same_types() -> None:
    plain = to_json(talk("a", ("能退吗", "能"), day=None))
    full = to_json(
        talk(
            "b",
            ("can I?", "yes"),
            customer="c",
            rating=1,
            rejected="no",
            intent="i",
            metadata={"k": [1, None]},
        )
    )
    assert _shape(plain) == _shape(full)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": 7}, "'id' is 7"),
        ({"language": "klingon"}, "klingon"),
        ({"started_at": "2026-11-03T10:00:00"}, "started_at"),
        ({"started_at": "yesterday"}, "yesterday"),
        ({"exchanges": None}, "exchanges"),
        ({"exchanges": ["x"]}, "exchanges"),
        ({"customer": None}, "customer"),
    ],
)
def test_a_wrong_field_of_a_conversation_is_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(RecordError, match=named):
        from_json({**to_json(talk("a", ("q", "a"))), **change})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"rating": 5}, "'rating' is 5"),
        ({"rating": True}, "rating"),
        ({"author": "robot"}, "robot"),
        ({"passages": "[1]"}, "passages"),
        ({"passages": "{"}, "passages"),
        ({"metadata": "[]"}, "metadata"),
        ({"selected": 1}, "selected"),
        ({"question": None}, "question"),
    ],
)
def test_a_wrong_field_of_an_exchange_is_named(change: dict[str, object], named: str) -> None:
    row = to_json(talk("a", ("q", "a")))
    row["exchanges"][0].update(change)
    with pytest.raises(RecordError, match=named):
        from_json(row)


@pytest.mark.parametrize("line", ["{", "[1]", '"x"', "[" * 5_000])
def test_a_line_that_is_no_object_is_named_with_its_place(line: str) -> None:
    with pytest.raises(RecordError, match=r"talks\.jsonl:3"):
        list(read_lines(f'{{"a": 1}}\n\n{line}\n', "talks.jsonl"))


def test_a_correction_is_what_has_a_rejected_answer() -> None:
    exchange = Exchange("1", "退货", "可以", Language.ZH)
    assert not exchange.corrected
    assert talk("a", ("退货", "可以"), rejected="不可以").exchanges[0].corrected


def _shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: _shape(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_shape(part) for part in value]
    return type(value).__name__


def test_a_moment_keeps_its_zone() -> None:
    moment = datetime.fromisoformat("2026-11-03T10:00:00+08:00")
    row = json.loads(json_line(to_json(talk("a", ("q", "a"), started_at=moment))))
    assert from_json(row).started_at == moment
