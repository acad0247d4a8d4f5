"""Knowledge in a scratch folder: the same as what was published, or as an edit would be, and `var/` stays as it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.factory import load_knowledge, rebuild
from bot.settings import Settings
from bot.settings_sections import ModelSettings
from bot.upkeep.backtest.scratch import Models, edited_knowledge, present_knowledge, scratch_settings
from retrieval.errors import IndexMissing
from tests.fakes import WordEncoder
from tests.small_shop import write_knowledge_base


@dataclass(frozen=True)
class Here:
    """A place with a knowledge base that has been published, and other things in `var/`."""

    settings: Settings
    encoder: WordEncoder
    edited: Path  # a copy of the knowledge base

    @property
    def models(self) -> Models:
        return Models(self.encoder, None)

    def fingerprint(self) -> dict[str, str]:
        return {
            path.relative_to(self.settings.var).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.settings.var.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def here(tmp_path: Path, knowledge_base: Path) -> Here:
    settings = Settings(
        knowledge_base=knowledge_base, var=tmp_path / "var", model=ModelSettings(model="none")
    )
    encoder = WordEncoder()
    rebuild(settings, encoder, lambda *_: None)
    (settings.var / "intent-corrections.jsonl").write_text(
        '{"text": "邮寄花钱吗", "intent": "postage"}\n', "utf-8"
    )
    (settings.var / "models").mkdir()
    (settings.var / "models" / "weights").write_text("heavy")
    write_knowledge_base(tmp_path / "edited")
    call_back = (knowledge_base / "intents/call-back.yaml").read_bytes()
    (tmp_path / "edited/intents/call-back.yaml").write_bytes(call_back)
    encoder.asked.clear()
    return Here(settings, encoder, tmp_path / "edited")


def test_the_present_is_what_was_published_and_what_people_corrected(here: Here) -> None:
    before = here.fingerprint()
    with present_knowledge(here.settings, here.models) as knowledge:
        assert here.fingerprint() == before  # though the head has to learn the correction
        assert "邮寄花钱吗" in knowledge.reader.head.texts
    real = load_knowledge(here.settings, here.encoder, None)
    assert knowledge.provenance == real.provenance
    assert knowledge.thresholds == real.thresholds
    assert knowledge.content == real.content


def test_an_edit_is_built_without_a_trace_and_only_new_texts_are_encoded(here: Here, edit_yaml) -> None:
    before = here.fingerprint()
    edit_yaml(here.edited / "intents/postage.yaml", examples={"zh": ["寄费是多少"], "en": ["delivery fee"]})
    article = here.edited / "articles/zh/warranty.md"
    article.write_text(article.read_text("utf-8").replace("1 年", "2 年"), "utf-8")
    stages: list[str] = []
    with edited_knowledge(
        here.settings, here.edited, here.models, lambda stage, *_: stages.append(stage)
    ) as knowledge:
        assert any("2 年" in passage.text for passage in knowledge.index.passages())
        assert "寄费是多少" in knowledge.reader.head.texts
        assert "邮寄花钱吗" in knowledge.reader.head.texts
    assert here.fingerprint() == before
    encoded = set(here.encoder.asked)
    assert "寄费是多少" in encoded
    assert not encoded & {
        "怎样查物流",
        "我的订单到哪了",
    }  # a title and an example that the index has vectors of
    assert {"embed", "calibrate"} <= set(stages)


def test_what_is_published_in_the_scratch_folder_stays_there_and_goes_with_it(here: Here) -> None:
    before = here.fingerprint()
    with scratch_settings(here.settings) as own:
        assert (own.var / "models/weights").read_text() == "heavy"
        rebuild(own, here.encoder, lambda *_: None)
        rebuild(own, here.encoder, lambda *_: None)  # drops the first generation, which is a link
        folder = own.var
    assert not folder.exists()
    assert here.fingerprint() == before


def test_drafts_get_all_the_time_they_need(here: Here) -> None:
    with scratch_settings(here.settings) as own:
        assert own.model.first_sentence_seconds > here.settings.model.first_sentence_seconds
        assert own.model.model == "none"


def test_a_mistake_in_an_edit_is_told_and_nothing_changes(here: Here, edit_yaml) -> None:
    before = here.fingerprint()
    edit_yaml(here.edited / "intents/postage.yaml", answer={"zh": "满 99 元包邮。", "en": "Free from 129."})
    with (
        pytest.raises(ContentError, match="different things"),
        edited_knowledge(here.settings, here.edited, here.models, lambda *_: None),
    ):
        pass
    assert here.fingerprint() == before


def test_without_an_index_there_is_no_present(here: Here, tmp_path: Path) -> None:
    elsewhere = here.settings.model_copy(update={"var": tmp_path / "nothing"})
    with pytest.raises(IndexMissing, match="kefu index"), present_knowledge(elsewhere, here.models):
        pass
    assert not (tmp_path / "nothing").exists()
