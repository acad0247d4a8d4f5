"""Editors change what the bot knows: side by side, checked, tried before it is saved, and taken back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import httpx
import pytest

from bot.conversation import VisitorId
from bot.factory import Kefu
from tests.bot.web.console.conftest import Person
from tests.small_shop import say

Someone = Callable[..., Person]
ARTICLES = "/console/knowledge/articles"


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the edit form, but for ticks."""
    form = page.split('id="edit-form"', 1)[1].split("</form>", 1)[0]
    found = re.findall(r'<input(?=[^>]*\bname="([^"]+)")(?![^>]*type="checkbox")[^>]*\bvalue="([^"]*)"', form)
    areas = re.findall(r'<textarea[^>]*\bname="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL)
    chosen = re.findall(r'<select[^>]*name="([^"]+)".*?<option value="([^"]+)" selected', form, re.DOTALL)
    pairs = dict([*found, *areas, *chosen])
    return {name: text.replace("&amp;", "&").replace("&#39;", "'") for name, text in pairs.items()}


def edit(person: Person, path: str, **changes: str) -> httpx.Response:
    fields = fields_of(person.get(path).text)
    return person.post(path, data=fields | {key.replace("__", "."): value for key, value in changes.items()})


def text_of(kefu: Kefu, name: str) -> str:
    return (kefu.settings.knowledge_base / name).read_text("utf-8")


def test_the_lists_show_both_faces_and_what_is_missing(someone: Someone) -> None:
    mary = someone("mary")
    page = mary.get("/console/knowledge").text
    assert "保修期限" in page
    assert "Warranty" in page
    assert mary.get("/console/knowledge?q=保修").text.count("/console/knowledge/articles/warranty") == 1
    assert "voltage" not in mary.get("/console/knowledge?q=保修").text
    one = mary.get("/console/knowledge?only=one_language").text
    assert "voltage" in one
    assert "articles/warranty" not in one
    assert "spring" in mary.get("/console/knowledge?only=over").text
    assert "查询订单" in mary.get("/console/knowledge/intents").text


def test_agents_do_not_edit(someone: Someone) -> None:
    for path in ("", "/articles/warranty", "/intents/postage", "/messages", "/history"):
        assert someone("li").get(f"/console/knowledge{path}").status_code == 403


def test_an_article_is_edited_in_both_languages_and_can_be_taken_back(someone: Someone, kefu: Kefu) -> None:
    mary, path = someone("mary"), f"{ARTICLES}/warranty"
    before = text_of(kefu, "articles/zh/warranty.md")
    answer = edit(
        mary, path, zh__body="整机保修 2 年。", en__body="The warranty is 2 years.", why="新政策 #7"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=saved")
    assert "整机保修 2 年。" in text_of(kefu, "articles/zh/warranty.md")
    assert "2 years" in text_of(kefu, "articles/en/warranty.md")
    history = mary.get("/console/knowledge/history").text
    assert "新政策 #7" in history
    assert "Mary" in history
    entry = re.findall(r"/console/knowledge/history/([\w-]+)", history)[0]
    shown = mary.get(f"/console/knowledge/history/{entry}").text
    assert "<mark>" in shown
    assert mary.send_form(f"/console/knowledge/history/{entry}/undo").status_code == 303
    assert text_of(kefu, "articles/zh/warranty.md") == before
    record = someone("admin").get("/console/audit").text
    assert "edited knowledge" in record
    assert "undid an edit" in record


def test_a_mistake_is_shown_at_its_field_and_what_was_typed_stays(someone: Someone, kefu: Kefu) -> None:
    answer = edit(
        someone("mary"), f"{ARTICLES}/voltage", en__valid_until="tomorrow", en__body="About 220 volts."
    )
    assert answer.status_code == 409
    field = re.search(
        r'<input[^>]*name="en.valid_until"[^>]*>\s*<small class="wrong"[^>]*>([^<]+)', answer.text
    )
    assert field is not None
    assert "no date" in field[1]
    assert "About 220 volts." in answer.text
    assert "About 220 volts." not in text_of(kefu, "articles/en/voltage.md")


def test_two_editors_on_one_article_do_not_overwrite_each_other(someone: Someone, kefu: Kefu) -> None:
    mary, admin, path = someone("mary"), someone("admin"), f"{ARTICLES}/voltage"
    mine = fields_of(mary.get(path).text) | {"en.body": "Needs 230 volts."}
    assert edit(admin, path, en__body="Needs 240 volts.").status_code == 303
    refused = mary.post(path, data=mine)
    assert refused.status_code == 409
    assert "A colleague has changed" in refused.text
    assert "Needs 240 volts." in refused.text
    assert "Needs 230 volts." in refused.text
    assert "240" in text_of(kefu, "articles/en/voltage.md")
    again = fields_of(refused.text)
    assert again["en.body"] == "Needs 230 volts."
    assert mary.post(path, data=again).status_code == 303
    assert "230" in text_of(kefu, "articles/en/voltage.md")


def test_a_new_article_gets_its_id_from_its_title_and_a_taken_id_is_refused(
    someone: Someone, kefu: Kefu
) -> None:
    mary = someone("mary")
    answer = edit(
        mary,
        ARTICLES,
        en__title="Gift cards",
        en__body="Valid for 3 years.",
        zh__title="礼品卡",
        zh__body="3 年内有效。",
    )
    assert answer.headers["location"] == f"{ARTICLES}/gift-cards?done=saved"
    assert "id: gift-cards\ntitle: 礼品卡\nlanguage: zh\n" in text_of(kefu, "articles/zh/gift-cards.md")
    assert edit(mary, ARTICLES, id="gift-cards", en__title="x", en__body="y").status_code == 409
    only_chinese = edit(mary, ARTICLES, zh__title="没有编号", zh__body="文")
    assert only_chinese.status_code == 409
    assert "small letters" in only_chinese.text
    gone = mary.post(
        f"{ARTICLES}/gift-cards",
        data=fields_of(mary.get(f"{ARTICLES}/gift-cards").text) | {"zh.remove": "on", "en.remove": "on"},
    )
    assert gone.headers["location"] == "/console/knowledge?done=saved"
    assert not (kefu.settings.knowledge_base / "articles/zh/gift-cards.md").exists()


def test_an_upload_opens_as_a_new_article_and_is_saved_only_then(someone: Someone, kefu: Kefu) -> None:
    mary = someone("mary")
    csrf = fields_of(mary.get(ARTICLES).text)["csrf"]
    html = "<h1>维修网点</h1><p>全国 30 个网点。</p>".encode()
    page = mary.post("/console/knowledge/upload", data={"csrf": csrf}, files={"file": ("shops.html", html)})
    fields = fields_of(page.text)
    assert (fields["zh.title"], fields["zh.body"], fields["id"]) == ("维修网点", "全国 30 个网点。", "shops")
    assert not (kefu.settings.knowledge_base / "articles/zh/shops.md").exists()
    refused = mary.post("/console/knowledge/upload", data={"csrf": csrf}, files={"file": ("a.exe", b"MZ")})
    assert refused.status_code == 409
    assert "cannot be read" in refused.text


def test_an_upload_larger_than_other_requests_is_taken(someone: Someone) -> None:
    mary = someone("mary")
    csrf = fields_of(mary.get(ARTICLES).text)["csrf"]
    long = ("# Long\n\n" + "A sentence of the article. " * 8000).encode()
    assert len(long) > 200_000
    page = mary.post("/console/knowledge/upload", data={"csrf": csrf}, files={"file": ("long.md", long)})
    assert page.status_code == 200
    assert (
        mary.post("/console/account/password", data={"csrf": csrf, "old": "x" * 200_000}).status_code == 413
    )


def test_an_answer_is_edited_with_its_slots_and_a_hole_is_refused(someone: Someone, kefu: Kefu) -> None:
    mary, path = someone("mary"), "/console/knowledge/intents/postage"
    one_face = edit(mary, path, answer_zh="满 59 元包邮。")
    assert one_face.status_code == 409
    assert "only one face says 59, 99" in one_face.text
    both = {"answer_zh": "满 59 元包邮。", "answer_en": "Postage is free from 59 yuan."}
    assert edit(mary, path, **both).status_code == 303
    assert "满 59 元包邮。" in text_of(kefu, "intents/postage.yaml")
    hole = edit(mary, path, answer_en="Free from {amount}.")
    assert hole.status_code == 409
    assert "slot {amount} is not declared" in hole.text
    asked = {
        "slot.amount": "on",
        "slot.amount.required": "on",
        "slot.amount.zh": "多少钱？",
        "slot.amount.en": "How much?",
    }
    fields = (
        fields_of(mary.get(path).text)
        | asked
        | {"answer_en": "{amount} is free.", "answer_zh": "{amount} 包邮。"}
    )
    assert mary.post(path, data=fields).status_code == 303
    page = mary.get(path).text
    assert re.search(r'name="slot.amount" checked', page)
    assert edit(mary, path, **{"slot.amount": "on"}).status_code == 409  # no longer required, still used


def test_wording_is_edited_side_by_side(someone: Someone, kefu: Kefu) -> None:
    mary, path = someone("mary", language="zh"), "/console/knowledge/messages"
    assert edit(mary, path, zh__greeting="您好！有什么可以帮您？").status_code == 303
    assert "您好！有什么可以帮您？" in text_of(kefu, "messages.yaml")
    assert edit(mary, path, en__send="").status_code == 409


def test_a_preview_shows_an_article_as_customers_see_it_and_runs_no_script(someone: Someone) -> None:
    mary = someone("mary")
    fields = fields_of(mary.get(f"{ARTICLES}/warranty").text)
    page = mary.post(
        f"{ARTICLES}/preview",
        data=fields | {"zh.body": "**两年** <script>alert(1)</script> <img src=x onerror=alert(1)>"},
    ).text
    assert "<strong>两年</strong>" in page
    assert "<script>" not in page
    assert "onerror=" not in page.replace("&lt;img src=x onerror=alert(1)&gt;", "")


def finished(person: Person, piece: str) -> str:
    for _ in range(200):
        address = re.search(r'hx-get="(/console/knowledge/trial/[\w-]+)"', piece)
        if address is None:
            return piece
        time.sleep(0.05)
        piece = person.get(address[1]).text
    pytest.fail("the trial does not end")


def test_an_edit_says_which_past_questions_it_would_change_and_saves_nothing(
    someone: Someone, kefu: Kefu
) -> None:
    mary, path = someone("mary"), "/console/knowledge/intents/damaged"
    asked = [("包裹破损了", 1), ("box crushed", -1), ("转人工", 0)]
    for question, rating in asked:
        (reply,) = say(kefu.manager, question)
        if rating:
            kefu.manager.rate(reply.conversation_id, reply.turn_id, rating, "", visitor=VisitorId("anna"))
    before = text_of(kefu, "intents/damaged.yaml")
    fields = fields_of(mary.get(path).text) | {
        "answer_zh": "请在 24 小时内拍照。",
        "answer_en": "Take photos within 24 hours.",
    }
    piece = finished(mary, mary.post(f"{path}/trial", data=fields).text)
    assert "2 would be answered differently (1 of them was rated good, 1 bad)" in piece
    assert "包裹破损了" in piece
    assert "转人工" not in piece
    assert text_of(kefu, "intents/damaged.yaml") == before
    same = finished(mary, mary.post(f"{path}/trial", data=fields_of(mary.get(path).text)).text)
    assert "No answer changes" in same
    reader = someone("mary", language="zh")
    proof = {"csrf": fields_of(reader.get(path).text)["csrf"]}
    chinese = finished(reader, reader.post(f"{path}/trial", data=fields | proof).text)
    assert "<td>话术</td>" in chinese
    assert "没有写出" not in chinese
    assert "template" not in chinese
    wrong = mary.post(f"{path}/trial", data=fields | {"answer_en": "{nothing}"}).text
    assert "nothing" in wrong
    assert "hx-get" not in wrong


def test_a_trial_is_seen_by_its_owner_only(someone: Someone) -> None:
    mary, path = someone("mary"), "/console/knowledge/intents/damaged"
    piece = mary.post(
        f"{path}/trial",
        data=fields_of(mary.get(path).text) | {"answer_zh": "请拍照。", "answer_en": "Photos!"},
    ).text
    address = re.search(r'hx-get="([^"]+)"', piece)
    assert address is not None
    assert someone("admin").get(address[1]).status_code == 409
    finished(mary, piece)


@pytest.mark.parametrize(
    "path", ["articles/nothing", "articles/..%2f..%2fx", "intents/nothing", "intents/_out_of_scope"]
)
def test_what_is_not_there_is_said_to_be_missing(someone: Someone, path: str) -> None:
    assert someone("mary").get(f"/console/knowledge/{path}").status_code in (404, 409, 500)
