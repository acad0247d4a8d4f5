"""Deletes once a day what is older than the settings keep, beside the serving."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import structlog

from bot.errors import BotError
from bot.memory.forgetting import Older
from bot.memory.shared_log import SharedLog
from bot.settings import Settings
from bot.settings_sections import RetentionSettings
from bot.upkeep.retention.erasing import erase, told

_log = structlog.get_logger(__name__)
_DAY_SECONDS = 24 * 3600.0
_AGAIN_SECONDS = 3600.0  # after a failure


def too_old(retention: RetentionSettings, now: datetime) -> Older | None:
    """What is not to be kept any longer; None if everything is kept for ever."""
    days = {"turns": retention.turns_days, "uploads": retention.uploads_days, "visits": retention.visits_days}
    moments = {
        name: None if number is None else now - timedelta(days=number) for name, number in days.items()
    }
    return None if all(moment is None for moment in moments.values()) else Older(**moments)


def delete_old(settings: Settings, *, now: datetime) -> bool:
    """Delete what is too old; whether that worked. A log that cannot be written is told of, and tried again."""
    older = too_old(settings.retention, now)
    if older is None:
        return True
    log = SharedLog(settings.log_path)
    try:
        erased = erase(log, settings.uploads_path, older, at=now, why="retention")
    except (BotError, OSError) as error:
        _log.error("old_data_not_deleted", reason=str(error))
        return False
    finally:
        log.close()
    if not erased.counts.nothing:
        _log.info("old_data_deleted", what=told(erased.counts), in_wal=erased.in_wal)
    return erased.files_left == 0


def follow_retention(settings: Settings, stop: threading.Event) -> threading.Thread | None:
    """Delete what is too old, now and once a day, until `stop` is set; None if everything is kept for ever."""
    if too_old(settings.retention, datetime.now(UTC)) is None:
        return None

    def work() -> None:
        while not stop.is_set():
            done = delete_old(settings, now=datetime.now(UTC))
            stop.wait(_DAY_SECONDS if done else _AGAIN_SECONDS)

    thread = threading.Thread(target=work, name="retention", daemon=True)
    thread.start()
    return thread
