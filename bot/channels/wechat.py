"""A WeChat official account (公众号): XML, signed, plain or encrypted, answered within five seconds or by API.

WeChat waits five seconds for the answer to its request and asks up to three times. A later answer goes out by the
customer-service message (客服消息), which verified accounts may use.
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
"""

from __future__ import annotations

import secrets
import time
from typing import Any
from xml.sax.saxutils import escape

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from bot.channels.protocol import (
    Challenge,
    ChannelRequest,
    ChannelResponse,
    InboundMessage,
    Kind,
)
from bot.channels.tokens import ChannelApi
from bot.channels.wechat_crypto import WeChatCrypto, is_signed, sign
from bot.errors import ChannelRefused, ChannelUnreachable, SettingsError
from bot.settings_sections import WeChatSettings

_API = "https://api.weixin.qq.com"
_BEFORE_THE_FIFTH_SECOND = 4.5
_UNTIL_IT_ASKS_AGAIN = 5.5
_BAD_TOKENS = {40001, 40014, 42001}
_SUCCESS = ChannelResponse("success")


class WeChat:
    """A WeChat official account."""

    name = "wechat"
    longest_bytes = 2000  # of 2048
    reads_markdown = False

    def __init__(self, settings: WeChatSettings, *, api: str = _API) -> None:
        """Take an account.

        Raises:
            SettingsError: the token is missing, or the AES key is none.
        """
        if not settings.token:
            raise SettingsError("channels.wechat.token is missing: without it anybody could write as WeChat.")
        self._settings = settings
        self._crypto = WeChatCrypto(settings.aes_key, settings.app_id) if settings.aes_key else None
        self._api = ChannelApi(api)

    @property
    def can_send(self) -> bool:
        """With an AppSecret, answers that take longer are sent by API."""
        return bool(self._settings.app_secret)

    @property
    def patience_seconds(self) -> float:
        """Without the API, WeChat is left to ask again: its next request gets the answer."""
        return _BEFORE_THE_FIFTH_SECOND if self.can_send else _UNTIL_IT_ASKS_AGAIN

    def parse(self, request: ChannelRequest) -> InboundMessage | Challenge:
        """Read a request; see the protocol."""
        query = request.query
        stamps = (self._settings.token, query.get("timestamp", ""), query.get("nonce", ""))
        if request.method == "GET":
            if not is_signed(query.get("signature", ""), *stamps):
                raise ChannelRefused("The signature is wrong.")
            return Challenge(ChannelResponse(query.get("echostr", "")))
        if self._crypto is None:
            if not is_signed(query.get("signature", ""), *stamps):
                raise ChannelRefused("The signature is wrong.")
            return self._message(xml_fields(request.body))
        encrypted = xml_fields(request.body).get("Encrypt", "")
        if not is_signed(query.get("msg_signature", ""), *stamps, encrypted):
            raise ChannelRefused("The signature is wrong.")
        return self._message(xml_fields(self._crypto.decrypt(encrypted).encode()))

    def answer(self, message: InboundMessage, text: str) -> ChannelResponse:
        """An XML message, encrypted if the account is; "success" for an empty one."""
        if not text:
            return _SUCCESS
        return passive_answer(message, text, self._crypto, self._settings.token)

    def send(self, user: str, text: str, reply_to: str) -> None:
        """Send a customer-service message; see the protocol."""
        del reply_to  # WeChat's messages answer nothing
        body = {"touser": user, "msgtype": "text", "text": {"content": text}}
        call_with_token(self._api, self._fetch_token, "/cgi-bin/message/custom/send", body)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _message(self, fields: dict[str, str]) -> InboundMessage | Challenge:
        return message_of(fields, _SUCCESS)

    def _fetch_token(self) -> tuple[str, float]:
        query = {
            "grant_type": "client_credential",
            "appid": self._settings.app_id,
            "secret": self._settings.app_secret,
        }
        return token_in(self._api.call("GET", "/cgi-bin/token", query=query))


def xml_fields(body: bytes) -> dict[str, str]:
    """The elements right below the root, by name.

    Raises:
        ChannelRefused: it is no XML, or XML that tries to do harm.
    """
    try:
        root = defusedxml.ElementTree.fromstring(body, forbid_dtd=True)
    except (defusedxml.ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise ChannelRefused("The message is no XML.") from error
    return {str(child.tag): child.text or "" for child in root}


def message_of(fields: dict[str, str], nothing: ChannelResponse) -> InboundMessage | Challenge:
    """A message of WeChat or WeCom; `nothing` answers what needs no answer."""
    kind, user = fields.get("MsgType", ""), fields.get("FromUserName", "")
    if kind == "event":
        event = fields.get("Event", "")
        if event not in {"subscribe", "enter_agent"}:
            return Challenge(nothing)
        # An event has no id: user and second tell it from others, as WeChat's documentation says.
        event_id = f"{user}:{fields.get('CreateTime', '')}:{event}"
        return InboundMessage(user, event_id, Kind.GREETING, "", receiver=fields.get("ToUserName", ""))
    text = fields.get("Content", "") if kind == "text" else fields.get("Recognition", "")
    return InboundMessage(
        user=user,
        id=fields.get("MsgId", ""),
        kind=Kind.TEXT if text else Kind.OTHER,
        text=text,
        receiver=fields.get("ToUserName", ""),
    )


def passive_answer(
    message: InboundMessage, text: str, crypto: WeChatCrypto | None, token: str
) -> ChannelResponse:
    """The answer to a request of WeChat or WeCom."""
    now = str(int(time.time()))
    xml = (
        f"<xml><ToUserName>{escape(message.user)}</ToUserName><FromUserName>{escape(message.receiver)}"
        f"</FromUserName><CreateTime>{now}</CreateTime><MsgType>text</MsgType><Content>{escape(text)}</Content></xml>"
    )
    if crypto is not None:
        encrypted, nonce = crypto.encrypt(xml), str(secrets.randbelow(10**10))
        xml = (
            f"<xml><Encrypt>{encrypted}</Encrypt><MsgSignature>{sign(token, now, nonce, encrypted)}</MsgSignature>"
            f"<TimeStamp>{now}</TimeStamp><Nonce>{nonce}</Nonce></xml>"
        )
    return ChannelResponse(xml, "application/xml")


def token_in(answer: dict[str, Any]) -> tuple[str, float]:
    """The access token that an API of WeChat or WeCom gave, and for how many seconds.

    Raises:
        ChannelUnreachable: it gave none.
    """
    if not isinstance(answer.get("access_token"), str):
        raise ChannelUnreachable(f"No access token: errcode {answer.get('errcode')}. Check id and secret.")
    return answer["access_token"], float(answer.get("expires_in", 0))


def call_with_token(api: ChannelApi, fetch: Any, path: str, body: dict[str, Any]) -> None:
    """Post a message to WeChat or WeCom; a token that ended early is renewed once.

    Raises:
        ChannelUnreachable: the message was refused.
    """
    code = None
    for _ in range(2):
        answer = api.call("POST", path, query={"access_token": api.token(fetch)}, body=body)
        code = answer.get("errcode")
        if code == 0:
            return
        if code not in _BAD_TOKENS:
            break
        api.forget_token()
    raise ChannelUnreachable(f"The message was refused: errcode {code}.")
