"""What a support lead reads in a terminal, however narrow it is."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest
from rich.console import Console

from bot.upkeep.gaps.review import dismiss
from bot.upkeep.gaps.showing import list_as_text
from tests.bot.upkeep.gaps.gap_shop import ask, review_of


@pytest.mark.parametrize("width", [60, 120])
def test_nothing_of_the_list_is_cut_off(tmp_path: Path, width: int) -> None:
    review = review_of(tmp_path)
    question = "请问你们这里有没有专门给在校大学生准备的优惠券或者折扣呢麻烦告诉我一下谢谢"
    ask(review.store, question)
    ask(review.store, "能刻字吗")
    gaps = review.report(since=None, limit=20).gaps
    dismiss(review.store.path, next(gap.id for gap in gaps if gap.stored.title == "能刻字吗"), "我们不刻字")
    console = Console(record=True, width=width)
    console.print(list_as_text(review.report(since=None, limit=20, everything=True), UTC))
    lines = console.export_text().splitlines()
    review.store.close()
    said = "".join(line.strip() for line in lines)
    assert question in said
    assert "dismissed: 我们不刻字" in said
    assert said.count("→ ") == 1  # what was decided on needs no suggestion
    assert "…" not in said
