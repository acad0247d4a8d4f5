"""Tests of front matter and its mistakes."""

from __future__ import annotations

from datetime import date

import pytest

from retrieval.front_matter import KEYS, split_front_matter

GOOD = """---
id: return-window
title: 退货期限：七天无理由怎么算
language: zh
updated: 2026-11-10
owner: after-sales
products: [AirBuds S2, M5]
valid_until: "2026-12-31"
questions:
  - 几天内可以退货
  - can i return it after a week
---
正文
"""


def test_every_key_is_read_in_its_type() -> None:
    front = split_front_matter(GOOD, "a.md")
    assert front.problems == ()
    assert front.body == "正文\n"
    assert front.values == {
        "id": "return-window",
        "title": "退货期限：七天无理由怎么算",
        "language": "zh",
        "updated": date(2026, 11, 10),
        "owner": "after-sales",
        "products": ("AirBuds S2", "M5"),
        "valid_until": date(2026, 12, 31),
        "questions": ("几天内可以退货", "can i return it after a week"),
    }


def test_a_file_without_front_matter_is_all_body() -> None:
    front = split_front_matter("# 标题\n正文", "a.md")
    assert (front.values, front.body, front.problems) == ({}, "# 标题\n正文", ())


@pytest.mark.parametrize(
    ("front", "line", "what"),
    [
        ("id: a\ncolour: red\n", 3, "'colour' is no key"),
        ("id: a\ntitle: x\nid: b\n", 4, "a second time"),
        ("id: a b\n", 2, "cannot be used"),
        ("title: x\nlanguage: fr\n", 3, "language is 'fr'"),
        ("updated: 2026-13-45\n", 2, "cannot be read"),
        ("updated: next week\n", 2, "no date"),
        ("title: yes\n", 2, "title is True"),
        ("title:\n", 2, "title is None"),
        ("id: a\nquestions:\n  - ok\n  - [1]\n", 3, "questions is [1]"),
        ("id: a\ntitle: a: b\n", 3, "no YAML"),
        ("- a\n- b\n", 2, "no list of keys"),
    ],
)
def test_a_mistake_is_named_with_its_line(front: str, line: int, what: str) -> None:
    (problem,) = split_front_matter(f"---\n{front}---\nbody", "zh/a.md").problems
    assert problem.line == line
    assert what in problem.what
    assert str(problem).startswith(f"zh/a.md:{line}: ")
    assert problem.fix


def test_an_unknown_key_names_the_allowed_ones() -> None:
    (problem,) = split_front_matter("---\ncolour: red\n---\n", "a.md").problems
    assert all(key in problem.fix for key in KEYS)


def test_a_front_matter_without_end_is_named() -> None:
    (problem,) = split_front_matter("---\nid: a\n\nbody", "a.md").problems
    assert "has no end" in problem.what


def test_all_mistakes_are_named_at_once() -> None:
    assert len(split_front_matter("---\nx: 1\ny: 2\nupdated: never\n---\n", "a.md").problems) == 3
