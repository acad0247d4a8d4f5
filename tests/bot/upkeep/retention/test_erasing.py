"""Rows go in one transaction, files after them, and no byte of what was said is left in the log's files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.memory import forgetting
from bot.memory.forgetting import OfCustomer, Older
from bot.memory.shared_log import SharedLog
from bot.memory.staff import audit_page
from bot.upkeep.retention.erasing import Erased, erase, preview, told
from tests.forgotten_shop import LONG_AGO, NOW, ForgetfulShop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ForgetfulShop]:
    shop = ForgetfulShop(tmp_path)
    yield shop
    shop.close()


def erased(shop: ForgetfulShop, what: forgetting.What, why: str = "one customer") -> Erased:
    log = SharedLog(shop.store.path)
    try:
        return erase(log, shop.uploads, what, at=NOW, why=why)
    finally:
        log.close()


def test_no_byte_of_a_forgotten_customer_is_left_on_disk_though_a_server_has_the_log_open(
    shop: ForgetfulShop,
) -> None:
    shop.visit("Quetzalcoatl", LONG_AGO)
    shop.visit("小美", LONG_AGO)
    assert b"Quetzalcoatl" in shop.bytes_of()
    done = erased(shop, OfCustomer("Quetzalcoatl-id"))
    assert (done.files_left, done.in_wal) == (0, False)
    assert b"Quetzalcoatl" not in shop.bytes_of()
    assert "小美".encode() in shop.bytes_of()
    assert [path.name for path in shop.uploads.iterdir()] == ["小美-file"]


def test_what_was_foretold_is_what_goes_and_the_audit_log_says_how_much_and_not_who(
    shop: ForgetfulShop,
) -> None:
    guest = shop.visit("anna", LONG_AGO)
    foretold = preview(shop.log, OfCustomer("anna-id"))
    assert "turns" in shop.traces_of(guest)
    done = erased(shop, OfCustomer("anna-id"))
    assert done.counts == foretold
    with shop.log.reading() as log:
        entry = audit_page(log)[0]
    assert (entry.action, entry.subject, entry.detail) == ("forget", "one customer", told(foretold))
    assert told(foretold).startswith("conversations 1, turns 1, ratings 1")


def test_nothing_to_delete_leaves_no_entry(shop: ForgetfulShop) -> None:
    assert erased(shop, Older(LONG_AGO)).counts.nothing
    with shop.log.reading() as log:
        assert audit_page(log) == []


def test_a_failure_halfway_deletes_nothing(shop: ForgetfulShop, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = shop.visit("anna", LONG_AGO)
    before = shop.traces_of(guest)
    monkeypatch.setattr(forgetting, "_DELETE", (*forgetting._DELETE[:8], "DELETE FROM no_such_table"))
    with pytest.raises(StoreError, match="no_such_table"):
        erased(shop, OfCustomer("anna-id"))
    assert shop.traces_of(guest) == before
    assert (shop.uploads / "anna-file").exists()


def test_a_file_that_a_crash_left_without_a_row_goes_with_the_next_deletion(shop: ForgetfulShop) -> None:
    shop.visit("anna", LONG_AGO)
    stray, fresh = shop.uploads / "stray", shop.uploads / "fresh"
    for path in (stray, fresh):
        path.write_bytes(b"x")
    for path in (stray, shop.uploads / "anna-file"):
        os.utime(path, (time.time() - 200_000,) * 2)
    erased(shop, Older(LONG_AGO))
    assert sorted(path.name for path in shop.uploads.iterdir()) == ["anna-file", "fresh"]


def test_a_file_that_cannot_be_deleted_is_counted(shop: ForgetfulShop) -> None:
    shop.visit("anna", LONG_AGO)
    path = shop.uploads / "anna-file"
    path.unlink()
    path.mkdir()  # what unlink refuses
    assert erased(shop, OfCustomer("anna-id")).files_left == 1
