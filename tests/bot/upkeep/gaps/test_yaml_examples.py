"""Examples are added to a YAML file as a person would: nothing else in it changes, whatever way it is written."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ContentError
from bot.upkeep.gaps.yaml_examples import scalar, with_examples

BLOCK = """\
# what customers ask most
id: postage   # the file's name
examples:
  zh:
    - 包邮吗   # short
    # about parcels
    - '运费: 多少'
  en:
    - free postage?
answer: {zh: "满 99 元包邮。", en: Free from 99 yuan.}
"""
FLOW = 'id: a\nexamples: {zh: [一, "二"], en: [one,\n  two,\n]}\n'
FOLDED = "id: a\nexamples:\n  zh:\n  - >-\n    一个很长的\n    例子\n  en:\n  - |\n    one\n\n\n# the end\n"
NO_NEWLINE = "id: a\nexamples:\n  zh: [一]\n  en:\n    - one"
ADDED = {"zh": ["学生: 有优惠吗？", "- 破折号", "{花括号}"], "en": ["what's #1?", 'say "yes"']}


@pytest.mark.parametrize(
    "text", [BLOCK, FLOW, FOLDED, NO_NEWLINE, BLOCK.replace("\n", "\r\n"), "\ufeff" + BLOCK]
)
def test_the_old_text_stays_and_the_new_examples_are_read(text: str) -> None:
    longer = with_examples(text, ADDED, "a.yaml")
    expected = yaml.safe_load(text)
    for language, examples in ADDED.items():
        expected["examples"][language] += examples
    assert yaml.safe_load(longer) == expected
    assert is_subsequence(text, longer)


def test_new_lines_stand_below_the_last_example_with_the_same_indent() -> None:
    longer = with_examples(BLOCK, {"zh": ["寄一件多少钱"], "en": []}, "a.yaml")
    assert "    - '运费: 多少'\n    - 寄一件多少钱\n  en:\n" in longer
    assert len(longer.splitlines()) == len(BLOCK.splitlines()) + 1


def test_line_ends_of_another_system_stay() -> None:
    longer = with_examples(BLOCK.replace("\n", "\r\n"), {"zh": ["新的"]}, "a.yaml")
    assert longer.count("\n") == longer.count("\r\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: a\n", "no list examples.zh"),
        ("id: a\nexamples: {zh: 一}\n", "no list examples.zh"),
        ("- a\n", "no list examples.zh"),
        ("a: [", "is no YAML"),
        ("id: a\nmore: &zh [一]\nexamples: {zh: *zh, en: [b]}\n", "by hand"),
    ],
)
def test_what_cannot_be_added_to_is_named_and_left_alone(text: str, said: str) -> None:
    with pytest.raises(ContentError, match=said):
        with_examples(text, {"zh": ["新的"]}, "a.yaml")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]), min_size=1).filter(str.split))
def test_any_question_becomes_a_value_on_one_line_that_reads_the_same(text: str) -> None:
    written = scalar(text)
    assert len(written.splitlines()) == 1
    assert yaml.safe_load(f"- {written}\n") == [" ".join(text.split())]
    assert yaml.safe_load(with_examples(BLOCK, {"en": [" ".join(text.split())]}, "a.yaml"))["examples"]["en"][
        1:
    ] == [" ".join(text.split())]


def is_subsequence(short: str, long: str) -> bool:
    characters = iter(long)
    return all(character in characters for character in short)
