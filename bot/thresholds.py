"""The thresholds that decide a turn, in one place: what was set, else what was calibrated, else the defaults.

`kefu calibrate` writes `var/thresholds.json`:

    {"kind": "thresholds", "format": 1, "at": "…", "zh": {"template_score": 0.93, …}, "en": {…}, …certificate}

A name that stands in kefu.toml or the environment is never overruled by it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.conversation import Language
from bot.errors import SettingsError
from bot.policy import Thresholds
from bot.settings import Settings
from retrieval.publish import write_record

KIND, FORMAT = "thresholds", 1
LANGUAGES = (Language.ZH, Language.EN)
CALIBRATED = ("template_score", "grounded_score", "drafted_score")  # names of settings.policy

Calibrated = Mapping[Language, Mapping[str, float]]  # by content language and name


@dataclass(frozen=True)
class ThresholdTable:
    """The thresholds for customers of each language that content is written in."""

    zh: Thresholds
    en: Thresholds

    def of(self, language: Language) -> Thresholds:
        """Those for a customer of `language`; `zh-Hant` gets `zh`."""
        return self.zh if language.content is Language.ZH else self.en


def threshold_table(settings: Settings, *, reads: bool) -> ThresholdTable:
    """The thresholds that serve. `reads`: a tuned model reads what was found and may decline, so less certain articles do.

    Raises:
        SettingsError: `var/thresholds.json` is damaged.
    """
    calibrated = read_calibrated(settings.thresholds_path)
    return ThresholdTable(
        *(_thresholds(settings, calibrated.get(language, {}), reads) for language in LANGUAGES)
    )


def grounded_name(*, reads: bool) -> str:
    """The setting that a grounded answer must reach."""
    return "drafted_score" if reads else "grounded_score"


def read_calibrated(path: Path) -> Calibrated:
    """What was calibrated; nothing if there is no file.

    Raises:
        SettingsError: it cannot be read, or holds something that is no threshold.
    """
    content = read_certificate(path)
    try:
        return {
            language: {name: _share(value) for name, value in content[language.value].items()}
            for language in LANGUAGES
            if language.value in content
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error


def read_certificate(path: Path) -> Mapping[str, Any]:
    """The whole file: what was calibrated, when, on what, to which budget; empty if there is none.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        content = json.loads(path.read_text("utf-8")) if path.exists() else {}
        if content and (content["kind"], content["format"]) != (KIND, FORMAT):
            raise ValueError(f"it is {content['kind']!r}, format {content['format']!r}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from error
    return dict(content)


def write_calibrated(path: Path, values: Calibrated, certificate: Mapping[str, Any]) -> None:
    """Write what was calibrated; a running bot takes it up.

    Raises:
        SettingsError: it cannot be written; what was there before stays.
    """
    content = {
        "kind": KIND,
        "format": FORMAT,
        **certificate,
        **{language.value: dict(names) for language, names in values.items()},
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_record(path, content)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written: {error.strerror or error}. Make room or make it writable; what was there stays."
        ) from error


def _thresholds(settings: Settings, calibrated: Mapping[str, float], reads: bool) -> Thresholds:
    policy = settings.policy
    chosen = policy.model_copy(
        update={
            name: value
            for name, value in calibrated.items()
            if name in CALIBRATED and name not in policy.model_fields_set
        }
    )
    return Thresholds(
        template_score=chosen.template_score,
        template_margin=chosen.template_margin,
        handoff_score=chosen.handoff_score,
        grounded_score=chosen.drafted_score if reads else chosen.grounded_score,
        clarify_score=chosen.clarify_score,
        in_scope=chosen.in_scope,
        failures_before_handoff=chosen.failures_before_handoff,
    )


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{value!r} is no number from 0 to 1")
    return float(value)


def _damaged(path: Path, error: Exception) -> SettingsError:
    return SettingsError(f"{path} cannot be used: {error}. Run `kefu calibrate`, or delete it.")
