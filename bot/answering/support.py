"""Whether a sentence stays with a passage: the check that every drafted sentence passes before a customer sees it.

A sentence is supported by a passage if

1. its words are those of one or two neighbouring sentences there (share of content words, at least `COVERAGE`), and
   stand in the same order (longest common subsequence of all words, at least `IN_ORDER`),
2. every number with its unit, date, time, code, link and name that it states stands in the passage, beside the words
   that it has there,
3. it affirms what the passage's nearest sentence affirms and denies what that denies, clause by clause, and leaves no
   exception of it out ("unless", 「除外」), and
4. it does not turn a word of that sentence into its opposite (free / paid, before / after, at most / at least …).

Each test alone is easy to fool; a sentence that passes all four is nearly always a copy or a close paraphrase, which
is what a support answer should be. The price is that a free paraphrase is refused; then the answer is composed from
the passages' own sentences, so the customer loses style, never truth.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from bot.answering.facts import facts
from bot.answering.number_context import strays
from retrieval.keywords import tokenize
from retrieval.sentences import sentences

COVERAGE = 0.75
IN_ORDER = 0.8

_NEGATION_ZH = re.compile(
    r"不(?!同|仅|但|论|管|如|过|错|锈|断|少|久|妨|满意|止|光|只)|没(?!问题|关系)|无(?!线|理由|论|人机|忧|障碍|痕)|未(?!来)|非(?!常)|勿|禁止|拒绝|除外|别(?!的|人)(?=.{0,4}(把|用|在|让|忘|直接))"
)
_NOT_NEGATION_ZH = re.compile(
    r"(是否|能否|可否|能不能|可不可以|是不是|要不要|会不会|有没有|不客气|级别|特别|区别|分别|类别|识别)"
)
_NEGATION_EN = re.compile(
    r"(?<![A-Za-z])(?:not|no|never|none|without|cannot|nor|neither|nothing|unable|except|excluding|unless|[a-z]+n['’]t)(?![A-Za-z-])",
    re.IGNORECASE,
)
_NOT_NEGATION_EN = re.compile(
    r"(?<![A-Za-z])(?:no[- ]reason|without (?:giving )?(?:a |any )?reason|not only|no later than|no more than|no\.\s?\d|no problem)(?![A-Za-z])",
    re.IGNORECASE,
)

_CLAUSE_END = re.compile(
    r"[，；：;]|[,:](?!\d)|(?<![A-Za-z])(?:and|but|otherwise)(?![A-Za-z])|否则|但", re.IGNORECASE
)
_EXCEPTION = re.compile(
    r"(?<![A-Za-z])(?:unless|except|excluding)(?![A-Za-z])|除非|除外|除(?:了|开)?[^，。；]{1,20}外",
    re.IGNORECASE,
)

_OPPOSITES = (
    (r"免费|包邮|不收费", r"收费|付费|自费|自理|另付"),
    (r"(?<!不)可以|(?<!不)能(?!否)|(?<!不)支持", r"不可以|不能|不支持|无法|不予"),
    (r"之前|以前|(?<=[日天时月])前", r"之后|以后|(?<=[日天时月])后"),
    (r"最多|至多|不超过|以内|以下", r"最少|至少|超过(?<!不超过)|以上"),
    (r"增加|上涨|提高|高于", r"减少|下降|降低|低于"),
    (r"买家|由您|顾客承担|您承担", r"由我们|我们承担|商家承担|开帆承担"),
    (r"(?<![A-Za-z])free(?![A-Za-z])|(?<![A-Za-z])no charge", r"(?<![A-Za-z])(?:you pay|charged?|at your (?:own )?(?:cost|expense)|fee of)(?![A-Za-z])"),
    (r"(?<![A-Za-z])before(?![A-Za-z])", r"(?<![A-Za-z])after(?![A-Za-z])"),
    (r"(?<![A-Za-z])(?:at most|up to|no more than|within|under|maximum)(?![A-Za-z])", r"(?<![A-Za-z])(?:at least|more than|over|minimum|exceed(?:s|ing)?)(?![A-Za-z])"),
    (r"(?<![A-Za-z])(?:can|may|possible|allowed|accepted)(?![A-Za-z'’])(?! not)", r"(?<![A-Za-z])(?:cannot|can['’]t|can not|may not|impossible|refused|not (?:possible|allowed|accepted))(?![A-Za-z])"),
    (r"(?<![A-Za-z])included?(?![A-Za-z])", r"(?<![A-Za-z])(?:excluded?|extra)(?![A-Za-z])"),
)  # fmt: skip
_OPPOSITES_COMPILED = tuple(
    (re.compile(a, re.IGNORECASE), re.compile(b, re.IGNORECASE)) for a, b in _OPPOSITES
)
_ITEM = re.compile(r"\s*(?:\||[-*+•]\s|\d+[.)、]\s)")
_UNIT = re.compile(r"[a-z0-9]+(?:['’.,-][a-z0-9]+)*|[\u3400-\u9fff]")
_MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)|[*_`#>|]+")


@dataclass(frozen=True)
class Support:
    """The verdict on one sentence. `passage` is the position of the passage that supports it; None if none does."""

    passage: int | None
    coverage: float  # 0 to 1
    reason: str = ""  # why not, when `passage` is None

    @property
    def supported(self) -> bool:
        """Whether the sentence may be shown."""
        return self.passage is not None


def check(sentence: str, passages: Sequence[str]) -> Support:
    """Find the passage that supports `sentence`, trying the nearest first.

    A sentence without content words ("Hello!") is not supported by anything: it is no answer either.
    """
    words = _content_words(sentence)
    if not words:
        return Support(None, 0.0, "says nothing")
    if sentence.rstrip().endswith(("?", "？")):
        return Support(None, 0.0, "asks instead of answering")
    best = Support(None, 0.0, "no passages")
    for position, passage in enumerate(passages):
        verdict = _check_one(sentence, words, position, passage)
        if (verdict.supported and not (best.supported and best.coverage >= verdict.coverage)) or (
            not best.supported and verdict.coverage >= best.coverage
        ):
            best = verdict
    return best


def _check_one(sentence: str, words: frozenset[str], position: int, passage: str) -> Support:
    nearest, coverage = _nearest(words, passage)
    reason = _why_not(sentence, passage, nearest, coverage)
    return Support(position, coverage) if reason is None else Support(None, coverage, reason)


def _why_not(sentence: str, passage: str, nearest: str, coverage: float) -> str | None:
    if coverage < COVERAGE:
        return f"only {coverage:.0%} of its words are in the passage"
    order = _in_order(sentence, passage)
    if order < IN_ORDER:
        return f"only {order:.0%} of its words stand in the passage's order"
    missing = facts(sentence).missing_from(facts(passage))
    if missing:
        return f"states {', '.join(sorted(missing))}, which the passage does not"
    strayed = strays(sentence, passage)
    if strayed:
        return f"states a number of something else than {', '.join(sorted(strayed))}"
    return _against(sentence, nearest)


def _against(sentence: str, nearest: str) -> str | None:
    """How the sentence says another thing than the passage's nearest one, in nearly the same words."""
    if _EXCEPTION.search(nearest) and not _EXCEPTION.search(sentence):
        return "leaves out the passage's exception"
    if _denies(sentence) != _denies(_quoted_clauses(sentence, nearest)):
        return "affirms what the passage denies, or the reverse"
    if _turns_around(sentence, nearest):
        return "says the opposite of a word in the passage"
    return None


