"""A night's learning as an admin watches it in a real browser: it is started, stopped, and says by itself what came of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from starlette.applications import Starlette

from bot.factory import Kefu
from bot.upkeep.cycle_process import CycleProcess
from tests.browser.conftest import enter_console
from tests.console_shop import console_of, open_kefu
from tests.web_server import serving

pytestmark = pytest.mark.browser
OpenTraining = Callable[[str, str], Page]

_TRAINS = "import time\nfor step in range(1, 60): print(f'Training  {step}/60', flush=True); time.sleep(1)"
_REFUSES = """
import datetime, json, pathlib, time
print('Asking candidate and current  1/9', flush=True)
last = pathlib.Path(%r)
while not last.with_name('go').exists(): time.sleep(0.1)
told = {'at': datetime.datetime.now(datetime.UTC).isoformat(), 'candidate': 'lora-1', 'over': 'default', 'promoted': False, 'gains': []}
told['reasons'] = [{'zh': '没有超出误差地变好', 'en': 'not better beyond noise'}]
last.write_text(json.dumps(told))
"""


@pytest.fixture(scope="module")
def kefu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kefu]:
    with open_kefu(tmp_path_factory.mktemp("shop")) as kefu:
        yield kefu


@pytest.fixture(scope="module")
def app(kefu: Kefu) -> Starlette:
    return console_of(kefu)


@pytest.fixture(scope="module")
def address(app: Starlette) -> Iterator[str]:
    with serving(app) as address:
        yield address


@pytest.fixture
def open_training(browser: Browser, app: Starlette, kefu: Kefu, address: str) -> Iterator[OpenTraining]:
    """Opens the page over a cycle that runs a script."""
    cycles: list[CycleProcess] = []
    contexts: list[BrowserContext] = []

    def open_training(script: str, locale: str) -> Page:
        cycles.append(CycleProcess(kefu.settings, [sys.executable, "-c", script]))
        app.state.console.workshop.cycle = cycles[-1]
        contexts.append(browser.new_context(locale=locale))
        page = contexts[-1].new_page()
        page.clock.install()
        enter_console(page, address, "admin")
        page.goto(f"{address}/console/training")
        return page

    yield open_training
    for context in contexts:
        context.close()
    for cycle in cycles:
        cycle.stop()


def test_the_button_that_stops_a_night_stays_under_the_finger_while_the_page_is_told_of_it(
    open_training: OpenTraining,
) -> None:
    page = open_training(_TRAINS, "zh-CN")
    page.get_by_role("button", name="开始训练").click()
    progress = page.locator("#cycle p").filter(has_text="训练")
    expect(progress).to_contain_text("/ 60")
    stop = page.get_by_role("button", name="停止")
    stop.focus()
    before = progress.text_content() or ""
    expect(progress).not_to_have_text(before)
    expect(stop).to_be_focused()
    page.clock.pause_at(datetime.now() + timedelta(seconds=10))  # noqa: DTZ005 — as the browser has it
    page.keyboard.press("Enter")
    sure = page.locator("form.actions button.danger")
    expect(sure).not_to_have_text("停止")  # it asks once more
    with page.expect_response("**/training/progress"):
        page.clock.run_for(2_500)  # it asks for 4 seconds
    page.wait_for_timeout(200)
    expect(sure).not_to_have_text("停止")
    sure.click()
    expect(page.locator("#cycle")).to_contain_text("现在没有在训练")
    expect(page.locator("#cycle .notice")).to_have_count(0)


def test_who_watched_a_night_is_shown_what_came_of_it(open_training: OpenTraining, kefu: Kefu) -> None:
    summary = kefu.settings.var / "cycle" / "last.json"
    page = open_training(_REFUSES % str(summary), "zh-CN")
    page.get_by_role("button", name="开始训练").click()
    expect(page.locator("#cycle")).to_contain_text("向候选和现用的提问")
    summary.with_name("go").touch()
    expect(page.get_by_text("没有超出误差地变好")).to_be_visible()
    expect(page.locator("#cycle")).to_contain_text("现在没有在训练")


def test_a_night_that_broke_off_says_why(open_training: OpenTraining) -> None:
    page = open_training("print('kefu: 5 exchanges are left'); raise SystemExit(3)", "en-US")
    page.get_by_role("button", name="Start a cycle").click()
    expect(page.locator("#cycle")).to_contain_text("kefu: 5 exchanges are left")
