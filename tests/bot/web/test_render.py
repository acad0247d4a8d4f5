"""Markdown becomes HTML that reads well in both languages and cannot harm."""

from __future__ import annotations

import re

import pytest

from bot.conversation import Language, Source
from bot.web.render import MarkdownRenderer, readable

SOURCE = Source(1, "returns", "returns:zh:0", "退货规则", Language.ZH, 0.9)


def _targets(html: str) -> list[str]:
    return re.findall(r'href="([^"]*)"', html)


@pytest.fixture
def renderer() -> MarkdownRenderer:
    return MarkdownRenderer(["https://shop.example"])


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**注意：**请保留发票", "<p><strong>注意：</strong>请保留发票</p>\n"),
        ("请在**《须知》**里看", "<p>请在<strong>《须知》</strong>里看</p>\n"),
        ("第*二*点", "<p>第<em>二</em>点</p>\n"),
        ("价格**¥199**起", "<p>价格<strong>¥199</strong>起</p>\n"),
        ("within **7 days** of", "<p>within <strong>7 days</strong> of</p>\n"),
        ("3 * 4 * 5 and snake_case_name", "<p>3 * 4 * 5 and snake_case_name</p>\n"),
        ("尺寸 3 * 4 * 5 厘米", "<p>尺寸 3 * 4 * 5 厘米</p>\n"),
        ("联系Support**team**吧", "<p>联系Support<strong>team</strong>吧</p>\n"),
        ("一行\n两行", "<p>一行<br>\n两行</p>\n"),
    ],
)
def test_markdown_reads_well_in_chinese_english_and_mixed_text(
    renderer: MarkdownRenderer, markdown: str, html: str
) -> None:
    assert renderer.html(markdown) == html


def test_tables_and_lists_are_kept(renderer: MarkdownRenderer) -> None:
    html = renderer.html("| 地区 | 天数 |\n|---|---|\n| 省内 | 1 |\n\n3. 三\n4. 四")
    assert "<td>省内</td>" in html
    assert '<ol start="3">' in html


def test_a_citation_links_to_its_source_and_an_unknown_one_stays_text(renderer: MarkdownRenderer) -> None:
    html = renderer.html("可以退货 [1]，也可以换货 [2]。", [SOURCE])
    assert _targets(html) == ["/articles/zh/returns"]
    assert 'title="退货规则"' in html
    assert ">1</a>，" in html
    assert "[2]" in html


def test_the_text_cannot_redirect_a_citation(renderer: MarkdownRenderer) -> None:
    html = renderer.html("看 [1]\n\n[1]: https://shop.example/elsewhere", [SOURCE])
    assert _targets(html) == ["/articles/zh/returns"]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("/articles/zh/returns", True),
        ("https://shop.example/a?b=1", True),
        ("https://evil.example/", False),
        ("https://shop.example.evil.example/", False),
        ("https://shop.example@evil.example/", False),
        ("http://shop.example:8080/", False),
        ("//evil.example/", False),
        ("/\\evil.example", False),
        ("/%09/evil.example", False),
        ("ftp://shop.example/", False),
        ("mailto:a@shop.example", False),
        ("http://[", False),
        ("relative", False),
    ],
)
def test_a_link_leads_home_or_to_an_allowed_site_or_nowhere(
    renderer: MarkdownRenderer, address: str, allowed: bool
) -> None:
    html = renderer.html(f"[x](<{address}>)")
    assert _targets(html) == ([address] if allowed else [])
    assert ">x</a>" in html
    assert 'rel="noopener noreferrer"' in html
    assert 'target="_blank"' in html


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd"]
)
def test_a_link_that_would_run_or_read_something_is_no_link(renderer: MarkdownRenderer, address: str) -> None:
    assert "<a" not in renderer.html(f"[x]({address})")


@pytest.mark.parametrize(
    "markdown",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a <b onclick=alert(1)>b</b>",
        "![x](http://evil.example/a.png)",
        "![a![b](x)](http://evil.example)",
        "<!-- hidden --> text",
        "<div style='position:fixed'>x</div>",
        "`<img src=x>`",
    ],
)
def test_html_and_images_become_text(renderer: MarkdownRenderer, markdown: str) -> None:
    html = renderer.html(markdown)
    for tag in ("<script", "<img", "<b ", "<!--", "<div", "onerror=alert(1)>"):
        assert tag not in html.replace("&lt;", "")


def test_control_characters_and_direction_marks_are_left_out() -> None:
    assert readable("a\x00b\x07c\u202ed\u2066e\r\nf\tg\ud800😀") == "abcde\nf\tg😀"
