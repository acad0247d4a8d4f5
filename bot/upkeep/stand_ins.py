"""Masked text made readable again: `<PHONE>` becomes a telephone number that is nobody's.

The log holds no personal data, but what was asked held some, and it mattered: a template that needs a telephone number
had it, and the vectors were those of a sentence with a number in it, not with a word in angle brackets. A stand-in of
the same kind brings both back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.conversation import Language
from bot.safety.redact import KINDS
from bot.turns import Redact

_PLACEHOLDER = re.compile(f"<({'|'.join(KINDS)})>")

# In the order in which they are tried: what is masked again as the same kind may depend on the words around it.
_STAND_INS: Mapping[str, tuple[str, ...]] = {
    "EMAIL": ("customer@example.org",),
    "ID_CARD": ("11010519491231002X",),  # the example of the standard itself, GB 11643
    "BANK_CARD": ("6222020000000000005",),
    "PHONE": ("13800138000", "+8613800138000"),
    "PLATE": ("京A12345",),
    "WECHAT": ("customer_001", "10000001"),
    "ADDRESS": ("北京市朝阳区建国路88号", "12 Example Street"),
    "NAME": ("王小明", "Anna Example"),
}


def readable(masked: str, language: Language, redact: Redact) -> str:
    """`masked` with a stand-in for each placeholder, in the customer's language where that matters.

    Masked again by `redact` it is `masked`; a placeholder for which no stand-in keeps that true stays as it is.
    """
    text = masked
    end = 0
    while (found := _PLACEHOLDER.search(text, end)) is not None:
        choices = _STAND_INS[found[1]]
        end = found.end()
        for choice in choices if language.content is Language.ZH else choices[::-1]:
            candidate = f"{text[: found.start()]}{choice}{text[found.end() :]}"
            if redact(candidate).text == masked:
                text, end = candidate, found.start() + len(choice)
                break
    return text
