"""Values set in hand-written YAML: what nobody touched stays byte for byte, and what is written is read back as meant."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import ContentError
from bot.upkeep.editing.yaml_values import with_values

TEXT = """# 退货 – returns
title: {zh: 退货, en: Returns}   # both faces
articles: [return-window, 'on']
answer:
  zh: >-
    7 天内可以退货。
  en: "Return it within 7 days."
examples:
  zh:
    - 怎么退货
    # asked at the counter
    - 我要退货
"""


def test_a_value_that_is_there_already_changes_no_byte() -> None:
    values = {("title", "zh"): "退货", ("articles",): ["return-window", "on"], ("owner",): None}
    assert with_values(TEXT, values, "a.yaml") == TEXT


def test_only_the_edited_value_differs_and_comments_order_and_quotes_stay() -> None:
    after = with_values(TEXT, {("answer", "zh"): "30 天内可以退货：请看 #1"}, "a.yaml")
    changed = [(old, new) for old, new in zip(TEXT.split("\n"), after.split("\n"), strict=True) if old != new]
    assert changed == [("    7 天内可以退货。", "    30 天内可以退货：请看 #1")]


@pytest.mark.parametrize(
    "value", ["yes", "on", "12:30", "null", "1e3", "2026-01-01", "- x", "好: 的", "{a}", "'", "=", "多 #1"]
)
def test_texts_that_yaml_would_read_as_something_else_stay_texts(value: str) -> None:
    after = with_values(TEXT, {("title", "en"): value, ("examples", "zh"): [value, "都行"]}, "a.yaml")
    assert yaml.safe_load(after)["title"]["en"] == value
    assert yaml.safe_load(after)["examples"]["zh"] == [value, "都行"]


def test_a_new_key_comes_at_the_end_and_none_takes_one_away() -> None:
    after = with_values(TEXT, {("slots",): {"date": {"required": True}}, ("articles",): None}, "a.yaml")
    assert list(yaml.safe_load(after)) == ["title", "answer", "examples", "slots"]
    assert after.endswith("slots:\n  date:\n    required: true\n")


def test_nothing_becomes_a_mapping_with_both_languages() -> None:
    assert (
        with_values("", {("title", "zh"): "退货", ("title", "en"): "no"}, "a")
        == "title:\n  zh: 退货\n  en: 'no'\n"
    )


@settings(deadline=None)
@given(st.text(min_size=1).map(str.strip).filter(bool))
def test_any_text_is_written_as_it_is_or_refused(value: str) -> None:
    try:
        after = with_values(TEXT, {("answer", "zh"): value}, "a.yaml")
    except ContentError:
        return
    assert yaml.safe_load(after)["answer"]["zh"].strip() == value


@pytest.mark.parametrize("text", ["- 一\n- two\n", "title: [\n", "just words"])
def test_what_holds_no_keys_is_refused_and_named(text: str) -> None:
    with pytest.raises(ContentError, match=r"a\.yaml"):
        with_values(text, {("title",): "x"}, "a.yaml")


@pytest.mark.parametrize(
    "path", sorted(Path("knowledge_base/intents").glob("*.yaml"))[:12], ids=lambda path: path.stem
)
def test_the_demonstration_shops_files_change_in_one_line_only(path: Path) -> None:
    text = path.read_text("utf-8")
    after = with_values(
        text, {("examples", "en"): [*yaml.safe_load(text)["examples"]["en"], "one more"]}, path.name
    )
    assert set(after.split("\n")) - set(text.split("\n")) == {"    - one more"}
    assert len(after.split("\n")) == len(text.split("\n")) + 1
