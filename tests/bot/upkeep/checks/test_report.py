"""What was found, as JSON, as a page without foreign assets, and as text for a terminal."""

from __future__ import annotations

import io
import json
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from bot.errors import BotError
from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Location, Severity, by_kind, gravest_first
from bot.upkeep.checks.report import Report, as_html, as_json, as_text, write_report

SIDES = (
    Location("articles/zh/fees.md", 12, "zh", article="fees", text="运费 10 元 & <b>"),
    Location("articles/en/fees.md", 9, "en", article="fees", text="Postage is ¥15 <script>alert(1)</script>"),
)
ERROR = Diagnostic(
    Kind.LANGUAGES_CONTRADICT,
    Severity.ERROR,
    "In Chinese it is 10 yuan, in English 15 yuan.",
    SIDES,
    "Mend one.",
)
WARNING = Diagnostic(
    Kind.EXPIRES_SOON,
    Severity.WARNING,
    "Ends [soon].",
    (Location("articles/zh/双12.md", article="双12"),),
    "Renew it.",
)
HINT = Diagnostic(
    Kind.CONFUSED_INTENTS,
    Severity.HINT,
    "3 questions went astray.",
    tuple(Location(None, intent="fee", text=f"问题{n}", note="taken for time") for n in range(10)),
    "Move them.",
)


def report(*diagnostics: Diagnostic, turns: int | None = 250) -> Report:
    at = datetime(2026, 11, 27, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    return Report(tuple(gravest_first(diagnostics)), at, "20261127-000000-abcdef", 4, 1, turns)


class Links(HTMLParser):
    """Everything on a page that a browser would fetch, and the tags that are open at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "srcset", "action")]
        self.fetched += [tag] if tag in ("script", "link", "iframe", "img") else []
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def said(found: Report, *, most: int = 20) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(as_text(found, most=most))
    return console.export_text()


def test_the_gravest_kind_comes_first() -> None:
    assert gravest_first([HINT, WARNING, ERROR]) == [ERROR, WARNING, HINT]
    assert list(by_kind([HINT, WARNING, ERROR])) == [ERROR.kind, WARNING.kind, HINT.kind]


@pytest.mark.parametrize(
    ("diagnostics", "failed", "strictly"),
    [((), False, False), ((HINT,), False, False), ((WARNING,), False, True), ((HINT, ERROR), True, True)],
)
def test_what_fails_a_build(diagnostics: tuple[Diagnostic, ...], failed: bool, strictly: bool) -> None:
    assert report(*diagnostics).failed(strict=False) is failed
    assert report(*diagnostics).failed(strict=True) is strictly


def test_the_page_fetches_nothing_runs_nothing_and_is_well_formed() -> None:
    for page in (as_html(report(ERROR, WARNING, HINT)), as_html(report(turns=None))):
        links = Links()
        links.feed(page)
        assert links.fetched == []
        assert links.open == []
        assert "url(" not in page
        assert "@import" not in page
        assert "default-src 'none'" in page


def test_the_page_shows_both_texts_as_text_with_their_places() -> None:
    page = as_html(report(ERROR))
    assert "<script" not in page
    assert "运费 10 元 &amp; &lt;b&gt;" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "articles/zh/fees.md:12" in page
    assert "1 error" in page
    assert "Nothing was found" in as_html(report())


def test_the_terminal_shows_places_texts_and_what_to_do() -> None:
    text = said(report(ERROR, WARNING, HINT))
    for part in ("Chinese and English contradict each other (1)", "articles/zh/fees.md:12", "article fees (zh)", "运费 10 元 & <b>", "→ Mend one.", "Ends [soon].", "articles/zh/双12.md", "… and 2 more", "问题0  (taken for time)"):  # fmt: skip
        assert part in text
    assert "1 error, 1 warning, 1 hint in 4 articles, 1 intent and 250 turns." in text
    assert text.index("error") < text.index("Ends [soon].") < text.index("3 questions")
    assert "0 errors, 0 warnings, 0 hints in 4 articles, 1 intent and no log." in said(report(turns=None))


def test_many_of_one_kind_are_cut_short_in_the_terminal_only() -> None:
    many = [Diagnostic(Kind.EXPIRED, Severity.WARNING, f"Number {n}.", (), "Renew it.") for n in range(30)]
    text = said(report(*many), most=20)
    assert "Expired (30)" in text
    assert text.count("Renew it.") == 20
    assert "… and 10 more: --html FILE and --json FILE hold all of them." in text
    assert len(as_json(report(*many))["diagnostics"]) == 30


def test_the_json_holds_everything(tmp_path: Path) -> None:
    write_report(
        report(WARNING, ERROR), json_path=tmp_path / "deep" / "a.json", html_path=tmp_path / "deep" / "a.html"
    )
    content = json.loads((tmp_path / "deep" / "a.json").read_text("utf-8"))
    assert (content["kind"], content["schema"], content["turns"]) == ("kefu-check", 1, 250)
    assert content["counts"] == {"error": 1, "warning": 1, "hint": 0}
    first = content["diagnostics"][0]
    assert (first["kind"], first["severity"]) == ("languages-contradict", "error")
    assert first["locations"][1] == {
        "file": "articles/en/fees.md",
        "line": 9,
        "language": "en",
        "article": "fees",
        "intent": None,
        "text": SIDES[1].text,
        "note": "",
    }
    assert (tmp_path / "deep" / "a.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_report_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BotError, match="cannot be written"):
        write_report(report(), json_path=tmp_path / "file" / "a.json", html_path=None)
