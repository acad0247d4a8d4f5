"""Which encoders read questions for their intent, and for the search."""

from __future__ import annotations

import pytest

from bot import learning
from bot.learning import english_encoder, intent_encoder
from bot.settings import Settings
from bot.settings_sections import EncoderSettings
from retrieval.bundled_encoder import NAME
from retrieval.joined_encoder import JoinedEncoder
from tests.fakes import WordEncoder

ENGLISH = ("where is my parcel", "I want a refund")


class Bundled(WordEncoder):
    """A scripted encoder under the bundled one's name."""

    name = f"{NAME}@scripted"


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_english_encoder", WordEncoder)


def test_a_team_whose_examples_are_all_english_has_a_second_encoder_for_intents() -> None:
    assert isinstance(intent_encoder(Settings(), Bundled(), ENGLISH), JoinedEncoder)


@pytest.mark.parametrize("example", ["我的包裹在哪", "查 parcel 状态"])
def test_chinese_examples_are_read_by_the_bundled_encoder_alone(example: str) -> None:
    encoder = Bundled()
    assert intent_encoder(Settings(), encoder, (*ENGLISH, example)) is encoder


def test_a_team_may_do_without_a_second_encoder() -> None:
    encoder = Bundled()
    settings = Settings(encoder=EncoderSettings(english="none"))
    assert intent_encoder(settings, encoder, ENGLISH) is encoder


def test_an_encoder_of_the_teams_own_is_left_alone() -> None:
    encoder = WordEncoder()
    assert intent_encoder(Settings(), encoder, ENGLISH) is encoder


def test_beside_the_bundled_encoder_a_second_one_reads_english_for_the_search() -> None:
    assert english_encoder(Settings(), Bundled()) is not None
    assert english_encoder(Settings(), WordEncoder()) is None
    assert english_encoder(Settings(encoder=EncoderSettings(english="none")), Bundled()) is None
