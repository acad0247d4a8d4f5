"""Workbooks are read with merged cells and formulas as people see them; bombs, damage and emptiness are refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from finetune.errors import ImportFailed
from finetune.importers import workbooks
from finetune.importers.reading import Reading, Talk
from finetune.importers.workbooks import read_workbook
from tests.talk_files import write_workbook


def _read(path: Path) -> tuple[list[Talk], Reading]:
    reading = Reading(path)
    return list(read_workbook(reading)), reading


def _texts(talk: Talk) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in talk.messages]


def test_merged_conversation_ids_hold_for_all_their_rows(tmp_path: Path) -> None:
    (chinese, english), reading = _read(write_workbook(tmp_path / "a.xlsx"))
    assert _texts(chinese) == [("customer", "怎么开发票"), ("agent", "张小明您好，在订单详情里申请")]
    assert _texts(english) == [("customer", "opening hours?"), ("bot", "9 to 21 every day")]
    assert "张小明" in chinese.people
    assert reading.skipped == {"empty sheets": 1}
    assert [problem.place for problem in reading.problems] == ["a.xlsx 聊天!7"]


def test_a_merged_answer_belongs_to_every_question_beside_it(tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    for row in (("问题", "答案"), ("怎么退货", "在订单里申请"), ("how to return", None), ("运费", "免费")):
        book.active.append(row)
    book.active.merge_cells("B2:B3")
    book.save(tmp_path / "a.xlsx")
    talks, _ = _read(tmp_path / "a.xlsx")
    assert [talk.messages[1].text for talk in talks] == ["在订单里申请", "在订单里申请", "免费"]


def test_a_formula_counts_by_its_stored_value_and_one_without_is_named(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a.xlsx", [("问题", "答案"), ("一", "=1+1"), ("二", "=A1"), ("三", "丙")])
    _store_value(tmp_path / "a.xlsx", "<v></v>", "<v>2</v>")
    talks, reading = _read(tmp_path / "a.xlsx")
    assert [_texts(talk)[1][1] for talk in talks] == ["2", "丙"]
    assert [(problem.place, problem.reason) for problem in reading.problems] == [
        ("a.xlsx 聊天!3", "a formula that was never calculated"),
        ("a.xlsx 聊天!3", "the row has no answer"),
    ]


def test_a_sheet_without_columns_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["just", "notes"])
    second = book.create_sheet("QA")
    for row in (("question", "answer"), ("postage?", "free"), (None, None), ("邮费", "免费")):
        second.append(row)
    book.save(tmp_path / "a.xlsx")
    talks, reading = _read(tmp_path / "a.xlsx")
    assert len(talks) == 2
    assert reading.problems[0].place == "a.xlsx Sheet"


def test_an_empty_workbook_is_refused(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a.xlsx", [])
    with pytest.raises(ImportFailed, match="only empty sheets"):
        _read(tmp_path / "a.xlsx")


@pytest.mark.parametrize("data", [b"no zip at all", b"PK\x03\x04 but nothing more"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(data)
    with pytest.raises(ImportFailed, match=r"no \.xlsx|damaged"):
        _read(tmp_path / "a.xlsx")


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ImportFailed, match="cannot be read"):
        _read(tmp_path / "a.xlsx")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", bytes(50 * 1024 * 1024))
    monkeypatch.setattr(workbooks, "load_workbook", lambda *_, **__: pytest.fail("it was unpacked"))
    assert (tmp_path / "a.xlsx").stat().st_size < 1_000_000
    with pytest.raises(ImportFailed, match="unpacks to 157 MB"):
        _read(tmp_path / "a.xlsx")


def test_a_sheet_that_is_said_to_be_merged_to_its_far_end_is_read(tmp_path: Path) -> None:
    """Excel's last cell is XFD1048576; filling such a range would take all memory."""
    write_workbook(tmp_path / "a.xlsx", [("问题", "答案"), ("退货", "好"), ("换货", "行")])
    _change_sheet(
        tmp_path / "a.xlsx",
        "</sheetData>",
        '</sheetData><mergeCells count="1"><mergeCell ref="F2:XFD1048576"/></mergeCells>',
    )
    talks, _ = _read(tmp_path / "a.xlsx")
    assert len(talks) == 2


def test_entities_that_grow_are_not_expanded(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a.xlsx", [("问题", "答案"), ("退货", "好")])
    grows = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    _change_sheet(
        tmp_path / "a.xlsx", "<worksheet", f'<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{grows}]><worksheet'
    )
    _change_sheet(tmp_path / "a.xlsx", "<sheetData>", "<sheetData>&a11;")
    with pytest.raises(ImportFailed, match="cannot be read"):
        _read(tmp_path / "a.xlsx")


def _store_value(path: Path, empty: str, stored: str) -> None:
    """Give the first formula a stored value, as a spreadsheet program does when it saves."""
    _change_sheet(path, empty, stored)


def _change_sheet(path: Path, old: str, new: str) -> None:
    """Change the first sheet's XML at the first place, as no friendly program would."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    text = parts[name].decode()
    assert old in text or old == "<v></v>"
    parts[name] = text.replace(old if old in text else "<v />", new, 1).encode()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    path.write_bytes(data.getvalue())
