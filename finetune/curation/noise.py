"""What is no example of anything: empty texts, emoji and links alone, notices of the system, answers that are none."""

from __future__ import annotations

import re
import unicodedata

from bot.conversation import Route
from bot.safety.injection import suspicious
from bot.understanding.language import detect
from finetune.curation.likeness import normalised
from finetune.records import Exchange

_URL = re.compile(r"(?:https?://|www\.)[^\s\u3000-\u9fff，。；！？]+", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"<[A-Z_]+>")
_STAND_IN = re.compile(  # what chat programs write in place of a picture or a sticker
    r"[\[【(（](?:图片|圖片|表情|语音|語音|视频|影片|文件|链接|订单|商品|位置|动画表情|红包|名片|撤回|image|photo|picture|video|voice|audio|file|sticker"
    r"|attachment|emoji|link|location|gif)[^\]】)）]{0,40}[\]】)）]",
    re.IGNORECASE,
)
_NOTICE = re.compile(
    r"^[\W_]*(?:系统(?:消息|提示|通知)|会话已(?:结束|关闭|转接)|对话已(?:结束|关闭)|本次(?:会话|服务)已结束|(?:您|你)?已(?:进入|退出)(?:会话|排队)"
    r"|当前排队|(?:正在)?为您转接|正在(?:为您)?转(?:接)?人工|(?:客服|坐席).{0,12}(?:已接入|为您服务[。！!]?$|加入会话|离开会话|已离线)|请对本次服务|请为(?:我|本次).{0,6}评价"
    r"|\[?自动回复\]?|(?:对方|客户|用户)(?:已离开|长时间未回复)|消息已撤回|.{0,20}撤回了一条消息"
    r"|conversation (?:was |has been |is )?(?:opened|closed|resolved|assigned|transferred|marked)|(?:the )?chat (?:has |was )?(?:ended|been closed|started)"
    r"|you are (?:now )?(?:number \d+ )?in (?:the )?queue|.{1,40} (?:has )?(?:joined|left) the (?:chat|conversation)[.!]?$|(?:please )?rate (?:this|your) (?:conversation|chat)"
    r"|transferring you|(?:this is an )?auto(?:mated|matic)?[- ]?(?:reply|response|message)|out of office|assigned to |this message was deleted)",
    re.IGNORECASE,
)
_GREETINGS_AND_THANKS = (
    "你好,您好,在吗,在么,在,有人吗,有人在吗,客服在吗,亲,好的,好,好吧,嗯,嗯嗯,哦,收到,知道了,明白,明白了,谢谢,谢谢你,谢谢您,多谢,感谢,再见,拜拜,行,可以,对,是的,不用了,没有了,没了,ok谢谢,好的谢谢,好的 谢谢,"
    "hi,hello,hey,hi there,hello there,anyone there,ok,okay,okay thanks,ok thanks,ok thank you,thanks,thank you,thank you very much,thx,ty,bye,goodbye,yes,no,yep,nope,sure,great,got it,"
    "i see,alright,no thanks,that's all"
)
_SMALL_TALK = frozenset(map(normalised, _GREETINGS_AND_THANKS.split(",")))
# What the log says about turns without an answer of their own; a person's correction makes them worth learning.
_NO_ANSWER = (Route.NO_ANSWER, Route.HANDOFF, Route.CLARIFY, Route.MERGED, Route.PERSON)


def is_empty(text: str) -> bool:
    """Whether nothing is said: no letter or digit beside links, masked data, and stand-ins for pictures."""
    rest = _STAND_IN.sub(" ", _PLACEHOLDER.sub(" ", _URL.sub(" ", text)))
    return not any(unicodedata.category(character)[0] in "LN" for character in rest)


def is_notice(text: str) -> bool:
    """Whether a program says it, not a person: a chat was closed, transferred, queued, to be rated."""
    return len(text) <= 200 and bool(_NOTICE.match(text.strip()))


def is_small_talk(text: str) -> bool:
    """Whether a customer asks nothing: a greeting, thanks, yes, no."""
    return normalised(text) in _SMALL_TALK


def noise_in(exchange: Exchange) -> str | None:
    """Why an exchange says nothing that could be learned, or None."""
    for name, text in (("question", exchange.question), ("answer", exchange.answer)):
        if not text.strip():
            return f"the {name} is empty"
        if is_empty(text):
            return f"the {name} has no words"
        if is_notice(text):
            return f"the {name} is a notice of the system"
    return "the question gives orders to the bot" if suspicious(exchange.question) else None


def nothing_asked(exchange: Exchange) -> str | None:
    """Why an exchange can only be context, or None."""
    if is_small_talk(exchange.question):
        return "the question asks nothing"
    if not exchange.corrected and exchange.route in _NO_ANSWER and exchange.author == "bot":
        return "the bot had no answer of its own"
    return None


def speaks_another_language(exchange: Exchange) -> bool:
    """Whether the answer is not in the language of the question; a question in two languages takes either."""
    asked = detect(exchange.question, default=exchange.language)
    if asked.mixed:
        return False
    said = detect(exchange.answer, default=asked.language)
    return said.language.content is not asked.language.content
