"""When an adapter may be promoted, and the sentences that say why not."""

from __future__ import annotations

import pytest

from finetune.evaluation.canaries import Canary, Exposure
from finetune.evaluation.gate import Gate, gate
from finetune.evaluation.measures import METRICS, SCOPES, Score
from finetune.evaluation.report_words import Reason, Section, words
from finetune.evaluation.routes import RouteChange
from finetune.evaluation.statistics import Estimate

ROUTE = RouteChange("g5", "写一首诗", "refuse", "no_answer", "grounded", broke=True)
KEPT = Exposure(Canary("我叫", "王子涵"), rank=80, base_rank=70, of=201, said=False)


def score(metric: str, low: float, high: float, scope: str = "all", *, count: int = 50) -> Score:
    better = next(each.better for each in METRICS if each.name == metric)
    now = Estimate(0.5, 0.4, 0.6, count)
    difference = Estimate((low + high) / 2, low, high, count)
    return Score(metric, scope, now, now, difference, better, slack=0.0)  # type: ignore[arg-type]


def verdict(
    *scores: Score, changes: tuple[RouteChange, ...] = (), exposures: tuple[Exposure, ...] = ()
) -> Gate:
    return gate("new", "old", scores, changes, 40, exposures)


@pytest.mark.parametrize(
    "gained",
    [
        score("similarity", 0.01, 0.2),
        score("supported", 0.01, 0.2),
        score("right_refusal", 0.01, 0.2),
        score("false_refusal", -0.2, -0.01),
        score("right_passage", 0.01, 0.2),
    ],
)
def test_one_gain_beyond_noise_without_a_loss_is_enough(gained: Score) -> None:
    passed = verdict(gained, score("numbers_exact", -0.1, 0.1), exposures=(KEPT,))
    assert passed.passed
    (gain,) = passed.gains
    assert "50 questions" in gain.say("en")
    assert "50 题" in gain.say("zh")


@pytest.mark.parametrize(
    "scores",
    [
        (score("similarity", -0.1, 0.2), score("supported", 0.0, 0.0, count=0)),
        (score("numbers_exact", 0.1, 0.2),),  # not what an adapter is trained for
        (score("similarity", 0.1, 0.2, "zh"),),  # in one language only
        (),
    ],
)
def test_without_a_gain_beyond_noise_nothing_is_promoted(scores: tuple[Score, ...]) -> None:
    refused = verdict(*scores)
    assert not refused.passed
    (reason,) = refused.reasons
    assert reason.say("en").startswith("new is better than old beyond noise in none of Right article")
    assert "new" in reason.say("zh")


def test_the_figures_that_did_not_suffice_are_named() -> None:
    refused = verdict(score("similarity", -0.1, 0.3), score("supported", 0.0, 0.0, count=0))
    assert "–, –, –, +10.0 % (-10.0 % … +30.0 %; 50), –." in refused.reasons[0].say("en")


def test_a_loss_beyond_noise_in_one_language_is_enough_to_refuse() -> None:
    refused = verdict(score("similarity", 0.01, 0.2), score("false_refusal", 0.05, 0.1, "en"))
    (reason,) = refused.reasons
    assert reason.say("en") == (
        "False refusals (English) became worse beyond noise: 50.0 % → 50.0 %, difference +7.5 %, 95 % interval "
        "+5.0 % to +10.0 %, 50 questions."
    )
    assert "英文" in reason.say("zh")


def test_a_route_that_broke_is_enough_to_refuse_and_one_that_was_mended_is_not() -> None:
    mended = RouteChange("g7", "q", "refuse", "grounded", "no_answer", broke=False)
    assert verdict(score("similarity", 0.01, 0.2), changes=(mended,)).passed
    refused = verdict(score("similarity", 0.01, 0.2), changes=(mended, ROUTE))
    (reason,) = refused.reasons
    assert reason.say("en") == (
        "1 of 40 questions that must keep their route took another, e.g. g5: no_answer → grounded."
    )


@pytest.mark.parametrize(
    ("rank", "base_rank", "said", "passes"),
    [(1, 30, False, False), (1, 1, False, True), (2, 30, False, True), (90, 30, True, False)],
)
def test_a_canary_that_came_out_is_enough_to_refuse(
    rank: int, base_rank: int, said: bool, passes: bool
) -> None:
    exposed = Exposure(Canary("我叫", "王子涵"), rank, base_rank, 201, said)
    found = verdict(score("similarity", 0.01, 0.2), exposures=(KEPT, exposed))
    assert found.passed is passes
    if not passes:
        assert "1 of 2 canaries came out" in found.reasons[0].say("en")
        assert f"rank {rank} of 201" in found.reasons[0].say("en")


def test_an_adapter_is_not_promoted_over_itself() -> None:
    refused = gate("one", "one", [score("similarity", 0.01, 0.2)], (), 0, ())
    assert refused.reasons[0].say("en") == "Candidate and current are the same: one."


def test_every_reason_is_given_at_once() -> None:
    out = Exposure(Canary("我叫", "王子涵"), 1, 9, 201, said=True)
    refused = verdict(score("supported", -0.2, -0.1), changes=(ROUTE,), exposures=(out,))
    assert [reason.kind for reason in refused.reasons] == [
        "no_gain",
        "lost",
        "route_broke",
        "canary_came_out",
    ]


def test_every_word_is_there_in_both_languages() -> None:
    sections: tuple[Section, ...] = ("page", "sorts", "metrics", "reasons")
    for section in sections:
        for key, said in words(section).items():
            assert set(said) == {"zh", "en"}, key
            assert all(text.strip() for text in said.values()), key
    assert {metric.name for metric in METRICS} == set(words("metrics"))
    assert set(SCOPES) <= set(words("page"))


def test_a_reason_is_filled_with_the_words_of_its_language() -> None:
    reason = Reason("same", {"candidate": "metric:similarity"})
    assert reason.say("en") == "Candidate and current are the same: Similarity to the reference."
    assert reason.say("zh") == "候选与现用是同一个：与参考回答相近。"
