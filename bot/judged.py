"""What people judged of customers' questions: which articles answer each, or that none does. The search learns from it.

It lies in a file of lines, which `kefu teach-search` and `kefu cycle` write anew each time, or delete if it helps nobody:

    {"text": "退货的运费谁出", "articles": ["return-postage"]}     ids of articles; none for what no article answers
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bot.errors import ContentError
from retrieval.calibration import LabelledQuestion
from retrieval.errors import PublishError
from retrieval.publish import write_atomically


def read_judged(path: Path) -> list[LabelledQuestion]:
    """The questions in a file, oldest first; none if there is no file.

    Raises:
        ContentError: it cannot be read, or a line is no judged question; names it.
    """
    try:
        lines = path.read_text("utf-8").split("\n") if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError(f"{path} cannot be read: {error}. Mend it, or delete it.") from error
    return [
        _read(line, f"{path.name}:{number}") for number, line in enumerate(lines, start=1) if line.strip()
    ]


def write_judged(path: Path, questions: Sequence[LabelledQuestion]) -> None:
    """Write a file that `read_judged` reads; without any questions, there is none.

    Raises:
        PublishError: it cannot be written; what was there before stays.
    """
    rows = [{"text": each.text, "articles": sorted(each.articles)} for each in questions]
    try:
        if not rows:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(
            path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8")
        )
    except OSError as error:
        raise PublishError(f"{path} cannot be written: {error}. Make room or make it writable.") from error


def _read(line: str, place: str) -> LabelledQuestion:
    try:
        row = json.loads(line)
        text, articles = row["text"], row["articles"]
        right = isinstance(text, str) and bool(text.strip()) and isinstance(articles, list)
        right = right and all(isinstance(id_, str) and id_ for id_ in articles)
    except (ValueError, KeyError, TypeError):
        right = False
    if not right:
        raise ContentError(
            f"{place} is no judged question: it needs a `text` and `articles`, ids in a list, but it is {line[:80]!r}. "
            "Mend or delete the line."
        )
    return LabelledQuestion(text, frozenset(articles))
