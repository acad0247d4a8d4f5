"""Word lists and how long data is kept, on the settings page."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from fastapi import FastAPI

from bot.config_file import ConfigFile
from bot.conversation import Language
from bot.web.console.config import GROUPS
from bot.web.console.text import LANGUAGE_COOKIE, console_text
from tests.bot.web.console.workshop.test_config_page import PATH, Someone
from tests.bot.web.console.workshop.test_knowledge import fields_of


@pytest.fixture(autouse=True)
def file(app: FastAPI, tmp_path: Path) -> ConfigFile:
    app.state.console.workshop.config = ConfigFile(tmp_path / "kefu.toml")
    return ConfigFile(tmp_path / "kefu.toml")


def test_word_lists_and_days_are_written_and_taken_back(someone: Someone, file: ConfigFile) -> None:
    admin = someone("admin")
    fields = fields_of(admin.get(PATH).text)
    assert fields["retention.turns_days"] == ""
    changed = fields | {
        "safety.person_words": "12315\r\n律师\r\nsmall claims court\r\n",
        "safety.unwanted_words": "全网最低",
        "retention.turns_days": "180",
    }
    assert admin.post(PATH, data=changed).status_code == 303
    settings = file.settings()
    assert settings.safety.person_words == ("12315", "律师", "small claims court")
    assert settings.safety.unwanted_words == ("全网最低",)
    assert settings.retention.turns_days == 180
    fields = fields_of(admin.get(PATH).text)
    assert admin.post(PATH, data=fields | {"retention.turns_days": ""}).status_code == 303
    assert file.settings().retention.turns_days is None


@pytest.mark.parametrize("value", ["0", "-3", "half a year"])
def test_days_that_cannot_be_are_refused_at_their_field(
    someone: Someone, file: ConfigFile, value: str
) -> None:
    admin = someone("admin")
    answer = admin.post(PATH, data=fields_of(admin.get(PATH).text) | {"retention.uploads_days": value})
    assert answer.status_code == 409
    assert 'aria-invalid="true"' in answer.text
    assert not file.path.exists()


@pytest.mark.parametrize("language", [Language.ZH, Language.EN])
def test_every_setting_of_the_page_has_a_name_in_both_languages(language: Language) -> None:
    text = console_text(language)["config"]
    assert set(text["groups"]) == set(GROUPS)
    assert {choice.name for group in GROUPS.values() for choice in group} <= set(text["names"])


@pytest.mark.parametrize(
    ("language", "name", "value", "said"),
    [
        ("zh", "retention.turns_days", "abc", "“abc”不是整数"),
        ("en", "retention.turns_days", "0", "0 is too little; at least 1"),
        ("zh", "desk.idle_minutes", "0", "0 太小，必须大于 0"),
        ("zh", "time_zone", "Mars/Base", "没有“Mars/Base”这个时区"),
        ("en", "desk.opening_hours", "whenever", "“whenever” cannot be read"),
    ],
)
def test_what_is_wrong_is_said_in_the_pages_language(
    someone: Someone, language: str, name: str, value: str, said: str
) -> None:
    admin = someone("admin")
    admin.cookies.set(LANGUAGE_COOKIE, language)
    answer = admin.post(PATH, data=fields_of(admin.get(PATH).text) | {name: value})
    assert answer.status_code == 409
    assert said in html.unescape(answer.text)
