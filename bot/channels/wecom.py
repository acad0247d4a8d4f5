"""An application in WeCom (企业微信): as WeChat, always encrypted, with the company's id as the receiver.

https://developer.work.weixin.qq.com/document/path/90930
"""

from __future__ import annotations

from bot.channels.protocol import (
    Challenge,
    ChannelRequest,
    ChannelResponse,
    InboundMessage,
)
from bot.channels.tokens import ChannelApi
from bot.channels.wechat import call_with_token, message_of, passive_answer, token_in, xml_fields
from bot.channels.wechat_crypto import WeChatCrypto, is_signed
from bot.errors import ChannelRefused, SettingsError
from bot.settings_sections import WeComSettings

_API = "https://qyapi.weixin.qq.com"
_BEFORE_THE_FIFTH_SECOND = 4.5
_UNTIL_IT_ASKS_AGAIN = 5.5
_NOTHING = ChannelResponse("")


class WeCom:
    """An application in WeCom."""

    name = "wecom"
    longest_bytes = 2000  # of 2048
    reads_markdown = False

    def __init__(self, settings: WeComSettings, *, api: str = _API) -> None:
        """Take an application.

        Raises:
            SettingsError: token or key of its message receiver are missing, or the key is none.
        """
        if not settings.token or not settings.aes_key:
            raise SettingsError(
                "channels.wecom needs token and aes_key of the application's message receiver."
            )
        self._settings = settings
        self._crypto = WeChatCrypto(settings.aes_key, settings.corp_id)
        self._api = ChannelApi(api)

    @property
    def can_send(self) -> bool:
        """With the application's Secret, answers that take longer are sent by API."""
        return bool(self._settings.secret)

    @property
    def patience_seconds(self) -> float:
        """As for WeChat."""
        return _BEFORE_THE_FIFTH_SECOND if self.can_send else _UNTIL_IT_ASKS_AGAIN

    def parse(self, request: ChannelRequest) -> InboundMessage | Challenge:
        """Read a request; see the protocol."""
        query = request.query
        checking = request.method == "GET"
        encrypted = query.get("echostr", "") if checking else xml_fields(request.body).get("Encrypt", "")
        stamps = (self._settings.token, query.get("timestamp", ""), query.get("nonce", ""))
        if not is_signed(query.get("msg_signature", ""), *stamps, encrypted):
            raise ChannelRefused("The signature is wrong.")
        plain = self._crypto.decrypt(encrypted)
        if checking:
            return Challenge(ChannelResponse(plain))
        return message_of(xml_fields(plain.encode()), _NOTHING)

    def answer(self, message: InboundMessage, text: str) -> ChannelResponse:
        """An encrypted XML message; an empty body for an empty one."""
        return passive_answer(message, text, self._crypto, self._settings.token) if text else _NOTHING

    def send(self, user: str, text: str, reply_to: str) -> None:
        """Send a message of the application; see the protocol."""
        del reply_to  # WeCom's messages answer nothing
        body = {
            "touser": user,
            "msgtype": "text",
            "agentid": self._settings.agent_id,
            "text": {"content": text},
        }
        call_with_token(self._api, self._fetch_token, "/cgi-bin/message/send", body)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _fetch_token(self) -> tuple[str, float]:
        query = {"corpid": self._settings.corp_id, "corpsecret": self._settings.secret}
        return token_in(self._api.call("GET", "/cgi-bin/gettoken", query=query))
