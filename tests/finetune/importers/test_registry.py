"""Every format is recognised by what a file holds, whatever it is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from finetune.errors import ImportFailed
from finetune.importers.reading import Reading
from finetune.importers.registry import IMPORTERS, ImportFormat, detect
from tests.talk_files import (
    CHATWOOT,
    TRANSCRIPT_EN,
    TRANSCRIPT_ZH,
    ZENDESK,
    write_gbk_csv,
    write_json,
    write_lines,
    write_workbook,
)

_MESSAGES = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}


def _text(text: str) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_text(text, "utf-8")
        return path

    return write


FILES: list[tuple[str, str, Callable[[Path], Path]]] = [
    ("csv", "a.csv", write_gbk_csv),
    ("csv", "a.tsv", _text("问题\t答案\n退货\t好\n")),
    ("excel", "a.xlsx", write_workbook),
    ("chatwoot", "a.json", lambda path: write_json(path, CHATWOOT)),
    ("chatwoot", "a.json", lambda path: write_json(path, CHATWOOT["conversations"])),
    ("zendesk", "a.json", lambda path: write_lines(path, ZENDESK)),
    ("zendesk", "a.json", lambda path: write_json(path, {"tickets": ZENDESK})),
    ("messages", "a.jsonl", lambda path: write_lines(path, ["{broken", _MESSAGES, _MESSAGES])),
    ("messages", "export", lambda path: write_json(path, _MESSAGES)),
    ("sharegpt", "a.json", lambda path: write_json(path, [{"conversations": [{"from": "human", "value": "q"}]}])),
    ("alpaca", "a.jsonl", lambda path: write_lines(path, [{"instruction": "q", "input": "", "output": "a"}])),
    ("alpaca", "a.jsonl", lambda path: write_lines(path, [{"prompt": "q", "completion": "a"}])),
    ("transcript", "a.txt", _text(TRANSCRIPT_ZH)),
    ("transcript", "a.log", _text(TRANSCRIPT_EN)),
    ("transcript", "a.txt", _text("[10:02] 买家：在吗\n[10:03] 卖家：在\n")),
]  # fmt: skip


@pytest.mark.parametrize(("form", "name", "write"), FILES)
def test_a_file_is_recognised(form: str, name: str, write: Callable[[Path], Path], tmp_path: Path) -> None:
    reading = Reading(write(tmp_path / name))
    assert detect(reading) == form
    assert reading.problems == []  # noted once, when it is read


@pytest.mark.parametrize("text", ["dear diary\n", '{"a": 1}', "[1, 2]"])
def test_what_is_nothing_known_is_refused_with_the_names_of_what_is(text: str, tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="transcript"):
        detect(Reading(_text(text)(tmp_path / "a.txt")))


def test_broken_json_is_said_to_be_broken(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="line 2"):
        detect(Reading(_text('{"a": [\n}')(tmp_path / "a.json")))


def test_every_format_has_an_importer() -> None:
    assert set(IMPORTERS) == set(get_args(ImportFormat))
