"""How long the console's overview takes on a large log: all figures of 30 days, and the list behind one of them.

    python benchmarks/overview.py [TURNS]

Turns are made by copying one; what is measured is SQLite and the counting, each three times, the slowest printed: seconds
on the clock, and of the processor, which other work on the machine does not make longer.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from sqlite_utils import Database

from bot.conversation import Language, Route
from bot.insight.figures import Period
from bot.insight.overview import overview
from bot.insight.talk_rows import Filter, TalkRow, talks
from bot.memory.connection import open_for_writing
from bot.memory.records import Row, stamp

_TURNS_A_TALK, _RUNS = 4, 3
_PERIOD = Period(date(2026, 11, 1), date(2026, 11, 30), ZoneInfo("Asia/Shanghai"))
_ROUTES = (Route.TEMPLATE, Route.GROUNDED, Route.NO_ANSWER, Route.CLARIFY)


def fill(log: Database, turns: int) -> None:
    """Talks of `_TURNS_A_TALK` turns, evenly over the period; every second visitor comes back, every fifth turn is rated."""
    count = turns // _TURNS_A_TALK
    span = (_PERIOD.until - _PERIOD.since) / count
    conversations, rows, ratings = [], [], []
    for talk in range(count):
        opened = _PERIOD.since + talk * span
        conversations.append((f"c{talk}", f"v{talk // 2}", "widget", stamp(opened)))
        for number in range(_TURNS_A_TALK):
            at = stamp(opened + timedelta(seconds=30 * number))
            rows.append(_turn(talk, number, at))
            if len(rows) % 5 == 0:
                ratings.append((f"r{len(rows)}", rows[-1]["id"], 1 if talk % 3 else -1, "", at))
    with log.atomic():
        log.conn.executemany("INSERT INTO conversations VALUES (?, ?, ?, ?)", conversations)
        names = ", ".join(rows[0])
        marks = ", ".join(f":{name}" for name in rows[0])
        log.conn.executemany(f"INSERT INTO turns ({names}) VALUES ({marks})", rows)  # noqa: S608 — names are ours
        log.conn.executemany(
            "INSERT INTO ratings (id, turn_id, value, reason, given_at) VALUES (?, ?, ?, ?, ?)", ratings
        )


def _turn(talk: int, number: int, at: str) -> Row:
    empty = dict.fromkeys(("thresholds", "slots", "masked"), "{}") | dict.fromkeys(
        ("options", "actions", "flags"), "[]"
    )
    return {
        "id": f"t{talk}-{number}",
        "conversation_id": f"c{talk}",
        "asked_at": at,
        "customer_text": f"我的快递三天没动了，怎么办？ where is my parcel #{talk}",
        "question": f"快递三天没动怎么办 #{talk}",
        "answer": "物流 48 小时没有更新，可以申请查件。 You can ask for a search after 48 hours." * 3,
        "language": (Language.ZH, Language.EN)[talk % 2].value,
        "mixed": 0,
        "route": _ROUTES[(talk + number) % len(_ROUTES)].value,
        "reason": "measured",
        "intent": f"intent-{talk % 70}",
        "score": 0.9,
        "margin": 0.5,
        "in_scope": 0.9,
        "kefu": "0",
        "index_id": "0",
        "encoder": "none",
        "timings_ms": f'{{"understand": 12.5, "search": 8.1, "total": {100 + (talk * 37) % 900}.0}}',
        **empty,
    }


def first_page(log: Database, wanted: Filter, now: datetime) -> list[TalkRow]:
    """What the page shows of a figure's talks."""
    return list(talks(log, _PERIOD, wanted, most=51, now=now))


def slowest(work: Callable[[], object]) -> tuple[str, str]:
    """Seconds of the slowest of a few runs, on the clock and of the processor."""
    clock, processor = [], []
    for _ in range(_RUNS):
        began, busy = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - began)
        processor.append(time.process_time() - busy)
    return f"{max(clock):.2f}", f"{max(processor):.2f}"


def main() -> None:
    """Measure and print."""
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    table = Table("What", "Seconds", "Processor's")
    with tempfile.TemporaryDirectory(prefix="kefu-overview-") as folder:
        log = open_for_writing(Path(folder) / "kefu.db", wait_seconds=5)
        fill(log, turns)
        now = datetime(2026, 12, 31, tzinfo=UTC)
        table.add_row(f"all figures of {turns} turns", *slowest(lambda: overview(log, _PERIOD, now=now)))
        for wanted in (Filter("resolved"), Filter("down"), Filter(words="快递"), Filter("hours", "0-9")):
            name = " ".join(filter(None, (wanted.figure, wanted.value, wanted.words)))
            table.add_row(f"first page of the talks: {name}", *slowest(partial(first_page, log, wanted, now)))
        log.close()
    Console().print(table)


if __name__ == "__main__":
    main()
