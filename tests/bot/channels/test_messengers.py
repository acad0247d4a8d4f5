"""Each messenger by the examples of its own documentation: who is believed, what is read, how an answer is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.channels.dingtalk import DingTalk
from bot.channels.feishu import Feishu, decrypt
from bot.channels.protocol import Challenge, Channel, ChannelRequest, InboundMessage, Kind
from bot.channels.wechat import WeChat, xml_fields
from bot.channels.wechat_crypto import WeChatCrypto, is_signed, sign
from bot.channels.wecom import WeCom
from bot.errors import ChannelRefused, ChannelUnreachable
from tests.bot.channels.vendors import (
    DINGTALK,
    FEISHU,
    FEISHU_AES,
    FEISHU_KEY,
    FEISHU_TOKEN,
    WECHAT,
    WECHAT_AES,
    WECHAT_APP,
    WECHAT_BODY,
    WECHAT_KEY,
    WECHAT_QUERY,
    WECHAT_TOKEN,
    WECOM,
    WECOM_CORP,
    WECOM_KEY,
    WECOM_QUERY,
    WECOM_TOKEN,
    Vendor,
    dingtalk_request,
    feishu_event,
    feishu_request,
    wechat_message,
    wechat_request,
)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    yield vendor
    vendor.close()


def message(channel: Channel, request: ChannelRequest) -> InboundMessage:
    parsed = channel.parse(request)
    channel.close()
    assert isinstance(parsed, InboundMessage)
    return parsed


def challenge(channel: Channel, request: ChannelRequest) -> str:
    parsed = channel.parse(request)
    channel.close()
    assert isinstance(parsed, Challenge)
    return parsed.response.body


# --- WeChat ---------------------------------------------------------------------------------------------------------


def test_wechats_own_sample_is_encrypted_as_its_sample_code_does() -> None:
    crypto = WeChatCrypto(WECHAT_KEY, "wxb11529c136998cb6")
    encrypted = crypto.encrypt("我是中文abcd123", random=b"aaaabbbbccccdddd")
    assert encrypted == (
        "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="
    )
    assert crypto.decrypt(encrypted) == "我是中文abcd123"


def test_wechats_own_sample_message_is_read() -> None:
    read = message(WeChat(WECHAT_AES), ChannelRequest("POST", WECHAT_QUERY, {}, WECHAT_BODY))
    assert (read.user, read.id, read.text) == (
        "oyORnuP8q7ou2gfYjqLzSIWZf0rs",
        "6054768590064713728",
        "abcdteT",
    )
    assert (read.kind, read.receiver) == (Kind.TEXT, "gh_10f6c3c3ac5a")


@pytest.mark.parametrize("text", ["你好", "hello", "我的 AirBuds 坏了 <&>", "1"])
def test_a_plain_wechat_message_is_read_and_answered(text: str) -> None:
    escaped = text.replace("]]>", "")
    read = message(WeChat(WECHAT), wechat_message(escaped))
    assert (read.user, read.text) == ("oUser", text)
    answered = xml_fields(WeChat(WECHAT).answer(read, "好的 <b> & ]]> ok").body.encode())
    assert answered["ToUserName"] == "oUser"
    assert answered["FromUserName"] == "gh_kefu"
    assert answered["Content"] == "好的 <b> & ]]> ok"


def test_an_encrypted_answer_is_signed_and_can_be_read_by_the_receiver_alone() -> None:
    read = message(WeChat(WECHAT_AES), ChannelRequest("POST", WECHAT_QUERY, {}, WECHAT_BODY))
    fields = xml_fields(WeChat(WECHAT_AES).answer(read, "您好").body.encode())
    assert is_signed(
        fields["MsgSignature"], WECHAT_TOKEN, fields["TimeStamp"], fields["Nonce"], fields["Encrypt"]
    )
    plain = WeChatCrypto(WECHAT_KEY, WECHAT_APP).decrypt(fields["Encrypt"])
    assert xml_fields(plain.encode())["Content"] == "您好"
    with pytest.raises(ChannelRefused, match="another receiver"):
        WeChatCrypto(WECHAT_KEY, "wx-of-somebody-else").decrypt(fields["Encrypt"])


def test_wechat_checks_the_address() -> None:
    query = {**wechat_message("x").query, "echostr": "5837397520665436492"}
    assert challenge(WeChat(WECHAT), ChannelRequest("GET", query, {}, b"")) == "5837397520665436492"


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("<MsgType>event</MsgType><Event>subscribe</Event><CreateTime>1</CreateTime>", Kind.GREETING, ""),
        ("<MsgType>image</MsgType><PicUrl>http://x</PicUrl><MsgId>2</MsgId>", Kind.OTHER, ""),
        (
            "<MsgType>voice</MsgType><Recognition>我要退货</Recognition><MsgId>3</MsgId>",
            Kind.TEXT,
            "我要退货",
        ),
    ],
)
def test_other_wechat_messages_are_told_apart(body: str, kind: Kind, text: str) -> None:
    read = message(WeChat(WECHAT), wechat_request(f"<xml><FromUserName>oUser</FromUserName>{body}</xml>"))
    assert (read.kind, read.text) == (kind, text)


def test_a_wechat_event_that_wants_no_answer_gets_none() -> None:
    body = "<xml><FromUserName>o</FromUserName><MsgType>event</MsgType><Event>unsubscribe</Event></xml>"
    assert challenge(WeChat(WECHAT), wechat_request(body)) == "success"


def test_an_answer_that_takes_longer_is_sent_by_wechats_api(vendor: Vendor) -> None:
    channel = WeChat(WECHAT, api=vendor.url)
    vendor.refusals = [{"errcode": 40001, "errmsg": "invalid credential"}]
    channel.send("oUser", "您好", "")
    channel.send("oUser", "还有吗", "")
    channel.close()
    assert vendor.tokens == 2  # one more after the first was refused, none for the second message
    assert vendor.sent[-1] == (
        "/cgi-bin/message/custom/send?access_token=token-2",
        {"touser": "oUser", "msgtype": "text", "text": {"content": "还有吗"}},
    )


# --- WeCom ----------------------------------------------------------------------------------------------------------


def test_wecoms_own_sample_check_of_the_address_is_answered() -> None:
    assert challenge(WeCom(WECOM), ChannelRequest("GET", WECOM_QUERY, {}, b"")) == "1616140317555161061"


def test_a_wecom_message_is_read_answered_and_sent(vendor: Vendor) -> None:
    inside = (
        "<xml><ToUserName>corp</ToUserName><FromUserName>mycreate</FromUserName><CreateTime>1409659813</CreateTime>"
        "<MsgType>text</MsgType><Content>hello 你好</Content><MsgId>4561255354251345929</MsgId><AgentID>218</AgentID></xml>"
    )
    channel = WeCom(WECOM, api=vendor.url)
    read = message(channel, wecom_request(inside))
    assert (read.user, read.text, read.id) == ("mycreate", "hello 你好", "4561255354251345929")
    assert xml_fields(channel.answer(read, "好").body.encode()).keys() >= {"Encrypt", "MsgSignature"}
    assert channel.answer(read, "").body == ""
    sender = WeCom(WECOM, api=vendor.url)
    sender.send("mycreate", "好", "")
    sender.close()
    assert vendor.sent[-1][1]["agentid"] == 218


def wecom_request(inside: str) -> ChannelRequest:
    crypto = WeChatCrypto(WECOM_KEY, WECOM_CORP)
    body = f"<xml><Encrypt>{crypto.encrypt(inside)}</Encrypt></xml>"
    from_crypto = xml_fields(body.encode())["Encrypt"]
    query = {"timestamp": "1", "nonce": "2"}
    query["msg_signature"] = sign(WECOM_TOKEN, "1", "2", from_crypto)
    return ChannelRequest("POST", query, {}, body.encode())


# --- Feishu ---------------------------------------------------------------------------------------------------------


def test_feishus_own_sample_is_decrypted() -> None:
    assert decrypt("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=", "test key") == b"hello world"


@pytest.mark.parametrize("key", ["", FEISHU_KEY])
def test_feishu_checks_the_address(key: str) -> None:
    event = {"challenge": "ajls384kdjx98XX", "token": FEISHU_TOKEN, "type": "url_verification"}
    request = feishu_request(event, key=key)
    unsigned = replace(request, headers={})  # the check comes without a signature
    answer = challenge(Feishu(FEISHU_AES if key else FEISHU), unsigned)
    assert json.loads(answer) == {"challenge": "ajls384kdjx98XX"}


@pytest.mark.parametrize("key", ["", FEISHU_KEY])
@pytest.mark.parametrize("text", ["退货怎么办", "how do I return it", "@_user_1 我的 order 呢"])
def test_a_feishu_message_is_read(key: str, text: str) -> None:
    read = message(Feishu(FEISHU_AES if key else FEISHU), feishu_request(feishu_event(text), key=key))
    assert read.user == "ou_84aad35d084aa403a838cf73ee18467"
    assert read.text == text.replace("@_user_1 ", "")
    assert read.reply_to == read.id == "om_5ce6d572455d361153b7cb51da133945"


def test_a_bots_own_message_is_not_answered() -> None:
    event = feishu_event("hi")
    event["event"]["sender"]["sender_type"] = "app"
    assert challenge(Feishu(FEISHU), feishu_request(event)) == "{}"


def test_an_answer_is_sent_by_feishus_api(vendor: Vendor) -> None:
    channel = Feishu(FEISHU, api=vendor.url)
    vendor.refusals = [{"code": 99991663, "msg": "token invalid"}]
    channel.send("ou_1", "您好", "om_1")
    channel.send("ou_1", "有人来了", "")
    channel.close()
    (_, (path, body), (to_user, by_id)) = vendor.sent
    assert path == "/open-apis/im/v1/messages/om_1/reply"
    assert json.loads(body["content"]) == {"text": "您好"}
    assert to_user == "/open-apis/im/v1/messages?receive_id_type=open_id"
    assert by_id["receive_id"] == "ou_1"


# --- DingTalk -------------------------------------------------------------------------------------------------------


def test_a_dingtalk_message_is_read() -> None:
    read = message(DingTalk(DINGTALK), dingtalk_request("你好 there"))
    assert (read.user, read.id, read.text) == ("user123", "msg0", "你好 there")
    assert read.reply_to.startswith("https://oapi.dingtalk.com/")


def test_an_answer_goes_to_dingtalk_and_nowhere_else(vendor: Vendor) -> None:
    channel = DingTalk(DINGTALK, api=vendor.url)
    for address in (
        "https://evil.example/x",
        "http://oapi.dingtalk.com/x",
        "https://oapi.dingtalk.com@evil.example/",
    ):
        with pytest.raises(ChannelUnreachable, match="not DingTalk's"):
            channel.send("user123", "您好", address)
    channel.send("user123", "**您好**", "")
    channel.close()
    ((path, body),) = vendor.sent
    assert path == "/v1.0/robot/oToMessages/batchSend"
    assert body["userIds"] == ["user123"]
    assert json.loads(body["msgParam"])["text"] == "**您好**"
