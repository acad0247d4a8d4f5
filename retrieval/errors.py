"""Everything that `retrieval` raises on purpose, as one tree.

RetrievalError
├── DocumentError    an article cannot be read; names the file and, where known, the line
├── EncoderError     the encoder is missing or its files are damaged
├── IndexMissing     there is no index yet
├── IndexMismatch    the index was built with another encoder or format, or its files are damaged
├── PublishError     a generation of files cannot be written (disk full, read-only, another builder at work)
└── FilesDamaged     published files are not what their manifest says

Each message says what happened, the value seen, and what to do.
"""


class RetrievalError(Exception):
    """The root: catch this at the edge of a search or a build."""


class DocumentError(RetrievalError):
    """Raised when an article cannot be read; names the file and, where known, the line."""


class EncoderError(RetrievalError):
    """Raised when the encoder is missing or its files are damaged."""


class IndexMissing(RetrievalError):
    """Raised when there is no index yet; `kefu index` builds one."""


class IndexMismatch(RetrievalError):
    """Raised when an index does not fit: another encoder, another format, or damaged files."""


class PublishError(RetrievalError):
    """Raised when a generation of files cannot be written or published; what was published before stays."""


class FilesDamaged(RetrievalError):
    """Raised when published files are missing, changed, or not what their manifest says."""
