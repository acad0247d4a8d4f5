"""Pictures and files that customers sent, as the log knows them; the bytes lie under `Settings.uploads_path`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from sqlite_utils import Database

from bot.conversation import ConversationId
from bot.memory.records import Row, stamp

UploadId = NewType("UploadId", str)


@dataclass(frozen=True)
class Upload:
    """A file that a customer sent. Whoever holds its id may read it."""

    id: UploadId
    conversation_id: ConversationId
    name: str
    media_type: str
    bytes: int
    sha256: str  # of the content, in hexadecimal
    uploaded_at: datetime  # UTC


def add_upload(log: Database, upload: Upload) -> None:
    """Note a file."""
    log.conn.execute(
        "INSERT INTO uploads (id, conversation_id, name, media_type, bytes, sha256, uploaded_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            upload.id,
            upload.conversation_id,
            upload.name,
            upload.media_type,
            upload.bytes,
            upload.sha256,
            stamp(upload.uploaded_at),
        ],
    )


def find_upload(log: Database, upload_id: str) -> Upload | None:
    """The file of this id, or None."""
    row = next(log.query("SELECT * FROM uploads WHERE id = ?", [upload_id]), None)
    return None if row is None else _upload(row)


def uploads_of(log: Database, conversation: ConversationId) -> list[Upload]:
    """A conversation's files, the oldest first."""
    sql = "SELECT * FROM uploads WHERE conversation_id = ? ORDER BY uploaded_at"
    return [_upload(row) for row in log.query(sql, [conversation])]


def _upload(row: Row) -> Upload:
    return Upload(
        id=UploadId(row["id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        name=row["name"],
        media_type=row["media_type"],
        bytes=row["bytes"],
        sha256=row["sha256"],
        uploaded_at=datetime.fromisoformat(row["uploaded_at"]),
    )
