"""Which questions two adapters are compared on, and what is known of their answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.conversation import Language
from bot.golden import Golden, load_golden
from finetune.evaluation.cases import Case, golden_cases, spread, talk_cases
from finetune.examples.passage_finder import Library
from finetune.examples.real_turns import RealTurn
from tests.tuned_shop import open_library, write_tuned_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Library]:
    folder = tmp_path_factory.mktemp("shop")
    settings = write_tuned_shop(folder)
    return settings.knowledge_base, open_library(settings)


def test_golden_questions_know_the_passages_that_answer(shop: tuple[Path, Library]) -> None:
    knowledge_base, library = shop
    found = golden_cases(load_golden(knowledge_base), library)
    cases = {case.id: case for case in found.cases}
    assert list(cases) == ["g1", "g2", "g5", "g7"]
    assert [case.answerable for case in cases.values()] == [True, True, False, False]
    right = cases["g1"]
    assert {right.hits[place].passage.article_id for place in right.right} == {"warranty"}
    assert (right.language, cases["g2"].language) == (Language.ZH, Language.EN)
    assert cases["g5"].right == frozenset()
    assert found.left_out == {"answered by a template alone": 1, "a follow-up": 1}


def test_a_question_whose_article_is_not_found_is_left_out(shop: tuple[Path, Library]) -> None:
    asked = [
        Golden("a", "大家电保修几年", (), "answer", frozenset({"no-such-article"})),
        Golden("b", "？！", (), "refuse", frozenset()),
    ]
    found = golden_cases(asked, shop[1])
    assert found.cases == ()
    assert found.left_out == {"the search did not bring its article": 1, "nothing was found": 1}


def test_real_turns_bring_their_reference_and_whether_a_passage_supports_it(
    shop: tuple[Path, Library],
) -> None:
    turns = [
        RealTurn("a", Language.ZH, "大家电保修几年", (), "大家电保修 3 年。", (), "t"),
        RealTurn("b", Language.ZH, "大家电保修几年", (), "请打电话问张经理。", (), "t"),
        RealTurn("c", Language.ZH, "大家电怎么喂养", (), "", (), "t"),
        RealTurn("d", Language.ZH, "？！", (), "好的。", (), "t"),
    ]
    found = talk_cases(turns, shop[1])
    assert [(case.id, case.answerable, case.reference) for case in found.cases] == [
        ("a", True, "大家电保修 3 年。"),
        ("b", None, "请打电话问张经理。"),
        ("c", False, ""),
    ]
    assert found.cases[0].right
    assert found.left_out == {"nothing was found": 1}


def test_a_limit_takes_turns_between_languages_and_kinds() -> None:
    def case(number: int, language: Language, answerable: bool) -> Case:
        return Case(f"{language}-{answerable}-{number}", "golden", language, "q", (), (), answerable)

    many = [case(number, Language.ZH, True) for number in range(50)]
    few = [case(number, Language.EN, False) for number in range(2)]
    chosen = spread([*many, *few], 6)
    assert [each.id for each in chosen] == [each.id for each in (*many[:4], *few)]
    assert len(spread(many, 100)) == 50
    assert spread([], 5) == ()
