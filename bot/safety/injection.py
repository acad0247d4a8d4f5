"""Names instructions that are smuggled into text: for flags in the log, and for a person who reviews an article.

It only names. What keeps a smuggled instruction harmless is elsewhere: an answer's sentences must be supported by the
articles, and the model has no tools.
"""

from __future__ import annotations

import base64
import binascii
import re

from bot.safety.folding import fold

_RULES_EN = r"(?:instructions?|prompts?|rules|guidelines|directions|directives|commands|policies|guardrails|restrictions|context)"
_RULES_ZH = r"(?:指令|指示|提示词?|提示語|规则|規則|设定|設定|限制|约束|要求|命令|系统消息|上下文)"

_ALTERNATIVES: dict[str, tuple[str, ...]] = {
    "ignore_instructions": (
        (
            r"(?:ignore|disregard|forget|override|bypass|skip)[^.!?。\n]{0,30}?"
            rf"(?:previous|prior|above|earlier|preceding|all|any|your|the system|safety|original)[^.!?。\n]{{0,20}}?{_RULES_EN}"
        ),
        (
            r"(?:忽略|无视|無視|忘记|忘掉|忘記|不要理会|不用管|绕过|跳过|抛开|放弃)[^。!?\n]{0,12}?"
            rf"(?:以上|之前|上面|前面|先前|此前|所有|全部|一切|你的|系统|系統|原来)[^。!?\n]{{0,8}}?{_RULES_ZH}"
        ),
    ),
    "new_role": (
        r"(?<![a-z])from now on,? you(?: are| will|'re)",
        r"(?<![a-z])you are (?:no longer|now (?:an? (?!gold|platinum|silver|member|lot|bit|little|few)|in |no longer|(?-i:[A-Z]{3})))",
        r"(?<![a-z])(?:pretend|act) (?:to be|as if you|like you|as (?:an? |the )?(?:unrestricted|evil|dan|developer|admin|system|root))",
        r"(?<![a-z])(?:developer mode|jailbreak|do anything now)",
        r"你现在是(?!不是|否|什么|谁|哪|人工|机器|在|真人)",
        r"从现在(?:开始|起)[,,]?你|假装你?(?:是|没有)|你(?:要|来|必须)?扮演|角色扮演|开发者模式|越狱|你不再是|你不再受",
    ),
    "asks_for_prompt": (
        (
            r"(?:print|show|reveal|repeat|output|display|tell me|give me|leak|recite|translate|summari[sz]e|what(?:'s| is| are))"
            r"[^.!?。\n]{0,30}?(?:(?:system|initial|hidden) (?:prompt|message|instruction|rule)"
            r"|your (?:own |full |exact |original |secret |internal |hidden )*(?:rules|instructions|prompt|guidelines)"
            r"|(?:text|words|everything|instructions) above)"
        ),
        r"(?<![a-z])system prompt|系统提示词|系統提示詞|你的系[统統]提示(?=[词詞发给是内]|[^\u4e00-\u9fff]|\Z)|初始(?:提示|指令)|隐藏(?:的)?(?:提示|指令)",
        (
            r"(?:输出|打印|显示|重复|复述|告诉我|泄露|透露|列出|说出)[^。!?\n]{0,10}?(?:你的|以上|上面)(?:的)?"
            r"(?:全部|所有|完整|内部|原始|隐藏)*(?:的)?(?:提示词?|指令|规则|设定|内容)"
        ),
    ),
    "role_marker": (
        r"</?(?:start_of_turn|end_of_turn|bos|eos|s|unused\d+)>|<\|[a-z_]{2,24}\|>|\[/?INST\]|<</?SYS>>",
        r"(?:^|\n)[ \t#*]*(?:system|assistant|developer)[ *]*:[ \t]*\S",
        r"###? ?(?:system|instruction|assistant|new instructions)",
        r"\"role\" ?: ?\"(?:system|assistant|developer)\"",
        r"(?:^|\n)[ #*【\[]*(?:系统|助手|管理员)(?:消息|指令)?[】\]]?[ *]*:[ ]*\S",
    ),
    "answer_as_told": (
        r"(?:respond|reply|answer|say|output)[^.!?。\n]{0,12}? (?:only|exactly|just)(?: with)?[ :]+(?-i:[\"'“「A-Z])",
        r"(?:只|仅|必须)(?:回复|回答|输出|说)[:「“\"']",
        r"(?:把|将)[^。\n]{0,12}(?:发给|发送到|透露给)(?:所有)?(?:客户|用户|顾客)",
    ),
    "leak_by_link": (
        r"!\[[^\]]{0,80}\]\(https?:[^)]{0,200}[?&=]|<img[^>]{0,200}src ?= ?[\"']?https?:|(?:fetch|curl|wget) +https?:",
        r"(?:send|post|forward|upload)[^.!?\n]{0,30}?(?:conversation|chat|history|customer data)[^.!?\n]{0,20}? to (?:https?:|[^ \n]{1,64}@)",
    ),
    "hidden_markup": (
        r"<!--[^>]{0,200}?(?:ignore|instruct|assistant|忽略|指令|必须)",
        r"display ?: ?none|font-size ?: ?0",
    ),
}
_PATTERNS = {name: re.compile("|".join(parts), re.IGNORECASE) for name, parts in _ALTERNATIVES.items()}
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{40,}={0,2}(?![A-Za-z0-9+/=_-])")
_INVISIBLE = re.compile(
    "[\u200b\u2060-\u2064\ufeff]{2,}|[\u202a-\u202e\u2066-\u2069]|[\U000e0020-\U000e007e]{4,}"
)
_LOOKS_AT = 100_000  # characters; whatever is longer than this has been refused before, or is an article


def suspicious(text: str) -> tuple[str, ...]:
    """Names of the patterns found, in a fixed order; empty for ordinary text.

    Names: ignore_instructions, new_role, asks_for_prompt, role_marker, answer_as_told, leak_by_link, hidden_markup,
    encoded_text (base64 that decodes to words), invisible_text (zero-width runs, direction overrides, tag letters).
    """
    text = text[:_LOOKS_AT]
    plain = fold(text)
    found = [name for name, pattern in _PATTERNS.items() if pattern.search(plain)]
    if any(_decodes_to_words(match.group()) for match in _BASE64.finditer(plain)):
        found.append("encoded_text")
    if _INVISIBLE.search(text):
        found.append("invisible_text")
    return tuple(found)


def _decodes_to_words(blob: str) -> bool:
    """Whether base64 hides readable text; a random token or a hash does not."""
    whole = blob.rstrip("=")
    try:
        hidden = base64.b64decode(whole[: len(whole) // 4 * 4]).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return hidden.isprintable()
