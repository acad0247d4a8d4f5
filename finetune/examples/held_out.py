"""What no training of ours ever sees, so that it can be measured: a trade, topics of the shop, and a tenth of all others."""

from __future__ import annotations

import hashlib

HELD_OUT_TRADE = "car-rental"
HELD_OUT = (
    "invoice-", "repair", "warranty-", "coupon-", "product-t", "product-r", "product-w", "return-postage",
    "return-refund", "delivery-damaged", "delivery-missing", "payment-i", "payment-f", "member-b", "order-c",
)  # fmt: skip


def is_validation(topic: str) -> bool:
    """Whether a topic of a trained trade is kept for choosing the checkpoint."""
    return hashlib.sha256(topic.encode()).digest()[0] % 10 == 0
