"""Halves of the golden questions, cut by a hash of each question's id: one to tune thresholds on, one to report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from bot.golden import Golden, load_golden


def load_half(knowledge_base: Path, half: str) -> list[Golden]:
    """The questions of one half ("dev", "test") or of "all"."""
    return [golden for golden in load_golden(knowledge_base) if half in ("all", half_of(golden.id))]


def half_of(question_id: str) -> str:
    """Which half a question belongs to."""
    return "dev" if hashlib.sha256(question_id.encode()).digest()[0] % 2 == 0 else "test"


def article_languages(knowledge_base: Path) -> Mapping[str, set[str]]:
    """The languages (zh, en) in which each article is written."""
    faces: dict[str, set[str]] = {}
    for path in (knowledge_base / "articles").rglob("*.md"):
        faces.setdefault(path.stem, set()).add(path.parent.name)
    return faces


def crosses(golden: Golden, faces: Mapping[str, set[str]]) -> bool:
    """Whether all articles that answer a question exist only in the other language."""
    written = "en" if golden.language == "en" else "zh"
    other = {"zh"} if written == "en" else {"en"}
    return (
        bool(golden.articles)
        and golden.language != "mixed"
        and all(faces.get(article) == other for article in golden.articles)
    )
