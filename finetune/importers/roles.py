"""Who speaks: roles as other programs and people write them, in Chinese and English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from bot.safety.folding import fold
from bot.understanding.language import to_simplified
from finetune.importers.reading import Role

_WORDS: dict[Role, str] = {
    "customer": (
        "客户 顾客 用户 买家 访客 会员 消费者 咨询者 来访者 提问者 亲友 患者 学员 家长 问 "
        "customer client user buyer visitor guest consumer contact requester enduser human member caller q 访问者"
    ),
    "agent": (
        "客服 卖家 商家 店家 店铺 坐席 座席 人工 人工客服 在线客服 售后 售前 售后客服 售前客服 店小二 小二 客服专员 客服人员 工作人员 专员 "
        "顾问 老师 答 回答者 agent support rep representative operator staff seller admin advisor employee "
        "customerservice customersupport supportagent serviceagent humanagent cs csr a 客服中心 服务商 商户"
    ),
    "bot": "机器人 智能客服 智能助手 客服机器人 自动回复 助手 bot robot ai assistant chatbot gpt chatgpt agentbot aiassistant virtualassistant model",
    "system": "系统 系统消息 系统提示 系统通知 通知 提示 system notice event activity developer tool function info",
}
_ROLES: dict[str, Role] = {word: role for role, words in _WORDS.items() for word in words.split()}
_CHINESE_FIRST = sorted(
    (word for word in _ROLES if not word.isascii() and len(word) > 1), key=len, reverse=True
)
# 「客服电话：400…」 and "Customer name: …" are what somebody says, not who says it.
_NO_NAME = re.compile(
    r"电话|热线|时间|邮箱|地址|微信|编号|姓名|昵称|名称|名字|名$|(?<!工)号|手机|账|协议|须知|评价|备注|等级|类型|来源|问题|需求|反馈|信息|留言|确认|订单|满意"
    r"|(?<![a-z])(?:name|id|number|no|email|mail|phone|tel|address|guide|manual|hours?|time|service|support|note|rating|order|type|account"
    r"|feedback|request|issue|question|status|centre|center|hotline|link|page|faq|policy|satisfaction)(?![a-z])",
    re.IGNORECASE,
)
_MARKS_INSIDE = re.compile(r"[,!?;，。！？；、]")
_ATTACHED = re.compile(
    r"(?P<role>[A-Za-z]{2,})(?:[-_#]|(?=[\d(\[<【]))(?P<name>.+)"
)  # agent_anna, user123, Agent(Anna)
_BEHIND = re.compile(r"(?P<name>.+?) ?[(\[【<](?P<role>[^)\]】>]+)[)\]】>]")  # Anna (Agent)
_BRACKETS = " ()[]【】<>-_#·."
_LONGEST_NAME = 20
_CAPITAL = re.compile(r"[^a-z\s][^\s]*(?: [^a-z\s][^\s]*){0,2}")  # "Anna Schmidt", 小美; not "wants a refund"


def role_of(word: str) -> Role | None:
    """The role that a word alone names (`客服`, `Customer`, `end-user`), or None."""
    return _ROLES.get(re.sub(r"[\s_-]+", "", to_simplified(fold(word)).strip().casefold()))


@lru_cache(maxsize=4096)  # a long file has few speakers
def speaker(label: str) -> tuple[Role, str] | None:
    """The role and the name in a label such as 客服小美, 买家(tb123), "Agent Anna", "Anna (Agent)"; None if neither shows.

    The name is "" where the label is the role alone.
    """
    plain = to_simplified(fold(label)).strip()
    alone = role_of(plain)
    if alone is not None:
        return alone, ""
    named = (*_after_words(plain), *_attached(plain), *_after_chinese(plain), *_before_brackets(plain))
    people = ((role, name.strip(_BRACKETS)) for role, name in named)
    return next(((role, name) for role, name in people if _may_be_name(name)), None)


def _may_be_name(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and not _NO_NAME.search(text) and not _MARKS_INSIDE.search(text)


def _after_words(plain: str) -> Iterator[tuple[Role, str]]:
    words = plain.split()
    for count in (2, 1):
        role = role_of(" ".join(words[:count]))
        name = " ".join(words[count:])
        if role is not None and _CAPITAL.fullmatch(name.strip(_BRACKETS)):
            yield role, name


def _attached(plain: str) -> Iterator[tuple[Role, str]]:
    found = _ATTACHED.fullmatch(plain)
    role = role_of(found["role"]) if found else None
    if found and role is not None:
        yield role, found["name"]


def _after_chinese(plain: str) -> Iterator[tuple[Role, str]]:
    word = next((word for word in _CHINESE_FIRST if plain.startswith(word)), None)
    if word is not None:
        yield _ROLES[word], plain.removeprefix(word)


def _before_brackets(plain: str) -> Iterator[tuple[Role, str]]:
    found = _BEHIND.fullmatch(plain)
    role = role_of(found["role"]) if found else None
    if found and role is not None:
        yield role, found["name"]
