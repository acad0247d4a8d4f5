"""Progress bars in a terminal: one for each stage of what a command does."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_NAMES = {
    "unpack encoder": "Unpacking the encoder",
    "unpack language model": "Unpacking the language model",
    "read": "Reading articles",
    "embed": "Embedding passages",
    "embed questions": "Embedding questions",
    "calibrate": "Calibrating the search",
    "write": "Writing the index",
    "intents": "Learning intents",
    "curate": "Curating",
    "make examples": "Making examples",
    "read lessons": "Reading lessons",
    "train": "Training",
    "ask both": "Asking candidate and current",
    "judged questions": "Asking judged questions",
    "ask again": "Asking again",
    "choose": "Choosing questions",
    "look for canaries": "Looking for canaries",
}


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

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def stage(self, name: str, done: int, total: int, note: str = "") -> None:
        """Show how far a stage is."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(_NAMES.get(name, name.capitalize()), total=total, note="")
        self._bars.update(self._tasks[name], completed=done, total=total, note=note)


def duration(seconds: float) -> str:
    """A time as people say it: 40 s, 12 min, 2.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
