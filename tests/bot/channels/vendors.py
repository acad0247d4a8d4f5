"""What messengers send, from the examples of their own documentation, and a server that stands for their APIs."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bot.channels.dingtalk import sign as dingtalk_sign
from bot.channels.protocol import ChannelRequest
from bot.channels.wechat_crypto import sign
from bot.settings_sections import DingTalkSettings, FeishuSettings, WeChatSettings, WeComSettings

WECHAT_TOKEN = "spamtest"
WECHAT_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
WECHAT_APP = "wx2c2769f8efd9abc2"
WECOM_TOKEN = "QDG6eK"
WECOM_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
WECOM_CORP = "wx5823bf96d3bd56c7"
FEISHU_KEY = "test key"
FEISHU_TOKEN = "rvaYgkND1GOiu5MM0E1rncYC6PLtF7JV"
DINGTALK_SECRET = "a-secret-of-dingtalk"

WECHAT = WeChatSettings(app_id=WECHAT_APP, app_secret="s", token=WECHAT_TOKEN)
WECHAT_AES = WECHAT.model_copy(update={"aes_key": WECHAT_KEY})
WECOM = WeComSettings(corp_id=WECOM_CORP, agent_id=218, secret="s", token=WECOM_TOKEN, aes_key=WECOM_KEY)
FEISHU = FeishuSettings(app_id="cli_1", app_secret="s", verification_token=FEISHU_TOKEN)
FEISHU_AES = FEISHU.model_copy(update={"encrypt_key": FEISHU_KEY})
DINGTALK = DingTalkSettings(app_key="ding1", app_secret=DINGTALK_SECRET)

# From WeChat's sample code: an encrypted message with its signature.
WECHAT_QUERY = {
    "msg_signature": "5d197aaffba7e9b25a30732f161a50dee96bd5fa",
    "timestamp": "1409735669",
    "nonce": "1320562132",
}
WECHAT_BODY = (
    b"<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName><Encrypt><![CDATA[hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIH"
    b"vxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS"
    b"7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavj"
    b"IQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpC"
    b"umEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE=]]></Encrypt></xml>"
)
# From WeCom's documentation: the check of an address.
WECOM_QUERY = {
    "msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
    "timestamp": "1409659589",
    "nonce": "263014780",
    "echostr": "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
}


def wechat_message(text: str, *, user: str = "oUser", message_id: str = "1") -> ChannelRequest:
    """A plain message of WeChat, as its documentation shows one."""
    body = (
        f"<xml><ToUserName><![CDATA[gh_kefu]]></ToUserName><FromUserName><![CDATA[{user}]]></FromUserName>"
        "<CreateTime>1348831860</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{text}]]></Content><MsgId>{message_id}</MsgId></xml>"
    )
    return wechat_request(body)


def wechat_request(body: str) -> ChannelRequest:
    """Any plain request of WeChat, signed."""
    query = {"timestamp": "1348831860", "nonce": "42"}
    query["signature"] = sign(WECHAT_TOKEN, query["timestamp"], query["nonce"])
    return ChannelRequest("POST", query, {}, body.encode())


def feishu_event(text: str, *, message_id: str = "om_5ce6d572455d361153b7cb51da133945") -> dict[str, Any]:
    """The event im.message.receive_v1, as Feishu's documentation shows it."""
    return {
        "schema": "2.0",
        "header": {
            "event_id": "5e3702a84e847582be8db7fb73283c02",
            "event_type": "im.message.receive_v1",
            "create_time": "1608725989000",
            "token": FEISHU_TOKEN,
            "app_id": "cli_9f5343c580712544",
            "tenant_key": "2ca1d211f64f6438",
        },
        "event": {
            "sender": {
                "sender_id": {"union_id": "on_8ed6aa67826108097d9ee143816345", "user_id": "e33ggbyz",
                              "open_id": "ou_84aad35d084aa403a838cf73ee18467"},
                "sender_type": "user",
                "tenant_key": "736588c9260f175e",
            },
            "message": {
                "message_id": message_id,
                "create_time": "1609073151345",
                "chat_id": "oc_5ce6d572455d361153b7xx51da133945",
                "chat_type": "p2p",
                "message_type": "text",
                "content": json.dumps({"text": text}),
                "mentions": [{"key": "@_user_1", "id": {"open_id": "ou_x"}, "name": "Tom"}],
            },
        },
    }  # fmt: skip


def feishu_request(event: dict[str, Any], *, key: str = "") -> ChannelRequest:
    """An event as Feishu sends it: plain, or encrypted and signed."""
    plain = json.dumps(event).encode()
    if not key:
        return ChannelRequest("POST", {}, {}, plain)
    missing = 16 - len(plain) % 16
    iv = b"0123456789abcdef"
    encryptor = Cipher(AES(hashlib.sha256(key.encode()).digest()), CBC(iv)).encryptor()
    encrypted = iv + encryptor.update(plain + bytes([missing]) * missing) + encryptor.finalize()
    body = json.dumps({"encrypt": base64.b64encode(encrypted).decode()}).encode()
    headers = {"x-lark-request-timestamp": "1609073151", "x-lark-request-nonce": "n1"}
    signed = "".join(headers.values()).encode() + key.encode() + body
    return ChannelRequest(
        "POST", {}, {**headers, "x-lark-signature": hashlib.sha256(signed).hexdigest()}, body
    )


def dingtalk_request(
    text: str, *, webhook: str = "https://oapi.dingtalk.com/robot/sendBySession?session=1"
) -> ChannelRequest:
    """A message to a robot, as DingTalk's documentation shows it."""
    body = {
        "conversationId": "cid1",
        "atUsers": [{"dingtalkId": "$:LWCP_v1:$x"}],
        "chatbotUserId": "$:LWCP_v1:$C",
        "msgId": "msg0",
        "senderNick": "杨",
        "senderStaffId": "user123",
        "sessionWebhookExpiredTime": 1613635652738,
        "createAt": 1613630252678,
        "conversationType": "2",
        "senderId": "$:LWCP_v1:$Ff09GI",
        "isInAtList": True,
        "sessionWebhook": webhook,
        "text": {"content": f" {text}"},
        "msgtype": "text",
    }
    now = str(int(time.time() * 1000))
    headers = {"timestamp": now, "sign": dingtalk_sign(now, DINGTALK_SECRET)}
    return ChannelRequest("POST", {}, headers, json.dumps(body).encode())


@dataclass
class Vendor:
    """Stands for all messengers' APIs: gives tokens, takes messages, and keeps what it was sent."""

    refusals: list[dict[str, Any]] = field(default_factory=list)  # answers to the next messages
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # path and body of messages
    tokens: int = 0

    def __post_init__(self) -> None:
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer({})

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                self.answer(json.loads(self.rfile.read(length) or b"{}"))

            def answer(self, body: dict[str, Any]) -> None:
                answer = json.dumps(vendor.reply(self.path, body)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def reply(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if "oken" in path.partition("?")[0]:
            self.tokens += 1
            name = f"token-{self.tokens}"
            tokens = {"access_token": name, "tenant_access_token": name, "accessToken": name}
            return {**tokens, "errcode": 0, "code": 0, "expires_in": 7200, "expire": 7200, "expireIn": 7200}
        self.sent.append((path, body))
        return self.refusals.pop(0) if self.refusals else {"errcode": 0, "code": 0, "processQueryKey": "q"}

    def wait_for(self, count: int, seconds: float = 5.0) -> list[tuple[str, dict[str, Any]]]:
        """The messages, once there are so many."""
        deadline = time.monotonic() + seconds
        while len(self.sent) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.sent

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
