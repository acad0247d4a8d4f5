"""Everything there is to learn from: the log's conversations and all imports, with what each of them is."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.memory.store import Store
from finetune.curation.imports import imports
from finetune.curation.log_records import SOURCE, logged_conversations
from finetune.lines import json_lines
from finetune.masking import Masking
from finetune.pseudonyms import Pseudonyms
from finetune.records import Conversation, to_json

# Below `var`.
IMPORTS = "imports"
DATASETS = "datasets"
KEY = "pseudonyms.key"


@dataclass(frozen=True)
class Input:
    """What a training set was made of: the log, or an import."""

    name: str
    sha256: str  # of its conversations
    conversations: int


def gather(
    log: Path, store: Path, pseudonyms: Pseudonyms, *, allow: Collection[str] = ()
) -> tuple[list[Conversation], list[Input]]:
    """All conversations, masked, the log's first, and their inputs.

    Args:
        log: the log's file; if there is none, there are no conversations of the log.
        store: folder of the imports.
        pseudonyms: names the log's customers.
        allow: numbers and mailboxes that are not masked, such as the shop's own.

    Raises:
        ImportFailed: an import is damaged.
        StoreError: the log cannot be read.
    """
    conversations: list[Conversation] = []
    inputs: list[Input] = []
    if log.exists():
        conversations = _of_log(log, pseudonyms, allow)
        digest = hashlib.sha256(json_lines(map(to_json, conversations))).hexdigest()
        inputs.append(Input(SOURCE, digest, len(conversations)))
    for each in imports(store):
        conversations += each.conversations
        inputs.append(Input(each.name, each.sha256, len(each.conversations)))
    return conversations, inputs


def _of_log(path: Path, pseudonyms: Pseudonyms, allow: Collection[str]) -> list[Conversation]:
    with Store(path) as log:
        return list(
            logged_conversations(
                log.logged(),
                mask=Masking(allow),
                customer=lambda visitor: pseudonyms.customer(SOURCE, visitor),
            )
        )


def described(inputs: Sequence[Input]) -> str:
    """The inputs in one line, for people."""
    return ", ".join(f"{each.name} ({each.conversations})" for each in inputs) if inputs else "nothing"
