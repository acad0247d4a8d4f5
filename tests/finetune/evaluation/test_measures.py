"""What is measured of answers, and which differences count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.conversation import Language
from finetune.evaluation.cases import Case
from finetune.evaluation.contenders import Answered
from finetune.evaluation.judging import Draft
from finetune.evaluation.measures import METRICS, Metric, Observed, Score, by_name, observe, scores
from finetune.evaluation.statistics import Estimate
from retrieval.documents import Hit, Passage

PASSAGE = Passage("w", "warranty", "zh", "保修", ("大家电",), "大家电保修 3 年。电池不在保修范围内。", 0, "")
OTHER = Passage("v", "voltage", "zh", "电压", (), "电压是 220 伏。", 0, "")
BY_NAME = {metric.name: metric for metric in METRICS}


def case(**changes: object) -> Case:
    hits = (Hit(PASSAGE, 0.9, 0.9, 1.0), Hit(OTHER, 0.5, 0.5, 1.0))
    known = Case(
        "c", "talks", Language.ZH, "大家电保修几年", (), hits, True, frozenset({0}), "大家电保修 3 年。"
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def drafted(text: str, source: int | None = 1, **changes: object) -> Answered:
    shown = Answered(text, (0,) if text else (), "draft", Draft(text, source, 0.5, 1.0), 0.5, 1.0)
    return replace(shown, **changes)  # type: ignore[arg-type]


def measured(one: Case, answered: Answered) -> dict[str, float | None]:
    seen = observe(one, answered)
    return {metric.name: metric.of(seen) for metric in METRICS}


def test_a_good_answer_is_good_in_every_metric() -> None:
    assert measured(case(), drafted("大家电保修 3 年。")) == {
        "supported": 1.0,
        "right_refusal": None,
        "false_refusal": 0.0,
        "numbers_exact": 1.0,
        "right_passage": 1.0,
        "similarity": 1.0,
        "right_language": 1.0,
        "repeats": 0.0,
        "length": 17.0,
        "seconds_to_first": 0.5,
        "seconds": 1.0,
    }


def test_an_invention_is_seen_in_the_draft_though_the_customer_never_reads_it() -> None:
    composed = Answered(
        "大家电保修 3 年。", (0,), "composed", Draft("大家电保修 8 年。大家电保修 3 年。", 1), 0.1, 0.1
    )
    found = measured(case(), composed)
    assert (found["supported"], found["numbers_exact"], found["similarity"]) == (0.5, 0.0, 1.0)


def test_a_refusal_is_right_or_false_by_what_the_passages_hold() -> None:
    declined = drafted("", source=0)
    assert measured(case(), declined)["false_refusal"] == 1.0
    assert measured(case(), declined)["similarity"] == 0.0
    open_question = case(answerable=False, right=frozenset(), reference="")
    assert measured(open_question, declined)["right_refusal"] == 1.0
    assert measured(open_question, drafted("大家电保修 3 年。"))["right_refusal"] == 0.0
    assert measured(open_question, declined)["similarity"] is None
    unknown = case(answerable=None, right=frozenset())
    assert measured(unknown, declined)["right_refusal"] is None
    assert measured(unknown, declined)["false_refusal"] is None


def test_what_was_composed_has_no_draft_to_judge_and_no_time_to_be_compared() -> None:
    found = measured(case(), Answered("大家电保修 3 年。", (0,), "composed", None, 0.1, 0.2))
    assert [found[name] for name in ("supported", "numbers_exact", "repeats", "seconds")] == [None] * 4
    assert found["right_passage"] == 1.0


def test_an_answer_from_another_article_or_in_another_language_is_noticed() -> None:
    found = measured(case(), drafted("The voltage is 220 volts.", cited=(1,)))
    assert (found["right_passage"], found["right_language"]) == (0.0, 0.0)


def test_scores_compare_the_same_cases_in_each_language() -> None:
    cases = [case(id=str(n), language=Language.ZH if n < 6 else Language.EN) for n in range(10)]
    good = [observe(one, drafted("大家电保修 3 年。")) for one in cases]
    bad = [
        observe(one, drafted("", source=0) if int(one.id) < 6 else drafted("大家电保修 3 年。"))
        for one in cases
    ]
    found = by_name(scores(good, bad))
    similarity = found["similarity", "all"]
    assert (similarity.candidate.mean, similarity.current.mean) == (1.0, 0.4)
    assert similarity.gained
    assert not similarity.lost
    assert found["similarity", "zh"].difference.mean == 1.0
    assert found["similarity", "en"].difference.mean == 0.0
    assert not found["similarity", "en"].gained
    assert found["false_refusal", "zh"].gained  # lower is better
    assert by_name(scores(bad, good))["similarity", "zh"].lost
    assert by_name(scores(bad, good))["false_refusal", "zh"].lost
    assert not found["length", "all"].gained


def test_a_scope_without_cases_has_no_scores() -> None:
    seen = [observe(case(), drafted("大家电保修 3 年。"))]
    assert {score.scope for score in scores(seen, seen)} == {"all", "zh"}
    assert scores([], []) == []


def test_answers_to_different_cases_are_not_compared() -> None:
    one, other = observe(case(), drafted("")), observe(case(id="d"), drafted(""))
    with pytest.raises(ValueError, match="same cases"):
        scores([one], [other])


def test_a_little_slower_is_no_loss_and_a_lot_is() -> None:
    def score(low: float) -> Score:
        difference = Estimate(low + 0.05, low, low + 0.1, 100)
        now = Estimate(1.0, 0.9, 1.1, 100)
        return Score("seconds", "all", now, now, difference, "lower", slack=0.25)

    assert not score(0.2).lost
    assert score(0.3).lost


def test_a_delay_that_nobody_notices_is_no_loss_however_fast_the_answers_are() -> None:
    def lost(seconds: float) -> bool:
        now = [observe(case(), drafted("大家电保修 3 年。", seconds=0.01))] * 9
        later = [observe(case(), drafted("大家电保修 3 年。", seconds=seconds))] * 9
        return by_name(scores(later, now))["seconds", "all"].lost

    assert not lost(0.1)
    assert lost(0.12)


def test_nothing_to_compare_is_neither_a_gain_nor_a_loss() -> None:
    nothing = Estimate(0.0, 0.0, 0.0, 0)
    for better in ("higher", "lower", "neither"):
        score = Score("supported", "all", nothing, nothing, nothing, better, slack=0.0)  # type: ignore[arg-type]
        assert not score.gained
        assert not score.lost


def test_how_much_worse_one_answer_is_than_the_other() -> None:
    good, bad = observe(case(), drafted("大家电保修 3 年。")), observe(case(), drafted("", source=0))
    assert BY_NAME["similarity"].fall(bad, good) == 1.0
    assert BY_NAME["false_refusal"].fall(bad, good) == 1.0
    assert BY_NAME["similarity"].fall(good, bad) == -1.0
    assert BY_NAME["length"].fall(good, good) == 0.0
    assert BY_NAME["supported"].fall(bad, good) == 0.0  # nothing was written
    assert isinstance(BY_NAME["supported"], Metric)
    assert isinstance(good, Observed)
