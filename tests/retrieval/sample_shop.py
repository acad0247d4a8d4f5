"""A small shop for the tests of building and searching: topics in one or two languages, one of them out of date."""

from __future__ import annotations

from pathlib import Path

from retrieval.build import BuildReport, build_index
from retrieval.calibration import LabelledQuestion
from tests.fake_encoder import FakeEncoder

ARTICLES = {
    "zh/return-window.md": (
        "退货期限", "签收次日起七天内可以无理由退货。\n\n## 会员\n金卡会员的退货期限是十五天，铂金卡会员的退货期限是三十天。", ["几天内可以退货"]
    ),
    "en/return-window.md": (
        "Return window", "You may return goods within seven days.\n\n## Members\nGold members have fifteen days.",
        ["how long do i have to send it back"],
    ),
    "zh/invoice-request.md": ("怎么开发票", "电子发票在签收后二十四小时内开出，可以在发票页面下载。", ["发票在哪里"]),
    "en/invoice-request.md": ("Getting an invoice", "The electronic invoice is issued within 24 hours.", ["where is my invoice"]),
    "zh/earphones.md": ("AirBuds S2 耳机配对", "打开充电盒，按住按钮三秒，在手机蓝牙里选择 AirBuds S2。", ["耳机连不上手机"]),
    "en/voltage.md": ("Using appliances abroad", "Our kettles need 220 V; power banks work at any voltage.", ["plug adapter"]),
    "zh/inspect.md": ("签收前可以验货吗", "可以先打开外箱验货再签收快递。", ["先看货再签字"]),
}  # fmt: skip
LABELLED = [
    LabelledQuestion("想退货", frozenset({"return-window"})),
    LabelledQuestion("send back my order", frozenset({"return-window"})),
    LabelledQuestion("要发票", frozenset({"invoice-request"})),
    LabelledQuestion("今天天气怎么样", frozenset()),
]


def write_shop(root: Path) -> Path:
    """Write the articles and return the knowledge base's folder."""
    for name, (title, body, questions) in ARTICLES.items():
        put(root, name, title, body, questions=questions)
    put(
        root,
        "zh/double-12.md",
        "双12活动规则",
        "双12每满三百减四十。",
        valid="2026-12-10",
        until="2026-12-31",
    )
    return root


def put(
    root: Path,
    name: str,
    title: str,
    body: str,
    *,
    questions: list[str] | None = None,
    valid: str = "",
    until: str = "",
) -> Path:
    """Write one article."""
    path = root / "articles" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"title: {title}",
        *([f"valid_from: {valid}"] if valid else []),
        *([f"valid_until: {until}"] if until else []),
    ]
    lines += ["questions:", *(f"  - {question}" for question in questions)] if questions else []
    path.write_text("---\n" + "\n".join(lines) + f"\n---\n{body}\n", encoding="utf-8")
    return path


def build(shop: Path, root: Path, encoder: FakeEncoder | None = None) -> BuildReport:
    """Build the index of a shop."""
    return build_index(
        shop,
        root,
        FakeEncoder() if encoder is None else encoder,
        labelled=LABELLED,
        passage_limit=600,
        progress=lambda stage, done, total: None,
    )
