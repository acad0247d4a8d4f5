"""Places are named with the line that a person looks for."""

from __future__ import annotations

import pytest

from tests.bot.upkeep.checks.looked_at import article, intent, materials

LINES = {
    "articles/zh/a.md": (
        "---",
        "title: 运费",
        "---",
        "满 **99 元** 包邮，不满的收 [运费](/fees)。",
        "| 地区 | 运费 |",
        "| --- | --- |",
        "| 上海 | 8 元 |",
        "A long sentence that",
        "goes on in the next line.",
    ),
    "intents/fee.yaml": ("id: fee", "answer:", "  zh: >-", "    运费 8 元。", "  en: Postage is 8 yuan."),
}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("满 99 元 包邮，不满的收 运费。", 4),
        ("上海 | 8 元", 7),
        ("A long sentence that goes on in the next line.", 8),
        ("没有这句话。", None),
        ("", None),
    ],
)
def test_the_line_of_a_text_in_an_article(text: str, line: int | None) -> None:
    place = materials([], lines=LINES).in_article(article("a"), text)
    assert (place.file, place.line, place.language, place.article) == ("articles/zh/a.md", line, "zh", "a")


def test_a_row_of_a_table_file_carries_its_line() -> None:
    place = materials().in_article(article("a", path="articles/questions.csv:12"), "文字")
    assert str(place) == "articles/questions.csv:12"


def test_the_line_of_an_answer_in_an_intent() -> None:
    found = materials([], lines=LINES)
    assert str(found.in_intent(intent("fee"), "zh", "运费 8 元。")) == "intents/fee.yaml:4"
    assert str(found.in_intent(intent("fee"), "en", "Postage is 8 yuan.")) == "intents/fee.yaml:5"


def test_faces_are_grouped_chinese_first() -> None:
    found = materials([article("a", "en"), article("b", "en"), article("a", "zh")]).faces
    assert {name: [face.language for face in faces] for name, faces in found.items()} == {
        "a": ["zh", "en"],
        "b": ["en"],
    }
