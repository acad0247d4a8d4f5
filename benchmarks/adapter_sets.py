"""What adapter.py measures on: questions that no adapter of Kefu has been trained on, with the passages found for them."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from golden_questions import load_half

from bot.answering.generator import PromptShape
from bot.conversation import Language
from bot.understanding.language import detect, to_simplified
from finetune.examples.example import Example, Found, with_passages
from finetune.examples.held_out import HELD_OUT, HELD_OUT_TRADE
from finetune.examples.lesson_examples import Mixture, lesson_examples
from finetune.examples.lessons import TALKS, load_trade
from finetune.examples.reading_examples import load_contexts, reading_examples
from finetune.examples.shelf import Shelf
from retrieval.documents import Article
from retrieval.encoder import Encoder
from retrieval.search import SearchIndex

SEED = 20261124
_FAQ = Path("faq", "datatalks")
REFERENCE_UNKNOWN = "?"  # an answer is expected, but nobody has written it


def held_out_trade(encoder: Encoder, shape: PromptShape, limit: int) -> list[Example]:
    """The trade that is kept out as a whole, each question once, among near passages; both languages alike."""
    trade = load_trade(TALKS / HELD_OUT_TRADE)
    once = Mixture(rounds=1, follow_ups=1.0, moved=0.0)
    found = list(
        {e.question: e for e in lesson_examples(trade, encoder, shape, seed=SEED, mixture=once)}.values()
    )
    chance = random.Random(SEED)  # noqa: S311 — an order, no secret
    chance.shuffle(found)
    return [*_some(found, Language.ZH, limit // 2), *_some(found, Language.EN, limit // 2)]


def held_out_shop(
    index: SearchIndex, knowledge_base: Path, day: date, shape: PromptShape, limit: int
) -> list[Example]:
    """Golden questions about the shop's held-out topics, and those to be refused, with what the real search finds."""
    examples = []
    for golden in load_half(knowledge_base, "test"):
        about = [name for name in golden.articles if name.startswith(HELD_OUT)]
        if (
            (golden.kind == "answer" and not about)
            or golden.kind not in ("answer", "refuse")
            or golden.context
        ):
            continue
        question = to_simplified(golden.question)
        language = detect(golden.question).language.content
        hits = index.search(question, top_k=5, prefer=language.value, day=day)
        found = [
            Found(hit.passage.title, hit.passage.text, hit.passage.article_id in golden.articles)
            for hit in hits
            if hit.passage.language == language.value
        ]
        blank = Example(
            golden.id, language, (), (), question, 0, REFERENCE_UNKNOWN if golden.kind == "answer" else ""
        )
        example = with_passages(blank, found, shape)
        if example is not None:
            examples.append(example)
    return examples[:limit]


def comprehension(data: Path, name: str, shape: PromptShape, limit: int) -> list[Example]:
    """The test part of a reading comprehension set (Chinese)."""
    return list(reading_examples(load_contexts(data / "grounded" / name, "test"), shape, seed=SEED))[:limit]


def datatalks(data: Path, encoder: Encoder, shape: PromptShape, limit: int) -> list[Example]:
    """Questions about a real FAQ (English), with what a search in their course finds; the FAQ's text is the reference."""
    documents = json.loads((data / _FAQ / "documents.json").read_text("utf-8"))
    rows = _answered_rows(data)
    chosen = random.Random(SEED).sample(rows, min(limit, len(rows)))  # noqa: S311 — a sample, no secret
    shelves = {
        course: Shelf(list(_faq(documents, course)), encoder) for course in {row["course"] for row in chosen}
    }
    texts = {document["id"]: document["text"] for document in documents}
    examples = []
    for number, row in enumerate(chosen):
        found = [
            Found(passage.title, passage.text, passage.article_id == row["document"])
            for passage in shelves[row["course"]].ranked(row["question"])[: shape.passages]
        ]
        answer = texts[row["document"]] if any(each.answers for each in found) else ""
        blank = Example(
            f"datatalks-{number}", Language.EN, (), (), row["question"], 0, answer, row["answer_llm"]
        )
        example = with_passages(blank, found, shape)
        if example is not None:
            examples.append(example)
    return examples


def hosted_answers(data: Path) -> dict[str, str]:
    """What a large hosted model answered to the FAQ's questions, from its own retrieval."""
    return {row["question"]: row["answer_llm"] for row in _answered_rows(data)}


def _answered_rows(data: Path) -> list[dict[str, str]]:
    with (data / _FAQ / "peer_answers.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["question"].strip()]


def _faq(documents: Sequence[dict[str, str]], course: str) -> Iterator[Article]:
    for document in documents:
        if document["course"] == course:
            yield Article(document["id"], "en", document["question"], document["text"], path="documents.json")


def _some(examples: Sequence[Example], language: Language, limit: int) -> list[Example]:
    return [example for example in examples if example.language is language][:limit]
