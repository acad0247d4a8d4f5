"""Takes pictures and files from customers: what a file is, its own first bytes say, not its name or the browser."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from starlette.responses import Response

from bot.conversation import ConversationId
from bot.errors import InputRefused, StoreError
from bot.memory.shared_log import SharedLog
from bot.memory.uploads import Upload, UploadId, add_upload, find_upload, uploads_of

_TEXT = "text/plain"
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
ACCEPTED = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", _TEXT)
_MOST_FILES = 20  # of one conversation
_LONGEST_NAME = 120


def media_type_of(content: bytes) -> str | None:
    """What a file is, by its bytes: one of `ACCEPTED`, or None for anything else."""
    for signature, media_type in _SIGNATURES:
        if content.startswith(signature):
            return media_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return _TEXT if text and "\0" not in text else None


class Uploads:
    """The files of a folder, with their rows in the log. Safe to share between threads."""

    def __init__(self, folder: Path, log: SharedLog, *, max_bytes: int) -> None:
        """Nothing is made before the first file comes; `max_bytes` is the most that one may have."""
        self._folder = folder
        self._log = log
        self._max_bytes = max_bytes

    def keep(self, conversation: ConversationId, name: str, content: bytes) -> Upload:
        """Keep a file that a customer sent in `conversation`.

        Raises:
            InputRefused: it is empty, too large, of a kind that is not taken, or one too many.
            StoreError: it cannot be written.
        """
        media_type = self._checked(conversation, content)
        upload = Upload(
            id=UploadId(secrets.token_urlsafe(32)),
            conversation_id=conversation,
            name=_plain_name(name),
            media_type=media_type,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            uploaded_at=datetime.now(UTC),
        )
        path = self._folder / upload.id
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            half = path.with_suffix(".part")
            half.write_bytes(content)
            half.replace(path)
        except OSError as error:
            raise StoreError(f"The file cannot be kept in {self._folder}: {error}.") from error
        try:
            with self._log.writing() as log:
                add_upload(log, upload)
        except StoreError:
            path.unlink(missing_ok=True)
            raise
        return upload

    def of(self, conversation: ConversationId) -> list[Upload]:
        """A conversation's files, the oldest first."""
        with self._log.reading() as log:
            return uploads_of(log, conversation)

    def response(self, upload_id: str) -> Response | None:
        """The file of this id for a browser, which may show a picture and must save anything else; None without one."""
        with self._log.reading() as log:
            upload = find_upload(log, upload_id)
        if upload is None:
            return None
        try:
            content = (self._folder / upload.id).read_bytes()
        except FileNotFoundError:
            return None
        shown = "inline" if upload.media_type.startswith("image/") else "attachment"
        return Response(
            content,
            media_type=upload.media_type,
            headers={
                "content-disposition": f"{shown}; filename*=UTF-8''{quote(upload.name, safe='')}",
                "cache-control": "private, max-age=86400, immutable",
                "cross-origin-resource-policy": "cross-origin",
            },
        )

    def _checked(self, conversation: ConversationId, content: bytes) -> str:
        if len(content) > self._max_bytes:
            raise InputRefused(
                "file_too_large", f"The file has {len(content)} bytes; at most {self._max_bytes} are taken."
            )
        media_type = media_type_of(content)
        if media_type is None:
            raise InputRefused("file_kind", "The file is none of: picture, PDF, text.")
        if len(self.of(conversation)) >= _MOST_FILES:
            raise InputRefused("too_many_files", f"The conversation has {_MOST_FILES} files already.")
        return media_type


def _plain_name(name: str) -> str:
    """The name without a path and without characters that cannot be seen."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(character for character in last if unicodedata.category(character)[0] != "C").strip()
    return seen[-_LONGEST_NAME:] or "file"
