"""What was learned elsewhere is taken up by a running bot within seconds: intents, thresholds, an index."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.conversation import Language
from bot.factory import assemble, rebuild
from bot.judged import write_judged
from bot.promotions import follow_learning
from bot.settings import Settings
from bot.settings_sections import PolicySettings
from bot.thresholds import write_calibrated
from retrieval.calibration import LabelledQuestion
from tests.fakes import WordEncoder
from tests.small_shop import write_knowledge_base
from tests.tiny_adapters import tiny_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_knowledge_base(tmp_path / "knowledge_base")
    chosen = tiny_settings(tmp_path, tmp_path / "no model")
    rebuild(chosen, WordEncoder(), lambda *_: None)
    return chosen


def _until(holds: Callable[[], bool]) -> None:
    patience = time.monotonic() + 30
    while not holds() and time.monotonic() < patience:
        time.sleep(0.05)
    assert holds()


def test_what_was_learned_is_taken_up_and_a_damaged_file_changes_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    corrections, thresholds = settings.intent_corrections_path, settings.thresholds_path
    stop = threading.Event()
    open_to_calibration = settings.model_copy(update={"policy": PolicySettings()})
    kefu = assemble(open_to_calibration, WordEncoder(), None, log_path=tmp_path / "kefu.db")
    threads = follow_learning(kefu, stop)

    def template_score() -> float:
        return kefu.manager.knowledge.thresholds.of(Language.ZH_HANT).template_score

    try:
        corrections.write_text("no line of JSON\n", "utf-8")
        corrections.write_text('{"text": "zork zork", "intent": "postage"}\n', "utf-8")
        _until(lambda: "zork zork" in kefu.manager.knowledge.reader.head.texts)
        write_calibrated(thresholds, {Language.ZH: {"template_score": 0.77}}, {})
        _until(lambda: template_score() == 0.77)
        assert kefu.manager.knowledge.thresholds.of(Language.EN).template_score == 0.9
        corrections.write_text("no line of JSON\n", "utf-8")
        thresholds.write_text('{"kind": "thresholds", "format": 1, "zh": {"template_score": 7}}', "utf-8")
        time.sleep(1.2)  # two looks
        assert template_score() == 0.77
        assert "zork zork" in kefu.manager.knowledge.reader.head.texts
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
        kefu.close()


def test_an_index_that_another_process_built_is_taken_up_and_an_own_one_is_not_loaded_twice(
    settings: Settings,
) -> None:
    stop = threading.Event()
    kefu = assemble(settings, WordEncoder(), None)
    threads = follow_learning(kefu, stop)

    def serves() -> str | None:
        return kefu.manager.knowledge.provenance.index

    try:
        write_judged(settings.judged_questions_path, [LabelledQuestion("zork", frozenset({"warranty"}))])
        elsewhere = rebuild(settings, WordEncoder(), lambda *_: None)
        _until(lambda: serves() == elsewhere.generation)
        assert kefu.manager.knowledge.index.manifest["counts"]["judged"] == 1
        own = kefu.reload(lambda *_: None)
        in_use = kefu.manager.knowledge
        assert serves() == own.generation
        time.sleep(1.2)  # two looks
        assert kefu.manager.knowledge is in_use
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
        kefu.close()
