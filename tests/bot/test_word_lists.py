"""The team's word lists at work: words that call a person, and words that drafts must not say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answering.grounded import DraftLimits, GroundedAnswer, GroundedWriter
from bot.conversation import Action, Language, Reply, Route
from bot.errors import SettingsError
from bot.factory import assemble, rebuild
from bot.manager import Manager
from bot.memory.calls import CallReason
from bot.models import draft_limits
from bot.policy import calling_word, gave_up
from bot.safety.wordlist import WordList
from bot.settings import Settings, load_settings
from bot.settings_sections import ModelSettings, SafetySettings
from bot.understanding.language import to_simplified
from retrieval.documents import Hit, Passage
from tests.fakes import ScriptedGenerator, WordEncoder
from tests.small_shop import ANNA, build_shop, reply_to, say, write_knowledge_base


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Manager]:
    shop = build_shop(tmp_path)
    words = WordList(("12315", "律师", "lawyer"), to_simplified)
    shop.use(replace(shop.knowledge, person_words=words))
    yield shop
    shop.desk.close()
    shop.store.close()


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("运费多少？不说清楚我就打12315", "12315"),
        ("運費多少？我找律師", "律师"),
        ("how much is postage? My Lawyer asks", "lawyer"),
        ("你们的 postage 我要问 lawyer", "lawyer"),
    ],
)
def test_a_word_of_the_list_calls_a_person_whatever_the_message_asks(
    shop: Manager, message: str, word: str
) -> None:
    (reply,) = say(shop, message)
    assert reply.route is Route.HANDOFF
    assert Action.CALL_PERSON in reply.actions
    turn = shop.store.turn(reply.turn_id)
    assert calling_word(turn) == word
    assert not gave_up(turn)
    call = shop.desk.open_call(reply.conversation_id)
    assert call is not None
    assert (call.reason, call.detail) == (CallReason.WORD, word)


def test_a_message_without_such_a_word_is_answered_as_ever(shop: Manager) -> None:
    assert say(shop, "运费多少")[0].route is Route.TEMPLATE


def test_a_customer_who_asks_for_a_person_in_so_many_words_gets_the_wording_for_that(shop: Manager) -> None:
    (reply,) = say(shop, "转人工")
    assert (reply.route, reply.intent) == (Route.HANDOFF, "talk-to-person")


def test_a_word_that_called_once_does_not_call_again_with_the_follow_up(shop: Manager) -> None:
    conversation = shop.open_conversation(ANNA, channel="test")

    def ask(message: str) -> Reply:
        return reply_to(shop.answer(conversation, message, visitor=ANNA))

    assert ask("我找律师").route is Route.HANDOFF
    assert ask("运费多少").route is Route.TEMPLATE


HITS = [
    Hit(
        Passage("w-0", "warranty", "zh", "保修", (), "整机保修 1 年。电池不在保修范围内。", 0, ""),
        0.9,
        0.9,
        0.9,
    )
]


def written(script: str, *unwanted: str) -> GroundedAnswer:
    limits = DraftLimits(10.0, 10.0, 60, unwanted=WordList(unwanted, to_simplified))
    parts = GroundedWriter(WordEncoder(), ScriptedGenerator(script), limits).write(
        "整机保修几年", Language.ZH, HITS, ()
    )
    while True:
        try:
            next(parts)
        except StopIteration as finished:
            answer: GroundedAnswer = finished.value
            return answer


def test_a_draft_with_an_unwanted_word_is_not_shown_and_the_answer_is_composed() -> None:
    assert written("整机保修 1 年。").generation == "draft"
    answer = written("整机保修 1 年。", "保修 1 年")
    assert answer.generation == "composed: says an unwanted word"
    assert "整机保修 1 年" in answer.text  # the article's own sentence, which a person has approved


def test_what_was_shown_before_the_unwanted_word_stands() -> None:
    answer = written("整机保修 1 年。电池不在保修范围内。", "电池")
    assert answer.text == "整机保修 1 年。 [1]"
    assert answer.generation == "draft: says an unwanted word"


def test_word_lists_and_retention_are_read_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kefu.toml").write_text(
        '[safety]\nperson_words = [" 投诉 "]\nunwanted_words = ["最便宜"]\n[retention]\nturns_days = 180\n',
        "utf-8",
    )
    settings = load_settings()
    assert settings.safety.person_words == ("投诉",)
    assert settings.safety.unwanted_words == ("最便宜",)
    assert (settings.retention.turns_days, settings.retention.uploads_days) == (180, None)
    (tmp_path / "kefu.toml").write_text('[safety]\nperson_words = [" "]\n', "utf-8")
    with pytest.raises(SettingsError, match="person_words"):
        load_settings()


def test_the_lists_of_the_settings_are_the_ones_that_serve(tmp_path: Path) -> None:
    write_knowledge_base(tmp_path / "knowledge_base")
    settings = Settings(
        knowledge_base=tmp_path / "knowledge_base",
        var=tmp_path / "var",
        model=ModelSettings(model="none"),
        safety=SafetySettings(person_words=("律师",), unwanted_words=("最便宜",)),
    )
    rebuild(settings, WordEncoder(), lambda *_: None)
    kefu = assemble(settings, WordEncoder(), None)
    try:
        assert say(kefu.manager, "運費多少？我要找律師")[0].route is Route.HANDOFF
    finally:
        kefu.close()
    assert draft_limits(settings, None).unwanted.find("全網最便宜") == ("最便宜",)
