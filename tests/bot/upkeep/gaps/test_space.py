"""Where questions are compared, and the cut: learned from content, within the error budget."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.content import load_content
from bot.models import make_encoder
from bot.settings import load_settings
from bot.upkeep.gaps.clustering import agglomerate
from bot.upkeep.gaps.space import Topics, known_topics, learn_space
from retrieval.encoder import Vectors
from retrieval.readers import read_articles
from tests.small_shop import write_knowledge_base


class Planted:
    """An encoder for texts "TOPIC LANGUAGE NUMBER": a direction of the topic, a strong one of the language, and noise."""

    name, dimension = "planted", 64

    def __init__(self, noise: float) -> None:
        self._noise = noise

    def encode_queries(self, texts: list[str]) -> Vectors:
        rows = []
        for text in texts:
            topic, language, _ = text.split()
            noise = np.random.default_rng(abs(hash_of(text))).standard_normal(self.dimension)
            row = _direction(topic) + 1.5 * _direction(language) + 3 * _direction("all") + self._noise * noise
            rows.append(row / np.linalg.norm(row))
        return np.asarray(rows, dtype=np.float32)

    encode_passages = encode_queries


def hash_of(text: str) -> int:
    """The same for the same text in every process."""
    return int.from_bytes(text.encode().ljust(8, b"\0")[:8], "little") + sum(text.encode())


def _direction(name: str) -> np.ndarray:
    return np.random.default_rng(hash_of(name)).standard_normal(64)


def planted(topics: range, each: int = 4) -> Topics:
    rows = [
        (f"t{topic} {language} {number}", f"t{topic}", language)
        for topic in topics
        for language in ("zh", "en")
        for number in range(each)
    ]
    return Topics(*(tuple(column) for column in zip(*rows, strict=True)))


def test_one_question_in_two_languages_is_nearer_than_two_questions_in_one() -> None:
    encoder = Planted(noise=0.5)
    space = learn_space(planted(range(40)), encoder)
    zh, en, other = space.place(encoder.encode_queries(["t90 zh 1", "t90 en 1", "t91 zh 1"]))
    raw_zh, raw_en, raw_other = encoder.encode_queries(["t90 zh 1", "t90 en 1", "t91 zh 1"])
    assert zh @ en > space.cut > zh @ other
    assert raw_zh @ raw_en < raw_zh @ raw_other  # without the space it is the other way round


def test_topics_that_were_never_seen_are_told_apart_across_languages() -> None:
    encoder = Planted(noise=0.5)
    space = learn_space(planted(range(40)), encoder)
    unseen = planted(range(60, 80))
    labels = agglomerate(
        space.place(encoder.encode_queries(list(unseen.texts))), np.ones(len(unseen.texts)), space.cut
    )
    assert len(set(labels.tolist())) == 20
    assert len(set(zip(labels.tolist(), unseen.topics, strict=True))) == 20


def test_questions_of_a_field_that_nobody_has_written_about_are_told_apart() -> None:
    encoder = Planted(noise=0.5)
    space = learn_space(planted(range(40)), encoder)
    unseen = planted(range(60, 110))
    foreign = encoder.encode_queries(list(unseen.texts)) + 0.5 * _direction("banking") / 8
    foreign /= np.linalg.norm(foreign, axis=1, keepdims=True)
    counts = [
        len(set(agglomerate(each.place(foreign), np.ones(len(foreign)), space.cut).tolist()))
        for each in (space, space.around(foreign))
    ]
    assert counts[0] < 30
    assert 45 <= counts[1] <= 50


def test_a_log_full_of_one_topic_moves_the_middle_half_way_at_most() -> None:
    encoder = Planted(noise=0.5)
    space = learn_space(planted(range(40)), encoder)
    one = encoder.encode_queries(["t90 zh 1"] * 10_000)
    half = (space.middle + space.languages.apply(one).mean(axis=0)) / 2
    assert np.allclose(space.around(one).middle, half, atol=1e-5)


def test_a_smaller_budget_gives_a_stricter_cut() -> None:
    encoder = Planted(noise=1.6)
    strict, loose = (learn_space(planted(range(40)), encoder, mixed=mixed).cut for mixed in (0.02, 0.4))
    assert strict > loose


def test_the_share_put_among_others_stays_within_the_budget_on_unseen_topics() -> None:
    encoder = Planted(noise=1.6)
    space = learn_space(planted(range(60)), encoder, mixed=0.2)
    unseen = planted(range(100, 160))
    labels = agglomerate(
        space.place(encoder.encode_queries(list(unseen.texts))), np.ones(len(unseen.texts)), space.cut
    )
    topics = np.array(unseen.topics)
    gathered = misplaced = 0
    for label in set(labels.tolist()):
        members = topics[labels == label]
        if len(members) > 1:
            gathered += len(members)
            misplaced += len(members) - np.unique(members, return_counts=True)[1].max()
    assert gathered > 100
    assert misplaced <= 0.3 * gathered


def test_one_topic_alone_teaches_nothing_so_only_equal_questions_are_put_together() -> None:
    assert learn_space(planted(range(1)), Planted(noise=0.5)).cut > 0.9


def test_topics_are_intents_and_the_articles_that_stand_behind_none(tmp_path: Path) -> None:
    write_knowledge_base(tmp_path)
    articles, _ = read_articles(tmp_path)
    topics = known_topics(load_content(tmp_path), articles)
    found = dict(zip(topics.texts, topics.topics, strict=True))
    assert found["包邮吗"] == found["free postage?"] == "intent postage"
    assert found["保修期限"] == found["Warranty"] == "article warranty"
    assert "怎样查物流" not in found  # behind order-status
    assert "写一首诗" not in found


@pytest.mark.models
def test_wordings_of_one_wish_in_both_languages_come_together_on_the_real_encoder() -> None:
    settings = load_settings()
    encoder = make_encoder(settings, lambda *_: None)
    content = load_content(settings.knowledge_base)
    articles, _ = read_articles(settings.knowledge_base)
    space = learn_space(known_topics(content, articles), encoder)
    asked = [
        *("学生有优惠吗", "do you have a student discount", "is there any discount for students"),
        *("洗衣机能租吗", "can I rent a washing machine from you"),
        *("怎么成为你们的经销商", "how do I become a dealer of your brand"),
    ]
    labels = agglomerate(space.place(encoder.encode_queries(asked)), np.ones(len(asked)), space.cut)
    assert labels.tolist() == [0, 0, 0, 3, 3, 5, 5]
