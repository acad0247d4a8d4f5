"""How long the console's review queue keeps a person waiting: the page, each decision, and the next batch, over HTTP.

    python benchmarks/review.py                       # 2,000 items to review among 20,000 turns
    python benchmarks/review.py --items 500 --turns 5000 --decisions 60

Kefu's server runs in a process of its own, without its language model, over a log that is made here. An editor signs in and
works the queue as the page does: loads it, settles its 25 items one after another (accept, edit and reject in turn), and
asks for the next batch. Measured is the time from the request to the last byte of the answer; what a person takes to read
and decide is not.
"""

from __future__ import annotations

import argparse
import re
import secrets
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
from load import server
from load_server import WITHOUT_MODEL
from rich.console import Console
from rich.table import Table

from bot.conversation import (
    ConversationId,
    Correction,
    Language,
    PassageUsed,
    Provenance,
    Rating,
    Route,
    ScoredIntent,
    Source,
    Turn,
    TurnId,
    VisitorId,
)
from bot.desk.accounts import Accounts
from bot.memory.connection import open_for_writing
from bot.memory.records import (
    TABLES,
    Record,
    conversation_record,
    correction_record,
    rating_record,
    turn_record,
)
from bot.memory.shared_log import SharedLog
from bot.memory.staff import Role

_LOGIN = "editor"
_BATCH, _TURNS_A_TALK = 25, 4
_DAYS = 29  # the queue looks 30 days back
_CSRF = re.compile(r'"x-kefu-csrf": "([0-9a-f]+)"')
_ITEM = re.compile(r'hx-post="/console/review/([^/"]+)/accept"')
_BETTER = "物流 48 小时没有更新，可以在订单页申请查件。 You can ask for a search after 48 hours."
_screen = Console(stderr=True)


