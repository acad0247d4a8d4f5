"""Once a day what is too old goes by itself; without a setting nothing does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bot.memory.forgetting import Older
from bot.settings import Settings
from bot.settings_sections import RetentionSettings
from bot.upkeep.retention.daily import delete_old, follow_retention, too_old
from tests.forgotten_shop import LONG_AGO, NOW, ForgetfulShop, a_day


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ForgetfulShop]:
    shop = ForgetfulShop(tmp_path)
    yield shop
    shop.close()


def settings(folder: Path, **days: int) -> Settings:
    return Settings(var=folder, retention=RetentionSettings(**days))


@pytest.mark.parametrize(
    ("days", "older"),
    [
        ({}, None),
        ({"turns_days": 30}, Older(turns=NOW - a_day(30))),
        ({"uploads_days": 7, "visits_days": 1}, Older(uploads=NOW - a_day(7), visits=NOW - a_day(1))),
    ],
)
def test_each_kind_has_its_own_days_and_none_is_for_ever(days: dict[str, int], older: Older | None) -> None:
    assert too_old(RetentionSettings(**days), NOW) == older


def test_everything_is_kept_by_default(tmp_path: Path, shop: ForgetfulShop) -> None:
    guest = shop.visit("anna", LONG_AGO)
    before = shop.traces_of(guest)
    assert delete_old(settings(tmp_path), now=NOW)
    assert follow_retention(settings(tmp_path), threading.Event()) is None
    assert shop.traces_of(guest) == before


def test_what_is_too_old_goes_with_its_files_while_the_server_serves(
    tmp_path: Path, shop: ForgetfulShop
) -> None:
    old, new = shop.visit("alt", LONG_AGO), shop.visit("neu", datetime.now(NOW.tzinfo))
    stop = threading.Event()
    thread = follow_retention(settings(tmp_path, turns_days=90), stop)
    assert thread is not None
    for _ in range(200):
        if not (shop.uploads / "alt-file").exists():
            break
        stop.wait(0.05)
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert shop.traces_of(old) == set()
    assert "turns" in shop.traces_of(new)
    assert (shop.uploads / "neu-file").exists()


def test_a_log_that_cannot_be_read_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "kefu.db").write_text("no database, but text " * 100, "utf-8")
    assert not delete_old(settings(tmp_path, turns_days=1), now=NOW)
