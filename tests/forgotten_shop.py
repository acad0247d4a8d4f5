"""A log in which two customers are in every table that can hold one, with their files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.conversation import ConversationId, Correction, Language, Rating, TurnId, VisitorId
from bot.desk.desk import Desk
from bot.desk.hours import Hours
from bot.memory.calls import CallReason
from bot.memory.gaps import choose_turn
from bot.memory.outbox import put
from bot.memory.shared_log import SharedLog
from bot.memory.staff import note
from bot.memory.store import Store
from bot.memory.uploads import Upload, UploadId, add_upload
from bot.memory.visits import Customer
from tests.desk_staff import LI, employ
from tests.example_turns import example_turn

LONG_AGO = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Guest:
    """A customer whose every trace holds `mark`."""

    mark: str
    conversation: ConversationId
    turn: TurnId


class ForgetfulShop:
    """The log, its uploads' folder, and what puts a customer into every table."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "kefu.db")
        self.uploads = folder / "uploads"
        self.uploads.mkdir()
        self.log = SharedLog(self.store.path)
        self.at = LONG_AGO
        always = Hours("24/7", time_zone="Asia/Shanghai", country=None)
        self.desk = Desk(self.store.path, always, lambda text: text, now=lambda: self.at)
        employ(self.desk, LI)

    def close(self) -> None:
        for part in (self.desk, self.log, self.store):
            part.close()

    def visit(self, mark: str, at: datetime, *, ended: bool = True) -> Guest:
        """A customer who asks, is answered, rates, sends a file, and talks to a person; all of it then."""
        self.at = at
        conversation = self.store.open_conversation(VisitorId(f"{mark}-browser"), channel="widget")
        turn = example_turn(
            conversation,
            asked_at=at,
            customer_text=f"{mark} 的快递 where is it",
            question=f"{mark} 的快递",
            answer=f"{mark} 您好",
        )
        self.store.append_turn(turn)
        self.store.add_rating(conversation, Rating(turn.id, -1, f"{mark} 不满意"))
        self.store.add_correction(Correction(turn.id, f"{mark} 应该这样答", "小李"))
        self.desk.identify(conversation, Customer(f"{mark}-id", f"{mark}-name"))
        self.desk.note_page(conversation, f"https://shop.example/{mark}", f"{mark} 的订单")
        self.desk.call(conversation, CallReason.ASKED, language=Language.ZH)
        self.desk.take(conversation, LI)
        self.desk.hear(conversation, f"{mark} 在吗", turn.id)
        self.desk.reply(conversation, LI, f"{mark} 您好")
        if ended:
            self.desk.close_call(conversation, LI, f"{mark} 已退款")
        upload = Upload(
            UploadId(f"{mark}-file"), conversation, f"{mark}.png", "image/png", 4, "00", uploaded_at=at
        )
        (self.uploads / upload.id).write_bytes(mark.encode())
        with self.log.writing() as log:
            add_upload(log, upload)
            gap = choose_turn(log, turn.id, turn.question, at=at)
            put(log, "rating.added", "https://other.example", _body(conversation, turn.id), at=at)
            note(log, LI.id, "take", conversation, "", at=at)
            note(log, LI.id, "golden_turn", turn.id, turn.customer_text, at=at)
            note(log, LI.id, "gap_accepted", str(gap.id), "", at=at)
            log.conn.execute(
                "UPDATE conversations SET opened_at = ? WHERE id = ?",
                [at.isoformat(timespec="microseconds"), conversation],
            )
        return Guest(mark, conversation, turn.id)

    def traces(self, *needles: str) -> set[str]:
        """The tables with a row in which one of the texts stands."""
        found = set()
        with self.log.reading() as log:
            for table in log.table_names():
                rows = list(log.query(f"SELECT * FROM [{table}]"))  # noqa: S608
                if any(needle in str(row) for row in rows for needle in needles):
                    found.add(table)
        return found

    def traces_of(self, guest: Guest) -> set[str]:
        """The tables in which a customer is, by what they said and by their ids."""
        return self.traces(guest.mark, guest.conversation, guest.turn)

    def bytes_of(self) -> bytes:
        """The log's files as they lie on disk."""
        return b"".join(self._files())

    def _files(self) -> Iterator[bytes]:
        for end in ("", "-wal"):
            path = self.store.path.with_name(self.store.path.name + end)
            if path.exists():
                yield path.read_bytes()


def a_day(number: float) -> timedelta:
    """So many days."""
    return timedelta(days=number)


def _body(conversation: ConversationId, turn: TurnId) -> str:
    return f'{{"type": "rating.added", "data": {{"conversation_id": "{conversation}", "turn_id": "{turn}"}}}}'
