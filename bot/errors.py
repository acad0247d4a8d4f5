"""Everything that `bot` raises on purpose, as one tree.

BotError
├── SettingsError        a setting is missing, unknown or impossible
├── ContentError         an intent, template or message file in the knowledge base is wrong
├── InputRefused         a customer's message cannot be taken (empty, too long, unreadable)
├── ConversationUnknown  no conversation has this id, or it belongs to another visitor
├── TurnUnknown          no turn has this id in this conversation
├── GapUnknown           no gap of what could not be answered has this id
├── CallRefused          a talk cannot be taken, answered or ended: it is another's, or nobody called for a person
├── AccessRefused        a login, password or session is wrong or locked, or the role may not do this
├── ChannelRefused       a request to a messenger's door was not sent by that messenger
├── ChannelUnreachable   a messenger's API cannot be reached, or refuses a message
├── TooBusy              too many turns are under way or in line already
├── StoreError           the log cannot be opened, read or written
│   ├── StoreBusy        another process holds the write lock for too long
│   └── StoreTooNew      the log was written by a newer Kefu
├── ReportError          a report cannot be written where it was asked for
├── RegistryError        which adapter serves cannot be read, written or rolled back
└── GenerationError      the language model is missing, failed or ran out of time
    └── AdapterRefused   an adapter is damaged, or does not fit its model or this Kefu's prompt

Each message says what happened, the value seen, and what to do.
"""


class BotError(Exception):
    """The root: catch this at the edge of a turn or a command."""


class SettingsError(BotError):
    """Raised when kefu.toml or a KEFU_ variable holds something that cannot work."""


class ContentError(BotError):
    """Raised when an intent, template or message file of the knowledge base is wrong; names file and place."""


class InputRefused(BotError):
    """Raised when a customer's message cannot be taken.

    `code` is a key of the wording in `knowledge_base/messages.yaml` (`empty_message`, `too_long`, `too_fast`),
    so that the customer reads the reason in their own language.
    """

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.details = details


class ConversationUnknown(BotError):
    """Raised when a conversation id is not known, or is not this visitor's; both look the same from outside."""


class TurnUnknown(BotError):
    """Raised when a turn id does not exist in the conversation that names it."""


class GapUnknown(BotError):
    """Raised when no gap has this id."""


class CallRefused(BotError):
    """Raised when a member of staff cannot do something with a talk: it is somebody else's, or has ended."""


class AccessRefused(BotError):
    """Raised when a login, password, session or role does not allow something.

    `code` is a key of the console's wording, so that the person reads the reason in their own language.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ChannelRefused(BotError):
    """Raised when a request was not sent by the messenger: no signature, a wrong one, or nothing that can be read."""


class ChannelUnreachable(BotError):
    """Raised when a messenger's API cannot be reached or refuses a message."""


class TooBusy(BotError):
    """Raised when no more turns can be taken at the moment."""


class StoreError(BotError):
    """Raised when the log cannot be opened, read or written."""


class StoreBusy(StoreError):
    """Raised when another process held the log's write lock longer than the timeout."""


class StoreTooNew(StoreError):
    """Raised when the log was written by a newer Kefu than this one."""


class ReportError(BotError):
    """Raised when a report cannot be written where it was asked for."""


class RegistryError(BotError):
    """Raised when the record of which adapter serves cannot be read or written, or has nothing to roll back."""


class GenerationError(BotError):
    """Raised when the language model is missing, does not fit, failed or ran out of time."""


class AdapterRefused(GenerationError):
    """Raised when an adapter may not be loaded: it is damaged, or was trained on another model or prompt."""
