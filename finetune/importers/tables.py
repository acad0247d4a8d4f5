"""Tables of talks: a question and its answer a row, or a message a row, with Chinese or English column names."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.safety.folding import fold
from bot.understanding.language import to_simplified
from finetune.errors import ImportFailed
from finetune.importers.reading import Message, Reading, Talk
from finetune.importers.roles import role_of, speaker
from finetune.importers.talks import in_order_of_time
from finetune.importers.values import clean, rating_scale, read_rating, read_time

_NAMES = {
    "conversation": "会话id 会话编号 会话号 会话 对话id 对话编号 对话 聊天id 咨询编号 工单号 工单id conversationid conversation sessionid session chatid ticketid threadid dialogueid dialogid",
    "role": "角色 发送者 发送方 发送人 发言人 说话人 身份 发送者类型 role sender from speaker author authortype sendertype senderrole",
    "text": "内容 消息 消息内容 聊天内容 聊天记录 文本 正文 text content message body messagetext utterance",
    "time": "时间 发送时间 消息时间 创建时间 提问时间 日期 time timestamp createdat sentat date datetime askedat createtime",
    "question": "问题 用户问题 客户问题 顾客问题 提问 问 question query customerquestion userquestion prompt input",
    "answer": "答案 回答 回复 客服回复 客服回答 答复 答 人工回复 answer response reply completion output agentanswer",
    "rejected": "机器人回答 机器人回复 原回答 错误回答 botanswer rejected wronganswer originalanswer",
    "rating": "评分 评价 满意度 打分 星级 rating score csat satisfaction thumbs vote feedback stars",
    "customer": "客户 客户id 客户编号 客户名 用户 用户id 用户名 买家 顾客 会员id 访客id customer customerid user userid username visitor visitorid buyer clientid",
    "people": "姓名 客户姓名 客服姓名 客服 坐席 昵称 name agentname agent customername nickname",
    "intent": "意图 分类 类别 问题分类 标签 intent category label topic",
    "channel": "渠道 channel",
}  # fmt: skip
_COLUMNS = {label: column for column, labels in _NAMES.items() for label in labels.split()}
_HEADER_WITHIN = 10  # rows; exports like to put a title above
_MOST_BAD_ROWS = 1000  # a file of another kind would else be read to its end, error by error
_SINGLE = "the table"  # the key of a table that is one talk

Row = tuple[str, Sequence[Any]]  # where it stands, and its cells


@dataclass
class _Group:
    """The rows of one talk, while they are collected."""

    place: str
    messages: list[Message] = field(default_factory=list)
    customer: str = ""
    channel: str = ""
    people: set[str] = field(default_factory=set)


def read_csv(reading: Reading) -> Iterator[Talk]:
    """The talks of a CSV file; comma, semicolon or tab, whichever its first line holds most.

    Raises:
        ImportFailed: no row of the first ten names the columns.
    """
    yield from table_talks(reading, list(_csv_rows(reading)), reading.path.name)


def table_talks(reading: Reading, rows: Sequence[Row], name: str) -> Iterator[Talk]:
    """The talks of one table.

    Args:
        reading: what problems are noted in.
        rows: with their header.
        name: of the table, for messages and keys.

    Raises:
        ImportFailed: no row of the first ten names the columns.
    """
    filled = [(place, cells) for place, cells in rows if any(clean(cell) for cell in cells)]
    header, columns = _header(filled, name)
    body = filled[header + 1 :]
    by_message = "text" in columns and "role" in columns
    make = _message_groups if by_message else _pair_groups
    groups = make(reading, [(place, _Cells(columns, cells)) for place, cells in body], name)
    for key, group in groups.items():
        messages = in_order_of_time(group.messages) if by_message else tuple(group.messages)
        people = frozenset(group.people)
        yield Talk(reading.key(key), group.place, messages, group.customer, group.channel, people=people)


def _header(rows: Sequence[Row], name: str) -> tuple[int, Mapping[str, int]]:
    for number, (_, cells) in enumerate(rows[:_HEADER_WITHIN]):
        columns: dict[str, int] = {}
        for position, cell in enumerate(cells):
            column = _COLUMNS.get(_label(cell))
            if column is not None:
                columns.setdefault(column, position)
        if {"question", "answer"} <= set(columns) or {"role", "text"} <= set(columns):
            return number, columns
    seen = ", ".join(repr(clean(cell)[:20]) for cell in rows[0][1][:8]) if rows else "nothing"
    raise ImportFailed(
        f"{name} does not name its columns (it begins with {seen}). Its first row needs 问题 and 答案 (question, answer), "
        "or 角色 and 内容 (role, text) with 会话ID (conversation_id) and 时间 (time)."
    )


def _label(cell: Any) -> str:
    return "".join(
        character for character in to_simplified(fold(clean(cell))).casefold() if character.isalnum()
    )


@dataclass(frozen=True)
class _Cells:
    """A row by the names of its columns."""

    columns: Mapping[str, int]
    cells: Sequence[Any]

    def __call__(self, column: str) -> str:
        return clean(self.raw(column))

    def raw(self, column: str) -> Any:
        position = self.columns.get(column)
        return self.cells[position] if position is not None and position < len(self.cells) else None


_Named = Sequence[tuple[str, _Cells]]


def _pair_groups(reading: Reading, rows: _Named, name: str) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    scale = rating_scale(row.raw("rating") for _, row in rows)
    for place, row in rows:
        question, answer = row("question"), row("answer")
        if not question or not answer:
            reading.problem(place, f"the row has no {'answer' if question else 'question'}")
            continue
        at = _time(reading, place, row)
        key = row("conversation")
        group = groups.setdefault(key if key else place, _Group(place))
        rejected, intent = row("rejected"), row("intent")
        group.messages.append(Message("customer", question, at))
        group.messages.append(
            Message(
                "agent",
                answer,
                at,
                rating=_rating(reading, place, row, scale),
                intent=intent if intent else None,
                rejected=rejected if rejected else None,
            )
        )
        _note_people(group, row)
    return groups


def _message_groups(reading: Reading, rows: _Named, name: str) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    scale = rating_scale(row.raw("rating") for _, row in rows)
    key = ""
    for place, row in rows:
        # An empty id belongs to the talk above: so do merged cells and tables made by hand show it.
        named = row("conversation") if "conversation" in row.columns else row("customer")
        key = named if named else key
        if not key and "conversation" in row.columns:
            reading.problem(place, "the row belongs to no conversation")
            continue
        label = row("role")
        found = (role_of(label), "") if role_of(label) is not None else speaker(label)
        if found is None or found[0] is None:
            reading.problem(
                place, f"the role {label!r:.30} is unknown; use 客户, 客服 or 机器人 (customer, agent, bot)"
            )
            continue
        group = groups.setdefault(key if key else f"{name} {_SINGLE}", _Group(place))
        rating = _rating(reading, place, row, scale)
        intent = row("intent")
        group.messages.append(
            Message(found[0], row("text"), _time(reading, place, row), rating, intent if intent else None)
        )
        group.people.add(found[1])
        _note_people(group, row)
    return groups


def _note_people(group: _Group, row: _Cells) -> None:
    group.people.add(row("people"))
    group.customer = group.customer if group.customer else row("customer")
    group.channel = group.channel if group.channel else row("channel")


def _time(reading: Reading, place: str, row: _Cells) -> datetime | None:
    try:
        return read_time(row.raw("time"), reading.zone)
    except ValueError as error:
        reading.problem(place, f"time not understood ({error}); the row is read without it")
        return None


def _rating(reading: Reading, place: str, row: _Cells, scale: int) -> int | None:
    try:
        return read_rating(row.raw("rating"), scale)
    except ValueError as error:
        reading.problem(place, f"rating not understood ({error}); the row is read without it")
        return None


def _csv_rows(reading: Reading) -> Iterator[Row]:
    """The rows; after one that is broken (a quote without its end) reading goes on with the next line."""
    lines = reading.text.split("\n")
    delimiter = max(",;\t", key=_first_line(lines).count)
    start, bad = 0, 0
    while start < len(lines):
        if bad > _MOST_BAD_ROWS:
            raise ImportFailed(
                f"{reading.path} has more than {_MOST_BAD_ROWS} broken rows; is it CSV? Save it again as CSV."
            )
        reader = csv.reader(_from(lines, start), delimiter=delimiter, strict=True)
        done = 0
        try:
            for cells in reader:
                yield reading.place(start + done + 1), cells
                done = reader.line_num
            start = len(lines)
        except csv.Error as error:
            reading.problem(reading.place(start + done + 1), f"the row is broken ({error})")
            start, bad = start + done + 1, bad + 1


def _first_line(lines: Sequence[str]) -> str:
    return next((line for line in lines if line.strip()), "")


def _from(lines: Sequence[str], start: int) -> Iterator[str]:
    """The lines from `start` on, with their ends; no copy, because there may be many starts in many lines."""
    return (f"{lines[number]}\n" for number in range(start, len(lines)))
