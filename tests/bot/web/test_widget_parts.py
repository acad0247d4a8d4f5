"""The widget's server side, part by part: opening hours in words, wording in every language, and counting streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.conversation import Language
from bot.desk.bell import Bell
from bot.desk.writing import Writing
from bot.errors import SettingsError
from bot.settings import Settings
from bot.settings_sections import WidgetSettings
from bot.web.widget_events import StreamLimit
from bot.web.widget_routes import Widget
from bot.web.widget_text import readable_hours, widget_text
from bot.web.widget_uploads import media_type_of
from tests.fake_assistant import FakeAssistant


def keys(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from keys(item, f"{path}/{key}")
    else:
        yield f"{path}[{len(value)}]" if isinstance(value, list) else path


def test_every_language_has_every_text() -> None:
    first, *others = [sorted(keys(widget_text(language))) for language in Language]
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("rules", "language", "words"),
    [
        ("Mo-Fr 09:00-22:00; Sa,Su 10:00-18:00; PH off", Language.EN, "Mon-Fri 09:00-22:00, Sat,Sun 10:00-18:00, public holidays closed"),
        ("Mo-Su 09:00-22:00", Language.ZH, "周一-周日 09:00-22:00"),
        ("Mo-Su 09:00-22:00", Language.ZH_HANT, "週一-週日 09:00-22:00"),
        ("24/7", Language.EN, "round the clock"),
    ],
)  # fmt: skip
def test_opening_hours_are_told_in_words(rules: str, language: Language, words: str) -> None:
    assert readable_hours(rules, language) == words


def test_streams_are_counted_by_address_and_in_all() -> None:
    limit = StreamLimit(in_all=3, per_address=2)
    with limit.counted("a"), limit.counted("a"):
        assert not limit.has_room("a")
        assert limit.has_room("b")
        with limit.counted("b"):
            assert not limit.has_room("c")
    assert limit.has_room("a")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(9), "image/jpeg"),
        (b"GIF89a" + bytes(9), "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        ("订单号 12345，请看附件".encode(), "text/plain"),
        ("订单号".encode("gb18030"), None),
    ],
)
def test_a_file_is_what_its_first_bytes_say(content: bytes, media_type: str | None) -> None:
    assert media_type_of(content) == media_type


@pytest.mark.parametrize("name", ["nothing.png", "logo.txt"])
def test_a_logo_that_cannot_be_shown_stops_the_start(name: str, tmp_path: Any) -> None:
    (tmp_path / "logo.txt").write_text("no picture")
    settings = Settings(widget=WidgetSettings(logo=tmp_path / name))
    with pytest.raises(SettingsError, match=r"widget\.logo"):
        Widget(FakeAssistant(), settings, Writing(Bell()))
