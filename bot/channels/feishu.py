"""A Feishu (Lark) application: JSON events, plain or encrypted; answers always go out by API.

https://open.feishu.cn/document/server-docs/event-subscription-guide/event-subscription-configure-/request-url-configuration-case
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bot.channels.protocol import (
    Challenge,
    ChannelRequest,
    ChannelResponse,
    InboundMessage,
    Kind,
)
from bot.channels.tokens import ChannelApi
from bot.errors import ChannelRefused, ChannelUnreachable, SettingsError
from bot.settings_sections import FeishuSettings

_API = "https://open.feishu.cn"
_NOTHING = ChannelResponse("{}", "application/json")
_BAD_TOKENS = {99991661, 99991663, 99991664}


class Feishu:
    """A Feishu application."""

    name = "feishu"
    patience_seconds = 0.0
    can_send = True
    longest_bytes = 30_000  # of 150 KB
    reads_markdown = False

    def __init__(self, settings: FeishuSettings, *, api: str = _API) -> None:
        """Take an application.

        Raises:
            SettingsError: nothing tells Feishu's requests from anybody else's.
        """
        if not settings.encrypt_key and not settings.verification_token:
            raise SettingsError(
                "channels.feishu needs encrypt_key or verification_token: without, anybody could write as Feishu."
            )
        self._settings = settings
        self._api = ChannelApi(api)

    def parse(self, request: ChannelRequest) -> InboundMessage | Challenge:
        """Read a request; see the protocol."""
        event = self._opened(request)
        header = _object(event.get("header"))
        token = event.get("token", header.get("token"))
        expected = self._settings.verification_token
        if expected and not hmac.compare_digest(str(token).encode(), expected.encode()):
            raise ChannelRefused("The verification token is wrong.")
        if event.get("type") == "url_verification":
            answer = json.dumps({"challenge": event.get("challenge", "")})
            return Challenge(ChannelResponse(answer, "application/json"))
        if header.get("event_type") != "im.message.receive_v1":
            return Challenge(_NOTHING)
        return _message(_object(event.get("event")))

    def answer(self, message: InboundMessage, text: str) -> ChannelResponse:
        """Feishu only wants to hear that the event came."""
        del message, text
        return _NOTHING

    def send(self, user: str, text: str, reply_to: str) -> None:
        """Answer a message, or write to a user; see the protocol."""
        content = json.dumps({"text": text}, ensure_ascii=False)
        if reply_to:
            self._post(
                f"/open-apis/im/v1/messages/{reply_to}/reply", {"msg_type": "text", "content": content}
            )
            return
        body = {"receive_id": user, "msg_type": "text", "content": content}
        self._post("/open-apis/im/v1/messages?receive_id_type=open_id", body)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _opened(self, request: ChannelRequest) -> dict[str, Any]:
        """The event as JSON, decrypted. Only the check of the address comes without a signature."""
        sent = _json(request.body)
        key = self._settings.encrypt_key
        if not key:
            return sent
        event = _json(decrypt(str(sent.get("encrypt", "")), key))
        if event.get("type") != "url_verification":
            names = ("x-lark-request-timestamp", "x-lark-request-nonce")
            before = "".join(request.headers.get(name, "") for name in names) + key
            expected = hashlib.sha256(before.encode() + request.body).hexdigest()
            given = request.headers.get("x-lark-signature", "")
            if not hmac.compare_digest(expected.encode(), given.encode()):
                raise ChannelRefused("The signature is wrong.")
        return event

    def _post(self, path: str, body: dict[str, Any]) -> None:
        code = None
        for _ in range(2):
            headers = {"authorization": f"Bearer {self._api.token(self._fetch_token)}"}
            code = self._api.call("POST", path, headers=headers, body=body).get("code")
            if code == 0:
                return
            if code not in _BAD_TOKENS:
                break
            self._api.forget_token()
        raise ChannelUnreachable(f"The message was refused: code {code}.")

    def _fetch_token(self) -> tuple[str, float]:
        body = {"app_id": self._settings.app_id, "app_secret": self._settings.app_secret}
        answer = self._api.call("POST", "/open-apis/auth/v3/tenant_access_token/internal", body=body)
        if not isinstance(answer.get("tenant_access_token"), str):
            raise ChannelUnreachable(
                f"No access token: code {answer.get('code')}. Check app_id and app_secret."
            )
        return answer["tenant_access_token"], float(answer.get("expire", 0))


def decrypt(encrypted: str, key: str) -> bytes:
    """What Feishu encrypted: AES-256-CBC under the SHA-256 of the key, the initial vector before it, PKCS#7.

    Raises:
        ChannelRefused: it was not encrypted with this key.
    """
    try:
        raw = base64.b64decode(encrypted, validate=True)
        decryptor = Cipher(AES(hashlib.sha256(key.encode()).digest()), CBC(raw[:16])).decryptor()
        plain = decryptor.update(raw[16:]) + decryptor.finalize()
        return plain[: -plain[-1]]
    except (ValueError, IndexError) as error:
        raise ChannelRefused("The event cannot be decrypted.") from error


def _message(event: dict[str, Any]) -> InboundMessage | Challenge:
    message, sender = _object(event.get("message")), _object(event.get("sender"))
    user = _object(sender.get("sender_id")).get("open_id")
    message_id = message.get("message_id")
    if sender.get("sender_type") != "user" or not isinstance(user, str) or not isinstance(message_id, str):
        return Challenge(_NOTHING)  # of a bot, so that two bots do not talk for ever
    text = ""
    if message.get("message_type") == "text":
        content = _json(str(message.get("content", "")).encode())
        text = str(content.get("text", ""))
        mentions = message.get("mentions")
        for mention in mentions if isinstance(mentions, list) else ():  # "@_user_1" stands for a name
            text = text.replace(str(_object(mention).get("key") or "\0"), "")
    kind = Kind.TEXT if text.strip() else Kind.OTHER
    return InboundMessage(user, message_id, kind, text.strip(), reply_to=message_id)


def _json(body: bytes) -> dict[str, Any]:
    try:
        return _object(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise ChannelRefused("The event is no JSON.") from error


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
