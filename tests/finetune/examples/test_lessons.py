"""Written lessons are checked before anybody learns from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.conversation import Language
from finetune.errors import LessonError
from finetune.examples.lessons import TALKS, load_trade, main, trades

ARTICLES = [
    {
        "id": "parking",
        "language": "zh",
        "title": "停车",
        "text": "住店客人免费停车，每间房限停一辆。\n\n其他客人每小时 10 元。",
    },
    {
        "id": "parking",
        "language": "en",
        "title": "Parking",
        "text": "Guests park for free, one car per room.",
    },
]
TALK: dict[str, Any] = {
    "id": "t-1",
    "language": "zh",
    "turns": [
        {"question": "停车要钱吗", "article": "parking", "answer": "住店客人免费停车，每间房限停一辆。"},
        {"question": "有 EV charger 吗", "article": None, "answer": ""},
    ],
}  # fmt: skip


def write(folder: Path, articles: list[Any], talks: list[Any]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in (("articles", articles), ("talks", talks)):
        lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def test_a_trade_is_read_with_its_articles_in_both_languages(tmp_path: Path) -> None:
    trade = load_trade(write(tmp_path / "hotel", ARTICLES, [TALK]))
    assert trade.name == "hotel"
    assert trade.articles[Language.EN, "parking"].title == "Parking"
    (talk,) = trade.talks
    assert [turn.article for turn in talk.turns] == ["parking", None]


def turn(**changes: Any) -> dict[str, Any]:
    return {**TALK, "turns": [{**TALK["turns"][0], **changes}]}


@pytest.mark.parametrize(
    ("articles", "talks", "reason"),
    [
        (ARTICLES, [turn(answer="停车每小时 20 元。")], "does not stay with 'parking'"),
        (ARTICLES, [turn(answer=" ")], "the answer is empty"),
        (ARTICLES, [turn(question="")], "the question is empty"),
        (ARTICLES, [turn(article="pool")], "there is no zh article 'pool'"),
        (ARTICLES, [turn(article=None)], "the answer must be empty"),
        (ARTICLES, [TALK, TALK], "'t-1' stands twice"),
        (ARTICLES, [{"id": "x"}], "talks.jsonl:1: needs id"),
        (ARTICLES, ["{"], "talks.jsonl:1: no JSON"),
        (ARTICLES, ["[]"], "a JSON object is expected, not list"),
        (ARTICLES, [{**TALK, "turns": []}], "a talk without turns"),
        (ARTICLES, [{**TALK, "language": "fr"}], "talks.jsonl:1"),
        ([*ARTICLES, ARTICLES[0]], [TALK], "articles.jsonl:3: a second zh article 'parking'"),
        ([{**ARTICLES[0], "text": " "}], [TALK], "text is ' '"),
        ([{"id": "x"}], [TALK], "articles.jsonl:1: needs id"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, articles: list[Any], talks: list[Any], reason: str
) -> None:
    with pytest.raises(LessonError, match="mistakes in the lessons") as caught:
        load_trade(write(tmp_path / "hotel", articles, talks))
    assert reason in str(caught.value)


def test_a_trade_without_articles_talks_about_the_knowledge_base(tmp_path: Path) -> None:
    article = tmp_path / "kb" / "articles" / "zh" / "parking.md"
    article.parent.mkdir(parents=True)
    article.write_text(
        "---\nid: parking\ntitle: 停车\nlanguage: zh\n---\n住店客人免费停车，每间房限停一辆。\n", "utf-8"
    )
    folder = write(tmp_path / "shop", [], [TALK])
    (folder / "articles.jsonl").unlink()
    assert load_trade(folder, tmp_path / "kb").articles[Language.ZH, "parking"].title == "停车"


def test_the_command_says_what_is_wrong_and_counts_what_is_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write(tmp_path / "good", ARTICLES, [TALK])
    bad = write(tmp_path / "bad", ARTICLES, ["{"])
    assert main([str(good), str(bad)]) == 1
    printed = capsys.readouterr().out
    assert "2 articles, 1 talks; turns: answered zh 1, unanswerable zh 1" in printed
    assert "no JSON" in printed


def test_the_lessons_that_come_with_kefu_are_right() -> None:
    loaded = [load_trade(folder) for folder in trades()]
    assert len(loaded) >= 7
    for trade in loaded:
        spoken = {talk.language.content for talk in trade.talks}
        assert spoken == {Language.ZH, Language.EN}, trade.name
        turns = [turn for talk in trade.talks for turn in talk.turns]
        open_ones = sum(turn.article is None for turn in turns)
        assert 0.1 < open_ones / len(turns) < 0.3, trade.name
    assert TALKS.is_dir()
