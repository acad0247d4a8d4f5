"""A shop of a trade that the adapter which comes with Kefu has never seen, made of written lessons, for benchmarks/cycle.py.

Its articles are the trade's; of the demonstration shop it has the wording, small talk and what is out of scope. Two thirds of the
trade's talks may be asked in its log; the first questions of the others are its golden questions.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

from bot.conversation import Language
from bot.settings import Settings
from bot.upkeep.editing.articles import ArticleFields, write_fields
from finetune.examples.lessons import TALKS, LessonTalk, Trade, load_trade
from retrieval.readers import ARTICLES

_SEED = 20261129
_DAY = date(2026, 11, 29)  # of all articles
_SHARED = ("messages.yaml", "intents/_out_of_scope.yaml")
_SMALL_TALK = ("goodbye", "thanks", "small-talk-praise")


def trade_shop(
    name: str, settings: Settings, root: Path
) -> tuple[Settings, list[LessonTalk], list[LessonTalk]]:
    """Write the knowledge base of a trade under `root`: settings that serve it, the talks for its log, and the other talks.

    Both are in an order of chance.
    """
    trade = load_trade(TALKS / name, settings.knowledge_base)
    talks = list(trade.talks)
    random.Random(_SEED).shuffle(talks)  # noqa: S311 — an order, no secret
    judged = len(talks) // 3
    knowledge_base = root / "knowledge_base"
    write_articles(trade, knowledge_base)
    for shared in (*_SHARED, *(f"intents/{each}.yaml" for each in _SMALL_TALK)):
        (knowledge_base / shared).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(settings.knowledge_base / shared, knowledge_base / shared)
    _write_golden(talks[:judged], knowledge_base / "golden.jsonl")
    var = root / "var"
    var.mkdir(parents=True)
    (var / "models").symlink_to(settings.models_path.resolve())
    return (
        settings.model_copy(update={"knowledge_base": knowledge_base, "var": var}),
        talks[judged:],
        talks[:judged],
    )


def write_articles(
    trade: Trade, knowledge_base: Path, spoken: Collection[Language] = tuple(Language)
) -> None:
    """Write a trade's articles in some languages as a team's files, without their listed questions."""
    for (language, name), article in trade.articles.items():
        if language not in spoken:
            continue
        folder = knowledge_base / ARTICLES / language.value
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.md"
        fields = ArticleFields(title=article.title, body=article.body)
        path.write_bytes(
            write_fields(None, fields, article=name, language=language.value, day=_DAY, name=path.name)
        )


def _write_golden(talks: Sequence[LessonTalk], path: Path) -> None:
    rows = [
        {
            "id": talk.id,
            "language": talk.language.value,
            "question": talk.turns[0].question,
            "expect": {"kind": "refuse"}
            if talk.turns[0].article is None
            else {"kind": "answer", "intents": [], "articles": [talk.turns[0].article]},
        }
        for talk in talks
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
