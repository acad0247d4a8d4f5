"""Names for conversations and customers that are the same every time and lead back to nobody.

Ticket numbers and mail addresses can be guessed, so a plain hash of one could be, too. The key makes it impossible; it
is made on first use, lies beside the log, and leaves the machine in no export.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from finetune.errors import FinetuneError
from retrieval.publish import write_atomically

_BYTES = 32
_DIGITS = 24


@dataclass(frozen=True)
class Pseudonyms:
    """Gives pseudonyms of 24 hex digits, the same for the same key."""

    key: bytes = field(repr=False)

    def conversation(self, source: str, name: str) -> str:
        """For a conversation that `source` calls `name`."""
        return self._digits("conversation", source, name)

    def customer(self, source: str, name: str) -> str:
        """For a customer that `source` calls `name`. A mail address is the same person in every source."""
        plain = name.strip().casefold()
        return self._digits("customer", "" if "@" in plain else source, plain)

    def _digits(self, *words: str) -> str:
        text = "\0".join(words).encode("utf-8", "surrogatepass")
        return hmac.new(self.key, text, hashlib.sha256).hexdigest()[:_DIGITS]


def load_pseudonyms(path: Path) -> Pseudonyms:
    """The key at `path`, made if there is none; its folder is made, too.

    Raises:
        FinetuneError: the file cannot be read or written, or is no key.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, secrets.token_hex(_BYTES).encode())
            path.chmod(0o600)
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise FinetuneError(
            f"The key for pseudonyms, {path}, cannot be used: {error}. Make its folder writable; if the file is "
            "broken, delete it: new imports then get new pseudonyms."
        ) from error
    if len(key) != _BYTES:
        raise FinetuneError(f"{path} holds {len(key)} bytes, not {_BYTES}. Delete it to get a new key.")
    return Pseudonyms(key)
