"""What a message refers back to: a follow-up is read with the question that it follows, a burst as one question.

「那会员呢？」 and "and for gold members?" mean nothing alone. The sign is what a message lacks: it opens with a word
that continues, points at something unnamed, or is too short to be a question of its own.
"""

from __future__ import annotations

import re
import unicodedata

_CONTINUES_ZH = re.compile(
    r"^(那么?|还有|然后|另外|以及|如果|要是|万一|换成|或者|但是?|可是|不过|所以|意思是|就是说|也就是|对了)"
)
_ENDS_ZH = re.compile(
    r"(呢|的话|也(一样|可以|行|能|要|有|是).{0,3}|也.{0,6}吗|行吗|可以吗|多少|多久|为什么|怎么弄|然后呢)[?？!！。~]*$"
)
_POINTS_ZH = re.compile(
    r"(这个|那个|这种|那种|这样|那样|它|这些|那些|上面|刚才|这款|那款|前者|后者|那边|那里|这里)"
)
_CONTINUES_EN = re.compile(
    r"^(and|but|or|also|so|then|what about|how about|what if|what happens if|if|same (for|with)|for|with|in that case|ok(ay)? (and|but|so)|even if|does that|is that|is it|will it|can i also|how long|how much|why|when|where)(?![a-z])",
    re.IGNORECASE,
)
_POINTS_EN = re.compile(
    r"(?<![a-z])(it|that|this|those|these|they|them|one|ones|there|instead|too|either)(?![a-z])",
    re.IGNORECASE,
)
_HAN = re.compile(r"[㐀-鿿]")
_WORD = re.compile(r"[A-Za-z0-9'’-]+")

# These do not stand at the start of a question of its own, however well it is understood.
_ALWAYS = re.compile(
    r"^(那|那么)?[^，。？?]{1,8}呢[?？!！。~]*$|^(and|but|what about|how about)(?![a-z])|^(how long does that|does that|is that)(?![a-z])",
    re.IGNORECASE,
)

# In width units: a Chinese character counts 2, an English word about 5. Nobody asks a whole question in less.
_FRAGMENT_WIDTH = 12
_SHORT_WIDTH = 34
_CONTEXT_CHARACTERS = 300


def looks_like_follow_up(text: str) -> bool:
    """Whether `text` reads as the continuation of something said before."""
    plain = unicodedata.normalize("NFKC", text).strip()
    width = _width(plain)
    if width > 2 * _SHORT_WIDTH:
        return False
    opens = bool(_CONTINUES_ZH.search(plain) or _CONTINUES_EN.search(plain))
    points = bool(_POINTS_ZH.search(plain) or _POINTS_EN.search(plain))
    ends = bool(_ENDS_ZH.search(plain))
    if width <= _FRAGMENT_WIDTH or (opens and width <= 2 * _SHORT_WIDTH):
        return True
    return width <= _SHORT_WIDTH and (points or ends)


def continues(text: str) -> bool:
    """Whether `text` can only be read with what was said before: 「那会员呢？」, "and for gold members?"."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return _width(plain) <= 2 * _SHORT_WIDTH and bool(_ALWAYS.search(plain))


def is_vague(text: str) -> bool:
    """Whether `text` is a word or two that may mean anything: "card?", 「多久」."""
    return _width(unicodedata.normalize("NFKC", text)) <= _FRAGMENT_WIDTH


def with_context(text: str, before: str) -> str:
    """`text` read together with the question `before` it."""
    return f"{before.strip()[-_CONTEXT_CHARACTERS:]} {text.strip()}"


def _width(text: str) -> int:
    return 2 * len(_HAN.findall(text)) + 5 * len(_WORD.findall(_HAN.sub(" ", text)))
