"""What search says of itself on a team's first day, when nothing is learned yet, on the real encoders and a trade of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.conversation import Language
from bot.learning import english_encoder
from bot.models import make_encoder
from bot.settings import load_settings
from bot.understanding.language import to_simplified
from finetune.examples.held_out import HELD_OUT_TRADE
from finetune.examples.lessons import TALKS, LessonTalk, Trade, load_trade
from retrieval.calibration import calibration_error
from retrieval.search import SearchIndex

pytestmark = [pytest.mark.models, pytest.mark.timeout(1800)]

OTHERS = ("bank", "grocery", "gym", "hotel", "rail", "school", "telecom")
LANGUAGES = (Language.ZH, Language.EN)


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
    """A new team's, in both languages, as the benchmark makes it; `benchmarks` is no package of ours."""
    settings = load_settings()
    encoder = make_encoder(settings, lambda *_: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
        benchmark: Any = import_module("first_day")
    made: SearchIndex = benchmark.index_of(
        trade, LANGUAGES, settings, encoder, english_encoder(settings, encoder), folder
    )
    return made


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
