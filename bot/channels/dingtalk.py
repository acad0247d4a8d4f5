"""A DingTalk robot (钉钉): JSON, signed in a header; answers go to the address that came with the message.

https://open.dingtalk.com/document/orgapp/receive-message
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from bot.channels.protocol import (
    Challenge,
    ChannelRequest,
    ChannelResponse,
    InboundMessage,
    Kind,
)
from bot.channels.tokens import ChannelApi
from bot.errors import ChannelRefused, ChannelUnreachable, SettingsError
from bot.settings_sections import DingTalkSettings

_API = "https://api.dingtalk.com"
_HOSTS = frozenset({"oapi.dingtalk.com", "api.dingtalk.com"})
_NOTHING = ChannelResponse("{}", "application/json")
_OLD_MS = 3_600_000  # "an hour apart is not ours", says the documentation
_TITLE = 40  # characters


class DingTalk:
    """A DingTalk robot."""

    name = "dingtalk"
    patience_seconds = 0.0
    can_send = True
    longest_bytes = 15_000  # of 20,000
    reads_markdown = True

    def __init__(
        self,
        settings: DingTalkSettings,
        *,
        api: str = _API,
        hosts: frozenset[str] = _HOSTS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take a robot. Answers go to `hosts` only, whatever address a message names.

        Raises:
            SettingsError: the AppSecret is missing.
        """
        if not settings.app_secret:
            raise SettingsError("channels.dingtalk.app_secret is missing: it signs what DingTalk sends.")
        self._settings = settings
        self._hosts = hosts
        self._clock = clock
        self._api = ChannelApi(api)

    def parse(self, request: ChannelRequest) -> InboundMessage | Challenge:
        """Read a request; see the protocol."""
        sent_at, signature = request.headers.get("timestamp", ""), request.headers.get("sign", "")
        expected = sign(sent_at, self._settings.app_secret)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise ChannelRefused("The signature is wrong.")
        if not sent_at.isdecimal() or abs(self._clock() * 1000 - int(sent_at)) > _OLD_MS:
            raise ChannelRefused("The request is more than an hour old.")
        try:
            sent = json.loads(request.body)
        except (ValueError, RecursionError) as error:
            raise ChannelRefused("The message is no JSON.") from error
        if not isinstance(sent, dict):
            raise ChannelRefused("The message is no JSON object.")
        user = sent.get("senderStaffId") or sent.get("senderId")
        if not isinstance(user, str):
            return Challenge(_NOTHING)
        content = sent.get("text")
        text = str(content.get("content", "")).strip() if isinstance(content, dict) else ""
        webhook = str(sent.get("sessionWebhook", ""))
        kind = Kind.TEXT if text else Kind.OTHER
        return InboundMessage(user, str(sent.get("msgId", "")), kind, text, reply_to=webhook)

    def answer(self, message: InboundMessage, text: str) -> ChannelResponse:
        """DingTalk only wants to hear that the message came."""
        del message, text
        return _NOTHING

    def send(self, user: str, text: str, reply_to: str) -> None:
        """Answer in the session of a message, or write to a user of the company; see the protocol."""
        markdown = {"title": text[:_TITLE], "text": text}
        if reply_to:
            where = urlsplit(reply_to)
            if where.scheme != "https" or where.hostname not in self._hosts:
                raise ChannelUnreachable("The message names an address that is not DingTalk's.")
            code = self._api.call("POST", reply_to, body={"msgtype": "markdown", "markdown": markdown}).get(
                "errcode"
            )
            if code != 0:
                raise ChannelUnreachable(f"The message was refused: errcode {code}.")
            return
        self._write_to(user, markdown)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _write_to(self, user: str, markdown: dict[str, str]) -> None:
        body: dict[str, Any] = {
            "robotCode": self._settings.app_key,
            "userIds": [user],
            "msgKey": "sampleMarkdown",
            "msgParam": json.dumps(markdown, ensure_ascii=False),
        }
        headers = {"x-acs-dingtalk-access-token": self._api.token(self._fetch_token)}
        answer = self._api.call("POST", "/v1.0/robot/oToMessages/batchSend", headers=headers, body=body)
        if "processQueryKey" not in answer:
            self._api.forget_token()
            raise ChannelUnreachable(f"The message was refused: {answer.get('code')}.")

    def _fetch_token(self) -> tuple[str, float]:
        body = {"appKey": self._settings.app_key, "appSecret": self._settings.app_secret}
        answer = self._api.call("POST", "/v1.0/oauth2/accessToken", body=body)
        if not isinstance(answer.get("accessToken"), str):
            raise ChannelUnreachable(f"No access token: {answer.get('code')}. Check app_key and app_secret.")
        return answer["accessToken"], float(answer.get("expireIn", 0))


def sign(timestamp: str, secret: str) -> str:
    """DingTalk's signature: HMAC-SHA256 of time and secret, line by line, in Base64."""
    signed = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
