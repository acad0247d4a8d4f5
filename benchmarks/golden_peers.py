"""What golden.py is compared with: parts alone, and a support bot as they are usually built."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import bm25s
import numpy as np

from bot.content import load_content
from bot.settings import Settings
from retrieval.encoder import Encoder
from retrieval.keywords import tokenize
from retrieval.readers import read_articles

Ranking = Callable[[str], list[str]]
Case = tuple[str, str, frozenset[str], frozenset[str]]  # question, kind, intents, articles


def keyword_ranking(settings: Settings) -> Ranking:
    """Articles ranked by BM25 over whole articles."""
    articles, _ = read_articles(settings.knowledge_base)
    index = bm25s.BM25()
    index.index(
        [tokenize(f"{a.title} {a.title} {' '.join(a.questions)} {a.body}") for a in articles],
        show_progress=False,
    )

    def rank(question: str) -> list[str]:
        scores = index.get_scores(tokenize(question))
        return list(dict.fromkeys(articles[i].id for i in np.argsort(-scores)[:40]))

    return rank


def vector_ranking(settings: Settings, encoder: Encoder) -> Ranking:
    """Articles ranked by the cosine of title and opening with the question."""
    articles, _ = read_articles(settings.knowledge_base)
    vectors = encoder.encode_passages([f"{a.title}\n{a.body[:600]}" for a in articles])

    def rank(question: str) -> list[str]:
        order = np.argsort(-(vectors @ encoder.encode_queries([question])[0]))
        return list(dict.fromkeys(articles[i].id for i in order[:40]))

    return rank


class NaiveBot:
    """The nearest example's template if its cosine passes one fixed threshold, else the nearest article, always."""

    def __init__(self, settings: Settings, encoder: Encoder) -> None:
        content = load_content(settings.knowledge_base)
        pairs = [(text, intent.id) for intent in content.intents.values() for text in intent.examples.all()]
        self._encoder = encoder
        self._labels = [label for _, label in pairs]
        self._vectors = encoder.encode_queries([text for text, _ in pairs])
        self._rank = vector_ranking(settings, encoder)
        self.threshold = 1.0

    def tune(self, cases: Sequence[Case]) -> None:
        """Choose the threshold under which most cases come out right."""
        seen = [
            (*self._look(question), kind, intents, articles) for question, kind, intents, articles in cases
        ]
        self.threshold = max(
            np.arange(0.8, 1.0, 0.005),
            key=lambda t: sum(_right(self._choose(row, t), *row[3:]) for row in seen),
        )

    def judge(self, cases: Sequence[Case]) -> dict[str, float]:
        """Its figures on `cases`."""
        chosen = [(self._choose(self._look(case[0]), self.threshold), case) for case in cases]
        wrong = [(c, case) for c, case in chosen if not _right(c, *case[1:])]
        answerable = [(c, case) for c, case in chosen if case[1] == "answer"]
        return {
            "answered rightly": sum(_right(c, *case[1:]) for c, case in answerable) / len(answerable),
            "refused rightly": 0.0,  # it never refuses
            "wrong answer": len(wrong) / len(cases),
            "wrong template": sum(c[0] is not None for c, _ in wrong) / len(cases),
        }

    def _look(self, question: str) -> tuple[str, float, str]:
        similarity = self._vectors @ self._encoder.encode_queries([question])[0]
        best = int(similarity.argmax())
        return self._labels[best], float(similarity[best]), self._rank(question)[0]

    def _choose(self, row: Sequence[object], threshold: float) -> tuple[str | None, str | None]:
        """(intent, None) for a template, (None, article) for an article."""
        intent, similarity, article = row[:3]
        return (str(intent), None) if float(str(similarity)) >= threshold else (None, str(article))


def _right(
    chosen: tuple[str | None, str | None], kind: str, intents: frozenset[str], articles: frozenset[str]
) -> bool:
    intent, article = chosen
    if kind in ("answer", "clarify"):
        return intent in intents if intent is not None else article in articles
    return kind == "handoff" and intent in ("talk-to-person", "account-hacked", "complaint-file")
