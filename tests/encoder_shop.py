"""The small shop with golden questions enough to judge a search, its index, and a tiny encoder that serves."""

from __future__ import annotations

from pathlib import Path

from bot.factory import rebuild
from bot.models import make_encoder
from bot.settings import Settings
from retrieval.encoder import Encoder
from tests.small_shop import write_knowledge_base
from tests.tiny_encoder import write_encoder
from tests.tuned_shop import write_golden

ASKED = (
    ("大家电保修{}年", "warranty"),
    ("is the battery covered, {}", "warranty"),
    ("do I need {} volts", "voltage"),
    ("物流 {} 小时没更新", "tracking"),
)


def write_encoder_shop(folder: Path) -> Settings:
    """Write the shop into `folder`, build its index with the tiny encoder, and say how it is set."""
    write_knowledge_base(folder / "knowledge_base")
    rows = [
        {
            "id": f"g{n}-{article}",
            "question": words.format(n),
            "expect": {"kind": "answer", "articles": [article]},
        }
        for n in range(6)
        for words, article in ASKED
    ]
    write_golden(
        folder / "knowledge_base", [*rows, {"id": "r", "question": "写诗", "expect": {"kind": "refuse"}}]
    )
    settings = Settings.model_validate(
        {
            "knowledge_base": folder / "knowledge_base",
            "var": folder / "var",
            "encoder": {"model": str(write_encoder(folder / "encoder")), "device": "cpu"},
        }
    )
    rebuild(settings, serving(settings), lambda *_: None)
    return settings


def serving(settings: Settings) -> Encoder:
    """The encoder that is set."""
    return make_encoder(settings, lambda *_: None)
