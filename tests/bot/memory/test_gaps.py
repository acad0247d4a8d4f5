"""Gaps keep their ids and what people decided, whatever else happens to the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.conversation import ConversationId, TurnId, VisitorId
from bot.errors import StoreError
from bot.memory.gaps import (
    GapId,
    GapState,
    GapUnknown,
    Gathered,
    NewGap,
    decide_on,
    first_asked,
    gap_log,
    gap_of_turns,
    gathered_questions,
    merge_gaps,
    one_write,
    read_gap,
    read_gaps,
    write_gathered,
)
from bot.memory.migrations import ALL_STEPS, migrate_up_to
from bot.memory.store import Store
from tests.example_turns import NOON, example_turn

ANNA = VisitorId("anna")


@pytest.fixture
def talk(tmp_path: Path) -> ConversationId:
    """A conversation of six turns in `kefu.db`."""
    with Store(tmp_path / "kefu.db") as store:
        conversation = store.open_conversation(ANNA, channel="web")
        for number in range(6):
            store.append_turn(example_turn(conversation, number))
        return conversation


@pytest.fixture
def log(tmp_path: Path, talk: ConversationId) -> Iterator[Database]:
    assert talk
    with gap_log(tmp_path / "kefu.db") as opened:
        yield opened


def turn(talk: ConversationId, number: int) -> TurnId:
    return example_turn(talk, number).id


def two_gaps(log: Database, talk: ConversationId) -> None:
    """Gap 1 with turns 0 and 1, gap 2 with turn 2."""
    new = (NewGap("第一", (turn(talk, 0), turn(talk, 1))), NewGap("second", (turn(talk, 2),)))
    write_gathered(log, Gathered(new=new), at=NOON)


def test_what_was_gathered_comes_back(log: Database, talk: ConversationId) -> None:
    two_gaps(log, talk)
    first, second = read_gaps(log)
    assert (first.id, first.title, first.state, first.found_at) == (1, "第一", GapState.NEW, NOON)
    assert (second.id, second.decided, second.decided_at) == (2, False, None)
    assert gap_of_turns(log) == {turn(talk, 0): 1, turn(talk, 1): 1, turn(talk, 2): 2}
    first_turn = gathered_questions(log)[0]
    assert (first_turn.gap, first_turn.question) == (1, example_turn(talk, 0).question)
    assert first_asked(log, GapId(2)) == example_turn(talk, 2).asked_at
    assert first_asked(log, GapId(9)) is None


def test_turns_join_titles_change_and_gaps_merge(log: Database, talk: ConversationId) -> None:
    two_gaps(log, talk)
    gathered = Gathered(
        joined={turn(talk, 3): GapId(2)}, merged={GapId(2): GapId(1)}, titles={GapId(1): "新的标题"}
    )
    write_gathered(log, gathered, at=NOON)
    assert [gap.title for gap in read_gaps(log)] == ["新的标题"]
    assert set(gap_of_turns(log).values()) == {1}
    assert read_gap(log, GapId(2)).id == 1


def test_a_turn_that_another_process_gathered_first_stays_where_it_is(
    log: Database, talk: ConversationId
) -> None:
    two_gaps(log, talk)
    same = NewGap("once more", (turn(talk, 0), turn(talk, 1)))
    partly = NewGap("partly new", (turn(talk, 2), turn(talk, 4)))
    write_gathered(log, Gathered(new=(same, partly)), at=NOON)
    assert [gap.title for gap in read_gaps(log)] == ["第一", "second", "partly new"]
    assert gap_of_turns(log)[turn(talk, 2)] == 2
    assert first_asked(log, read_gaps(log)[-1].id) == example_turn(talk, 4).asked_at


def test_a_turn_may_join_a_gap_that_another_process_has_just_merged(
    log: Database, talk: ConversationId
) -> None:
    two_gaps(log, talk)
    merge_gaps(log, GapId(1), GapId(2))
    write_gathered(log, Gathered(joined={turn(talk, 3): GapId(2)}, merged={GapId(1): GapId(2)}), at=NOON)
    assert gap_of_turns(log)[turn(talk, 3)] == 1
    assert [gap.id for gap in read_gaps(log)] == [1]


def test_an_id_is_never_given_twice(log: Database, talk: ConversationId) -> None:
    two_gaps(log, talk)
    write_gathered(log, Gathered(new=(NewGap("gathered before", (turn(talk, 2),)),)), at=NOON)
    write_gathered(log, Gathered(new=(NewGap("third", (turn(talk, 5),)),)), at=NOON)
    assert [gap.id for gap in read_gaps(log)] == [1, 2, 4]


def test_decisions_are_kept_and_can_be_taken_back(log: Database, talk: ConversationId) -> None:
    two_gaps(log, talk)
    with one_write(log):
        decide_on(log, GapId(1), GapState.DISMISSED, at=NOON + timedelta(hours=1), reason="不做")
    gap = read_gap(log, GapId(1))
    assert (gap.state, gap.reason, gap.decided_at) == (GapState.DISMISSED, "不做", NOON + timedelta(hours=1))
    with one_write(log):
        decide_on(log, GapId(1), GapState.NEW, at=NOON)
    assert read_gap(log, GapId(1)).decided_at is None


def test_a_decision_inside_a_write_that_fails_did_not_happen(log: Database, talk: ConversationId) -> None:
    two_gaps(log, talk)

    def accept(*gaps: int) -> None:
        with one_write(log):
            for gap in gaps:
                decide_on(log, GapId(gap), GapState.ACCEPTED, at=NOON)

    with pytest.raises(GapUnknown):
        accept(1, 99)
    assert read_gap(log, GapId(1)).state is GapState.NEW


def test_merging_keeps_the_state_of_the_one_that_stays(log: Database, talk: ConversationId) -> None:
    two_gaps(log, talk)
    with one_write(log):
        decide_on(log, GapId(2), GapState.DISMISSED, at=NOON)
    assert merge_gaps(log, GapId(2), GapId(1)).state is GapState.DISMISSED
    assert [gap.id for gap in read_gaps(log)] == [2]
    with pytest.raises(GapUnknown, match="one gap already"):
        merge_gaps(log, GapId(1), GapId(2))


def test_an_unknown_id_is_named(log: Database) -> None:
    with pytest.raises(GapUnknown, match="no gap 7"):
        read_gap(log, GapId(7))


def test_a_file_that_is_no_log_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "kefu.db").write_bytes(b"no database at all, but long enough to look at" * 10)
    with pytest.raises(StoreError, match="not a Kefu log"), gap_log(tmp_path / "kefu.db"):
        pass


def test_a_log_of_the_version_before_takes_gaps_and_keeps_its_turns(
    tmp_path: Path, talk: ConversationId
) -> None:
    old = tmp_path / "old.db"
    with closing(Database(old)) as log:
        migrate_up_to(log, "s004_gaps")
        log.conn.execute("ATTACH ? AS now", [str(tmp_path / "kefu.db")])
        log.conn.execute("INSERT INTO conversations SELECT * FROM now.conversations")
        names = ", ".join(log.table("turns").columns_dict)
        log.conn.execute(f"INSERT INTO turns SELECT {names} FROM now.turns")  # noqa: S608
        log.conn.commit()
    with gap_log(old) as log:
        two_gaps(log, talk)
        assert len(read_gaps(log)) == 2
    with Store(old) as store:
        assert len(store.turns(talk)) == 6
        assert store.check().schema == ALL_STEPS[-1]
        assert store.check().integrity == "ok"
