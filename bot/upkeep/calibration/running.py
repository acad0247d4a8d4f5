"""Calibrates a whole assistant: the model that serves, its log, and the knowledge base as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.factory import load_knowledge
from bot.memory.store import Store
from bot.models import make_generator
from bot.settings import Settings
from bot.upkeep.calibration.calibrate import Progress, calibrate, keep, stated_budgets
from bot.upkeep.calibration.fitting import Budgets
from bot.upkeep.calibration.report import CalibrationReport
from retrieval.encoder import Encoder

DAYS = 90.0  # of the log that votes are taken from


def run_calibration(
    settings: Settings,
    encoder: Encoder,
    budgets: Budgets,
    *,
    days: float = DAYS,
    write: bool = True,
    progress: Progress = lambda *_: None,
) -> CalibrationReport:
    """Learn thresholds for what serves now, and write them.

    Args:
        settings: the bot's; its index must exist.
        encoder: the bot's.
        budgets: the mistakes that are allowed.
        days: how far back votes in the log count.
        write: whether they serve from now on.
        progress: told how far it is.

    Raises:
        BotError, RetrievalError: something cannot be loaded, nothing was judged, or nothing can be written.
    """
    generator = make_generator(settings, progress)
    try:
        knowledge = load_knowledge(settings.patient(), encoder, generator)
        with Store(settings.log_path) as store:
            report = calibrate(
                knowledge,
                settings,
                store.logged(since=datetime.now(UTC) - timedelta(days=days)),
                budgets,
                day=datetime.now(ZoneInfo(settings.time_zone)).date(),
                progress=progress,
            )
        if write:
            keep(report, knowledge, settings, reads=generator is not None and generator.tuned)
    finally:
        if generator is not None:
            generator.close()
    return report


def calibrate_again(
    settings: Settings, encoder: Encoder, *, progress: Progress = lambda *_: None
) -> CalibrationReport | None:
    """The same to the budgets that the team stated last; None if it never did.

    Raises:
        BotError, RetrievalError: as `run_calibration`.
    """
    budgets = stated_budgets(settings)
    return None if budgets is None else run_calibration(settings, encoder, budgets, progress=progress)
