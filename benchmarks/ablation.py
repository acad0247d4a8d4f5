"""What each part of Kefu's search brings: the whole search, and the same with one part taken away or exchanged.

    python benchmarks/ablation.py                    # the dev half of the demonstration shop's golden questions
    python benchmarks/ablation.py --only pinyin      # the whole, and the rows whose name holds this
    python benchmarks/ablation.py --half test        # the half that nothing was tuned on: for a report, not for choosing
    python benchmarks/ablation.py --vectors FILE     # keeps the vectors, for the next run
    python benchmarks/ablation.py --json FILE        # the figures as JSON, too

For each row an index is made as `kefu index` makes it, without that part, and everything that is learned (the topic map,
the weights of the signals) is learned anew, so that the other parts may make up for it. Asked are the golden questions
that an article answers, as the turn of a customer would search for them: simplified, and a follow-up with the questions
before it. Then the same questions mistyped (noise.py): one typo in an English word, one in each, Chinese as joined pinyin,
and one character as another of its sound. Follow-ups are mistyped in their last message.

Top k: share of the questions one of whose articles is among the first k, in percent. Differences: from the whole, in
percentage points, with the 95 % interval of a paired bootstrap over the questions; * marks one without 0 in it. Of thirty
rows one or two get a mark by chance. "known": top 1 and 3 on the questions that the shop's own content gives (listed
questions, intents' examples), cross-validated as `kefu index` does it: ten times as many, so look there whether a gain is
one. Times are medians of one search without encoding the question.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from ablation_rows import Row, rows
from golden_questions import load_half
from noise import homophones, joined_pinyin, one_typo, typo_in_each
from rich.console import Console
from rich.table import Table

from bot.content import Content, load_content
from bot.conversation import Language
from bot.golden import Golden
from bot.learning import labelled_questions, said_to_intents
from bot.logs import configure_logs
from bot.models import make_encoder
from bot.settings import load_settings
from bot.understanding.context import with_context
from bot.understanding.language import detect, to_simplified
from finetune.evaluation.statistics import paired_difference
from retrieval.documents import Article
from retrieval.encoder import Encoder, Vectors
from retrieval.evidence import Contents
from retrieval.joined_encoder import english_encoder_folder
from retrieval.learning import learn_parts
from retrieval.parts import Parts
from retrieval.readers import read_articles
from retrieval.search import SearchIndex
from retrieval.sentence_encoder import load_encoder
from retrieval.vector_cache import CachedEncoder

LANGUAGES = ("zh", "en", "mixed", "zh-Hant")
TOPS = (1, 3, 5)
PLAIN = "as asked"
_screen = Console(stderr=True)

Sets = Mapping[str, Sequence[Golden]]
Places = dict[str, list[int | None]]  # of the right article, from 1; None beyond the fifth


@dataclass(frozen=True)
class Shop:
    """What an index is made of."""

    articles: Sequence[Article]
    content: Content
    passage_limit: int


@dataclass(frozen=True)
class Found:
    """What one row came to."""

    places: Places
    milliseconds: float
    known: Mapping[
        str, float
    ]  # what cross-validation said, see `retrieval.calibration.fit`; empty if nothing is learned


class TimedEncoder:
    """An encoder that tells how long it took."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.dimension = encoder.name, encoder.dimension
        self.seconds = 0.0

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """As the encoder that it wraps."""
        started = time.perf_counter()
        vectors = self._encoder.encode_queries(texts)
        self.seconds += time.perf_counter() - started
        return vectors

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """As the encoder that it wraps."""
        return self._encoder.encode_passages(texts)


def question_sets(questions: Sequence[Golden], articles: Sequence[Article]) -> Sets:
    """The questions as they were asked, and mistyped in each way those that can be."""
    noises = {
        "one typo": one_typo,
        "typo in each long word": typo_in_each,
        "pinyin joined": joined_pinyin,
        "homophone": homophones(article.body for article in articles if article.language == "zh"),
    }
    mistyped = {
        name: [
            replace(golden, question=changed)
            for golden in questions
            if (changed := noise(golden.question)) is not None and changed != golden.question
        ]
        for name, noise in noises.items()
    }
    return {PLAIN: questions, **mistyped}


