"""Everything that `finetune` raises on purpose, as one tree.

FinetuneError
├── NothingToExport  no turn of the log fits the filters
├── ExportError      the export cannot be written
├── RecordError      a line of a conversation file is not what it should be
├── ImportFailed     a file of conversations cannot be imported
├── CurationError    a training set cannot be made
│   ├── NothingToLearn    too little is left after curation
│   └── PersonalDataLeft  personal data stands in a text that has been masked
├── DatasetDamaged   a training set is not what its manifest says
├── LessonError      written lessons are wrong
├── TrainingError    a training cannot begin, or diverged
│   └── TooFewJudged      too few questions that people labelled or judged
├── EvaluationError  two adapters cannot be compared
├── GateRefused      an adapter is not good enough to be promoted
├── CompressionError a promoted model cannot be written in another form
└── CycleBusy        another cycle is running

Each message says what happened, the value seen, and what to do.
"""

from __future__ import annotations

from finetune.tongues import Told, as_it_is


class FinetuneError(Exception):
    """The root: catch this at the edge of a command. `said` is the message in both languages, where there are two."""

    def __init__(self, message: str | Told) -> None:
        """Keep what is to be said; as text, the error is its English."""
        self.said: Told = as_it_is(message) if isinstance(message, str) else message
        super().__init__(self.said["en"])


class NothingToExport(FinetuneError):
    """Raised when no turn of the log fits the filters; names them and what the log holds."""


class ExportError(FinetuneError):
    """Raised when an export cannot be written."""


class RecordError(FinetuneError):
    """Raised when a line of a conversation file cannot be read; names the field and the value."""


class ImportFailed(FinetuneError):
    """Raised when a whole file cannot be imported, or an import in the store is damaged; names the file."""


class CurationError(FinetuneError):
    """Raised when a training set cannot be made: an impossible setting, or a wrong file of wordings."""


class NothingToLearn(CurationError):
    """Raised when curation leaves too little; says how much each step took."""


class PersonalDataLeft(CurationError):
    """Raised when the detectors find personal data in masked text; names exchanges and kinds, never the words."""


class DatasetDamaged(FinetuneError):
    """Raised when a training set is missing, changed, or was written by a newer Kefu."""


class LessonError(FinetuneError):
    """Raised when written lessons cannot be learned from; lists every mistake with its file and line."""


class TrainingError(FinetuneError):
    """Raised when a training cannot begin or has to end: nothing to learn from, unknown method, diverged loss."""


class TooFewJudged(TrainingError):
    """Raised when people labelled or judged too few questions to learn from some and to measure with others."""


class EvaluationError(FinetuneError):
    """Raised when two adapters cannot be compared: nothing to compare them on, or a wrong file."""


class GateRefused(FinetuneError):
    """Raised when an adapter may not be promoted by what its evaluation says; lists the reasons with their numbers."""


class CycleBusy(FinetuneError):
    """Raised when another cycle holds the lock; says who."""


class CompressionError(FinetuneError):
    """Raised when a model cannot be merged, compressed or written for another engine; names the form and the reason."""
