"""What people judged, as a file of lines: written whole or not at all, read with every mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ContentError
from bot.judged import read_judged, write_judged
from retrieval.calibration import LabelledQuestion
from retrieval.errors import PublishError

ASKED = [
    LabelledQuestion("保修\u2028多久\x85?", frozenset({"warranty"})),
    LabelledQuestion("how's the weather", frozenset()),
]


def test_what_was_written_is_read_again_whatever_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "var" / "judged.jsonl"
    assert read_judged(path) == []
    write_judged(path, ASKED)
    assert read_judged(path) == ASKED
    write_judged(path, [])
    assert not path.exists()
    write_judged(path, [])


@given(
    st.lists(
        st.builds(
            LabelledQuestion,
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip),
            st.frozensets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)),
        )
    )
)
def test_any_questions_survive_the_file(
    tmp_path_factory: pytest.TempPathFactory, asked: list[LabelledQuestion]
) -> None:
    path = tmp_path_factory.mktemp("judged") / "judged.jsonl"
    write_judged(path, asked)
    assert read_judged(path) == asked


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[]",
        '{"text": "a"}',
        '{"text": " ", "articles": []}',
        '{"text": "a", "articles": "b"}',
        '{"text": "a", "articles": [1]}',
    ],
)
def test_a_line_that_is_no_judged_question_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "judged.jsonl"
    path.write_text(f'{{"text": "a", "articles": []}}\n\n{line}\n', "utf-8")
    with pytest.raises(ContentError, match=r"judged\.jsonl:3.*Mend or delete"):
        read_judged(path)


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "judged.jsonl"
    path.write_bytes(b"\xff")
    with pytest.raises(ContentError, match=r"judged\.jsonl cannot be read"):
        read_judged(path)
    with pytest.raises(PublishError, match="cannot be written"):
        write_judged(path / "below" / "a file", ASKED)
