"""The store of imports: each file once, whole or not at all, masked, with every problem in a list beside it."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from finetune.curation.imports import ImportReport, import_file, imports
from finetune.errors import ImportFailed
from finetune.pseudonyms import Pseudonyms
from tests.talk_files import (
    CHATWOOT,
    TRANSCRIPT_ZH,
    ZENDESK,
    write_gbk_csv,
    write_json,
    write_lines,
    write_workbook,
)

NAMES = Pseudonyms(b"k" * 32)
SHANGHAI = timezone(timedelta(hours=8))


def _import(path: Path, store: Path, **options: Any) -> ImportReport:
    return import_file(path, store, **{"pseudonyms": NAMES, "zone": SHANGHAI, **options})


def _transcript(path: Path) -> Path:
    path.write_text(TRANSCRIPT_ZH, "utf-8")
    return path


def test_every_family_lands_in_the_store(tmp_path: Path) -> None:
    store = tmp_path / "var" / "imports"
    files = [
        write_gbk_csv(tmp_path / "表.csv"),
        write_workbook(tmp_path / "b.xlsx"),
        write_json(tmp_path / "c.json", CHATWOOT),
        write_lines(tmp_path / "d.jsonl", ZENDESK),
        _transcript(tmp_path / "e.txt"),
    ]
    reports = [_import(path, store) for path in files]
    assert [report.format for report in reports] == ["csv", "excel", "chatwoot", "zendesk", "transcript"]
    stored = {each.name: each.conversations for each in imports(store)}
    assert sorted(map(len, stored.values())) == [2, 2, 2, 2, 3]
    assert [report.conversations for report in reports] == [3, 2, 2, 2, 2]
    assert {path.name.partition(".")[0].rpartition("-")[0] for path in store.iterdir()} == {
        "表",
        "b",
        "c",
        "d",
        "e",
    }


def test_what_is_stored_is_masked_and_names_nobody(tmp_path: Path) -> None:
    report = _import(write_json(tmp_path / "c.json", CHATWOOT), tmp_path / "store")
    written = "".join(path.read_text("utf-8") for path in (tmp_path / "store").iterdir())
    assert not any(secret in written for secret in ("Anna", "138 1234", "mail.example", '1024",'))
    assert report.masked == {"PHONE": 1}


def test_the_manifest_says_what_was_read(tmp_path: Path) -> None:
    report = _import(write_gbk_csv(tmp_path / "a.csv"), tmp_path / "store", source="old shop")
    manifest = json.loads(report.path.with_name(f"{report.path.stem}.manifest.json").read_text("utf-8"))
    assert (manifest["source"], manifest["format"], manifest["exchanges"], manifest["problems"]) == (
        "old shop",
        "csv",
        3,
        2,
    )
    assert (manifest["by_language"], manifest["schema"]) == ({"zh": 2, "en": 1}, 1)
    problems = [json.loads(line) for line in report.problems_path.read_text("utf-8").splitlines()]
    assert [problem["place"] for problem in problems] == ["a.csv:6", "a.csv:7"]
    ((_, conversations),) = [(each.name, each.conversations) for each in imports(tmp_path / "store")]
    assert {conversation.source for conversation in conversations} == {"old shop"}


def test_the_same_file_is_known_again_under_another_name(tmp_path: Path) -> None:
    first = _import(_transcript(tmp_path / "a.txt"), tmp_path / "store")
    before = sorted(path.name for path in (tmp_path / "store").iterdir())
    again = _import(_transcript(tmp_path / "copy.txt"), tmp_path / "store", form="csv")
    assert (first.already, again.already) == (False, True)
    assert (again.path, again.conversations, again.format) == (first.path, 2, "transcript")
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == before


def test_two_talks_with_one_id_are_both_kept(tmp_path: Path) -> None:
    row = {"id": "x", "conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}
    report = _import(write_lines(tmp_path / "a.jsonl", [row, row]), tmp_path / "store")
    ((one, other),) = [each.conversations for each in imports(tmp_path / "store")]
    assert report.conversations == 2
    assert one.id != other.id


def test_times_without_a_zone_are_in_the_shops(tmp_path: Path) -> None:
    _import(_transcript(tmp_path / "a.txt"), tmp_path / "store")
    ((talk, _),) = [each.conversations for each in imports(tmp_path / "store")]
    assert talk.started_at is not None
    assert talk.started_at.isoformat() == "2026-11-03T10:02:11+08:00"


def test_a_file_without_a_conversation_stores_nothing_and_says_why(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{"messages": [{"role": "king", "content": "x"}]}] * 7)
    with pytest.raises(ImportFailed, match=r"(?s)7 places.*a\.jsonl:1.*king"):
        _import(path, tmp_path / "store", form="messages")
    assert not (tmp_path / "store").exists()


def test_a_store_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(ImportFailed, match="cannot be written"):
        _import(_transcript(tmp_path / "a.txt"), tmp_path / "store")


def test_an_import_that_was_changed_or_is_half_there_is_named(tmp_path: Path) -> None:
    report = _import(_transcript(tmp_path / "a.txt"), tmp_path / "store")
    content = report.path.read_text("utf-8")
    report.path.write_text(content.replace("耳机", "手机"), "utf-8")
    with pytest.raises(ImportFailed, match="has changed"):
        list(imports(tmp_path / "store"))
    report.path.unlink()
    with pytest.raises(ImportFailed, match="cannot be read"):
        list(imports(tmp_path / "store"))


def test_files_without_a_manifest_are_no_import(tmp_path: Path) -> None:
    """A process that is killed leaves at most the files that come before the manifest."""
    report = _import(_transcript(tmp_path / "a.txt"), tmp_path / "store")
    report.path.with_name(f"{report.path.stem}.manifest.json").unlink()
    assert list(imports(tmp_path / "store")) == []
    assert not _import(_transcript(tmp_path / "a.txt"), tmp_path / "store").already


@pytest.mark.parametrize("change", [{"schema": 2}, {"kind": "other"}])
def test_an_import_of_a_newer_kefu_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    report = _import(_transcript(tmp_path / "a.txt"), tmp_path / "store")
    path = report.path.with_name(f"{report.path.stem}.manifest.json")
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **change}), "utf-8")
    with pytest.raises(ImportFailed, match="Update Kefu"):
        list(imports(tmp_path / "store"))


def test_no_store_has_no_imports(tmp_path: Path) -> None:
    assert list(imports(tmp_path / "none")) == []
