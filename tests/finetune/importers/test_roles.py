"""Who speaks is read from labels in both languages, and a sentence with a colon is no speaker."""

from __future__ import annotations

import pytest

from finetune.importers.roles import role_of, speaker


@pytest.mark.parametrize(
    ("label", "role", "name"),
    [
        ("客服", "agent", ""),
        ("客服小美", "agent", "小美"),
        ("客服（小美）", "agent", "小美"),
        ("小美(客服)", "agent", "小美"),
        ("客服工号8", "agent", "工号8"),
        ("售后-小李", "agent", "小李"),
        ("買家tb1234", "customer", "tb1234"),
        ("用户", "customer", ""),
        ("智能客服", "bot", ""),
        ("系统消息", "system", ""),
        ("Agent Anna", "agent", "Anna"),
        ("agent_anna", "agent", "anna"),
        ("Anna (Agent)", "agent", "Anna"),
        ("Customer Service Bob", "agent", "Bob"),
        ("end-user", "customer", ""),
        ("Customer#8812", "customer", "8812"),
        ("Ｃustomer", "customer", ""),
    ],
)
def test_a_label_says_who_speaks(label: str, role: str, name: str) -> None:
    assert speaker(label) == (role, name)


@pytest.mark.parametrize(
    "label",
    ["注意", "客服电话", "用户名", "客户地址", "问题", "答案", "Customer name", "User guide", "Anna", "aide", "A nice thing", "customer wants a refund", "顾客您好，请问", ""],
)  # fmt: skip
def test_what_is_said_is_no_speaker(label: str) -> None:
    assert speaker(label) is None


def test_a_role_alone_is_found_in_any_spelling() -> None:
    assert [role_of(word) for word in ("Human", "GPT", "End User", "客戶", "robot", "火星人")] == [
        "customer",
        "bot",
        "customer",
        "customer",
        "bot",
        None,
    ]