def fill(log: Path, *, turns: int, items: int) -> None:
    """A log of `turns` turns over the last month, of which every so-manieth is one of `items` that wait for review."""
    now, every = datetime.now(UTC), max(1, turns // items)
    rows: dict[str, list[dict[str, object]]] = {table: [] for table in TABLES}
    for number in range(turns):
        talk = ConversationId(f"talk-{number // _TURNS_A_TALK}")
        if number % _TURNS_A_TALK == 0:
            _put(rows, conversation_record(talk, VisitorId(talk), "widget"))
        at = now - timedelta(days=_DAYS) * ((turns - number) / turns)
        waiting = number % every == 0 and number // every < items
        kind = (number // every) % 4 if waiting else -1
        turn = _turn(talk, number, at)
        if kind == 0:
            _put(rows, rating_record(Rating(turn.id, -1, "答非所问")))
        elif kind == 1:
            _put(rows, correction_record(Correction(turn.id, _BETTER, "小李")))
        elif kind == 2:
            turn = replace(turn, route=Route.NO_ANSWER)
        elif kind == 3:
            turn = replace(turn, route=Route.TEMPLATE, margin=0.12)
        elif number % 7 == 0:
            _put(rows, rating_record(Rating(turn.id, 1)))
        _put(rows, turn_record(turn))
    database = open_for_writing(log, wait_seconds=10)
    with database.atomic():
        for table in TABLES:
            database.table(table).insert_all(rows[table])
    database.close()


def _put(rows: dict[str, list[dict[str, object]]], record: Record) -> None:
    for table, part in record.rows.items():
        rows[table] += part


def _turn(talk: ConversationId, number: int, at: datetime) -> Turn:
    language = (Language.ZH, Language.EN)[number // _TURNS_A_TALK % 2]
    articles = [f"article-{(number + place) % 90}" for place in range(5)]
    return Turn(
        id=TurnId(f"turn-{number}"),
        conversation_id=talk,
        asked_at=at,
        customer_text=f"我的快递三天没动了，怎么办？ where is my parcel #{number}",
        question=f"我的快递三天没动了，怎么办？ where is my parcel #{number}",
        answer=_BETTER * 2,
        language=language,
        mixed=False,
        route=Route.GROUNDED,
        reason="best passage 0.83 ≥ 0.5",
        intent=f"intent-{number % 70}",
        score=0.8,
        margin=0.5,
        in_scope=0.97,
        thresholds={"template_score": 0.6, "template_margin": 0.1, "grounded_score": 0.5},
        intents=tuple(
            ScoredIntent(f"intent-{(number + place) % 70}", 0.8 - place / 10) for place in range(5)
        ),
        slots={},
        missing_slot=None,
        options=(),
        actions=(),
        passages=tuple(
            PassageUsed(place, f"{name}-0", name, "ab12", 0.9 - place / 20, cited=place == 1)
            for place, name in enumerate(articles, start=1)
        ),
        sources=(Source(1, articles[0], f"{articles[0]}-0", "快递不更新", language, 0.85),),
        provenance=Provenance("0", "index", "encoder", None, None, 1),
        timings_ms={"understand": 12.5, "search": 8.1, "total": 130.0},
    )


class Reviewer:
    """Somebody at the queue. `took` holds the seconds of each request, by what it was for."""

    def __init__(self, client: httpx.Client) -> None:
        self.took: dict[str, list[float]] = {}
        self._client = client
        self._csrf = ""

    def sign_in(self, password: str) -> None:
        """Sign in at the door."""
        page = self._client.get("/console/login").text
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
        fields = {"login": _LOGIN, "password": password, "csrf": found[1] if found else ""}
        self._client.post("/console/login", data=fields)

    def work(self, decisions: int) -> None:
        """Load the page, settle items one after another, and ask for more when none is left."""
        page = self._asked(f"page of {_BATCH} items", "GET", "/console/review")
        found = _CSRF.search(page)
        self._csrf = found[1] if found else ""
        items, done = _ITEM.findall(page), 0
        while items and done < decisions:
            for turn in items:
                what = ("accept", "correct", "reject")[done % 3]
                answer = {"answer": f"{_BETTER} {done}"} if what == "correct" else {}
                self._asked(f"one decision: {what}", "POST", f"/console/review/{turn}/{what}", answer)
                done += 1
            items = _ITEM.findall(self._asked("next batch", "GET", "/console/review?part=1"))
        for _ in range(max(0, decisions // _BATCH - 1)):
            self._asked(f"page of {_BATCH} items", "GET", "/console/review")

    def _asked(self, name: str, method: str, path: str, data: dict[str, str] | None = None) -> str:
        began = time.perf_counter()
        headers = {"x-kefu-csrf": self._csrf, "hx-request": "true"} if self._csrf else {}
        response = self._client.request(method, path, data=data, headers=headers)
        self.took.setdefault(name, []).append(time.perf_counter() - began)
        response.raise_for_status()
        return response.text


def show(took: dict[str, list[float]], *, turns: int, items: int) -> None:
    """Print the table."""
    table = Table(title=f"Review queue: {items:,} items to review among {turns:,} turns")
    for column in ("what", "requests", "p50 ms", "p95 ms", "most ms"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for name, seconds in sorted(took.items(), key=lambda each: ("decision" in each[0], each[0])):
        p50, p95 = np.percentile(seconds, [50, 95]) * 1000
        table.add_row(name, str(len(seconds)), f"{p50:.1f}", f"{p95:.1f}", f"{max(seconds) * 1000:.1f}")
    Console().print(table)


def main() -> None:
    """Fill a log, serve it, work the queue, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=20_000)
    parser.add_argument("--decisions", type=int, default=300)
    chosen = parser.parse_args()
    if chosen.turns < chosen.items:
        parser.error(f"{chosen.items} items do not fit into {chosen.turns} turns. Give --turns, too.")
    password = secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory(prefix="kefu-review-") as name:
        folder = Path(name)
        _screen.print("Filling a log …")
        fill(folder / "kefu.db", turns=chosen.turns, items=chosen.items)
        log = SharedLog(folder / "kefu.db")
        Accounts(log, session=timedelta(hours=8)).add(_LOGIN, "Editor", Role.EDITOR, password)
        log.close()
        _screen.print("Starting the server …")
        with (
            server(WITHOUT_MODEL, folder) as (address, _),
            httpx.Client(base_url=address, timeout=60, trust_env=False) as client,
        ):
            reviewer = Reviewer(client)
            reviewer.sign_in(password)
            reviewer.work(chosen.decisions)
        show(reviewer.took, turns=chosen.turns, items=chosen.items)


if __name__ == "__main__":
    main()
