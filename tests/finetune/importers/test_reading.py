"""A file is read in the encoding it is in, and what is no file of conversations is refused in one sentence."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from finetune.errors import ImportFailed
from finetune.importers import reading as module
from finetune.importers.reading import Reading, json_rows, readable

TEXT = "问题,答案\n退货要多久,三天 within 3 days 😀\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_text_is_the_same_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT.encode(encoding))
    assert Reading(tmp_path / "a.csv").text == TEXT


def test_line_ends_of_every_system_are_newlines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a\r\nb\rc\n")
    assert Reading(tmp_path / "a.csv").text == "a\nb\nc\n"


def test_one_broken_line_does_not_make_a_file_another_encoding(tmp_path: Path) -> None:
    lines = [f"客户：第{n}个问题" for n in range(20)]
    data = "\n".join(lines).encode().replace("第7个".encode(), b"\xe7\xac 7")
    (tmp_path / "a.txt").write_bytes(data)
    read = Reading(tmp_path / "a.txt").text.split("\n")
    assert [number for number, line in enumerate(read) if not readable(line)] == [7]
    assert read[8] == lines[8]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"PK\x03\x04rest", "zip"),
        (gzip.compress(b"x", mtime=0), "gzip"),
        (b"\xd0\xcf\x11\xe0old", "old Office"),
        (b"a\0b\0" * 50, "no text"),
        (bytes(range(256)) * 4, "no text"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(ImportFailed, match=said):
        _ = Reading(tmp_path / "a.csv").text


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ImportFailed, match=str(path)):
            _ = Reading(path).data


def test_a_file_of_more_than_100_mb_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "big.csv").open("wb") as file:
        file.truncate(module.MAX_BYTES + 1)  # sparse: it takes no room
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    with pytest.raises(ImportFailed, match="105 MB"):
        _ = Reading(tmp_path / "big.csv").data


def test_json_and_json_lines_give_objects_with_places(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"a": 1},\n "x", {"b": 2}]', "utf-8")
    (tmp_path / "b.jsonl").write_text('{"a": "\u2028"}\n\n{"b": \n{"c": 3}\n[1]\n', "utf-8")
    array, lines = Reading(tmp_path / "a.json"), Reading(tmp_path / "b.jsonl")
    assert list(json_rows(array)) == [("a.json item 1", {"a": 1}), ("a.json item 3", {"b": 2})]
    assert [problem.place for problem in array.problems] == ["a.json item 2"]
    assert list(json_rows(lines)) == [("b.jsonl:1", {"a": "\u2028"}), ("b.jsonl:4", {"c": 3})]
    assert [problem.place for problem in lines.problems] == ["b.jsonl:3", "b.jsonl:5"]


def test_broken_json_in_line_37_is_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    rows = [f'{{"n": {n}}}' for n in range(1, 51)]
    rows[36] = '{"n": 37'
    (tmp_path / "a.jsonl").write_text("\n".join(rows), "utf-8")
    read = Reading(tmp_path / "a.jsonl")
    assert [row["n"] for _, row in json_rows(read)] == [n for n in range(1, 51) if n != 37]
    assert [problem.place for problem in read.problems] == ["a.jsonl:37"]


@pytest.mark.parametrize("text", ['{\n "a": [1,\n 2\n', "[" * 5_000, '{"a": ' + "1" * 5000 + "}"])
def test_json_that_is_broken_as_a_whole_is_an_error_that_says_where(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text, "utf-8")
    with pytest.raises(ImportFailed, match="broken JSON"):
        list(json_rows(Reading(tmp_path / "a.json")))
