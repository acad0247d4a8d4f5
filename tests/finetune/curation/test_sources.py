"""What there is to learn from is gathered from the log and all imports, and named with its hash."""

from __future__ import annotations

from pathlib import Path

from bot.conversation import VisitorId
from bot.memory.store import Store
from finetune.curation.imports import import_file
from finetune.curation.sources import described, gather
from finetune.pseudonyms import Pseudonyms
from tests.example_turns import example_turn
from tests.talk_files import write_gbk_csv

NAMES = Pseudonyms(b"k" * 32)


def test_log_and_imports_are_gathered_with_their_hashes(tmp_path: Path) -> None:
    with Store(tmp_path / "kefu.db") as store:
        conversation = store.open_conversation(VisitorId("anna"), channel="web")
        store.append_turn(example_turn(conversation, 1, answer="打 13812345678"))
    import_file(write_gbk_csv(tmp_path / "表.csv"), tmp_path / "imports", pseudonyms=NAMES)
    conversations, inputs = gather(tmp_path / "kefu.db", tmp_path / "imports", NAMES)
    again = gather(tmp_path / "kefu.db", tmp_path / "imports", NAMES)
    assert again == (conversations, inputs)
    assert [conversation.source for conversation in conversations] == ["kefu-log", "csv", "csv", "csv"]
    assert conversations[0].exchanges[0].answer == "打 <PHONE>"
    assert [(each.name.partition("-")[0], each.conversations, len(each.sha256)) for each in inputs] == [
        ("kefu", 1, 64),
        ("表", 3, 64),
    ]
    assert "kefu-log (1)" in described(inputs)


def test_without_a_log_none_is_made(tmp_path: Path) -> None:
    assert gather(tmp_path / "kefu.db", tmp_path / "imports", NAMES) == ([], [])
    assert not (tmp_path / "kefu.db").exists()
    assert described([]) == "nothing"
