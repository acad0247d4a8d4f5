"""Reading comprehension becomes questions whose answer is a sentence of a passage, or none of those shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.answering.generator import PromptShape
from finetune.errors import LessonError
from finetune.examples.reading_examples import Part, load_contexts, part_of, reading_examples

SHAPE = PromptShape(examples=0, width=1200)
PARTS: tuple[Part, ...] = ("train", "dev", "test")


def squad(path: Path, articles: int = 40) -> Path:
    """Articles of twelve long sentences each; one question in traditional characters about each of two of them."""
    data = []
    for number in range(articles):
        said = [
            f"第{n}座橋在城市{number}的河上，长{n}00米，是石頭做成的，{'很' * 40}有名。" for n in range(1, 13)
        ]
        asked = [
            {"id": f"{number}-{n}", "question": f"第{n}座橋多长", "answers": [{"text": f"长{n}00米"}]}
            for n in (2, 11)
        ]
        data.append(
            {
                "id": str(number),
                "title": f"橋{number}",
                "paragraphs": [{"context": "".join(said), "qas": asked}],
            }
        )
    path.write_text(json.dumps({"data": data}, ensure_ascii=False), "utf-8")
    return path


def test_an_article_belongs_to_one_part_alone(tmp_path: Path) -> None:
    path = squad(tmp_path / "x.json")
    titles = [{context.title for context in load_contexts(path, part)} for part in PARTS]
    assert sum(map(len, titles)) == len(set().union(*titles)) == 40
    assert all(titles)
    assert part_of("7") == part_of("7")


def test_the_answer_is_a_whole_sentence_in_simplified_characters(tmp_path: Path) -> None:
    examples = list(reading_examples(load_contexts(squad(tmp_path / "x.json"), "train"), SHAPE, seed=1))
    answered = [example for example in examples if example.source]
    assert answered
    for example in answered:
        assert example.answer in example.passages[example.source - 1].text
        assert example.answer.startswith("第")
        assert example.answer.endswith("。")
        assert "橋" not in example.question + example.answer


def test_questions_whose_passages_are_not_shown_stay_open(tmp_path: Path) -> None:
    examples = list(reading_examples(load_contexts(squad(tmp_path / "x.json"), "train"), SHAPE, seed=1))
    open_ones = [example for example in examples if not example.source]
    assert open_ones
    for example in open_ones:
        bridge = example.question.removesuffix("座桥多长")
        assert not any(f"{bridge}座桥" in passage.text for passage in example.passages)


@pytest.mark.parametrize("content", ["{", "[]", '{"data": [{"title": "x"}]}', '{"data": 3}'])
def test_another_layout_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content, "utf-8")
    with pytest.raises(LessonError, match="cannot be read"):
        [load_contexts(tmp_path / "x.json", part) for part in PARTS]
