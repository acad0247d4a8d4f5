"""The widget on a site of another origin, in a real browser: a customer's whole talk, in Chinese and in English."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, Route, expect

from bot.conversation import ConversationId
from bot.memory.staff import Staff
from bot.understanding.language import to_traditional
from tests.desk_staff import LI, MARY, employ
from tests.widget_site import SECRET, Site, Visit, Visiting

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Words:
    """What is said and shown in one language."""

    page: str
    question: str
    greeting: str
    first_words: str
    option: str
    reason: str
    person: str
    nobody: str
    joined: str
    reply: str
    thanks: str
    back: str
    source: str
    writing: str


ZH = Words("zh", "我的快递三天没动了，怎么办？", "您好", "包裹超过", "申请退款", "内容有误", "转人工", "人工客服现在不在线", "小李已接入", "您好，我是小李，马上为您查。", "好的谢谢", "智能客服继续", "快递长时间没有更新怎么办", "小李正在输入")  # fmt: skip
HANT = Words("zh-TW", *(to_traditional(text) for text in list(vars(ZH).values())[1:]))
EN = Words("en-GB", "can i return opened earphones", "Hello", "Opened earphones", "Start a return", "It is wrong", "Talk to a person", "Nobody of our team is here", "小李 has joined", "Hello, I will look it up now.", "thank you", "The assistant answers again", "Returning opened items", "小李 is writing")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _people(site: Site) -> None:
    employ(site.assistant.desk, LI, MARY)


def the_talk(site: Site) -> ConversationId:
    return ConversationId(list(site.assistant.conversations)[-1])


def take(site: Site, staff: Staff = LI) -> ConversationId:
    talk = the_talk(site)
    site.assistant.desk.take(talk, staff)
    return talk


@pytest.mark.parametrize("words", [ZH, HANT, EN], ids=["zh", "zh-Hant", "en"])
def test_a_talk_from_the_first_question_to_a_person_and_back(
    site: Site, visiting: Visiting, words: Words
) -> None:
    visit = visiting(f"?lang={words.page}")
    expect(visit.panel).to_be_hidden()
    visit.launcher.click()
    expect(visit.panel).to_contain_text(words.greeting)
    visit.say(words.question)
    expect(visit.answers).to_have_count(1)
    answer = visit.answers.first
    expect(answer).to_contain_text(words.first_words)
    source = answer.locator(".sources a").first
    expect(source).to_contain_text(words.source)
    assert (source.get_attribute("href") or "").startswith(f"{site.kefu}/articles/")
    cited = answer.locator("a.cite").first.get_attribute("href")
    assert cited == source.get_attribute("href")

    visit.page.get_by_role("button", name=words.option).click()
    expect(visit.answers).to_have_count(2)
    expect(visit.page.locator(".options")).to_have_count(1)  # only under the last one

    visit.answers.last.locator(".thumb.down").click()
    visit.page.get_by_role("button", name=words.reason).click()
    visit.page.locator(".reason input").fill("3 天 not 5")
    visit.page.locator(".reason [type=submit]").click()
    expect(visit.page.locator(".reason")).to_have_count(0)
    expect(visit.answers.last.locator(".thumb.down")).to_have_attribute("aria-pressed", "true")
    given = (-1, f"{words.reason} · 3 天 not 5")
    _until(
        visit.page, lambda: [(rated.value, rated.reason) for rated in site.assistant.ratings][-1:] == [given]
    )

    visit.page.reload()
    expect(visit.answers).to_have_count(2)  # the panel is open again, too
    expect(visit.answers.last.locator(".thumb.down")).to_have_attribute("aria-pressed", "true")

    visit.page.locator(".call").click()
    expect(visit.page.locator(".notice").last).to_contain_text(words.nobody)
    visit.page.locator(".contact input").fill("13812345678")
    visit.page.locator(".contact button").click()
    expect(visit.page.locator(".contact")).to_have_count(0)
    call = site.assistant.desk.open_call(the_talk(site))
    assert call is not None
    assert call.contact == "13812345678"

    talk = take(site)
    expect(visit.page.locator(".notice").last).to_contain_text(words.joined)
    expect(visit.page.locator(".status")).to_contain_text("小李")
    assert site.writing is not None
    site.writing.note(talk)
    expect(visit.page.locator(".writing")).to_contain_text(words.writing)
    site.assistant.desk.reply(talk, LI, words.reply)
    expect(visit.page.locator(".writing")).to_be_hidden()
    expect(visit.said("person")).to_have_count(1)
    expect(visit.said("person")).to_contain_text(words.reply)
    expect(visit.said("person").locator(".name")).to_have_text("小李")

    visit.say(words.thanks)
    expect(visit.said("customer").last).to_have_attribute("data-state", "sent")
    assert site.assistant.desk.events(talk)[-1].text == words.thanks
    expect(visit.answers).to_have_count(2)  # the bot kept quiet
    expect(visit.page.locator(".waiting")).to_have_count(0)

    site.assistant.desk.give_back(talk, LI)
    expect(visit.page.locator(".notice").last).to_contain_text(words.back)
    visit.say(words.question)
    expect(visit.answers).to_have_count(3)
    visit.page.reload()
    expect(visit.answers).to_have_count(3)
    expect(visit.said("person")).to_contain_text(words.reply)

    hosts = (site.address, site.kefu, "data:", "blob:")
    assert [url for url in visit.requests if not url.startswith(hosts)] == []
    assert visit.complaints == []


def test_the_reason_of_a_vote_arrives_after_the_vote_however_slow_the_network_is(
    site: Site, visiting: Visiting
) -> None:
    visit = visiting()
    visit.launcher.click()
    visit.say(EN.question)
    expect(visit.answers).to_have_count(1)
    before = len(site.assistant.ratings)
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if route.request.method == "POST" and not held:
            held.append(route)
        else:
            route.continue_()

    visit.page.route("**/call/v2/feedback*", hold_the_first)
    visit.answers.last.locator(".thumb.down").click()
    visit.page.locator(".reason input").fill("too slow")
    visit.page.locator(".reason [type=submit]").click()
    visit.page.wait_for_timeout(500)  # time enough for what is not held to overtake it
    held[0].continue_()
    _until(visit.page, lambda: len(site.assistant.ratings) == before + 2)
    assert [rated.reason for rated in site.assistant.ratings[before:]] == ["", "too slow"]


def _until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait while the page goes on: what it sends may still be on its way when it shows that it was sent."""
    for _ in range(200):
        if holds():
            return
        page.wait_for_timeout(50)
    assert holds()


