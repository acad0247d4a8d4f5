"""What an edit would change before it is saved: past questions, asked of the present and of the edited knowledge base."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.models import Reporter
from bot.safety.redact import redact
from bot.settings import Settings
from bot.upkeep.backtest.asking import How
from bot.upkeep.backtest.diff import diff
from bot.upkeep.backtest.edits import Edit, Touched, touched
from bot.upkeep.backtest.questions import read_questions
from bot.upkeep.backtest.reports import ReplayReport
from bot.upkeep.backtest.scratch import Models, edited_knowledge, present_knowledge
from bot.upkeep.editing.checking import Files, check_place

DAYS = 30  # how far back questions are taken from
MOST = 200  # questions that are asked
_LOOKED_AT = 2_000  # last questions, among which those are chosen that the edit concerns most


@dataclass(frozen=True)
class Trial:
    """What came of it. `report` is None if nothing that answers are made from would be different."""

    touched: Touched
    report: ReplayReport | None


def try_edit(
    settings: Settings, models: Models, files: Files, progress: Reporter, *, quick: bool = True
) -> Trial:
    """Ask past questions of both. Nothing is saved, and nothing of `var/` is written.

    Args:
        settings: the bot's.
        models: what encodes and drafts; shared with the one that serves.
        files: the edit.
        progress: called with stage, done and total.
        quick: write no answers from articles; compare which one is the best, and its text.

    Raises:
        ContentError, DocumentError: something in the edited knowledge base is wrong.
        StoreError: the log cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="kefu-edit-") as scratch:
        copy = Path(scratch) / "knowledge_base"
        shutil.copytree(settings.knowledge_base, copy, ignore=shutil.ignore_patterns(".git"))
        for name, data in files.items():
            path = copy / check_place(name)
            if data is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        changed = touched(settings.knowledge_base, Edit(copy))
        if changed.nothing:
            return Trial(changed, None)
        questions = read_questions(
            settings.log_path,
            since=datetime.now(UTC) - timedelta(days=DAYS),
            limit=_LOOKED_AT,
            failures=True,
        )
        how = How(
            day=datetime.now(ZoneInfo(settings.time_zone)).date(),
            top_k=settings.retrieval.top_k,
            redact=partial(redact, allow=settings.safety.shown_contacts),
            quick=quick,
        )
        with (
            edited_knowledge(settings, copy, models, progress) as edited,
            present_knowledge(settings, models) as present,
        ):
            found = diff(questions, present, edited, changed, how, limit=MOST, progress=progress)
    return Trial(changed, found)
