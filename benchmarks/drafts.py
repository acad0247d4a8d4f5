"""What the language model drafts: which prompt shape gives the best drafts, and which way of decoding is the fastest.

    python benchmarks/drafts.py                  # every shape, then every way of decoding (20 minutes on two cores)
    python benchmarks/drafts.py --shapes default --questions 4
    python benchmarks/drafts.py --model PATH --adapter PATH
    python benchmarks/drafts.py --show           # and the drafts themselves
    python benchmarks/drafts.py --json FILE      # the figures as JSON, too

Ten questions in each language are asked about the demonstration shop, each with the three passages that a keyword
search finds (the article that answers is helped to the top, as vectors would). A draft counts as supported if its
first sentence passes the check that customers' answers pass, and as an answer if its supported beginning states what
the question asks for. Times are those of this machine at this moment; compare them within one run only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bot.answering.bundled_model import NAME, unpack_model
from bot.answering.generator import Generator
from bot.answering.local_model import LocalModel
from bot.answering.prompt import DEFAULT_SHAPE, PromptPassage, PromptShape, render
from bot.answering.support import check
from bot.conversation import Language
from bot.errors import GenerationError
from bot.logs import configure_logs
from bot.settings import load_settings
from retrieval.chunking import split
from retrieval.documents import Passage
from retrieval.keywords import KeywordIndex, tokenize
from retrieval.readers import read_articles
from retrieval.sentences import sentences

SECONDS = 60.0
TOKENS = 80

SHAPES = {
    "rules only": PromptShape(examples=0),
    "1 example": PromptShape(examples=1),
    "2 examples": PromptShape(examples=2),
    "3 examples (one refuses)": PromptShape(examples=3),
    "2 examples, best last": PromptShape(examples=2, best_last=True),
    "2 examples, 2 passages": PromptShape(examples=2, passages=2),
    "2 examples, 1 passage": PromptShape(examples=2, passages=1),
    "2 examples, passages in lines": PromptShape(examples=2, flat=False),
}
DECODING: dict[str, dict[str, Any]] = {
    "plain": {"guessed": 0, "keep_prefixes": False},
    "prefix kept": {"guessed": 0},
    "guessing": {"keep_prefixes": False},
    "both": {},
    "both, 5 guessed": {"guessed": 5},
    "both, float32": {"precision": "float32"},
}


@dataclass(frozen=True)
class Case:
    """A question, the article that answers it, and what an answer to it must state (one of these)."""

    language: str
    article: str
    question: str
    states: tuple[str, ...]


CASES = (
    Case("zh", "delivery-no-update", "我的快递三天没动了，怎么办？", ("查件",)),
    Case("zh", "delivery-fees", "买50块钱的东西运费多少", ("¥8", "8 元")),
    Case("zh", "delivery-same-day", "上海今天下单今天能送到吗，几点前下单", ("11:00",)),
    Case("zh", "order-cancel", "付了款还没发货，能取消吗", ("取消",)),
    Case("zh", "delivery-pickup-points", "自提的东西能在门店放几天", ("5 天",)),
    Case("zh", "order-unpaid-closed", "下单后多久不付款会自动关闭", ("30 分钟",)),
    Case("zh", "order-preorder", "预售定金能退吗", ("不退", "不予", "不可退", "不能退")),
    Case("zh", "delivery-damaged-parcel", "收到的箱子是破的怎么处理", ("48 小时",)),
    Case("zh", "delivery-hk-macau-taiwan", "能寄到香港吗，运费怎么算", ("45",)),
    Case("zh", "delivery-address-change", "地址填错了，货已经发出去了还能改吗", ("同城", "同一城市", "一次")),
    Case("en", "delivery-no-update", "my parcel hasn't moved for three days, what now?", ("trac",)),
    Case("en", "delivery-fees", "how much is shipping for a 50 yuan order", ("¥8",)),
    Case("en", "delivery-same-day", "can I get it today in Shanghai and by when must I order", ("11:00",)),
    Case("en", "order-cancel", "I paid but it has not shipped, can I cancel?", ("cancel",)),
    Case("en", "delivery-pickup-points", "how long do you keep my order at the store", ("5 days",)),
    Case("en", "order-unpaid-closed", "how long until an unpaid order closes", ("30 minutes",)),
    Case("en", "order-preorder", "is the pre-order deposit refundable", ("not refundable",)),
    Case("en", "delivery-damaged-parcel", "the box arrived crushed, what should I do", ("48 hours",)),
    Case("en", "delivery-hk-macau-taiwan", "do you ship to Hong Kong and what does it cost", ("45",)),
    Case(
        "en",
        "delivery-address-change",
        "wrong address, already shipped, can i change it",
        ("same city", "once"),
    ),
)


class Shelf:
    """The demonstration shop's passages, and a search that is good enough to be realistic."""

    def __init__(self, knowledge_base: Path, limit: int) -> None:
        articles, _ = read_articles(knowledge_base)
        self._passages = [passage for article in articles for passage in split(article, limit)]
        self._keywords = KeywordIndex.build(
            [tokenize(" ".join((p.title, *p.headings, p.text))) for p in self._passages]
        )

    def find(self, case: Case, count: int) -> list[Passage]:
        """The best passages for a case, best first."""
        scores = self._keywords.scores(tokenize(case.question))
        for row, passage in enumerate(self._passages):
            if passage.language != case.language:
                scores[row] = -1.0
            elif passage.article_id == case.article:
                scores[row] += 6.0
        return [self._passages[row] for row in np.argsort(scores)[::-1][:count]]


