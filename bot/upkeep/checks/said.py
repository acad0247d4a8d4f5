"""What the checks say, in English for the terminal and its files and in the reader's language in the console.

A check names a sentence and what stands in its places; the words stand here, once a language. `{n:day/days}` is the word for
one and for any other number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

from bot.filled import filled
from bot.upkeep.checks.values import Value

# Name → the sentence in English and in Chinese.
SENTENCES: Mapping[str, tuple[str, str]] = {
    # Two of a kind: lists are made of them.
    "and": ("{one}, {other}", "{one}、{other}"),
    "or": ("{one} or {other}", "{one} 或 {other}"),
    "then": ("{one}; {other}", "{one}；{other}"),
    # Parts of sentences.
    "zh": ("zh", "中文"),
    "en": ("en", "英文"),
    "amount": ("{english}", "{number} {unit}"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "free": ("free", "免费"),
    "paid": ("paid", "收费"),
    "span_always": ("always", "一直有效"),
    "span_from": ("from {first}", "{first} 起"),
    "span_until": ("until {last}", "到 {last}"),
    "span_both": ("from {first} until {last}", "{first} 到 {last}"),
    # Validity.
    "expired": (
        "Ended on {day}, {n} {n:day/days} ago; customers who ask read that it is over.",
        "{day} 到期，已过 {n} 天；问到的客户会看到它已过期。",
    ),
    "expired_do": ("Renew its text and `valid_until`, or delete it.", "更新正文和 `valid_until`，或删掉它。"),
    "not_yet_valid": (
        "Begins on {day}, in {n} {n:day/days}; nobody reads it before.",
        "{day} 起有效，还有 {n} 天；在那之前没有人看得到。",
    ),
    "not_yet_valid_do": (
        "Nothing, if that is meant; else mend `valid_from`.",
        "本来就要这样就不用管；否则改 `valid_from`。",
    ),
    "expires_today": ("Ends on {day}, today.", "{day}（今天）到期。"),
    "expires_soon": ("Ends on {day}, in {n} {n:day/days}.", "{day} 到期，还有 {n} 天。"),
    "resting": (
        "{soon} The template of {intents} rests on it alone.",
        "{soon}{intents} 这条话术只以它为依据。",
    ),
    "expires_soon_do": (
        "Write what holds afterwards, and renew `valid_until`.",
        "写好之后的内容，并更新 `valid_until`。",
    ),
    "face_span": ("{language}: {span}", "{language}：{span}"),
    "validity_differs": ("{spans}.", "{spans}。"),
    "validity_differs_do": (
        "Give both faces the same `valid_from` and `valid_until`.",
        "让两种语言的 `valid_from` 和 `valid_until` 一致。",
    ),
    "unknown_article": (
        "There is no article {names}; Kefu does not start with it.",
        "没有文章 {names}；这样 Kefu 不能启动。",
    ),
    "unknown_article_do": (
        "Mend the name under `articles`, or write the article.",
        "改正 `articles` 下的名字，或写出这篇文章。",
    ),
    "expired_template": (
        "None of the articles behind this template is valid on {day}: {faces}.",
        "{day} 这天，这条话术依据的文章没有一篇有效：{faces}。",
    ),
    "face": ("{article} ({language}, {span})", "{article}（{language}，{span}）"),
    "expired_template_do": (
        "Renew the articles and the template, or delete the intent.",
        "更新文章和话术，或删掉这条话术。",
    ),
    # The two languages.
    "languages_contradict": ("In Chinese it is {zh}, in English {en}.", "中文说 {zh}，英文说 {en}。"),
    "mend_one": ("Find out which is right and mend the other.", "查清哪个对，改正另一个。"),
    "one_face_of_template": (
        "Only one face of the template states {stated}; Kefu does not start with it.",
        "话术只有一种语言写了 {stated}；这样 Kefu 不能启动。",
    ),
    "one_face_of_template_do": (
        "Make both faces state the same numbers and links.",
        "让两种语言写出同样的数字和链接。",
    ),
    "one_face": ("Only the {language} face states {stated}.", "只有{language}写了 {stated}。"),
    "one_face_do": (
        "Say it in {file}, too, if it holds for those customers.",
        "如果对那些客户也成立，在 {file} 里也写上。",
    ),
    # Contradictions and doubles.
    "contradiction": (
        "They seem to speak of the same thing, but one says {one} and the other {other}.",
        "两处像在说同一件事，一处说 {one}，另一处说 {other}。",
    ),
    "contradiction_do": (
        "Find out which is right and mend the other; if both are, say in each what it is about.",
        "查清哪个对，改正另一个；如果都对，在各处写明说的是什么情况。",
    ),
    "unwanted": (
        "Says {words}, which safety.unwanted_words lists. It is said all the same.",
        "写了 {words}，它在 safety.unwanted_words 的词表里。客户照样会看到。",
    ),
    "unwanted_do": (
        "Word it otherwise, or take the word from the list.",
        "换个说法，或把这个词从词表里去掉。",
    ),
    "copied": (
        "These articles say nearly the same, word for word; the search has to choose between them.",
        "这两篇文章几乎一字不差；检索只好在两者之间选一篇。",
    ),
    "alike": (
        "These articles say nearly the same, in other words; the search has to choose between them.",
        "这两篇文章用不同的话说了几乎一样的内容；检索只好在两者之间选一篇。",
    ),
    "copied_do": (
        "Merge them, or let each say what the other does not.",
        "把它们合并，或让各自只写另一篇没有的内容。",
    ),
    "same_question": ("Both articles name the same question.", "两篇文章列了同一个问题。"),
    "near_question": ("Both articles name nearly the same question.", "两篇文章列了几乎相同的问题。"),
    "same_question_do": ("Leave it to the article that answers it.", "只留在回答它的那一篇里。"),
    "same_example": (
        "Both have this example or title, so that neither is certain.",
        "两处都有这个说法或标题，所以哪边都拿不准。",
    ),
    "near_example": ("Both have nearly the same example or title.", "两处有几乎相同的说法或标题。"),
    "same_example_do": ("Leave it to the intent that it belongs to.", "只留在它所属的那条话术里。"),
    # Intents that are taken for each other.
    "confused": ("{n} {n:question/questions} went astray: {ways}.", "{n} 个问题认错了：{ways}。"),
    "way": ("{n} of {right} taken for {wrong}", "{right} 的 {n} 个认成了 {wrong}"),
    "confused_do": (
        "Move examples to where they belong, add some that tell the two apart, or merge the intents.",
        "把客户的说法移到该去的话术里，加几条能区分两者的说法，或把两条话术合并。",
    ),
    "knowledge": ("what only articles answer", "只有文章回答的问题"),
    "out_of_scope": ("out of scope", "与业务无关"),
    "taken_for": ("taken for {wrong}", "认成了 {wrong}"),
    "voted down": ("voted down", "客户说没帮助"),
    "corrected": ("corrected", "人工改过"),
    # What nobody uses.
    "asked": ("in {n} turns ({languages}) since {day}", "{day} 以来的 {n} 轮（{languages}）里"),
    "turns_in": ("{language} {n}", "{language} {n}"),
    "template_unused": (
        "{titles}: nobody got this template {asked}.",
        "{titles}：{asked}没有人得到过这条话术。",
    ),
    "template_unused_do": (
        "Look whether its examples are what customers type; delete it if nobody needs it.",
        "看看写的说法是不是客户会打的话；没有人需要就删掉。",
    ),
    "article_unfound": (
        "{titles}: no question led to this article {asked}.",
        "{titles}：{asked}没有问题找到过这篇文章。",
    ),
    "article_unfound_do": (
        "List under `questions` what customers would ask; delete it if nobody needs it.",
        "在 `questions` 下列出客户会怎么问；没有人需要就删掉。",
    ),
    "no_log": (
        "There is no log yet; {enough} are needed to say which templates and articles nobody uses.",
        "还没有日志；要有 {enough} 轮才看得出哪些话术和文章没有人用。",
    ),
    "few_turns": (
        "{n} {n:turn/turns} since {day}; {enough} are needed to say which templates and articles nobody uses.",
        "{day} 以来有 {n} 轮；要有 {enough} 轮才看得出哪些话术和文章没有人用。",
    ),
    "few_turns_do": (
        "Wait, or look further back with --since.",
        "再等等，或在命令行用 --since 往前多看一些。",
    ),
}
_UNITS = {  # of `bot.answering.facts`, in Chinese
    "day": "天",
    "hour": "小时",
    "minute": "分钟",
    "second": "秒",
    "week": "周",
    "month": "个月",
    "year": "年",
    "yuan": "元",
    "percent": "%",
    "times": "次",
    "point": "积分",
    "watt": "瓦",
    "degree": "度",
    "metre": "米",
    "gram": "克",
    "litre": "升",
    "item": "件",
}


@dataclass(frozen=True)
class Said:
    """A sentence of `SENTENCES`, and what stands in its places. As a string it is English."""

    name: str
    values: tuple[tuple[str, Words], ...] = ()

    def __str__(self) -> str:
        return self.text("en")

    def text(self, language: str) -> str:
        """The sentence in "zh" or "en"."""
        english, chinese = SENTENCES[self.name]
        values = {name: in_language(value, language) for name, value in self.values}
        return filled(chinese if language == "zh" else english, **values)


Words = Said | str | int  # strings and numbers are the same in both languages


def said(name: str, /, **values: Words) -> Said:
    """A sentence with these values in its places."""
    return Said(name, tuple(values.items()))


def in_language(words: Words, language: str) -> str | int:
    """What stands in a sentence of "zh" or "en"."""
    return words.text(language) if isinstance(words, Said) else words


def listed(parts: Iterable[Words], how: str = "and") -> Words:
    """One after another; `how` is "and" (commas), "or" or "then" (semicolons). At least one."""
    return reduce(lambda one, other: said(how, one=one, other=other), parts)


def amount(value: Value) -> Words:
    """What a text states, with its unit in words."""
    if not value.unit:
        return str(value)
    return said("amount", english=str(value), number=value.number, unit=_UNITS.get(value.unit, value.unit))
