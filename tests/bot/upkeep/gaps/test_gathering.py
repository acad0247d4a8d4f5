"""Turns are gathered by meaning across languages, under ids that stay; what was dismissed stays dismissed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlite_utils import Database

from bot.conversation import TurnId, VisitorId
from bot.memory.gaps import GapId, GapState, decide_on, gap_log, gap_of_turns, one_write, read_gaps
from bot.memory.store import Store
from bot.upkeep.gaps.gathering import gather
from bot.upkeep.gaps.space import MeaningSpace
from bot.upkeep.gaps.unanswered import UnansweredTurn
from retrieval.languages import LanguageFilter
from tests.bot.upkeep.gaps.gap_shop import NOW, BilingualEncoder, unanswered
from tests.example_turns import example_turn

DIMENSION = BilingualEncoder.dimension
SPACE = MeaningSpace(
    LanguageFilter(np.zeros((0, DIMENSION), dtype=np.float32)),
    np.zeros(DIMENSION, dtype=np.float32),
    0.45,
    50,
)


class Gathering:
    """A log, and what is gathered in it."""

    def __init__(self, log: Database, store: Store) -> None:
        self.log = log
        self._store = store
        self._known: list[UnansweredTurn] = []

    def ask(self, *questions: str, hours: float = 0) -> list[TurnId]:
        """Ask, each in a talk of its own, so many hours after now, and gather everything again."""
        asked = []
        for question in questions:
            conversation = self._store.open_conversation(VisitorId("anna"), channel="web")
            number = len(self._known) + len(asked) + 1
            turn = unanswered(
                question,
                number,
                conversation=conversation,
                asked_at=NOW + timedelta(hours=hours, seconds=number),
            )
            self._store.append_turn(
                example_turn(conversation, id=turn.id, question=question, asked_at=turn.asked_at)
            )
            asked.append(turn)
        self._known += asked
        self.again()
        return [turn.id for turn in asked]

    def again(self) -> None:
        gather(self.log, self._known, SPACE, BilingualEncoder(), at=NOW)

    def decide(self, gap: int, state: GapState) -> None:
        with one_write(self.log):
            decide_on(self.log, GapId(gap), state, at=NOW + timedelta(hours=1))

    def gaps(self, turns: Sequence[TurnId]) -> list[int]:
        belongs = gap_of_turns(self.log)
        return [belongs[turn] for turn in turns]


@pytest.fixture
def gathering(tmp_path: Path) -> Iterator[Gathering]:
    with Store(tmp_path / "kefu.db") as store, gap_log(tmp_path / "kefu.db") as log:
        yield Gathering(log, store)


def test_a_chinese_and_an_english_wording_of_one_question_are_one_gap(gathering: Gathering) -> None:
    turns = gathering.ask("学生优惠", "student discount", "水壶刻字", "engrave kettle")
    assert gathering.gaps(turns) == [1, 1, 2, 2]


def test_ids_stay_when_turns_are_added(gathering: Gathering) -> None:
    first = gathering.ask("学生优惠", "水壶刻字")
    gathering.ask("租用洗衣机", "学生优惠多少", "carbon footprint")
    assert gathering.gaps(first) == [1, 2]
    assert [gap.id for gap in read_gaps(gathering.log)] == [1, 2, 3, 4]


def test_the_same_turns_once_more_change_nothing(gathering: Gathering) -> None:
    gathering.ask("学生优惠", "student discount", "水壶刻字")
    before = read_gaps(gathering.log), gap_of_turns(gathering.log)
    gathering.again()
    assert (read_gaps(gathering.log), gap_of_turns(gathering.log)) == before


def test_a_later_turn_joins_the_gap_that_it_belongs_to(gathering: Gathering) -> None:
    gathering.ask("学生优惠", "水壶刻字")
    assert gathering.gaps(gathering.ask("student discount", "engrave")) == [1, 2]


def test_what_was_dismissed_stays_dismissed_and_takes_in_what_comes_later(gathering: Gathering) -> None:
    gathering.ask("学生优惠", "水壶刻字")
    gathering.decide(1, GapState.DISMISSED)
    later = gathering.ask("student discount", "学生优惠券", hours=2)
    assert gathering.gaps(later) == [1, 1]
    assert [gap.state for gap in read_gaps(gathering.log)] == [GapState.DISMISSED, GapState.NEW]


def test_gaps_that_come_near_enough_are_merged_into_the_older(gathering: Gathering) -> None:
    first = gathering.ask("alpha beta gamma delta", "gamma delta epsilon zeta omega")
    assert gathering.gaps(first) == [1, 2]
    bridge = gathering.ask("beta gamma delta epsilon", "gamma delta epsilon beta")
    assert gathering.gaps([*first, *bridge]) == [1, 1, 1, 1]
    assert [gap.id for gap in read_gaps(gathering.log)] == [1]


def test_a_new_gap_that_comes_near_a_dismissed_one_goes_into_it(gathering: Gathering) -> None:
    first = gathering.ask("alpha beta gamma delta", "gamma delta epsilon zeta omega")
    gathering.decide(2, GapState.DISMISSED)
    gathering.ask("beta gamma delta epsilon", "gamma delta epsilon beta", hours=2)
    assert gathering.gaps(first) == [2, 2]
    assert [(gap.id, gap.state) for gap in read_gaps(gathering.log)] == [(2, GapState.DISMISSED)]


def test_two_that_people_decided_on_are_not_merged(gathering: Gathering) -> None:
    gathering.ask("alpha beta gamma delta", "gamma delta epsilon zeta omega")
    gathering.decide(1, GapState.ACCEPTED)
    gathering.decide(2, GapState.DISMISSED)
    gathering.ask("beta gamma delta epsilon", "gamma delta epsilon beta", hours=2)
    assert [gap.id for gap in read_gaps(gathering.log)] == [1, 2]


def test_a_dismissed_gap_does_not_grow_over_its_neighbours(gathering: Gathering) -> None:
    gathering.ask("one two three")
    gathering.decide(1, GapState.DISMISSED)
    edge = gathering.ask(*["two three four"] * 20, hours=2)
    assert set(gathering.gaps(edge)) == {1}
    assert gathering.gaps(gathering.ask("three four five", hours=3)) == [2]


def test_the_title_is_the_most_typical_question(gathering: Gathering) -> None:
    gathering.ask("学生优惠", "学生优惠", "学生优惠券怎么领取", "student discount today please")
    assert read_gaps(gathering.log)[0].title == "学生优惠"
