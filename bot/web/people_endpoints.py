"""Endpoints about people: calling one of the team into a conversation, and saying whose conversation it is."""

from __future__ import annotations

import hashlib
import hmac

import gradio as gr

from bot.conversation import VisitorId
from bot.errors import ConversationUnknown
from bot.memory.calls import Call, CallState
from bot.memory.visits import Customer
from bot.web.api_types import ConversationInfo, HandoffState, Recorded
from bot.web.assistant import Assistant
from bot.web.endpoint_checks import EndpointGroup, as_caller, named_conversation, refused, text_of
from bot.web.page_text import page_text
from bot.web.render import MarkdownRenderer

_MOST_CONVERSATIONS = 20
_LONGEST_USER_ID = 200
_LONGEST_PREVIEW = 120


class PeopleEndpoints(EndpointGroup):
    """/handoff, /identify and /conversations."""

    def __init__(
        self, assistant: Assistant, renderer: MarkdownRenderer, *, identity_secret: str | None
    ) -> None:
        """Wire the endpoints; `identity_secret` signs users' ids, None: no site can vouch for anybody."""
        super().__init__(assistant, renderer)
        self._identity_secret = identity_secret

    def handoff(
        self, conversation_id: str, contact: str = "", request: gr.Request | None = None
    ) -> HandoffState:
        """Call a person of the team into a conversation, or say where the call stands. Calling twice is calling once.

        Args:
            conversation_id: The conversation, as /chat named it.
            contact: How the customer wants to be reached if nobody is there (telephone, e-mail); may be empty.
            request: Filled in by Gradio.
        """
        with self._errors_told(request):
            conversation, reach = named_conversation(conversation_id), text_of(contact, "contact").strip()

            def call(visitor: VisitorId | None) -> HandoffState:
                if reach:
                    made = self._assistant.leave_contact(conversation, reach, visitor=visitor)
                else:
                    made = self._assistant.call_person(conversation, visitor=visitor)
                return self._handoff_state(made, has_contact=bool(reach))

            return as_caller(request, call)

    def identify(
        self,
        conversation_id: str,
        user_id: str,
        signature: str,
        name: str = "",
        request: gr.Request | None = None,
    ) -> Recorded:
        """Say whose conversation it is: a user of the site, whose server vouches for them by a signature.

        Args:
            conversation_id: The conversation, as /chat named it.
            user_id: The site's own id of its user, 1 to 200 characters.
            signature: HMAC-SHA256 of user_id with widget.identity_secret, in hexadecimal; made on the site's server.
            name: What people of the team shall call the user; may be empty.
            request: Filled in by Gradio.
        """
        with self._errors_told(request):
            conversation = named_conversation(conversation_id)
            customer = Customer(self._vouched(user_id, signature), text_of(name, "name"))
            as_caller(request, lambda who: self._assistant.identify(conversation, customer, visitor=who))
            return Recorded(recorded=True)

    def conversations(
        self, user_id: str, signature: str, request: gr.Request | None = None
    ) -> list[ConversationInfo]:
        """List the conversations of a user that the site vouches for, the latest first, at most 20.

        Args:
            user_id: The site's own id of its user.
            signature: As for /identify.
            request: Filled in by Gradio.
        """
        with self._errors_told(request):
            found = []
            for conversation in self._assistant.conversations_of(self._vouched(user_id, signature)):
                try:
                    past = self._past(conversation, None)
                except ConversationUnknown:  # it belongs to a browser's cookie, so its id opens nothing
                    continue
                if past:
                    text = past[-1]["answer"] or past[-1]["message"]
                    found.append(
                        ConversationInfo(
                            conversation_id=conversation,
                            opened_at=past[0]["asked_at"],
                            last_text=text[:_LONGEST_PREVIEW],
                        )
                    )
                if len(found) == _MOST_CONVERSATIONS:
                    break
            return found

    # -- how

    def _handoff_state(self, call: Call, *, has_contact: bool) -> HandoffState:
        staffed, texts = self._assistant.desk.staffed(), page_text(call.language)
        if call.state is CallState.TAKEN:
            text = texts["person_here"].replace("{name}", call.agent_name or texts["assistant"])
        elif has_contact:
            text = texts["contact_kept"]
        else:
            text = texts["person_called"] if staffed else texts["nobody_here"]
        return HandoffState(
            state=call.state.value if call.open else "none",
            staffed=staffed,
            opening_hours=self._assistant.desk.hours.rules,
            text=text,
        )

    def _vouched(self, user_id: object, signature: object) -> str:
        """The user's id, if the site signed it."""
        user, signed = text_of(user_id, "user_id"), text_of(signature, "signature")
        if self._identity_secret is None:
            raise refused("No site can vouch for its users here: widget.identity_secret is not set.")
        expected = hmac.new(self._identity_secret.encode(), user.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signed.lower().encode()):
            raise refused("The signature does not fit user_id. It is made by the site's own server.")
        if not 0 < len(user) <= _LONGEST_USER_ID:
            raise refused(f"user_id has {len(user)} characters; it must have 1 to {_LONGEST_USER_ID}.")
        return user
