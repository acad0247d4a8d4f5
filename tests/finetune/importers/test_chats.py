"""Training files of other tools are read in all their spellings; a row that is shaped otherwise is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune.curation.formats import lines_of
from finetune.importers.chats import read_alpaca, read_messages, read_sharegpt
from finetune.importers.reading import Reading, Talk
from tests.example_talks import talk
from tests.talk_files import write_lines

Importer = Callable[[Reading], Iterator[Talk]]


def _read(importer: Importer, path: Path, *rows: Any) -> tuple[list[list[tuple[str, str]]], Reading]:
    reading = Reading(write_lines(path, rows))
    return [[(m.role, m.text) for m in talk.messages] for talk in importer(reading)], reading


def test_messages_with_parts_names_and_system_prompts(tmp_path: Path) -> None:
    talks, reading = _read(
        read_messages,
        tmp_path / "a.jsonl",
        {"messages": [{"role": "developer", "content": "be kind"}, {"role": "user", "content": "能退吗"}, {"role": "assistant", "content": "能"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "image_url"}]}, {"role": "assistant", "content": None}]},
        {"messages": [{"role": "king", "content": "x"}]},
        {"messages": "hello"},
        {"message": []},
        {"messages": ["hello"]},
    )  # fmt: skip
    assert talks == [
        [("system", "be kind"), ("customer", "能退吗"), ("bot", "能")],
        [("customer", "look"), ("bot", "")],
    ]
    assert [problem.place for problem in reading.problems] == [f"a.jsonl:{line}" for line in (3, 4, 5, 6)]
    assert "'king'" in reading.problems[0].reason
    assert "'messages' is missing" in reading.problems[2].reason


def test_sharegpt_with_every_pair_of_names(tmp_path: Path) -> None:
    talks, reading = _read(
        read_sharegpt,
        tmp_path / "a.jsonl",
        {"conversations": [{"from": "human", "value": "你好"}, {"from": "gpt", "value": "您好"}]},
        {"items": [{"from": "user", "value": "hi"}, {"from": "assistant", "value": "hello"}]},
        {"conversations": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]},
        {"conversations": [{"from": "human"}]},
    )
    assert talks == [
        [("customer", "你好"), ("bot", "您好")],
        [("customer", "hi"), ("bot", "hello")],
        [("customer", "q"), ("bot", "a")],
    ]
    assert [problem.place for problem in reading.problems] == ["a.jsonl:4"]


def test_alpaca_with_input_and_history(tmp_path: Path) -> None:
    talks, reading = _read(
        read_alpaca,
        tmp_path / "a.jsonl",
        {"instruction": "翻译", "input": "hello", "output": "你好", "history": [["一", "二"]]},
        {"prompt": "q", "completion": "a"},
        {"instruction": "q", "output": "a", "history": None},
        {"instruction": "q"},
        {"instruction": "q", "output": "a", "history": ["x"]},
    )
    assert talks == [
        [("customer", "一"), ("bot", "二"), ("customer", "翻译\nhello"), ("bot", "你好")],
        [("customer", "q"), ("bot", "a")],
        [("customer", "q"), ("bot", "a")],
    ]
    assert [problem.place for problem in reading.problems] == ["a.jsonl:4", "a.jsonl:5"]


@pytest.mark.parametrize(
    ("kind", "importer"), [("messages", read_messages), ("sharegpt", read_sharegpt), ("alpaca", read_alpaca)]
)
def test_what_kefu_exports_it_imports(tmp_path: Path, kind: Any, importer: Importer) -> None:
    conversation = talk("a", ("怎么退货", "七天内"), ("and the postage?", "we pay"))
    (tmp_path / "a.jsonl").write_text("".join(lines_of(kind, conversation)), "utf-8")
    *_, last = importer(Reading(tmp_path / "a.jsonl"))
    assert [message.text for message in last.messages] == ["怎么退货", "七天内", "and the postage?", "we pay"]


_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["messages", "conversations", "role", "content", "from", "value", "instruction", "output", "history", "id"]),
        inner,
        max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    row=st.dictionaries(
        st.sampled_from(["messages", "conversations", "instruction", "output", "history"]), _values
    )
)
def test_any_object_is_read_or_named(tmp_path: Path, row: dict[str, Any]) -> None:
    for importer in (read_messages, read_sharegpt, read_alpaca):
        talks, reading = _read(importer, tmp_path / "a.jsonl", row)
        assert len(talks) + len(reading.problems) == 1
