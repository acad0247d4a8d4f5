"""What answers are composed from is encoded before a customer asks, and again only where an article changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.conversation import Route
from bot.factory import Kefu, assemble, rebuild
from bot.settings import Settings
from bot.settings_sections import ModelSettings, PolicySettings
from retrieval import prepared_texts
from retrieval.encoder import Vectors
from retrieval.prepared_texts import PreparedTexts
from tests.fakes import WordEncoder
from tests.small_shop import say, write_knowledge_base

QUESTION = "大家电保修几年"


class CountingEncoder(WordEncoder):
    """Keeps which passages' texts it encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.passages: list[str] = []

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.passages += texts
        return super().encode_passages(texts)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared_texts, "_QUIET_SECONDS", 0.0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_knowledge_base(tmp_path / "knowledge_base")
    return Settings(
        knowledge_base=tmp_path / "knowledge_base",
        var=tmp_path / "var",
        model=ModelSettings(model="none"),
        policy=PolicySettings(grounded_score=0.4, in_scope=0.1),
    )


def start(settings: Settings, encoder: CountingEncoder) -> Kefu:
    prepared = PreparedTexts(encoder, settings.var / "sentences.safetensors")
    rebuild(settings, encoder, lambda *_: None)
    kefu = assemble(settings, prepared, None, prepared=prepared)
    encoder.passages.clear()
    return kefu


def until(done: Callable[[], bool], seconds: float = 30.0) -> None:
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_an_answer_is_composed_from_sentences_that_were_encoded_ahead(settings: Settings) -> None:
    encoder = CountingEncoder()
    kefu = start(settings, encoder)
    kefu.prepare_sentences()
    assert "大家电保修 3 年。" in "".join(encoder.passages)
    encoder.passages.clear()
    (reply,) = say(kefu.manager, QUESTION)
    kefu.close()
    assert reply.route is Route.GROUNDED
    assert encoder.passages == []


def test_warming_up_prepares_beside_the_serving_and_the_next_start_finds_it_done(settings: Settings) -> None:
    encoder = CountingEncoder()
    kefu = start(settings, encoder)
    kefu.warm_up()
    until((settings.var / "sentences.safetensors").exists)
    kefu.close()
    later = CountingEncoder()
    kefu = start(settings, later)
    kefu.prepare_sentences()
    kefu.close()
    assert later.passages == []


def test_an_edited_article_is_prepared_again_and_nothing_else(settings: Settings) -> None:
    encoder = CountingEncoder()
    kefu = start(settings, encoder)
    kefu.prepare_sentences()
    stop = threading.Event()
    kefu.follow_edits(stop)
    encoder.passages.clear()
    article = settings.knowledge_base / "articles" / "en" / "voltage.md"
    article.write_text(article.read_text("utf-8") + "\nA converter helps a little.\n", "utf-8")
    new = {"A converter helps a little.", "Voltage abroad\nA converter helps a little."}
    until(lambda: new <= set(encoder.passages))
    stop.set()
    kefu.close()
    embedded_by_the_index = [text for text in encoder.passages if text.startswith("Voltage abroad\nOur")]
    assert sorted(encoder.passages) == sorted([*new, *embedded_by_the_index])
