"""What the scripted assistant says and knows: the team's wording, two articles, and an answer in each language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.insight.catalog import Item
from retrieval.documents import Article

WORDING: Mapping[str, Mapping[str, Any]] = {
    "zh": {
        "greeting": "您好，我是开帆电器的智能客服。订单、退换、保修的问题都可以直接问我。",
        "suggested": [
            "我的快递三天没动了，怎么办？",
            "退货怎么操作？",
            "怎么开发票？",
            "保修期是多久？",
        ],
        "technical_problem": "抱歉，系统出了点问题，您的消息没有丢失，请稍后再试。",
        "ai_label": "AI 生成",
        "sources": "参考来源",
        "talk_to_person": "转人工",
        "new_chat": "新对话",
        "rate_up": "有帮助",
        "rate_down": "没帮助",
        "rated_thanks": "感谢您的反馈",
        "placeholder": "请输入您的问题…",
        "send": "发送",
        "empty_message": "请先输入您的问题。",
        "too_long": "消息太长了，请控制在 {limit} 字以内。",
        "too_fast": "您发得太快了，请稍等一会儿再发。",
        "off_line_notice": "网络已断开，您写的内容还在，恢复后再发送即可。",
    },
    "en": {
        "greeting": "Hello! I'm the assistant of Kaifan Home. Ask me anything about orders, returns or warranty.",
        "suggested": [
            "My parcel hasn't moved for three days",
            "Can I return opened earphones?",
            "How do I get an invoice?",
            "How long is the warranty?",
        ],
        "technical_problem": "Sorry, something went wrong on our side. Your message is not lost; please try again.",
        "ai_label": "AI-generated",
        "sources": "Sources",
        "talk_to_person": "Talk to a person",
        "new_chat": "New chat",
        "rate_up": "Helpful",
        "rate_down": "Not helpful",
        "rated_thanks": "Thank you for your feedback",
        "placeholder": "Type your question…",
        "send": "Send",
        "empty_message": "Please type your question first.",
        "too_long": "That message is too long. Please keep it under {limit} characters.",
        "too_fast": "You are sending messages very fast. Please wait a moment.",
        "off_line_notice": "You are off line. What you wrote is kept; send it when you are back.",
    },
}

ARTICLES = {
    ("zh", "parcel-stuck"): Article(
        id="parcel-stuck",
        language="zh",
        title="快递长时间没有更新怎么办",
        body="# 快递长时间没有更新怎么办\n\n## 先确认物流状态\n\n1. 打开 **「我的订单」**，点击物流详情。\n2. 超过 **72 小时**没有更新，可以申请催件。\n\n"
        "| 地区 | 正常时效 |\n|---|---|\n| 省内 | 1–2 天 |\n| 跨省 | 2–4 天 |\n\n> **注意：**节假日时效会顺延。\n\n更多见 [退换货](/articles/zh/returns)。",
        path="articles/zh/parcel-stuck.md",
        updated=date(2026, 10, 12),
    ),
    ("en", "returns-opened"): Article(
        id="returns-opened",
        language="en",
        title="Returning opened items",
        body="## Earphones\n\nFor hygiene reasons opened in-ear earphones can only be returned if they are **faulty**.\n\n"
        "- Keep the box\n- Take photos",
        path="articles/en/returns-opened.md",
        updated=date(2026, 9, 1),
    ),
}

ZH_ANSWER = (
    "包裹超过 **72 小时**没有更新，可以这样处理：[1]\n\n"
    "1. 在「我的订单」里点击 **催件**，快递公司会在 24 小时内回复。[1]\n"
    "2. 仍然没有进展时，我们会为您**补发或退款**。[2]\n\n"
    "**注意：**节假日的时效会顺延。[1]"
)
EN_ANSWER = (
    "Opened earphones can be returned **within 7 days** if they are faulty. [1]\n\n"
    "- Keep the original box and all accessories. [1]\n"
    "- In-ear models without a fault cannot be returned once the seal is broken. [2]\n\n"
    "The refund arrives in 3–5 working days. [1]"
)

ITEMS = tuple(
    Item.model_validate(
        {
            "id": item_id,
            "kind": kind,
            "category": "audio",
            "title": {"zh": zh, "en": en},
            "text": {"zh": f"{zh}，现货。", "en": f"{en}, in stock."},
            "price": price,
        }
    )
    for item_id, kind, zh, en, price in (
        ("airbuds-s2", "product", "AirBuds S2 无线耳机", "AirBuds S2 wireless earphones", 299),
        ("returns-opened", "article", "拆封商品的退货", "Returning opened items", None),
    )
)
