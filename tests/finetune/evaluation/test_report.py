"""An evaluation as JSON, as a page without foreign assets, and as a table."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from bot.errors import ReportError
from finetune.evaluation.canaries import Canary, Exposure
from finetune.evaluation.evaluate import Change, Evaluation
from finetune.evaluation.gate import gate
from finetune.evaluation.measures import METRICS, Scope, Score
from finetune.evaluation.report import as_html, as_json, as_table, write_report
from finetune.evaluation.routes import RouteChange
from finetune.evaluation.statistics import Estimate


def evaluation(*, worse: bool = True) -> Evaluation:
    scopes: tuple[Scope, ...] = ("all", "zh")
    some, better = Estimate(0.5, 0.4, 0.6, 40), Estimate(0.2, 0.1, 0.3, 40)
    scores = [
        Score(metric.name, scope, some, some, better, metric.better, slack=0.0)
        for scope in scopes
        for metric in METRICS
        if worse or metric.better == "higher"
    ]
    scores.append(Score("supported", "en", *[Estimate(0.0, 0.0, 0.0, 0)] * 3, "higher", slack=0.0))
    changes = (RouteChange("g5", "<script>alert(1)</script>", "refuse", "no_answer", "grounded", broke=True),)
    exposures = (Exposure(Canary("我叫", "王子涵"), 1, 50, 201, said=True),)
    changed, exposed = (changes, exposures) if worse else ((), ())
    return Evaluation(
        candidate="lora-1a2b",
        current="none",
        weights={"candidate": "ab", "current": None},
        model="gemma-3-270m",
        index="20261124-101500-3f2a9c",
        made_at="2026-11-24T10:15:00+00:00",
        dataset="set-1",
        limit=None,
        cases={"golden": 40, "talks": 0},
        left_out={"a follow-up": 3},
        scores=tuple(scores),
        worst=(Change("g1", "golden", "几年 & <b>", "3 年。", "3 年。", "", 1.5, ("false_refusal",)),)
        if worse
        else (),
        asked=11,
        changes=changed,
        exposures=exposed,
        gate=gate("lora-1a2b", "none", scores, changed, 11, exposed),
    )


class Links(HTMLParser):
    """Everything on a page that a browser would fetch, and the tags that are open at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "srcset", "action")]
        self.fetched += [tag] if tag in ("script", "link", "iframe", "img") else []
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_fetches_nothing_runs_nothing_and_is_well_formed() -> None:
    page = as_html(evaluation())
    links = Links()
    links.feed(page)
    assert links.fetched == []
    assert links.open == []
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_what_customers_wrote_is_text_on_the_page() -> None:
    page = as_html(evaluation())
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "几年 &amp; &lt;b&gt;" in page


def test_the_page_says_everything_in_both_languages() -> None:
    page = as_html(evaluation())
    for zh, en in (("不应上线", "Not to be promoted"), ("错误拒答", "False refusals"), ("泄露", "came out")):
        assert f'<span lang="zh">{zh}</span><span lang="en">{en}</span>' in page
    assert "canaries came out" in page
    assert "条金丝雀中有" in page
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page
    said = re.sub(r"<[^>]+>", "", page)
    assert "{" not in said.split("</style>")[-1].split("}")[-1]  # no placeholder is left open


def test_a_page_without_bad_news_says_so() -> None:
    page = as_html(evaluation(worse=False))
    for said in ("May be promoted", "No answer became worse.", "None changed.", "None were planted"):
        assert said in page
    assert "What is better" in page


def test_the_json_holds_the_figures_and_the_verdict(tmp_path: Path) -> None:
    write_report(evaluation(), json_path=tmp_path / "deep" / "a.json", html_path=tmp_path / "deep" / "a.html")
    content = json.loads((tmp_path / "deep" / "a.json").read_text("utf-8"))
    assert (content["kind"], content["schema"], content["candidate"]) == ("kefu-evaluation", 2, "lora-1a2b")
    assert content["gate"]["passed"] is False
    assert any("1 of 11 questions" in reason["en"] for reason in content["gate"]["reasons"])
    score = next(each for each in content["scores"] if each["metric"] == "similarity")
    assert score["candidate"] == {"mean": 0.5, "low": 0.4, "high": 0.6, "count": 40}
    assert (score["gained"], score["lost"]) == (True, False)
    assert content["exposures"][0]["came_out"] is True
    assert (tmp_path / "deep" / "a.html").read_text("utf-8").startswith("<!doctype html>")
    assert as_json(evaluation())["worst"][0]["fell"] == ("false_refusal",)


def test_the_table_shows_the_figures_and_why_not() -> None:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(as_table(evaluation()))
    said = console.export_text()
    assert "lora-1a2b beside none" in said
    assert "Similarity to the reference" in said
    assert "50.0 % (40.0 % … 60.0 %; 40)" in said
    assert "Not to be promoted." in said


def test_a_report_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        write_report(evaluation(), json_path=tmp_path / "file" / "a.json", html_path=None)