def parts_of(row: Row, shop: Shop, encoders: Sequence[Encoder]) -> Parts:
    """What a row searches with, all that is learned for it included."""
    faces = shop.articles if row.listed else [replace(one, questions=()) for one in shop.articles]
    passages = [passage for face in faces for passage in row.cut(face, shop.passage_limit)]
    return learn_parts(
        Contents.of(faces, passages),
        encoders[0],
        english=encoders[1],
        labelled=labelled_questions(shop.content) if row.labelled else (),
        said=said_to_intents(shop.content),
        progress=lambda *_: None,
        recipe=row.recipe,
    )


def measure(row: Row, parts: Parts, encoders: Sequence[TimedEncoder], sets: Sets, day: date) -> Found:
    """Ask everything."""
    index = SearchIndex({}, parts.finder, parts.languages, parts.calibration, *encoders)
    places: Places = {}
    milliseconds = []
    for name, questions in sets.items():
        places[name] = []
        for golden in questions:
            asked = _as_searched(golden, index, row)
            encoding, started = sum(one.seconds for one in encoders), time.perf_counter()
            hits = index.search(
                asked, top_k=max(TOPS), prefer=Language(golden.content_language).value, day=day
            )
            spent = time.perf_counter() - started - (sum(one.seconds for one in encoders) - encoding)
            ranked = dict.fromkeys(hit.passage.article_id for hit in hits)
            places[name].append(
                next((n for n, id_ in enumerate(ranked, start=1) if id_ in golden.articles), None)
            )
            if name == PLAIN:
                milliseconds.append(1000 * spent)
    return Found(places, float(np.median(milliseconds)), parts.calibration.report)


def _as_searched(golden: Golden, index: SearchIndex, row: Row) -> str:
    """The text that a turn searches for: see `bot.understanding.reader`."""
    messages = [*golden.context, golden.question] if row.context else [golden.question]
    understood = [index.meant(_simplified(one) if row.simplified else one) for one in messages]
    return reduce(lambda before, text: with_context(text, before), understood)


def _simplified(text: str) -> str:
    return to_simplified(text) if detect(text).language is Language.ZH_HANT else text


def hits(places: Sequence[int | None], k: int) -> list[float]:
    """1.0 for each question whose article is among the first k."""
    return [float(place is not None and place <= k) for place in places]


def tops(places: Sequence[int | None]) -> str:
    """Top 1, 3 and 5 in percent."""
    return " ".join(f"{100 * np.mean(hits(places, k)):5.1f}" for k in TOPS) if places else "–"


def difference(found: Sequence[int | None], whole: Sequence[int | None], k: int) -> str:
    """Points of top k that a row has more than the whole, with the interval."""
    points = paired_difference(hits(found, k), hits(whole, k))
    sure = "*" if points.above_zero or points.below_zero else " "
    return f"{100 * points.mean:+5.1f} [{100 * points.low:+5.1f}, {100 * points.high:+5.1f}]{sure}"


