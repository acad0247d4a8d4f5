"""Progress bars in a terminal: one for each stage of what a command does. Into a file, a line each time that more is done."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

NAMES = {
    "unpack encoder": "Unpacking the encoder",
    "unpack language model": "Unpacking the language model",
    "read": "Reading articles",
    "embed": "Embedding passages",
    "embed questions": "Embedding questions",
    "embed sentences": "Embedding sentences",
    "embed English": "Embedding English",
    "embed English questions": "Embedding English questions",
    "calibrate": "Calibrating the search",
    "write": "Writing the index",
    "intents": "Learning intents",
    "curate": "Curating",
    "search": "Teaching the search",
    "make examples": "Making examples",
    "read lessons": "Reading lessons",
    "train": "Training",
    "tune the encoder": "Tuning the encoder",
    "ask both": "Asking candidate and current",
    "judged questions": "Asking judged questions",
    "ask again": "Asking again",
    "choose": "Choosing questions",
    "look for canaries": "Looking for canaries",
}
_LINE_PERCENT = 5


class Bars:
    """Progress bars on standard error, one a stage; a stage without a name here has its own, as a word."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, int] = {}  # per cent of each stage that a line was written for

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def stage(self, name: str, done: int, total: int, note: str = "") -> None:
        """Show how far a stage is."""
        if not self._bars.console.is_terminal:
            self._say(name, done, total, note)
            return
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(NAMES.get(name, name.capitalize()), total=total, note="")
        self._bars.update(self._tasks[name], completed=done, total=total, note=note)

    def _say(self, name: str, done: int, total: int, note: str) -> None:
        """A line for whoever reads the file: `Training  20/400  loss 2.1`, at most one for each twentieth."""
        percent = 100 * done // total if total else 0
        if name in self._said and percent < min(100, self._said[name] + _LINE_PERCENT):
            return
        self._said[name] = percent
        what = NAMES.get(name, name.capitalize())
        line = f"{what}  {done}/{total}  {note}".rstrip()
        self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)


def duration(seconds: float) -> str:
    """A time as people say it: 40 s, 12 min, 2.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
