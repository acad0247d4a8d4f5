"""The words of an evaluation's page, table and verdict, in both languages, and how its figures are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from finetune.evaluation.measures import METRICS
from finetune.tongues import LISTED, Told, Tongue, filled, joined, read_words

Section = Literal["page", "sorts", "metrics", "reasons"]
_WORDS = Path(__file__).with_name("report.yaml")
_UNITS = {metric.name: metric.unit for metric in METRICS}


@dataclass(frozen=True)
class Figure:
    """A number of one metric; `signed` puts a plus before a gain."""

    metric: str
    value: float
    signed: bool = False

    def __str__(self) -> str:
        """As people read it: a share in percent, a length whole, seconds with two places."""
        sign = "+" if self.signed else ""
        unit = _UNITS[self.metric]
        if unit == "share":
            return f"{100 * self.value:{sign}.1f} %"
        return f"{self.value:{sign}.0f}" if unit == "width" else f"{self.value:{sign}.2f} s"


@dataclass(frozen=True)
class Reason:
    """A sentence of the verdict: its kind, a key of `reasons` in report.yaml, and what it is filled with.

    A value that names a metric or a scope (`metric:…`, `page:…`) is said in the language of the sentence.
    """

    kind: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def told(self) -> Told:
        """The sentence in both languages."""
        values = {name: _told(value) for name, value in self.values.items()}
        return filled(words("reasons")[self.kind], **values)

    def say(self, tongue: Tongue) -> str:
        """The sentence."""
        return self.told[tongue]


def words(section: Section) -> Mapping[str, Told]:
    """One section of report.yaml: key → both languages."""
    return read_words(_WORDS)[section]


def metric_name(metric: str, tongue: Tongue) -> str:
    """What a metric is called."""
    return words("metrics")[metric][tongue]


def _told(value: str) -> str | Told:
    kind, _, rest = value.partition(":")
    if kind == "metric":
        return words("metrics")[rest]
    if kind == "metrics":
        return joined((words("metrics")[name] for name in rest.split()), LISTED)
    if kind == "page" and rest in words("page"):
        return words("page")[rest]
    return value