@dataclass(frozen=True)
class Draft:
    """What came of one case. Times in seconds."""

    case: Case
    text: str
    supported: bool
    answers: bool
    finished: bool
    first_piece: float
    first_sentence: float
    whole: float


def draft(model: Generator, case: Case, passages: Sequence[Passage], shape: PromptShape) -> Draft:
    """Let the model write, and judge it."""
    prompt = render(
        Language(case.language),
        [PromptPassage(number, p.title, p.text) for number, p in enumerate(passages, start=1)],
        (),
        case.question,
        shape=shape,
    )
    started = time.monotonic()
    text, finished, times = "", True, []
    try:
        for piece in model.stream(prompt, max_new_tokens=TOKENS, deadline=started + SECONDS):
            text += piece
            times.append((time.monotonic() - started, len(sentences(text))))
    except GenerationError:
        finished = False
    whole = time.monotonic() - started
    shown = list(_supported_beginning(text, finished, passages))
    return Draft(
        case,
        text,
        supported=bool(shown),
        answers=any(fact in " ".join(shown) for fact in case.states),
        finished=finished,
        first_piece=times[0][0] if times else whole,
        first_sentence=next((seconds for seconds, count in times if count > 1), whole),
        whole=whole,
    )


def _supported_beginning(text: str, finished: bool, passages: Sequence[Passage]) -> Iterator[str]:
    """The sentences that a customer would see."""
    texts = ["\n".join((p.title, *p.headings, p.text)) for p in passages]
    written = sentences(text)
    for sentence in written if finished else written[:-1]:
        if not check(sentence, texts).supported:
            return
        yield sentence


def measure(
    model: Generator, shelf: Shelf, cases: Sequence[Case], shape: PromptShape, console: Console | None
) -> dict[str, Any]:
    """Figures of one shape and model, over all cases and by language."""
    model.warm_up()
    drafts = []
    for case in cases:
        drafts.append(draft(model, case, shelf.find(case, shape.passages), shape))
        if console is not None:
            last = drafts[-1]
            mark = "answers" if last.answers else "supported" if last.supported else "refused"
            console.print(f"  [{mark}] {case.question} → {last.text}", markup=False, soft_wrap=True)
    figures: dict[str, Any] = {}
    for language in ("zh", "en"):
        of_language = [d for d in drafts if d.case.language == language]
        if of_language:
            figures[language] = {
                "supported": statistics.mean(d.supported for d in of_language),
                "answers": statistics.mean(d.answers for d in of_language),
                "finished": statistics.mean(d.finished for d in of_language),
            }
    for name in ("first_piece", "first_sentence", "whole"):
        figures[f"{name}_seconds"] = statistics.median(getattr(d, name) for d in drafts)
    figures["characters_per_second"] = sum(len(d.text) for d in drafts) / sum(
        d.whole - d.first_piece for d in drafts
    )
    return figures


def table(title: str, rows: dict[str, dict[str, Any]]) -> Table:
    """Figures as a table, one row a variant."""
    result = Table(title=title)
    result.add_column("variant")
    for heading in ("zh supported", "zh answers", "en supported", "en answers", "first piece s", "first sentence s", "whole s", "characters/s"):  # fmt: skip
        result.add_column(heading, justify="right")
    for name, row in rows.items():
        shares = [f"{row[language][what]:.0%}" if language in row else "" for language in ("zh", "en") for what in ("supported", "answers")]  # fmt: skip
        times = [
            f"{row[key]:.2f}" for key in ("first_piece_seconds", "first_sentence_seconds", "whole_seconds")
        ]
        result.add_row(name, *shares, *times, f"{row['characters_per_second']:.0f}")
    return result


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="a Hugging Face folder; default: the bundled model")
    parser.add_argument("--adapter", type=Path)
    parser.add_argument(
        "--shapes", nargs="*", help=f"'default', or some of: {', '.join(SHAPES)}; none: no shapes"
    )
    parser.add_argument("--decoding", nargs="*", choices=list(DECODING), help="none: no decoding")
    parser.add_argument("--questions", type=int, default=10, help="in each language")
    parser.add_argument("--show", action="store_true", help="print the drafts")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()

    settings = load_settings()
    configure_logs("error")
    console = Console()
    source = chosen.model if chosen.model is not None else unpack_model(settings.models_path, lambda *_: None)
    label = NAME if chosen.model is None else None
    shelf = Shelf(settings.knowledge_base, settings.retrieval.passage_characters)
    cases = [
        c
        for language in ("zh", "en")
        for c in [c for c in CASES if c.language == language][: chosen.questions]
    ]
    shown = console if chosen.show else None

    shapes: dict[str, Any] = {}
    model = LocalModel(source, label=label, adapter=chosen.adapter)
    named = {"default": DEFAULT_SHAPE, **SHAPES}
    for name in list(SHAPES) if chosen.shapes is None else chosen.shapes:
        shapes[name] = {"shape": asdict(named[name]), **measure(model, shelf, cases, named[name], shown)}
    console.print(table(f"Prompt shapes, {model.name}, {len(cases)} questions", shapes))

    decoding: dict[str, Any] = {}
    for name in list(DECODING) if chosen.decoding is None else chosen.decoding:
        variant = LocalModel(source, label=label, adapter=chosen.adapter, **DECODING[name])
        decoding[name] = measure(variant, shelf, cases, DEFAULT_SHAPE, shown)
    console.print(table("Ways of decoding, default shape", decoding))
    if chosen.json is not None:
        figures = {"benchmark": "drafts", "model": model.name, "shapes": shapes, "decoding": decoding}
        chosen.json.write_text(json.dumps(figures, ensure_ascii=False, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