def _nearest(words: frozenset[str], passage: str) -> tuple[str, float]:
    """The statement of `passage` that holds most of `words`, and the share that it or two neighbours hold (0 to 1).

    What is denied is looked for in one statement alone: a neighbour's "not" must not lend itself to this one.
    """
    single, joined = _statements(passage)
    if not single:
        return "", 0.0
    nearest = max(single, key=lambda part: (len(words & _content_words(part)), -len(part)))
    return nearest, max(len(words & _content_words(part)) for part in joined) / len(words)


def _statements(passage: str) -> tuple[list[str], list[str]]:
    """What the passage states: its sentences and table rows, rows also told with their header; and those joined by two.

    Neighbouring rows or list items are never joined: 「金卡」 of one row and 「30 天」 of the next state nothing together.
    """
    parts = sentences(passage)
    told = list(_told_rows(parts))
    pairs = [f"{one} {other}" for one, other in pairwise(parts) if not _ITEM.match(other)]
    return parts + told, parts + told + pairs


def _told_rows(parts: Sequence[str]) -> Iterator[str]:
    """Each row of a table as its cells, each after its column's name."""
    header: list[str] | None = None
    for part in parts:
        if not part.startswith("|"):
            header = None
            continue
        cells = [cell.strip() for cell in part.strip("| ").split("|")]
        if header is None:
            header = cells
        else:
            yield " ".join(chain.from_iterable(zip(header, cells, strict=False)))


def _quoted_clauses(sentence: str, nearest: str) -> str:
    """The clauses of `nearest` that the sentence quotes: half of their words stand in it."""
    mine = frozenset(_all_words(sentence))
    clauses = [clause for clause in _CLAUSE_END.split(nearest) if clause]
    quoted = [
        clause
        for clause in clauses
        if len(mine.intersection(words := _all_words(clause))) * 2 >= len(set(words))
    ]
    return " ".join(quoted)


def _in_order(sentence: str, passage: str) -> float:
    """The greatest share of the sentence's words that a window of the passage has in the same order (0 to 1).

    A sentence mangled from true words ("you cannot cancel an order that is not paid") fails here.
    """
    mine = _all_words(sentence)
    _, joined = _statements(passage)
    longest = max((_common_subsequence(mine, _all_words(part)) for part in joined), default=0)
    return longest / max(len(mine), 1)


def _all_words(text: str) -> list[str]:
    """English words and Chinese characters, the small ones too."""
    return _UNIT.findall(_MARKUP.sub(r"\1", unicodedata.normalize("NFKC", text)).lower())


def _common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for mine in one:
        before = 0
        for place, theirs in enumerate(other, start=1):
            kept = row[place]
            row[place] = before + 1 if mine == theirs else max(kept, row[place - 1])
            before = kept
    return row[-1]


def _content_words(text: str) -> frozenset[str]:
    """The words of `text` without its negations, which are compared apart."""
    plain = _MARKUP.sub(r"\1", text)
    return frozenset(tokenize(_NEGATION_EN.sub(" ", _NEGATION_ZH.sub(" ", plain))))


def _denies(text: str) -> bool:
    zh = len(_NEGATION_ZH.findall(_NOT_NEGATION_ZH.sub("", text)))
    en = len(_NEGATION_EN.findall(_NOT_NEGATION_EN.sub("", text)))
    return zh + en > 0


def _turns_around(sentence: str, nearest: str) -> bool:
    """Whether the sentence has only one of two opposites and the nearest one has only the other."""
    for one, other in _OPPOSITES_COMPILED:
        mine = (bool(one.search(sentence)), bool(other.search(sentence)))
        theirs = (bool(one.search(nearest)), bool(other.search(nearest)))
        if mine in ((True, False), (False, True)) and theirs == (mine[1], mine[0]):
            return True
    return False
