"""The thresholds that decide: what was set wins, then what was calibrated, then the defaults."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.conversation import Language
from bot.errors import SettingsError
from bot.settings import Settings
from bot.settings_sections import PolicySettings
from bot.thresholds import read_certificate, threshold_table, write_calibrated

DEFAULTS = PolicySettings()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(var=tmp_path / "var")


def test_without_a_calibration_the_settings_decide(settings: Settings) -> None:
    table = threshold_table(settings, reads=False)
    assert table.zh == table.en
    assert table.zh.template_score == DEFAULTS.template_score
    assert table.zh.grounded_score == DEFAULTS.grounded_score
    assert threshold_table(settings, reads=True).zh.grounded_score == DEFAULTS.drafted_score


def test_each_language_gets_what_was_calibrated_for_it(settings: Settings) -> None:
    values = {
        Language.ZH: {"template_score": 0.81, "drafted_score": 0.33},
        Language.EN: {"template_score": 0.95},
    }
    write_calibrated(settings.thresholds_path, values, {"budgets": {"wrong_templates": 0.02}})
    table = threshold_table(settings, reads=True)
    assert (table.of(Language.ZH).template_score, table.of(Language.EN).template_score) == (0.81, 0.95)
    assert table.of(Language.ZH_HANT) == table.zh
    assert (table.zh.grounded_score, table.en.grounded_score) == (0.33, DEFAULTS.drafted_score)
    assert threshold_table(settings, reads=False).zh.grounded_score == DEFAULTS.grounded_score
    assert read_certificate(settings.thresholds_path)["budgets"] == {"wrong_templates": 0.02}


def test_what_the_team_set_is_never_overruled(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    write_calibrated(settings.thresholds_path, {Language.EN: {"template_score": 0.5}}, {})
    monkeypatch.setenv("KEFU_POLICY__TEMPLATE_SCORE", "0.9")
    assert threshold_table(Settings(var=settings.var), reads=False).en.template_score == 0.9


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]x",
        json.dumps({"kind": "thresholds", "format": 2}),
        json.dumps({"kind": "something", "format": 1}),
        json.dumps({"kind": "thresholds", "format": 1, "zh": {"template_score": 1.5}}),
        json.dumps({"kind": "thresholds", "format": 1, "zh": {"template_score": True}}),
        json.dumps({"kind": "thresholds", "format": 1, "zh": {"template_score": "0.9"}}),
        json.dumps({"kind": "thresholds", "format": 1, "zh": 0.9}),
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(settings: Settings, content: str) -> None:
    settings.thresholds_path.parent.mkdir()
    settings.thresholds_path.write_text(content, "utf-8")
    with pytest.raises(SettingsError, match=r"thresholds\.json cannot be used: .*kefu calibrate"):
        threshold_table(settings, reads=False)


def test_a_place_that_cannot_be_written_is_named(settings: Settings) -> None:
    settings.var.write_text("a file, no folder", "utf-8")
    with pytest.raises(SettingsError, match=r"thresholds\.json cannot be written"):
        write_calibrated(settings.thresholds_path, {}, {})
