"""Everything that `finetune` raises on purpose, as one tree.

FinetuneError
├── NothingToExport  no turn of the log fits the filters
└── ExportError      the export cannot be written

Each message says what happened, the value seen, and what to do.
"""


class FinetuneError(Exception):
    """The root: catch this at the edge of a command."""


class NothingToExport(FinetuneError):
    """Raised when no turn of the log fits the filters; names them and what the log holds."""


class ExportError(FinetuneError):
    """Raised when an export cannot be written."""
