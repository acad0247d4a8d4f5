"""Finds words that lead to a person: mail addresses, WeChat and QQ accounts, names after a clear cue.

Every finder takes folded text (`bot.safety.folding`) and yields start and end of each match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_Spans = Iterator[tuple[int, int]]

_LOCAL_PART = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-"
_AT_DOMAIN = re.compile(
    r"(?:@| ?[(\[]at[)\]] ?)(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}"
    r"|#(?:qq|gmail|163|126|outlook|hotmail|foxmail|icloud|yahoo|sina)\.com",
    re.IGNORECASE,
)
_LONGEST_LOCAL_PART = 64


def emails(text: str) -> _Spans:
    """Mail addresses, found from their @."""
    for match in _AT_DOMAIN.finditer(text):
        before = text[max(0, match.start() - _LONGEST_LOCAL_PART) : match.start()]
        local = before[len(before.rstrip(_LOCAL_PART)) :].lstrip(".%+-")
        if local:
            yield match.start() - len(local), match.end()


_ACCOUNT = re.compile(
    # says "account": any account may follow
    r"(?:(?:微信|薇信|威信|v信|wechat|weixin|wx|vx)(?:号|號| ?id| ?account)(?:码|是|为|叫|is|[:= ]){0,4}|加我?(?:微信|[vV][xX]?)[:= ]{0,3})"
    r"(?P<sure>[A-Za-z][A-Za-z0-9_-]{5,19})(?![A-Za-z0-9_-])"
    # says only "WeChat": the account must look like one ("WeChat payment" does not)
    r"|(?<![A-Za-z])(?:微信|薇信|威信|v信|wechat|weixin|wx|vx)(?:是|叫|is|[:= ]){0,4}"
    r"(?P<likely>[A-Za-z](?=[A-Za-z_-]{0,18}[0-9_])[A-Za-z0-9_-]{5,19})(?![A-Za-z0-9_-])"
    r"|(?<![A-Za-z])(?:qq|扣扣|企鹅)(?:号|號|码|群|是|为|is|number|id|[:= ]){0,4}(?P<number>[1-9][0-9]{4,11})(?![0-9])",
    re.IGNORECASE,
)


def accounts(text: str) -> _Spans:
    """WeChat and QQ accounts after a word that says so."""
    for match in _ACCOUNT.finditer(text):
        group = next(name for name in ("sure", "likely", "number") if match[name] is not None)
        yield match.span(group)


_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范"
    "汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫雷龙史陶贺毛郝顾龚邵万覃武钱戴严莫孔汤常温康施牛樊葛邢安齐伍庞翟颜章鲁倪殷"
    "張劉陳楊黃趙吳孫馬羅鄭謝許韓鄧馮蕭葉魏蘇呂盧鐘薑譚陸範賈鄒陳顧龔嚴湯"
)
_DOUBLE_SURNAMES = "欧阳|司马|上官|诸葛|皇甫|夏侯|东方|尉迟|公孙|慕容|令狐|歐陽|司馬"
_HAN = "\u4e00-\u9fff"
# What may follow a name without a mark between them: 我叫张伟手机…, 我叫李雷想退货.
_AFTER_NAME = (
    "手电住在我想要的是收地你请今昨这有退买订下来刚之前号男女先小和说问去到寄家微身已联单們们吧呢吗啊哦呀嘛了"
)
_CHINESE_NAME = rf"(?:{_DOUBLE_SURNAMES}|[{_SURNAMES}])[{_HAN}]"
_CHINESE_CUE = r"(?:我叫|我的名字是|我的名字叫|名字是|名字叫|本人叫|姓名|收货人|收貨人|收件人|联系人|聯絡人|户名|持卡人)(?:姓名|改成|改为|换成|写成|是|叫|为|[:= ]){0,3}"
_ENGLISH_CUE = (
    r"(?:my (?:full |first |last )?name(?:'s| is)|i am called|name|recipient|consignee|receiver|contact person|cardholder|contact name)"
    r"(?: name| is)?[:= ]{1,3}"
)
_NAME = re.compile(
    rf"{_CHINESE_CUE}(?P<chinese>{_CHINESE_NAME}(?:[{_HAN}](?=[^{_HAN}]|\Z|[{_AFTER_NAME}])(?<![{_AFTER_NAME}]))?)"
    rf"|{_CHINESE_CUE}(?P<latin>[A-Z][A-Za-z'-]{{1,20}}(?: [A-Z][A-Za-z'.-]{{0,20}}){{0,2}})(?![A-Za-z])"
    rf"|(?i:(?<![A-Za-z]){_ENGLISH_CUE})(?P<english>[A-Z][A-Za-z'-]{{1,20}}(?: [A-Z][A-Za-z'.-]{{0,20}}){{0,2}}|{_CHINESE_NAME}[{_HAN}]?)(?![A-Za-z])"
    r"|(?i:(?<![A-Za-z])my name(?:'s| is) )(?P<small>[a-z]{2,14}(?: [a-z]{2,14})?)(?=[ ]*(?:[.,;!?，。；！\n(]|\Z|and |my |i |from ))"
)
_NO_NAME = re.compile(  # "my name is wrong on the invoice"
    r"(?<![a-z])(?:on|in|at|not|wrong|miss?spell?ed|misspelt|spell?ed|missing|incorrect|different|the|an?|my|your|still|also|written"
    r"|printed|being|shown|correct|there|changed|already|right|too|long|short|same)(?![a-z])"
)


def names(text: str) -> _Spans:
    """Names, after words that announce one: 我叫, 收货人, "my name is"."""
    for match in _NAME.finditer(text):
        group = next(name for name in ("chinese", "latin", "english", "small") if match[name] is not None)
        if group != "small" or not _NO_NAME.search(match["small"]):
            yield match.span(group)
