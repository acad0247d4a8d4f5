"""What every messenger is to Kefu: it sends requests, wants them answered at once, and takes messages for its users.

A messenger's server calls Kefu (`parse`), waits a few seconds for the answer to that very request (`answer`), and takes
later ones through an API of its own (`send`). Which of the two a messenger offers is in `patience_seconds` and `can_send`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True)
class ChannelRequest:
    """What a messenger's server sent."""

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True)
class ChannelResponse:
    """The answer to a request."""

    body: str
    media_type: str = "text/plain"


class Kind(StrEnum):
    """What a user did."""

    TEXT = "text"
    GREETING = "greeting"  # they began to follow the account, or opened the talk
    OTHER = "other"  # a picture, a sound, a place: nothing that Kefu can read


@dataclass(frozen=True)
class InboundMessage:
    """What a user wrote."""

    user: str  # the messenger's id of the user
    id: str  # the messenger's id of the message: it sends a message again if it hears nothing
    kind: Kind
    text: str
    reply_to: str = ""  # what the messenger wants to have back with the answer
    receiver: str = ""  # who the user wrote to


@dataclass(frozen=True)
class Challenge:
    """The messenger checks that the address is Kefu's, or tells what needs no answer: send this back."""

    response: ChannelResponse


class Channel(Protocol):
    """A messenger."""

    @property
    def name(self) -> str:
        """Its name in settings, addresses and the log."""
        ...

    @property
    def patience_seconds(self) -> float:
        """How long it waits for an answer to its request; 0.0: answers are always sent."""
        ...

    @property
    def can_send(self) -> bool:
        """Whether Kefu may send messages later."""
        ...

    @property
    def longest_bytes(self) -> int:
        """How long one message may be, in UTF-8."""
        ...

    @property
    def reads_markdown(self) -> bool:
        """Whether messages may be Markdown."""
        ...

    def parse(self, request: ChannelRequest) -> InboundMessage | Challenge:
        """Read a request.

        Raises:
            ChannelRefused: the messenger did not send it.
        """
        ...

    def answer(self, message: InboundMessage, text: str) -> ChannelResponse:
        """The answer to a message's own request; with an empty text, "we have it"."""
        ...

    def send(self, user: str, text: str, reply_to: str) -> None:
        """Send a user a message.

        Args:
            user: as `InboundMessage.user`.
            text: plain text or Markdown, within `longest_bytes`.
            reply_to: of the message that is answered; "" if there is none any more.

        Raises:
            ChannelUnreachable: it did not arrive.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
