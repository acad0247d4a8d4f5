"""Tests of cutting articles into passages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.chunking import embedded_text, headings, plain_text, split, width
from retrieval.documents import Article, Passage


def article(body: str, title: str = "退货期限") -> Article:
    return Article("return-window", "zh", title, body, "articles/zh/return-window.md")


def cut(body: str, limit: int = 600) -> list[str]:
    return [passage.text for passage in split(article(body), limit)]


LEAD = "签收次日起七天内可以无理由退货，商品要保持完好，配件和发票齐全，赠品也要一起寄回。金卡会员十五天，铂金卡会员三十天。"


def test_sections_become_passages_with_their_headings() -> None:
    body = f"{LEAD}\n\n## 怎么申请\n{LEAD}\n\n### 在 app 里\n{LEAD}\n\n## 运费\n{LEAD}"
    passages = split(article(body), 600)
    assert [passage.headings for passage in passages] == [
        (),
        ("怎么申请",),
        ("怎么申请", "在 app 里"),
        ("运费",),
    ]
    assert [passage.id for passage in passages] == [f"return-window/zh/{n}" for n in range(4)]
    assert all(passage.text == LEAD for passage in passages)


def test_an_articles_headings_are_listed_once_each_in_order_without_markup() -> None:
    body = f"{LEAD}\n\n# 申请\n## **怎么**申请？\n{LEAD}\n\n## 运费\n{LEAD}\n\n## 运费\n{LEAD}"
    assert headings(article(body)) == ("怎么申请？", "运费")
    assert headings(article(LEAD)) == ()


def test_a_short_lead_joins_the_section_after_it() -> None:
    (passage,) = split(article(f"七天。\n\n## 怎么申请\n{LEAD}"), 600)
    assert passage.headings == ()
    assert passage.text == f"七天。\n\n## 怎么申请\n\n{LEAD}"


def test_a_tiny_section_joins_the_one_before_it() -> None:
    passages = split(article(f"{LEAD}\n\n## A\n{LEAD}\n\n## B\n好。"), 600)
    assert len(passages) == 2
    assert passages[1].text == f"## A\n\n{LEAD}\n\n## B\n\n好。"


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    texts = cut("".join(f"第{n}句话说明退货的一个条件。" for n in range(40)), 200)
    assert len(texts) > 3
    assert all(text.endswith("。") and width(text) <= 200 for text in texts)
    assert "".join(texts) == "".join(f"第{n}句话说明退货的一个条件。" for n in range(40))


def test_english_sentences_keep_their_space() -> None:
    text = "You may return it within 7 days. Keep the box. We check it, e.g. the seal."
    assert cut(text) == [text]


def test_a_step_is_never_cut_and_keeps_its_number() -> None:
    steps = [f"{n}. 打开订单页面。选择第 {n} 个商品，然后点申请退货。" for n in range(1, 13)]
    texts = cut("\n".join(steps), 200)
    assert len(texts) > 1
    assert "\n".join(texts).split("\n") == steps


def test_a_list_numbered_with_ones_shows_its_real_numbers_when_cut() -> None:
    texts = cut(
        "\n".join(f"1. 这是步骤，内容比较长，需要占用一些地方，{c}。" for c in "甲乙丙丁戊己庚辛"), 200
    )
    assert texts[0].startswith("1. ")
    assert [int(n) for text in texts for n in re.findall(r"^(\d+)\.", text, re.MULTILINE)] == list(
        range(1, 9)
    )


def test_a_long_table_repeats_its_header() -> None:
    rows = "\n".join(f"| 城市{n} | {n} 天，要提前预约上门时间 |" for n in range(30))
    texts = cut(f"| 地区 | 时间 |\n| --- | --- |\n{rows}", 300)
    assert len(texts) > 3
    for text in texts:
        assert text.startswith("| 地区 | 时间 |\n| --- | --- |\n| 城市")
    assert [row for text in texts for row in text.split("\n")[2:]] == rows.split("\n")


def test_what_announces_a_list_stays_with_it() -> None:
    intro = "".join(f"第{n}句关于退货的说明文字。" for n in range(5)) + "您需要准备："
    items = "\n".join(f"- 第{n}件东西，要完好无损" for n in range(8))
    first, second, *_ = cut(f"{intro}\n\n{items}", 160)
    assert not first.endswith("您需要准备：")
    assert second.startswith("您需要准备：\n\n- 第0件东西")


def test_a_sentence_longer_than_the_limit_stays_whole() -> None:
    sentence = "没有标点的一句话" * 60 + "。"
    assert cut(f"短句在前面。{sentence}短句在后面。", 200) == ["短句在前面。", sentence, "短句在后面。"]


def test_a_code_block_stays_whole() -> None:
    code = "```\n" + "\n".join(f"line {n}. next" for n in range(60)) + "\n```"
    assert code in cut(f"{LEAD}\n\n{code}", 200)


def test_the_hash_changes_with_title_heading_and_text_only() -> None:
    body = f"## 怎么申请\n{LEAD}"

    def hash_of(one: Article) -> str:
        return split(one, 600)[0].content_hash

    base = hash_of(article(body))
    assert hash_of(article(body)) == base
    assert hash_of(article(body, title="别的")) != base
    assert hash_of(article(body.replace("怎么", "如何"))) != base
    assert hash_of(article(body + "完。")) != base


def test_what_is_embedded_holds_title_headings_and_words_without_markup() -> None:
    passage = Passage(
        "a/zh/0",
        "a",
        "zh",
        "标题",
        ("标题", "小节"),
        "**看**[订单](/orders)\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        0,
        "",
    )
    assert embedded_text(passage) == "标题\n小节\n看订单\n| a | b |\n| 1 | 2 |"


def test_a_wide_character_counts_twice() -> None:
    assert width("退货 ab，") == 2 + 2 + 1 + 2 + 2


@pytest.mark.parametrize("markdown", ["[a](/x)", "**a**", "## a", "> a", "![a](b.png)", "`a`"])
def test_plain_text_keeps_the_words(markdown: str) -> None:
    assert plain_text(markdown) == "a"


MARKDOWN = st.lists(
    st.sampled_from(
        [
            "## 标题甲",
            "# H",
            "一句话。又一句！",
            "Some words here. More words.",
            "- 甲\n- 乙",
            "1. one\n2. two",
            "> 引用",
            "---",
            "| a | b |\n|---|---|\n| 丙 | 丁 |",
            "```\ncode\n```",
            "尾巴：",
            "x" * 150,
        ]
    ),
    max_size=12,
).map("\n\n".join)


@settings(max_examples=150)
@given(MARKDOWN, st.integers(1, 300))
def test_every_word_of_an_article_is_in_a_passage(body: str, limit: int) -> None:
    text = " ".join(passage.text + " ".join(passage.headings) for passage in split(article(body), limit))
    without_bare_headings = re.sub(r"^#+ .*$", "", body, flags=re.MULTILINE)
    for word in re.findall(r"\w+", without_bare_headings):
        assert word in text
