"""How well what customers really say finds its article on a team's first day: nothing listed, logged or learned yet.

    python benchmarks/talks.py                # nine trades, Chinese and English
    python benchmarks/talks.py --language en  # one language
    python benchmarks/talks.py --json FILE    # the figures as JSON, too

Asked is the first question of each written talk (`finetune/talks`: colloquial, seldom in the article's words) that an article
answers. It is looked for among the articles of its trade in its language, without their listed questions; places are pooled
over the trades. The peers are those of search.py. The weights that Kefu's signals have before anything is learned were chosen on
these talks, so for Kefu this is development data; what search.py measures is not.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from search import DEEPEST, Question, Ranks, place_of, shares
from search_peers import Document, Rank, kefu, peers

from bot.conversation import Language
from bot.learning import english_encoder
from bot.logs import configure_logs
from bot.models import make_encoder
from bot.settings import Settings, load_settings
from bot.understanding.language import to_simplified
from finetune.examples.lessons import load_trade, trades
from retrieval.encoder import Encoder
from retrieval.vector_cache import RecentTexts

_REMEMBERED = 50_000  # texts
_screen = Console(stderr=True)


def trade(folder: Path, settings: Settings, language: Language) -> tuple[list[Document], list[Question]]:
    """A trade's articles in a language, and the questions that open its talks."""
    lessons = load_trade(folder, settings.knowledge_base)
    articles = [one for (spoken, _), one in lessons.articles.items() if spoken is language]
    number = {one.id: place for place, one in enumerate(articles)}
    opening = [talk.turns[0] for talk in lessons.talks if talk.language is language]
    questions = [
        Question(to_simplified(turn.question), frozenset({number[turn.article]}), "")
        for turn in opening
        if turn.article in number
    ]
    return [Document(frozenset({one.id}), one.title, one.body) for one in articles], questions


def contenders(
    documents: Sequence[Document],
    encoder: Encoder,
    english: Encoder | None,
    scratch: Path,
    settings: Settings,
) -> Iterator[tuple[str, Rank | str]]:
    """Everyone that can be asked, by name."""
    limit = settings.retrieval.passage_characters
    yield from peers(documents, encoder, english)
    if english is not None:
        yield "Kefu, one encoder", kefu(documents, encoder, None, scratch / "alone", limit)
    yield "Kefu", kefu(documents, encoder, english, scratch / "both", limit)


def measure(
    settings: Settings, encoder: Encoder, beside: Encoder | None, language: Language
) -> dict[str, Ranks]:
    """Ask each contender all questions of every trade."""
    english = beside if language is Language.EN else None
    places: dict[str, list[int | None]] = defaultdict(list)
    for folder in trades():
        documents, questions = trade(folder, settings, language)
        with tempfile.TemporaryDirectory(prefix="kefu-talks-") as scratch:
            for name, rank in contenders(documents, encoder, english, Path(scratch), settings):
                if isinstance(rank, str):
                    continue
                places[name] += [place_of(rank(one.text, DEEPEST), one.right) for one in questions]
        _screen.print(
            f"{language.value}, {folder.name}: {len(questions)} questions, {len(documents)} articles"
        )
    return {name: shares(each) for name, each in places.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--language", choices=("zh", "en"), action="append")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    configure_logs("error")
    settings = load_settings()
    bare = make_encoder(settings, lambda *_: None)
    beside = english_encoder(settings, bare)
    encoder = RecentTexts(bare, _REMEMBERED)
    results = {}
    for language in map(Language, chosen.language or ("zh", "en")):
        found = measure(settings, encoder, beside, language)
        table = Table(title=f"First questions of written talks, {language.value}")
        for column in ("", "hit@1", "hit@5", "hit@10", "MRR"):
            table.add_column(column, justify="right" if column else "left")
        for name, ranks in found.items():
            table.add_row(name, *(f"{share:.3f}" for share in asdict(ranks).values()))
        Console(width=120).print(table)
        results[language.value] = {name: asdict(ranks) for name, ranks in found.items()}
    if chosen.json is not None:
        chosen.json.write_text(json.dumps({"benchmark": "talks", "figures": results}, indent=2), "utf-8")


if __name__ == "__main__":
    main()
