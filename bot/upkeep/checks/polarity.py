"""Whether a clause says yes or no: whether what it is about can be had, is done, is free.

Only what is said counts, not what is supposed: 「未拆封的商品可以退」 and "items that do not fit can be returned" say yes,
and "if it does not arrive" says nothing. Negations of amounts limit and do not deny (「不超过 7 天」, "no later than Friday").
"""

from __future__ import annotations

import re

_SUPPOSED = re.compile(
    r"如果|若|要是|万一|除非|的话|只要|凡是|[时后前]$|(?<![A-Za-z])(?:if|unless|when|whenever|in case|as long as|once|until)(?![A-Za-z])",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"[不没未无非][^，。；的]{1,14}(?<![您你我他她它们家])的"
    r"|(?<![A-Za-z])(?:that|which|who)\s+(?:(?:do|does|did|is|are|was|were|have|has|had|can|could|will|would)\s+not|cannot|never|[a-z]+n['’]t)(?![A-Za-z])",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[^，；。！,;.!]+")
_ANY_NEGATION = re.compile(
    r"[不没未无非]|(?<![A-Za-z])(?:not|no|never|cannot|[a-z]+n['’]t)(?![A-Za-z])", re.IGNORECASE
)
_LIMITS = re.compile(
    r"不(?:超过|足|满|到|低于|少于|高于|多于|小于|大于|等|同|仅|但|只|光|论|管|过|如|错|锈|断|久|妨|止|客气|影响)"
    r"|无(?:理由|线|论)|没问题|没关系|[是能可要会]不[是能可要会]|有没有|是否|能否|可否"
    r"|(?<![A-Za-z])(?:not only|no (?:later|more|less|fewer|longer) than|no[- ]reason|no problem|not yet|no\.)(?![A-Za-z])",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"不|无法|无需|无须|没有|禁止|严禁|拒绝|恕|勿"
    r"|(?<![A-Za-z])(?:not?|never|none|cannot|unable|nor|impossible|[a-z]+n['’]t)(?![A-Za-z])",
    re.IGNORECASE,
)
_FREE = re.compile(
    r"(?<!不)(?:免费|包邮|免运费)|不收费|不另收|(?:我们|商家|平台|店家)承担"
    r"|(?<![A-Za-z-])(?<!feel )(?<!not )(?<!n['’]t )free(?: of charge)?(?![A-Za-z])"
    r"|(?<![A-Za-z])(?:no charge|no extra (?:cost|charge)|we (?:pay|cover|bear)|paid by us|at our (?:cost|expense))(?![A-Za-z])",
    re.IGNORECASE,
)
_PAID = re.compile(
    r"收费|付费|自费|自理|另付|有偿|不(?:免费|包邮|免运费)|(?:您|自己|买家|顾客|客户|用户|买方)承担"
    r"|(?<![A-Za-z])(?:not free|charged?|you (?:pay|cover|bear)|paid by (?:you|the (?:customer|buyer))|at your (?:own )?(?:cost|expense)|costs? extra)(?![A-Za-z])",
    re.IGNORECASE,
)

YES, NO, FREE, PAID = "yes", "no", "free", "paid"


def polarity(clause: str) -> frozenset[str]:
    """What `clause`, in Chinese, English or both, says: YES or NO, FREE or PAID, or nothing of the kind.

    A clause that speaks of what something costs says no YES or NO: "no charge" denies nothing.
    """
    free, paid = bool(_FREE.search(clause)), bool(_PAID.search(_FREE.sub(" ", clause)))
    if free or paid:
        return frozenset({FREE} if not paid else {PAID} if not free else {FREE, PAID})
    if _SUPPOSED.search(clause):
        return frozenset()
    return frozenset({NO if _DENIES.search(_ATTRIBUTE.sub(" ", _LIMITS.sub(" ", clause))) else YES})


def negated_conditions(clause: str) -> int:
    """How many conditions and attributes in a clause are negated: 1 in 「没拆封的可以退」, 0 in 「拆封的不能退」.

    Sentences in which this differs speak of different cases.
    """
    plain = _LIMITS.sub(" ", clause)
    return len((_ANY_NEGATION if _SUPPOSED.search(clause) else _ATTRIBUTE).findall(plain))
