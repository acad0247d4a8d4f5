"""The team's golden questions are read whole, and a wrong line is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.conversation import Language
from bot.errors import ContentError
from bot.golden import Golden, load_golden
from tests.tuned_shop import write_golden


def test_a_golden_question_says_what_must_come_of_it(tmp_path: Path) -> None:
    expect = {"kind": "answer", "intents": ["return-how"], "articles": ["return-policy"]}
    row = {
        "id": "g1",
        "language": "mixed",
        "question": "return 要 几天",
        "context": ["你好"],
        "expect": expect,
    }
    write_golden(tmp_path, [row])
    (found,) = load_golden(tmp_path)
    assert found == Golden(
        id="g1",
        question="return 要 几天",
        context=("你好",),
        kind="answer",
        articles=frozenset({"return-policy"}),
        intents=frozenset({"return-how"}),
        language="mixed",
    )
    assert found.content_language is Language.ZH


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "golden.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ContentError, match=r"golden\.jsonl cannot be read"):
        load_golden(tmp_path)


def test_a_knowledge_base_without_golden_questions_has_none(tmp_path: Path) -> None:
    assert load_golden(tmp_path) == []


@pytest.mark.parametrize(
    "row",
    [
        {"id": "a"},
        {"id": "a", "question": "q", "expect": {}},
        {"id": "a", "question": "q", "expect": {"kind": "sing"}},
        {"id": "a", "question": "q", "expect": []},
    ],
)
def test_a_wrong_golden_question_is_named_with_its_line(tmp_path: Path, row: dict[str, object]) -> None:
    write_golden(tmp_path, [{"id": "b", "question": "q", "expect": {"kind": "refuse"}}, row])
    with pytest.raises(ContentError, match=r"golden\.jsonl:2"):
        load_golden(tmp_path)
