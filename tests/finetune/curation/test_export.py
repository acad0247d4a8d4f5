"""An export says what the log holds, masked, in every format, and harms no spreadsheet and no reader of lines."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.conversation import ConversationId, Correction, Language, Rating, Route, TurnId, VisitorId
from bot.memory.store import Store
from finetune.curation.export import export
from finetune.curation.formats import undo_defuse
from finetune.errors import ExportError, NothingToExport
from tests.example_turns import NOON, example_turn


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "kefu.db") as opened:
        yield opened


def _talk(store: Store, *texts: tuple[str, str], start: int = 1, **changes: Any) -> ConversationId:
    """A conversation of these questions and answers."""
    conversation = store.open_conversation(VisitorId("anna"), channel="web")
    for number, (question, answer) in enumerate(texts, start=start):
        store.append_turn(
            example_turn(conversation, number, customer_text=question, answer=answer, **changes)
        )
    return conversation


def _turn(conversation: ConversationId, number: int) -> TurnId:
    return TurnId(f"turn-{conversation}-{number}")


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{name: undo_defuse(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def test_messages_keep_a_conversation_whole(store: Store, tmp_path: Path) -> None:
    conversation = _talk(store, ("能退吗", "可以[1]。"), ("and for gold members?", "15 days[1]."))
    report = export(store, tmp_path / "out" / "chats.jsonl", format="messages")
    (row,) = _rows(report.path)
    assert row["messages"] == [
        {"role": "user", "content": "能退吗"},
        {"role": "assistant", "content": "可以[1]。"},
        {"role": "user", "content": "and for gold members?"},
        {"role": "assistant", "content": "15 days[1]."},
    ]
    first = row["metadata"]["turns"][0]
    assert (first["turn_id"], first["language"], first["rating"]) == (_turn(conversation, 1), "zh", None)
    assert (first["model"], first["adapter"], first["articles"]) == (
        "gemma-270m",
        None,
        ["delivery-no-update"],
    )
    assert (report.conversations, report.turns) == (1, 2)


def test_an_exported_conversation_id_opens_no_conversation(store: Store, tmp_path: Path) -> None:
    conversation = _talk(store, ("能退吗", "可以[1]。"))
    named = [
        row["metadata"]["conversation_id"]
        for row in _rows(export(store, tmp_path / "a.jsonl", format="messages").path)
        + _rows(export(store, tmp_path / "b.jsonl", format="messages").path)
    ]
    assert len(set(named)) == 1
    assert named[0] != conversation


def test_sharegpt_says_human_and_gpt(store: Store, tmp_path: Path) -> None:
    _talk(store, ("hi", "你好"))
    (row,) = _rows(export(store, tmp_path / "x.jsonl", format="sharegpt").path)
    assert row["conversations"] == [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "你好"}]
    assert row["metadata"]["channel"] == "web"


def test_alpaca_puts_earlier_turns_into_the_history(store: Store, tmp_path: Path) -> None:
    _talk(store, ("一", "甲"), ("二", "乙"))
    first, second = _rows(export(store, tmp_path / "x.jsonl", format="alpaca").path)
    assert (first["instruction"], first["input"], first["output"], first["history"]) == ("一", "", "甲", [])
    assert (second["instruction"], second["output"], second["history"]) == ("二", "乙", [["一", "甲"]])
    assert second["metadata"]["articles"] == ["delivery-no-update"]


def test_csv_opens_in_a_spreadsheet(store: Store, tmp_path: Path) -> None:
    conversation = _talk(store, ('他说"好",\n真的', "是的"), ("=1+1", "@SUM(1)"))
    path = export(store, tmp_path / "x.csv", format="csv").path
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    first, second = _cells(path)
    assert (first["question"], first["answer"], first["turn_id"]) == (
        '他说"好",\n真的',
        "是的",
        _turn(conversation, 1),
    )
    assert (second["question"], second["answer"]) == ("=1+1", "@SUM(1)")
    assert json.loads(second["metadata"])["articles"] == ["delivery-no-update"]


def test_a_correction_replaces_the_answer_and_is_masked(store: Store, tmp_path: Path) -> None:
    conversation = _talk(store, ("能退吗", "不能"), ("好的", "再见"))
    store.add_correction(Correction(_turn(conversation, 1), "可以，电话13812345678", "li"))
    report = export(store, tmp_path / "x.jsonl")
    (row,) = _rows(report.path)
    assert row["messages"][1]["content"] == "可以，电话<PHONE>"
    assert [turn["corrected"] for turn in row["metadata"]["turns"]] == [True, False]
    assert report.corrected == 1


def test_text_is_masked_again_and_the_manifest_tells(store: Store, tmp_path: Path) -> None:
    conversation = _talk(
        store,
        ("我的手机是13812345678", "发到 a@b.com 或 service@example.com"),
        ("订单 KF20261103-0042", "400-800-1234"),
    )
    with capture_logs() as logs:
        report = export(store, tmp_path / "x.jsonl", allow=("service@example.com", "400-800-1234"))
    text = report.path.read_text("utf-8")
    assert "13812345678" not in text
    assert "a@b.com" not in text
    assert all(kept in text for kept in ("service@example.com", "KF20261103-0042", "400-800-1234"))
    manifest = json.loads(report.manifest.read_text("utf-8"))
    assert manifest["masked_again"] == {"kinds": {"PHONE": 1, "EMAIL": 1}, "turns": [_turn(conversation, 1)]}
    assert logs[0]["event"] == "export_masked_again"
    assert "13812345678" not in repr(logs)


def test_corrections_and_votes_become_preferences(store: Store, tmp_path: Path) -> None:
    conversation = _talk(store, ("能退吗", "不能"), ("how long", "7 days"))
    store.add_correction(Correction(_turn(conversation, 1), "七天内可以", "li"))
    store.add_rating(conversation, Rating(_turn(conversation, 2), -1))
    (pair,) = _rows(export(store, tmp_path / "dpo.jsonl", format="dpo").path)
    assert (pair["chosen"][0]["content"], pair["rejected"][0]["content"]) == ("七天内可以", "不能")
    labels = {
        row["completion"][0]["content"]: row["label"]
        for row in _rows(export(store, tmp_path / "kto.jsonl", format="kto").path)
    }
    assert labels == {"七天内可以": True, "不能": False, "7 days": False}


def test_a_log_without_votes_has_no_preferences(store: Store, tmp_path: Path) -> None:
    _talk(store, ("能退吗", "七天内可以"))
    with pytest.raises(NothingToExport, match="voted"):
        export(store, tmp_path / "x.jsonl", format="kto")
    assert not (tmp_path / "x.jsonl").exists()


def test_a_rating_selects_turns_and_keeps_what_led_to_them(store: Store, tmp_path: Path) -> None:
    conversation = _talk(store, ("一", "甲"), ("二", "乙"), ("三", "丙"))
    other = _talk(store, ("四", "丁"), start=4)
    store.add_rating(conversation, Rating(_turn(conversation, 2), 1))
    store.add_rating(other, Rating(_turn(other, 4), -1))
    (row,) = _rows(export(store, tmp_path / "good.jsonl", rating=1).path)
    assert [message["content"] for message in row["messages"]] == ["一", "甲", "二", "乙"]
    assert [turn["selected"] for turn in row["metadata"]["turns"]] == [False, True]
    (cells,) = _cells(export(store, tmp_path / "good.csv", format="csv", rating=1).path)
    assert (cells["question"], cells["rating"]) == ("二", "1")
    (alpaca,) = _rows(export(store, tmp_path / "bad.jsonl", format="alpaca", rating=-1).path)
    assert alpaca["output"] == "丁"


def test_a_window_of_time_cuts(store: Store, tmp_path: Path) -> None:
    _talk(store, ("一", "甲"), ("二", "乙"), ("三", "丙"))
    window = {"since": NOON + timedelta(minutes=2), "until": NOON + timedelta(minutes=3)}
    (row,) = _rows(export(store, tmp_path / "x.jsonl", **window).path)  # type: ignore[arg-type]
    assert [message["content"] for message in row["messages"]] == ["二", "乙"]


def test_a_burst_becomes_one_question_and_an_empty_answer_no_example(store: Store, tmp_path: Path) -> None:
    conversation = store.open_conversation(VisitorId("anna"), channel="web")
    store.append_turn(example_turn(conversation, 1, customer_text="那个", answer="", route=Route.MERGED))
    store.append_turn(example_turn(conversation, 2, customer_text="怎么退", answer="这样退"))
    store.append_turn(example_turn(conversation, 3, customer_text="?", answer=" "))
    (row,) = _rows(export(store, tmp_path / "x.jsonl").path)
    assert [message["content"] for message in row["messages"]] == ["那个\n怎么退", "这样退"]


def test_the_manifest_says_what_the_file_is(store: Store, tmp_path: Path) -> None:
    conversation = _talk(store, ("一", "甲"))
    english = _talk(store, ("two", "B"), start=2, language=Language.EN)
    store.add_rating(conversation, Rating(_turn(conversation, 1), 1))
    since = datetime(2026, 1, 1, tzinfo=UTC)
    report = export(store, tmp_path / "chats.jsonl", since=since)
    assert report.manifest.name == "chats.manifest.json"
    manifest = json.loads(report.manifest.read_text("utf-8"))
    assert manifest["sha256"] == hashlib.sha256(report.path.read_bytes()).hexdigest() == report.sha256
    assert manifest["filters"] == {"since": since.isoformat(), "until": None, "rating": None}
    assert manifest["counts"] == {
        "conversations": 2,
        "turns": 2,
        "context_turns": 0,
        "corrected": 0,
        "by_language": {"zh": 1, "en": 1},
        "by_rating": {"1": 1, "none": 1},
        "by_route": {"grounded": 2},
    }
    assert (manifest["prompt_versions"], manifest["models"], manifest["adapters"]) == (
        [1],
        ["gemma-270m"],
        [],
    )
    assert manifest["last_turn"]["id"] == _turn(english, 2)
    assert manifest["log_schema"].startswith("s00")
    assert (manifest["format"], manifest["file"]) == ("messages", "chats.jsonl")
    assert datetime.fromisoformat(manifest["created_at"]).tzinfo is not None


def test_an_empty_selection_is_an_error_and_leaves_an_older_file(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "x.jsonl"
    target.write_text("older")
    with pytest.raises(NothingToExport, match="0 turns"):
        export(store, target)
    _talk(store, ("一", "甲"))
    with pytest.raises(NothingToExport, match="rating -1"):
        export(store, target, rating=-1)
    assert target.read_text() == "older"


def test_a_wrong_format_rating_or_place_says_so(store: Store, tmp_path: Path) -> None:
    _talk(store, ("一", "甲"))
    with pytest.raises(ExportError, match="parquet"):
        export(store, tmp_path / "x", format="parquet")  # type: ignore[arg-type]
    with pytest.raises(ExportError, match="5"):
        export(store, tmp_path / "x", rating=5)
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="file"):
        export(store, tmp_path / "file" / "x.jsonl")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ExportError):
        export(store, tmp_path / "folder")
    assert not list(tmp_path.glob("**/*.tmp"))
