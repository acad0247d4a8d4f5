"""Files of talks as other programs write them, small but whole, for the tests of importing and curating."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook

CHATWOOT: dict[str, Any] = {
    "conversations": [
        {
            "id": 1024,
            "created_at": 1793671200,
            "meta": {
                "channel": "Channel::WebWidget",
                "sender": {"id": 7, "name": "Anna Schmidt", "email": "Anna@mail.example", "type": "contact"},
            },
            "messages": [
                {"id": 1, "message_type": 2, "content": "Conversation was opened", "created_at": 1793671200},
                {
                    "id": 2,
                    "message_type": 0,
                    "content": "hello, this is Anna Schmidt",
                    "created_at": 1793671210,
                    "sender": {"id": 7, "name": "Anna Schmidt", "type": "contact"},
                },
                {
                    "id": 3,
                    "message_type": 0,
                    "content": "my M3 robot does not charge, call me on +86 138 1234 5678",
                    "created_at": 1793671215,
                    "sender_type": "Contact",
                },
                {
                    "id": 4,
                    "message_type": 1,
                    "content": "One moment, a person is coming.",
                    "created_at": 1793671216,
                    "sender_type": "AgentBot",
                    "sender": {"id": 1, "name": "Kefu", "type": "agent_bot"},
                },
                {
                    "id": 5,
                    "message_type": 1,
                    "private": True,
                    "content": "VIP, be quick",
                    "created_at": 1793671220,
                    "sender": {"id": 3, "name": "Li Lei", "type": "user"},
                },
                {
                    "id": 6,
                    "message_type": 1,
                    "content": "Hi Anna, please wipe the charging contacts with a dry cloth.",
                    "created_at": 1793671230,
                    "sender": {"id": 3, "name": "Li Lei", "type": "user"},
                },
                {
                    "id": 7,
                    "message_type": 3,
                    "content": "Please rate this conversation",
                    "content_type": "input_csat",
                    "content_attributes": {"submitted_values": {"csat_survey_response": {"rating": 5}}},
                    "created_at": 1793671300,
                },
                {
                    "id": 8,
                    "message_type": 0,
                    "content": "",
                    "attachments": [{"id": 1}],
                    "created_at": 1793671310,
                },
            ],
        },
        {"id": 1025, "messages": []},
        {
            "id": 1026,
            "messages": [
                {
                    "id": 9,
                    "message_type": "incoming",
                    "content": "发票怎么开",
                    "created_at": "2026-11-03T10:00:00Z",
                },
                {
                    "id": 10,
                    "message_type": "outgoing",
                    "content": "在订单详情里点“申请发票”。",
                    "created_at": "2026-11-03T10:00:09Z",
                    "sender_type": "User",
                },
                {"id": 11, "message_type": 9, "content": "?"},
            ],
        },
    ]
}

ZENDESK: list[dict[str, Any]] = [
    {
        "id": 501,
        "requester_id": 11,
        "via": {"channel": "email"},
        "satisfaction_rating": {"score": "bad", "comment": "slow"},
        "comments": [
            {
                "id": 1,
                "author_id": 11,
                "public": True,
                "plain_body": "Where is my parcel?\n\nOn Mon, 2 Nov 2026 at 9:00, Kaifan wrote:\n> your order has been sent",
                "created_at": "2026-11-03T08:00:00Z",
            },
            {"id": 2, "author_id": 21, "public": False, "body": "third time he asks", "created_at": "2026-11-03T08:05:00Z"},
            {
                "id": 3,
                "author_id": 21,
                "public": True,
                "html_body": "<p>It is delayed by two days.</p><script>x()</script>",
                "created_at": "2026-11-03T08:10:00Z",
            },
            {"id": 4, "author_id": -1, "public": True, "body": "Merged.", "created_at": "2026-11-03T08:11:00Z"},
        ],
        "users": [
            {"id": 11, "name": "Bob Miller", "email": "bob@mail.example", "role": "end-user"},
            {"id": 21, "name": "王小美", "role": "agent"},
        ],
    },
    {"id": 502, "requester_id": 12, "description": "no comments"},
    {
        "id": 503,
        "requester": {"id": 13, "name": "赵六"},
        "satisfaction_rating": {"score": "good"},
        "comments": [
            {"id": 5, "author": {"id": 13}, "body": "怎么退货", "created_at": "2026-11-04T08:00:00Z"},
            {"id": 6, "author": {"id": 21, "name": "王小美"}, "body": "赵六您好，请在订单里点“退货”。", "created_at": "not a time"},
        ],
    },
]  # fmt: skip

TRANSCRIPT_ZH = """\
=== 会话 8801 ===
2026-11-03 10:02:11 买家tb1234：在吗
2026-11-03 10:02:15 买家tb1234：耳机左边没声音
2026-11-03 10:02:40 客服小美：您好，我是小美。请先试这几步：
1. 放回充电盒 10 秒
注意：盒子要有电
2026-11-03 10:03:02 买家tb1234：还是不行
2026-11-03 10:03:30 客服小美：可以换新，请提供订单号
2026-11-03 10:05:00 系统消息：会话已结束
=== 会话 8802 ===
2026-11-04 09:00:00 买家tb9：退货運費誰出
2026-11-04 09:00:30 客服小美：质量问题我们承担运费
"""

TRANSCRIPT_EN = """\
Customer (10:02): can I return opened earphones
Agent Anna (10:03): Only if they are faulty.
They must be complete.
Customer (10:04): ok and who pays the postage?
Agent Anna (10:05): We do.

Customer (11:00): do you ship to 香港
Agent Bob (11:01): Yes, within 5 days.
"""


def write_gbk_csv(path: Path) -> Path:
    """Questions and answers, as an older Chinese Excel saves them."""
    rows = (
        "导出时间：2026-11-05\n"
        "问题,答案,评分,意图,客户ID,机器人回答\n"
        "运费多少,满 99 元包邮,5,postage,c1,\n"
        '"退货要多久\n我等了三天",3 天内退款,1,refund,c2,不知道\n'
        "没有答案,,3,,c3,\n"
        "how much is postage,Free from 99 yuan,很好吃,postage,c1,\n"
    )
    path.write_bytes(rows.encode("gb18030"))
    return path


def write_workbook(path: Path, rows: Sequence[Sequence[Any]] | None = None) -> Path:
    """Messages with merged conversation ids and a title above the header, beside an empty sheet."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "聊天"
    standard: Sequence[Sequence[Any]] = (
        ("客服聊天记录",),
        ("会话ID", "角色", "内容", "时间", "昵称"),
        (1, "客户", "怎么开发票", datetime(2026, 11, 3, 10, 0), "张小明"),  # noqa: DTZ001 - as Excel keeps it
        (None, "客服", "张小明您好，在订单详情里申请", datetime(2026, 11, 3, 10, 1), None),  # noqa: DTZ001
        (2, "Customer", "opening hours?", "2026-11-03 11:00", None),
        (None, "Robot", "9 to 21 every day", "2026-11-03 11:01", None),
        (None, "火星人", "x", None, None),
    )
    for row in standard if rows is None else rows:
        sheet.append(list(row))
    if rows is None:
        sheet.merge_cells("A3:A4")
        sheet.merge_cells("A1:E1")
        book.create_sheet("空")
    book.save(path)
    return path


def write_json(path: Path, value: Any) -> Path:
    """One JSON value."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def write_lines(path: Path, rows: Sequence[Any]) -> Path:
    """JSON Lines; a text is written as it is, so that it may be broken."""
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
