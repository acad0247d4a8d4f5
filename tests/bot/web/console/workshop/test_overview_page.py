"""The overview as a page: each figure opens its talks, tables are safe for spreadsheets; and asking a question without a trace."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from html import unescape

import pytest

from bot.factory import Kefu
from bot.web.console.overview_csv import as_csv, guarded
from tests.bot.web.console.conftest import Person
from tests.small_shop import say

Someone = Callable[..., Person]


def read(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.fixture(scope="module", autouse=True)
def asked(kefu: Kefu) -> None:
    say(kefu.manager, "运费多少", "写一首诗")
    say(kefu.manager, "how much is postage")
    say(kefu.manager, "=SUM(A1) 写一首诗")


def test_every_link_of_the_overview_opens(someone: Someone) -> None:
    for language in ("zh", "en"):
        li = someone("li", language=language)
        page = li.get("/console/overview").text
        links = {unescape(link) for link in re.findall(r'href="(/console/overview[^"]*)"', page)}
        assert len(links) > 15
        for link in links:
            assert (link, li.get(link).status_code) == (link, 200)


def test_a_figure_leads_to_its_talks_and_they_are_searched(someone: Someone) -> None:
    li = someone("li")
    unanswered = li.get("/console/overview/talks?figure=unanswered").text
    assert unanswered.count('href="/console/talks/') == 2
    assert "how much is postage" not in unanswered
    assert "how much is postage" in li.get("/console/overview/talks?figure=resolved").text
    assert li.get("/console/overview/talks?words=运费").text.count('href="/console/talks/') == 1
    assert li.get("/console/overview/talks?figure=nonsense&first=x&last=2999-01-01").status_code == 200


def test_tables_of_everything_are_numbers_and_words_and_never_formulas(someone: Someone) -> None:
    li = someone("li")
    figures = {row["figure"]: row for row in read(li.get("/console/overview/figures.csv").text)}
    assert (figures["talks"]["part"], figures["unanswered"]["part"]) == ("3", "2")
    rows = read(li.get("/console/overview/talks.csv").text)
    assert {row["last_words"] for row in rows} == {"写一首诗", "how much is postage", "'=SUM(A1) 写一首诗"}
    for what in ("days", "intents", "reasons", "hours", "languages"):
        answer = li.get(f"/console/overview/{what}.csv")
        assert answer.headers["content-disposition"].startswith('attachment; filename="kefu-')
    assert li.get("/console/overview/secrets.csv").status_code == 409
    assert "exported a table" in someone("admin").get("/console/audit").text


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "＝1+1", "＋86", "－1", "＠x", "\t=1", "\r=1", " =1", "\u3000=1"]
)
def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["运费 = 10", "a@b.com", "", -5, -0.5, None])
def test_other_cells_stay_as_they_are(cell: str | int | float | None) -> None:
    assert guarded(cell) == cell


def test_lines_commas_and_quotes_survive() -> None:
    rows = [("a", "b"), ('说"好"', "一,二\n三")]
    read_back = list(csv.reader(io.StringIO(as_csv(rows).removeprefix("\ufeff"))))
    assert [tuple(row) for row in read_back] == rows


@pytest.mark.parametrize(
    ("question", "route", "shown"),
    [("包邮吗", "Template", "满 99 元包邮。"), ("how long is the warranty", "From articles", "Warranty"), ("写一首诗", "No answer", "Not our business")],
)  # fmt: skip
def test_a_question_is_asked_without_a_trace(
    someone: Someone, kefu: Kefu, question: str, route: str, shown: str
) -> None:
    before = kefu.store.check().counts
    page = someone("mary").get("/console/knowledge/test", params={"q": question}).text
    assert route in page
    if shown != "Not our business":
        assert shown in page
    assert "reached" in page
    assert kefu.store.check().counts == before
    assert someone("li").get("/console/knowledge/test?q=x").status_code == 403


def test_a_question_that_cannot_be_taken_is_refused(someone: Someone) -> None:
    page = someone("mary").get("/console/knowledge/test", params={"q": "好" * 2001})
    assert 'role="alert"' in page.text