def test_two_tabs_show_one_talk_and_new_chat_ends_it_in_both(site: Site, visiting: Visiting) -> None:
    first = visiting()
    first.launcher.click()
    first.say(EN.question)
    expect(first.answers).to_have_count(1)
    second = visiting(context=first.context)
    second.launcher.click()
    expect(second.answers).to_have_count(1)
    second.say("and how long does it take?")
    expect(second.answers).to_have_count(2)
    expect(first.answers).to_have_count(2)
    first.page.bring_to_front()
    first.page.get_by_role("button", name="New chat").click()
    expect(first.answers).to_have_count(0)
    expect(first.page.locator(".suggested button")).to_have_count(4)
    expect(second.answers).to_have_count(0)
    first.page.locator(".suggested button").first.click()
    expect(first.answers).to_have_count(1)
    assert len(site.assistant.conversations[the_talk(site)][2]) == 1


def test_the_way_to_leave_word_goes_when_a_person_comes(site: Site, visiting: Visiting) -> None:
    visit = visiting("?lang=en")
    visit.launcher.click()
    visit.say(EN.question)
    expect(visit.answers).to_have_count(1)
    visit.page.locator(".call").click()
    expect(visit.page.locator(".contact input")).to_be_visible()
    take(site)
    expect(visit.page.locator(".contact")).to_have_count(0)