def plain_table(found: Mapping[str, Found], sets: Sets, whole: str, half: str) -> Table:
    """A row each, on the questions as they were asked."""
    asked = sets[PLAIN]
    own = {name: [n for n, golden in enumerate(asked) if golden.language == name] for name in LANGUAGES}
    table = Table(title=f"{len(asked)} questions of the {half} half as they were asked: top 1, 3, 5 in %")
    table.add_column("", no_wrap=True)
    for name in (f"all ({len(asked)})", *(f"{name} ({len(own[name])})" for name in LANGUAGES)):
        table.add_column(name, justify="right", no_wrap=True)
    known = found[whole].known
    for name in ("top 1 − whole", "top 3 − whole", f"known ({known['questions']:.0f})", "ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, one in found.items():
        places = one.places[PLAIN]
        cells = [tops(places), *(tops([places[n] for n in numbers]) for numbers in own.values())]
        against = [difference(places, found[whole].places[PLAIN], k) if name != whole else "" for k in (1, 3)]
        table.add_row(name, *cells, *against, _known(one.known, known), f"{one.milliseconds:.1f}")
    return table


def _known(own: Mapping[str, float], whole: Mapping[str, float]) -> str:
    """Cross-validated top 1 and 3 in percent; – where they are of other questions than the whole's."""
    same = own.get("questions") == whole["questions"]
    return f"{100 * own['top1']:5.1f} {100 * own['top3']:5.1f}" if same else "–"


def noise_table(found: Mapping[str, Found], sets: Sets, whole: str) -> Table:
    """A row each, on the mistyped questions."""
    mistyped = [name for name in sets if name != PLAIN]
    table = Table(title="The same questions mistyped: top 1, 3, 5 in %, and top 1 − whole")
    table.add_column("", no_wrap=True)
    for name in mistyped:
        table.add_column(f"{name} ({len(sets[name])})", justify="right", no_wrap=True)
        table.add_column("top 1 − whole", justify="right", no_wrap=True)
    for name, one in found.items():
        cells = []
        for kind in mistyped:
            against = difference(one.places[kind], found[whole].places[kind], 1) if name != whole else ""
            cells += [tops(one.places[kind]), against]
        table.add_row(name, *cells)
    return table


def as_json(found: Mapping[str, Found], sets: Sets, whole: str, half: str) -> dict[str, Any]:
    """The figures with everything that they are computed from."""
    figures = {
        name: {
            "ms": one.milliseconds,
            "known": dict(one.known),
            "top": {
                kind: {str(k): float(np.mean(hits(places, k))) for k in TOPS} if places else {}
                for kind, places in one.places.items()
            },
            "top_1_minus_whole": {
                kind: vars(paired_difference(hits(places, 1), hits(found[whole].places[kind], 1)))
                for kind, places in one.places.items()
            },
            "places": one.places,
        }
        for name, one in found.items()
    }
    questions = {kind: [golden.id for golden in asked] for kind, asked in sets.items()}
    return {"benchmark": "ablation", "half": half, "questions": questions, "figures": figures}


def main() -> None:
    """Measure every row, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--half", choices=("dev", "test", "all"), default="dev")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows whose name holds this")
    parser.add_argument("--vectors", type=Path, help="keep the vectors here, for the next run")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    chosen = parser.parse_args()
    configure_logs("error")
    settings = load_settings()
    articles, _ = read_articles(settings.knowledge_base)
    shop = Shop(articles, load_content(settings.knowledge_base), settings.retrieval.passage_characters)
    cached = CachedEncoder(make_encoder(settings, lambda *_: None), chosen.vectors)
    english = load_encoder(english_encoder_folder(), query_prompt="", passage_prompt="")
    encoders = [TimedEncoder(cached), TimedEncoder(CachedEncoder(english))]
    golden = [one for one in load_half(settings.knowledge_base, chosen.half) if one.articles]
    sets = question_sets(golden, articles)
    whole, *others = rows()
    found: dict[str, Found] = {}
    for row in (whole, *(row for row in others if chosen.only in row.name)):
        started = time.perf_counter()
        parts = parts_of(row, shop, encoders)
        found[row.name] = measure(row, parts, encoders, sets, datetime.now(UTC).date())
        spent = time.perf_counter() - started
        _screen.print(f"{row.name}: {tops(found[row.name].places[PLAIN])} ({spent:.0f} s)")
        if chosen.vectors is not None:
            cached.save(chosen.vectors)
    console = Console(width=250)
    console.print(plain_table(found, sets, whole.name, chosen.half))
    console.print(noise_table(found, sets, whole.name))
    if chosen.json is not None:
        figures = as_json(found, sets, whole.name, chosen.half)
        chosen.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    main()
