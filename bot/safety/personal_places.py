"""Finds street addresses, Chinese and English. A city or province alone is no address: 寄到杭州要几天 is kept.

Every finder takes folded text (`bot.safety.folding`) and yields start and end of each match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_Spans = Iterator[tuple[int, int]]

_HAN = "\u4e00-\u9fff"
_NUMBER = r"(?:[0-9]{1,5}[A-Za-z]?(?:-[0-9]{1,4})?|[一二三四五六七八九十百零〇]{1,5})"
_ESTATE = r"(?:小区|社区|花园|花苑|公寓|大厦|广场|新村|新城|家园|雅苑|名苑|名邸|国际|中心|苑|府|湾|庭|轩|園|花園|大廈)"
_PART = r"(?:号楼|號樓|号院|号|號|弄|栋|棟|幢|座|单元|單元|楼|樓|层|層|室|房|户|门)"

# The heart of an address: a street with a number, or a building with a part of it.
_HEART = re.compile(
    rf"(?:(?<![逛上])街|(?<![走一上网線线绕赶在半])路|大道|(?<![知味渠频报通轨赛难])道|巷|胡同|[东西南北中]段|[东西南北]里|村|屯|组|鎮|镇)"
    rf" ?{_NUMBER} ?(?:号院|号楼|號樓|号|號|弄|巷)(?!线|店|前|后|之前|左右)"
    rf"|{_ESTATE}(?:[一二三四五六七八九][期区])?[ (]?{_NUMBER}(?:号楼|號樓|栋|棟|幢|座|单元|單元|号)"
    rf"|{_ESTATE}[A-Za-z](?:座|栋|棟|幢)"
    rf"|(?<![0-9]){_NUMBER}(?:号楼|號樓|栋|棟|幢) ?(?:{_NUMBER}(?:单元|單元) ?)?{_NUMBER}(?:室|房|层|層|楼|单元)?"
    rf"|(?<![0-9]){_NUMBER}(?:单元|單元) ?{_NUMBER}(?:室|房)?"
)
_TAIL = re.compile(
    rf"(?:[ ]?(?:[{_HAN}]{{1,10}}?{_ESTATE})?[ ,]?(?:{_NUMBER}|[A-Za-z])[ ]?{_PART}){{0,6}}"
    rf"(?:(?:[ ,-]{{0,2}})[0-9]{{3,4}}(?![0-9年月日元块分点./:%-]))?"
)
_BEFORE = re.compile(rf"[{_HAN}0-9A-Za-z ]{{0,36}}\Z")
_CUES = re.compile(
    r"地址|住址|收货|寄到|寄去|送到|送去|发到|发往|发去|改成|改到|改为|改寄|换成|换到|住在|住|搬到|位于|就是|在|是|到|至|给|往|寄|送|我家|我们家|[ ]"
)
_AREAS = re.compile(
    rf"(?:(?:[{_HAN}]{{2,3}}省|[{_HAN}]{{2,6}}自治区|北京|上海|天津|重庆|[{_HAN}]{{2,5}}[市州盟])[ ]?)?(?:[{_HAN}]{{2,5}}[市州] ?)?"
    rf"(?:[{_HAN}]{{2,6}}(?:新区|开发区|[区县旗區縣]) ?)?(?:[{_HAN}]{{2,6}}(?:街道|[镇乡鎮鄉]) ?)?[{_HAN}0-9A-Za-z ]{{0,12}}\Z"
)
_LONGEST_STREET = 8


def chinese_addresses(text: str) -> _Spans:
    """浙江省杭州市西湖区文三路12号3幢502室, from a street number or a part of a building on."""
    last = 0
    for match in _HEART.finditer(text):
        if match.start() < last:
            continue
        tail = _TAIL.match(text, match.end())
        last = match.end() if tail is None else tail.end()
        yield _start_of_address(text, match.start()), last


def _start_of_address(text: str, heart: int) -> int:
    """Where province, city and street name begin, to the left of the heart and to the right of a word like 寄到."""
    before = _BEFORE.search(text, max(0, heart - 36), heart)
    start = heart if before is None else before.start()
    for cue in _CUES.finditer(text, start, heart):
        if cue.group() != " " or not _AREAS.fullmatch(text, start, cue.start()):
            start = cue.end()
    if not re.search(r"[省市区县州區縣]|北京|上海|天津|重庆", text[start:heart]):
        start = max(start, heart - _LONGEST_STREET)
    return start


_STREET_WORD = r"(?:Road|Street|Avenue|Lane|Boulevard|Terrace|Highway|Parkway|Crescent|Rd|Ave|Blvd)"
_STREET_NAME = r"(?:Drive|Way|Court|Place|Square|Close|St|Dr|Ln|Ct|Pl|Sq)"
_PIECE = r"(?:Apt|Apartment|Unit|Room|Rm|Suite|Flat|Floor|Building|Bldg|Block|Tower)\.? ?#?[A-Za-z0-9-]{1,6}"
_PLACE = r"[A-Z][a-z]{1,20}(?: (?:New )?[A-Z][a-z]{1,20}){0,2}"
_ENGLISH = re.compile(
    rf"(?:(?<![A-Za-z])(?i:{_PIECE}),? ?){{0,3}}(?i:no\. ?)?"
    r"(?<![0-9A-Za-z.,¥$-])[0-9]{1,5}[A-Za-z]?,? "
    rf"(?:(?P<words>(?:[A-Za-z][A-Za-z'.]{{0,18}} ){{1,4}}?)(?i:{_STREET_WORD})|(?:[A-Z][A-Za-z'.]{{0,18}} ){{1,4}}?{_STREET_NAME})"
    r"(?![A-Za-z])\.?(?: (?:East|West|North|South)(?![A-Za-z]))?"
    rf"(?:,? ?(?i:{_PIECE}|#[0-9A-Za-z-]{{1,6}})){{0,3}}"
    rf"(?:, ?{_PLACE}(?![a-z])(?: [A-Z]{{2}})?(?: [0-9]{{5,6}}(?![0-9]))?){{0,4}}"
)
_POST_BOX = re.compile(r"(?<![A-Za-z])P\.? ?O\.? ?Box ?[0-9]{1,6}", re.IGNORECASE)
_NO_STREET = re.compile(  # "3 days on the road"
    r"(?<![A-Za-z])(?:an?|the|on|in|of|to|for|from|at|by|my|your|our|this|that|its?|is|was|are|were|and|or|but|with|not?"
    r"|hours?|days?|weeks?|months?|minutes?|years?|times|items?|pieces|units|km|miles|met(?:re|er)s|yuan|rmb|down|off|along)(?![A-Za-z])",
    re.IGNORECASE,
)


def english_addresses(text: str) -> _Spans:
    """12 Nanjing Road, Apt 5, Shanghai; Room 502, 100 Century Avenue; P.O. Box 12."""
    for match in _ENGLISH.finditer(text):
        words = match["words"]
        if words is None or not _NO_STREET.search(words):
            yield match.span()
    for match in _POST_BOX.finditer(text):
        yield match.span()
