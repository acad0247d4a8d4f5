"""Of several answers to one question the best stays, and everything else says what it lost to."""

from __future__ import annotations

import pytest

from bot.conversation import Language
from finetune.curation.choose import (
    Agreement,
    Candidate,
    knowledge_agreement,
    no_opinion,
    standing,
    worse_ones,
)
from finetune.curation.likeness import Question, alike
from finetune.records import Exchange
from retrieval.documents import Article

ANSWERS = {
    "unrated": {"author": "bot"},
    "agent": {"author": "agent"},
    "up": {"author": "bot", "rating": 1},
    "corrected": {"author": "agent", "rejected": "no", "rating": -1},
}


def _exchange(id_: str, answer: str = "七天内可以退货，运费由我们承担。", **changes: object) -> Exchange:
    return Exchange(id_, "怎么退货", answer, **{"language": Language.ZH, **changes})  # type: ignore[arg-type]


def _dropped(*exchanges: Exchange, agreement: Agreement = no_opinion) -> dict[str, str]:
    candidates = [Candidate(exchange, Question(exchange.question)) for exchange in exchanges]
    found = alike([candidate.asked for candidate in candidates], 0.7)
    return dict(worse_ones(candidates, found, agreement))


def test_people_outrank_votes_that_outrank_silence() -> None:
    ranked = sorted(ANSWERS, key=lambda name: standing(_exchange(name, **ANSWERS[name])))
    assert ranked == ["corrected", "up", "agent", "unrated"]
    exchanges = [_exchange(name, answer=f"回答甲乙丙丁 {name}", **fields) for name, fields in ANSWERS.items()]
    assert set(_dropped(*exchanges)) == {"unrated", "agent", "up"}


def test_what_the_knowledge_base_says_decides_between_equals() -> None:
    article = Article("returns", "zh", "退货", "收到商品后七天内可以退货，运费由我们承担。", "a.md")
    agreement = knowledge_agreement([article])
    true, false = _exchange("true"), _exchange("a-false", answer="不接受任何退货，请联系厂家处理。")
    assert agreement("怎么退货", true.answer) > 0.8 > agreement("怎么退货", false.answer)
    assert set(_dropped(true, false, agreement=agreement)) == {"a-false"}
    assert knowledge_agreement([])("q", "a") == 0.0


def test_a_sensible_length_decides_between_strangers() -> None:
    assert set(
        _dropped(_exchange("a", answer="可以"), _exchange("b"), _exchange("c", answer="很长" * 500))
    ) == {"a", "c"}


def test_the_agreement_is_asked_only_where_there_is_a_choice() -> None:
    asked = []

    def agreement(question: str, answer: str) -> float:
        asked.append(question)
        return 0.0

    lone = Exchange("lone", "what are the opening hours", "9 to 21", Language.EN)
    _dropped(_exchange("a"), _exchange("b"), lone, agreement=agreement)
    assert asked == ["怎么退货", "怎么退货"]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ("七天内可以退货，运费由我们承担。", "exact duplicate"),
        ("七天内可以退货，运费由我们承担哦，亲", "near-duplicate"),
        ("请在订单详情页提交申请单。", "another answer to this question is better"),
    ],
)
def test_the_reason_says_how_alike_the_answers_are(other: str, reason: str) -> None:
    assert _dropped(_exchange("a", author="agent"), _exchange("b", answer=other)) == {"b": reason}


def test_no_two_kept_questions_are_neighbours_and_every_dropped_one_has_a_kept_neighbour() -> None:
    questions = [
        "怎么退货",
        "请问怎么退货",
        "请问一下怎么退货",
        "请问一下怎么退货可以吗",
        "怎么开发票",
        "how to return",
        "how to return it",
    ]
    exchanges = [Exchange(str(n), question, f"回答 {n}", Language.ZH) for n, question in enumerate(questions)]
    found = alike([Question(question) for question in questions], 0.6)
    dropped = worse_ones([Candidate(e, Question(e.question)) for e in exchanges], found, no_opinion)
    kept = {found.numbers[n] for n in range(len(questions)) if str(n) not in dropped}
    assert all(not found.near[number] & kept for number in kept)
    assert all(({found.numbers[int(n)]} | found.near[found.numbers[int(n)]]) & kept for n in dropped)
    assert len(kept) + len(dropped) == len(questions)
