"""The messengers that the settings open."""

from __future__ import annotations

from bot.channels.dingtalk import DingTalk
from bot.channels.feishu import Feishu
from bot.channels.protocol import Channel
from bot.channels.wechat import WeChat
from bot.channels.wecom import WeCom
from bot.settings_sections import ChannelSettings


def configured_channels(settings: ChannelSettings) -> list[Channel]:
    """Each messenger that has an id in the settings.

    Raises:
        SettingsError: one of them has an id, and misses what proves who sends.
    """
    found: list[Channel] = []
    if settings.wechat.app_id:
        found.append(WeChat(settings.wechat))
    if settings.wecom.corp_id:
        found.append(WeCom(settings.wecom))
    if settings.feishu.app_id:
        found.append(Feishu(settings.feishu))
    if settings.dingtalk.app_key:
        found.append(DingTalk(settings.dingtalk))
    return found