def test_what_a_person_says_to_a_closed_widget_is_counted(site: Site, visiting: Visiting) -> None:
    visit = visiting()
    visit.launcher.click()
    visit.say(EN.question)
    expect(visit.answers).to_have_count(1)
    visit.page.keyboard.press("Escape")
    expect(visit.panel).to_be_hidden()
    expect(visit.page.locator(".badge")).to_be_hidden()
    talk = take(site, MARY)
    site.assistant.desk.reply(talk, MARY, "Are you still there?")
    expect(visit.page.locator(".badge")).to_have_text("2")
    expect(visit.launcher).to_have_attribute("aria-label", "Open the chat, 2 unread")
    visit.page.reload()
    expect(visit.page.locator(".badge")).to_have_text("2")
    histories = [url for url in visit.requests if url.endswith("/history")]
    assert histories == []  # a shop's pages ask for a talk's past only when somebody looks
    visit.launcher.click()
    expect(visit.page.locator(".badge")).to_be_hidden()
    expect(visit.said("person")).to_contain_text("Are you still there?")
    visit.page.reload()
    expect(visit.said("person")).to_contain_text("Are you still there?")
    expect(visit.page.locator(".badge")).to_be_hidden()
    site.assistant.desk.close_call(talk, MARY)
    expect(visit.page.locator(".notice").last).to_contain_text("This talk has been closed")


def test_a_picture_is_shown_and_survives_a_reload(visiting: Visiting) -> None:
    visit = visiting("?lang=zh")
    visit.launcher.click()
    picture = visit.page.locator("h1").screenshot()
    file = {"name": "破损.png", "mimeType": "image/png", "buffer": picture}
    visit.page.locator("input[type=file]").set_input_files([file])
    expect(visit.page.locator(".notice")).to_contain_text("智能客服看不了文件")
    visit.say("外壳破了，怎么办？")
    expect(visit.answers).to_have_count(1)
    visit.page.reload()
    shown = visit.said("file").locator("img")
    expect(shown).to_have_attribute("alt", "图片：破损.png")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    program = {"name": "x.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ\x90\xff"}
    visit.page.locator("input[type=file]").set_input_files([program])
    expect(visit.page.locator(".notice").last).to_contain_text("可以发送图片")


def test_the_page_opens_the_talk_by_a_link_and_by_a_script(site: Site, visiting: Visiting) -> None:
    visit = visiting("?lang=zh&question=%E6%80%8E%E4%B9%88%E9%80%80%E8%B4%A7")
    expect(visit.answers).to_have_count(1)
    expect(visit.said("customer")).to_contain_text("怎么退货")
    visit.page.reload()
    expect(visit.answers).to_have_count(1)
    heard = """() => {
      window.heard = [];
      for (const name of ["open", "close", "message"]) kefu.on(name, (detail) => heard.push([name, detail?.from]));
      kefu.close();
      kefu.open("保修多久");
    }"""
    visit.page.evaluate(heard)
    expect(visit.answers).to_have_count(2)
    assert visit.page.evaluate("heard") == [["close", None], ["open", None], ["message", "assistant"]]
    visit.page.evaluate('kefu.open("只是写上", { send: false })')
    expect(visit.field).to_have_value("只是写上")
    assert "保修多久" in site.assistant.asked
    assert "只是写上" not in site.assistant.asked


def sign(user: str) -> str:
    return hmac.new(SECRET.encode(), user.encode(), hashlib.sha256).hexdigest()


def identify(visit: Visit, user: str) -> None:
    visit.page.evaluate("user => kefu.identify(user)", {"id": user, "name": "王敏", "signature": sign(user)})


def test_a_user_whom_the_site_vouches_for_finds_the_talk_in_another_browser(
    site: Site, visiting: Visiting
) -> None:
    at_home = visiting()
    identify(at_home, "user-7")
    at_home.launcher.click()
    at_home.say(EN.question)
    expect(at_home.answers).to_have_count(1)
    on_the_way = visiting()
    identify(on_the_way, "user-7")
    on_the_way.launcher.click()
    expect(on_the_way.answers).to_have_count(1)
    identify(on_the_way, "user-8")  # somebody else signs in on this browser
    expect(on_the_way.answers).to_have_count(0)
    assert site.assistant.conversations_of("user-7")
