"""Articles and intents as forms: in, out, and unchanged where nobody edited; uploads become drafts."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import yaml

from bot.errors import ContentError
from bot.upkeep.editing.articles import ArticleFields, read_fields, write_fields
from bot.upkeep.editing.intents import (
    IntentFields,
    SlotFields,
    read_intent,
    read_messages,
    write_intent,
    write_messages,
)
from bot.upkeep.editing.uploads import read_upload

DAY = date(2026, 11, 27)
ARTICLE = """---
id: fees
title: 运费  # shown
language: zh
updated: 2026-01-01
products: []
questions:
  - 邮费多少
---
满 99 元包邮。

## 偏远地区
另加 10 元，见 [shipping](/fees)。
""".encode()
INTENT = """id: postage
title: {zh: 运费, en: Postage}
slots: {date: {}}
answer:
  zh: 满 99 元包邮。
  en: Free from 99 yuan.
examples:
  zh: [运费多少]
  en: [postage]
""".encode()


def write(edited: ArticleFields, before: bytes | None = ARTICLE) -> bytes:
    return write_fields(before, edited, article="fees", language="zh", day=DAY, name="fees.md")


def test_an_article_that_nobody_edited_is_the_same_bytes() -> None:
    assert write(read_fields(ARTICLE, "fees.md")) == ARTICLE


def test_every_article_of_the_demonstration_shop_survives_the_form() -> None:
    for path in sorted(Path("knowledge_base/articles").rglob("*.md")):
        data = path.read_bytes()
        assert (
            write_fields(data, read_fields(data, path.name), article="", language="", day=DAY, name=path.name)
            == data
        )


def test_an_edited_body_leaves_the_front_matter_but_for_its_day() -> None:
    after = write(replace(read_fields(ARTICLE, "fees.md"), body="满 59 元包邮。")).decode()
    assert (
        after == ARTICLE.decode().replace("2026-01-01", "2026-11-27").split("满 99")[0] + "满 59 元包邮。\n"
    )


def test_a_new_article_has_its_id_language_and_day_and_no_empty_keys() -> None:
    edited = ArticleFields(
        title="Fees: all", body="Free.", questions="how much?\n\n费用多少", valid_until="2026-12-31"
    )
    after = write_fields(None, edited, article="fees", language="en", day=DAY, name="fees.md")
    front, body = after.decode().removeprefix("---\n").split("---\n")
    assert yaml.safe_load(front) == {
        "id": "fees",
        "title": "Fees: all",
        "language": "en",
        "valid_until": date(2026, 12, 31),
        "questions": ["how much?", "费用多少"],
        "updated": DAY,
    }
    assert body == "Free.\n"
    assert read_fields(after, "fees.md") == replace(edited, questions="how much?\n费用多少")


def test_a_day_that_is_none_is_kept_for_the_check_to_name() -> None:
    after = write(replace(read_fields(ARTICLE, "fees.md"), valid_until="2026-13-45"))
    with pytest.raises(ContentError, match="valid_until"):
        read_fields(after, "fees.md")


def test_an_articles_form_takes_a_browsers_line_ends() -> None:
    fields = ArticleFields.of({"title": "运费 ", "body": "一\r\n\r\ntwo\r\n", "csrf": "x"})
    assert fields == ArticleFields(title="运费", body="一\n\ntwo")


def test_an_intent_that_nobody_edited_is_the_same_bytes() -> None:
    assert write_intent(INTENT, read_intent(INTENT, "i"), intent="postage", name="i") == INTENT
    for path in sorted(Path("knowledge_base/intents").glob("[a-z]*.yaml")):
        data = path.read_bytes()
        assert write_intent(data, read_intent(data, "i"), intent=path.stem, name="i") == data


def test_an_edited_answer_and_slot_change_only_these() -> None:
    slots = {"order_number": SlotFields(True, "请发订单号。", "Which order?")}
    edited = replace(read_intent(INTENT, "i"), answer_en="Free: always, {order_number}.", slots=slots)
    after = write_intent(INTENT, edited, intent="postage", name="i").decode()
    assert "title: {zh: 运费, en: Postage}\n" in after
    assert read_intent(after.encode(), "i") == edited
    assert yaml.safe_load(after)["slots"] == {
        "order_number": {"required": True, "ask": {"zh": "请发订单号。", "en": "Which order?"}}
    }


def test_a_new_intent_reads_as_people_write_them() -> None:
    edited = IntentFields(
        "标题", "Title", "答案", "Answer", "怎么办\n咋办", "what now", "fees", "", "offer", {}
    )
    after = write_intent(None, edited, intent="new-one", name="i")
    assert list(yaml.safe_load(after)) == ["id", "title", "articles", "handoff", "answer", "examples"]
    assert read_intent(after, "i") == edited


def test_an_intents_form_holds_only_the_slots_that_are_ticked() -> None:
    fields = IntentFields.of(
        {"slot.date": "on", "slot.date.required": "on", "slot.date.zh": "哪天？", "slot.phone.zh": "x"}
    )
    assert fields.slots == {"date": SlotFields(True, "哪天？", "")}


def test_messages_are_edited_side_by_side_and_the_comment_stays() -> None:
    data = Path("knowledge_base/messages.yaml").read_bytes()
    texts = read_messages(data, "messages.yaml")
    assert write_messages(data, texts, "messages.yaml") == data
    after = write_messages(data, {"zh": {"greeting": "您好"}, "en": {"suggested": "a\nb"}}, "messages.yaml")
    read = yaml.safe_load(after)
    assert (read["zh"]["greeting"], read["en"]["suggested"]) == ("您好", ["a", "b"])
    assert after.startswith(data.split(b"\n")[0])


def test_an_uploaded_page_becomes_a_draft_in_its_own_language() -> None:
    html = "<html><head><title>x</title><script>alert(1)</script></head><body><h1>退货说明</h1><p>7 天内可以退货。</p></body></html>"
    upload = read_upload("退货.html", html.encode())
    assert (upload.language, upload.fields.title, upload.table) == ("zh", "退货说明", False)
    assert "7 天内可以退货" in upload.fields.body
    assert "alert" not in upload.fields.body


def test_an_uploaded_markdown_file_keeps_what_its_front_matter_says() -> None:
    upload = read_upload("C:\\docs\\fees.md", ARTICLE)
    assert (upload.name, upload.language) == ("fees", "zh")
    assert upload.fields.questions == "邮费多少"


def test_an_uploaded_table_stays_a_table() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["问题", "答案"], ["能退吗", "7 天内可以。"], ["is it free", "Yes."]):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    upload = read_upload("Our FAQ.xlsx", out.getvalue())
    assert (upload.table, upload.rows, upload.name) == (True, 2, "articles/our-faq.xlsx")


@pytest.mark.parametrize(
    ("name", "data"), [("a.exe", b"MZ"), ("a.pdf", b"no pdf"), ("a.md", b""), ("表.docx", b"PK")]
)
def test_a_file_that_cannot_be_used_is_refused_with_its_name(name: str, data: bytes) -> None:
    with pytest.raises(ContentError, match=name.partition(".")[0]):
        read_upload(name, data)
