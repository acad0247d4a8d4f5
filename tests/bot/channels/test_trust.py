"""Nobody is believed to be a messenger without its signature, and none opens without what makes one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.channels.configured import configured_channels
from bot.channels.dingtalk import DingTalk
from bot.channels.feishu import Feishu
from bot.channels.protocol import Channel, ChannelRequest
from bot.channels.wechat import WeChat
from bot.channels.wecom import WeCom
from bot.errors import ChannelRefused, SettingsError
from bot.settings_sections import (
    ChannelSettings,
    DingTalkSettings,
    FeishuSettings,
    WeChatSettings,
    WeComSettings,
)
from tests.bot.channels.vendors import (
    DINGTALK,
    FEISHU,
    FEISHU_AES,
    FEISHU_KEY,
    WECHAT,
    WECHAT_AES,
    WECHAT_BODY,
    WECHAT_QUERY,
    WECOM,
    WECOM_QUERY,
    dingtalk_request,
    feishu_event,
    feishu_request,
    wechat_message,
)


def forged() -> list[tuple[Channel, ChannelRequest]]:
    wechat, feishu, dingtalk = (
        wechat_message("x"),
        feishu_request(feishu_event("x"), key=FEISHU_KEY),
        dingtalk_request("x"),
    )
    old = {"timestamp": "1577262236757", "sign": "x"}
    return [
        (WeChat(WECHAT), replace(wechat, query={})),
        (WeChat(WECHAT), replace(wechat, query={**wechat.query, "nonce": "43"})),
        (WeChat(WECHAT), replace(wechat, query={**wechat.query, "signature": "签"})),
        (WeChat(WECHAT), replace(wechat, method="GET", query={"echostr": "<script>"})),
        (WeChat(WECHAT), replace(wechat, body=b"<xml>")),
        (WeChat(WECHAT), replace(wechat, body=b"<!DOCTYPE x [<!ENTITY a 'b'>]><xml><Content>&a;</Content></xml>")),
        (WeChat(WECHAT_AES), wechat),
        (WeChat(WECHAT_AES), ChannelRequest("POST", {**WECHAT_QUERY, "msg_signature": "0"}, {}, WECHAT_BODY)),
        (WeChat(WECHAT_AES), ChannelRequest("POST", WECHAT_QUERY, {}, WECHAT_BODY.replace(b"hyzA", b"hyzB"))),
        (WeCom(WECOM), ChannelRequest("GET", {**WECOM_QUERY, "nonce": "1"}, {}, b"")),
        (WeCom(WECOM), ChannelRequest("POST", {}, {}, b"<xml><Encrypt>x</Encrypt></xml>")),
        (Feishu(FEISHU), feishu_request({**feishu_event("x"), "header": {"token": "guess"}})),
        (Feishu(FEISHU), ChannelRequest("POST", {}, {}, b"[1]")),
        (Feishu(FEISHU), ChannelRequest("POST", {}, {}, b"{" * 9999)),
        (Feishu(FEISHU_AES), feishu_request(feishu_event("x"))),
        (Feishu(FEISHU_AES), replace(feishu, headers={})),
        (Feishu(FEISHU_AES), replace(feishu, body=feishu.body + b" ")),
        (Feishu(FEISHU_AES), ChannelRequest("POST", {}, {}, b'{"encrypt": "AAAA"}')),
        (DingTalk(DINGTALK), replace(dingtalk, headers={})),
        (DingTalk(DINGTALK), replace(dingtalk, headers=old)),
        (DingTalk(DINGTALK), replace(dingtalk, body=b"x")),
    ]  # fmt: skip


@pytest.mark.parametrize("case", range(21))
def test_nobody_is_believed_to_be_a_messenger_without_its_signature(case: int) -> None:
    channel, request = forged()[case]
    with pytest.raises(ChannelRefused):
        channel.parse(request)


def test_a_dingtalk_request_that_was_recorded_long_ago_is_refused() -> None:
    late = DingTalk(DINGTALK, clock=lambda: 4_000_000_000.0)
    with pytest.raises(ChannelRefused, match="an hour old"):
        late.parse(dingtalk_request("x"))


@pytest.mark.parametrize(
    "settings",
    [
        {"wechat": WeChatSettings(app_id="a")},
        {"wechat": WeChatSettings(app_id="a", token="t", aes_key="short")},
        {"wecom": WeComSettings(corp_id="a", token="t")},
        {"feishu": FeishuSettings(app_id="a", app_secret="s")},
        {"dingtalk": DingTalkSettings(app_key="a")},
    ],
)
def test_a_messenger_without_what_proves_who_sends_is_refused_at_the_start(
    settings: dict[str, object],
) -> None:
    with pytest.raises(SettingsError):
        configured_channels(ChannelSettings.model_validate(settings))


def test_only_what_the_settings_open_is_open() -> None:
    assert configured_channels(ChannelSettings()) == []
    every = ChannelSettings(wechat=WECHAT_AES, wecom=WECOM, feishu=FEISHU, dingtalk=DINGTALK)
    channels = configured_channels(every)
    assert [channel.name for channel in channels] == ["wechat", "wecom", "feishu", "dingtalk"]
    for channel in channels:
        channel.close()
