"""How much personal data is masked, and how little else.

    python benchmarks/redaction.py                # 1,500 lines from templates kept apart from tuning
    python benchmarks/redaction.py --half tuning  # the lines that the patterns were tuned on
    python benchmarks/redaction.py --mistakes     # and what Kefu got wrong
    python benchmarks/redaction.py --json FILE    # the figures as JSON, too

The first run on the templates kept apart gave recall 0.985 and precision 1.000. Two flaws that it showed have been
mended since (a particle after a name: 换成杨浩然吧, and a hyphen in one: Anna-Maria), so later figures are a little kind.

Recall: of the data in the lines, how much is covered whole. Precision: of what was masked, how much was personal data
at all; the peers know no names, addresses and plates, which the table by kind shows. Peers: patterns between word boundaries as most open chatbots have them, and the same with the numbers that
Chinese tutorials give (mobile, identity card, bank card).
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from redaction_lines import Line, lines
from redaction_templates import HALVES
from rich.console import Console
from rich.table import Table

from bot.safety.redact import KINDS, redact

ALLOW = ("400-800-1234", "service@example.com")
LANGUAGES = ("zh", "en", "mixed")

_WESTERN = (
    r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b",
    r"\b(?:\+?\d{1,3}[-.\s]?)?\(?\d{3}\)?[-.\s]?\d{3}[-.\s]?\d{4}\b",
    r"\b(?:\d{4}[-\s]?){3}\d{4}\b",
    r"\b\d{3}-\d{2}-\d{4}\b",
)
_CHINESE = (r"\b1[3-9]\d{9}\b", r"\b\d{17}[\dXx]\b", r"\b\d{16,19}\b", r"\b0\d{2,3}-?\d{7,8}\b")

Finder = Callable[[str], list[tuple[int, int]]]


def _by_patterns(patterns: Sequence[str]) -> Finder:
    compiled = [re.compile(pattern) for pattern in patterns]
    return lambda text: [match.span() for pattern in compiled for match in pattern.finditer(text)]


FINDERS: dict[str, Finder] = {
    "Kefu": lambda text: [(span.start, span.end) for span in redact(text, allow=ALLOW).spans],
    r"\b patterns": _by_patterns(_WESTERN),
    r"\b patterns + Chinese": _by_patterns(_WESTERN + _CHINESE),
}


def judge(finder: Finder, cases: Sequence[Line]) -> dict[str, Any]:
    """Recall and precision, overall, by language and (recall) by kind, and milliseconds a line."""
    begin = time.perf_counter()
    found = [finder(line.text) for line in cases]
    seconds = time.perf_counter() - begin
    counts: Counter[tuple[str, str]] = Counter()
    missed: list[str] = []
    for line, spans in zip(cases, found, strict=True):
        covered = {at for start, end in spans for at in range(start, end)}
        personal = {at for start, end, _ in line.gold for at in range(start, end)}
        for start, end, kind in line.gold:
            hit = covered.issuperset(range(start, end))
            for group in ("all", line.language, kind):
                counts[group, "gold"] += 1
                counts[group, "hit"] += hit
            if not hit:
                missed.append(f"missed {kind} in: {line.text}")
        for start, end in spans:
            right = not personal.isdisjoint(range(start, end))
            for group in ("all", line.language):
                counts[group, "masked"] += 1
                counts[group, "right"] += right
            if not right:
                missed.append(f"masked {line.text[start:end]!r} in: {line.text}")
    groups = {group for group, _ in counts}
    return {
        "recall": {
            group: counts[group, "hit"] / counts[group, "gold"] for group in groups if counts[group, "gold"]
        },
        "precision": {
            group: counts[group, "right"] / counts[group, "masked"]
            for group in groups
            if counts[group, "masked"]
        },
        "over_masked_characters": _over_masked(cases, found),
        "ms_per_line": seconds * 1000 / len(cases),
        "mistakes": missed,
    }


def _over_masked(cases: Sequence[Line], found: Sequence[list[tuple[int, int]]]) -> float:
    """Share of the harmless characters that were masked along."""
    harmless = masked = 0
    for line, spans in zip(cases, found, strict=True):
        personal = {at for start, end, _ in line.gold for at in range(start, end)}
        harmless += len(line.text) - len(personal)
        masked += len({at for start, end in spans for at in range(start, end)} - personal)
    return masked / harmless


def show(figures: dict[str, Any], half: str, count: int) -> None:
    """Print the tables."""
    console = Console()
    table = Table(title=f"Personal data in {count} lines, templates: {half}")
    for column in (
        "",
        "recall",
        *(f"recall {name}" for name in LANGUAGES),
        "precision",
        "harmless masked",
        "ms a line",
    ):
        table.add_column(column, justify="left" if not column else "right")
    for name, result in figures.items():
        recall, precision = result["recall"], result["precision"]
        table.add_row(
            name,
            *(f"{recall.get(group, 0):.3f}" for group in ("all", *LANGUAGES)),
            f"{precision.get('all', 1):.3f}",
            f"{result['over_masked_characters']:.2%}",
            f"{result['ms_per_line']:.2f}",
        )
    console.print(table)
    kinds = Table(title="Recall by kind")
    for column in ("", *KINDS):
        kinds.add_column(column, justify="left" if not column else "right")
    for name, result in figures.items():
        kinds.add_row(name, *(f"{result['recall'].get(kind, 0):.2f}" for kind in KINDS))
    console.print(kinds)


def main() -> None:
    """Run the benchmark."""
    options = argparse.ArgumentParser(description="Recall and precision of the masking of personal data.")
    options.add_argument("--half", choices=sorted(HALVES), default="reported")
    options.add_argument("--lines", type=int, default=1500)
    options.add_argument("--seed", type=int, default=20261121)
    options.add_argument("--mistakes", action="store_true", help="print what Kefu got wrong")
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    cases = lines(HALVES[chosen.half], chosen.lines, chosen.seed)
    figures = {name: judge(finder, cases) for name, finder in FINDERS.items()}
    show(figures, chosen.half, len(cases))
    if chosen.mistakes:
        print("\n".join(figures["Kefu"]["mistakes"]))
    if chosen.json is not None:
        kept = {
            name: {key: value for key, value in result.items() if key != "mistakes"}
            for name, result in figures.items()
        }
        content = {"half": chosen.half, "lines": chosen.lines, "seed": chosen.seed, "figures": kept}
        chosen.json.write_text(json.dumps(content, indent=2), "utf-8")


if __name__ == "__main__":
    main()
