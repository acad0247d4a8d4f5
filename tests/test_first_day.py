"""What search says of itself on a team's first day, when nothing is learned yet, on the real encoders and a trade of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from bot.learning import english_encoder
from bot.models import make_encoder
from bot.settings import load_settings
from bot.understanding.language import to_simplified
from bot.upkeep.editing.articles import ArticleFields, write_fields
from finetune.examples.held_out import HELD_OUT_TRADE
from finetune.examples.lessons import TALKS, LessonTalk, Trade, load_trade
from retrieval.build import build_index
from retrieval.calibration import calibration_error
from retrieval.readers import ARTICLES
from retrieval.search import SearchIndex

pytestmark = [pytest.mark.models, pytest.mark.timeout(1800)]

OTHERS = ("bank", "grocery", "gym", "hotel", "rail", "school", "telecom")
DAY = date(2026, 11, 29)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, np.ndarray]:
    """Of each question the probability of the article that is first, and whether it is the right one."""
    trade = load_trade(TALKS / HELD_OUT_TRADE)
    others = [talk for name in OTHERS for talk in load_trade(TALKS / name).talks]
    index = index_of(trade, tmp_path_factory.mktemp("first day"))
    strangers = others[:: len(others) // (len(trade.talks) // 2)]
    asked = [*ask(index, trade.talks, ours=True), *ask(index, strangers, ours=False)]
    probabilities, right = zip(*asked, strict=True)
    return np.array(probabilities), np.array(right)


def index_of(trade: Trade, folder: Path) -> SearchIndex:
    """A new team's: articles without listed questions, and no intents."""
    for (language, name), article in trade.articles.items():
        path = folder / "knowledge_base" / ARTICLES / language.value / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        fields = ArticleFields(title=article.title, body=article.body)
        path.write_bytes(
            write_fields(None, fields, article=name, language=language.value, day=DAY, name=path.name)
        )
    settings = load_settings()
    encoder = make_encoder(settings, lambda *_: None)
    english = english_encoder(settings, encoder)
    build_index(
        folder / "knowledge_base",
        folder / "index",
        encoder,
        english=english,
        passage_limit=settings.retrieval.passage_characters,
        progress=lambda *_: None,
    )
    return SearchIndex.open(folder / "index", encoder, english)


def ask(index: SearchIndex, talks: Sequence[LessonTalk], *, ours: bool) -> list[tuple[float, bool]]:
    found = []
    for talk in talks:
        turn = talk.turns[0]
        first, *_ = index.search(to_simplified(turn.question), top_k=1, day=datetime.now(UTC).date())
        found.append((first.score, ours and first.passage.article_id == turn.article))
    return found


def test_probabilities_are_met_by_frequencies_before_anything_is_learned(told) -> None:
    probabilities, right = told
    assert calibration_error(probabilities, right, bins=5) < 0.12


def test_most_of_what_is_found_is_told_likely_and_little_of_what_is_wrong(told) -> None:
    probabilities, right = told
    assert np.mean(probabilities[right] >= 0.5) > 0.5
    assert np.mean(probabilities[~right] >= 0.5) < 0.25
