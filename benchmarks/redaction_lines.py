"""Lines with known personal data, made from templates by a seed. The two halves share no template and no word list."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from stdnum import luhn
from stdnum.cn import ric


@dataclass(frozen=True)
class Line:
    """A line, and where its personal data stands: (start, end, kind)."""

    text: str
    language: str
    gold: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True)
class Half:
    """Templates by language, and the words to fill them with. `{KIND}` is a hole for personal data."""

    templates: dict[str, tuple[str, ...]]
    harmless: dict[str, tuple[str, ...]]
    surnames: str
    given: tuple[str, ...]
    english_names: tuple[str, ...]
    streets: tuple[str, ...]
    estates: tuple[str, ...]
    cities: tuple[str, ...]
    english_streets: tuple[str, ...]


TUNING = Half(
    templates={
        "zh": (
            "我的手机号是{PHONE},请回电",
            "打{PHONE}联系我就行",
            "{PHONE}",
            "邮箱:{EMAIL}",
            "发票发到{EMAIL}谢谢",
            "身份证号{ID_CARD}",
            "退到这张卡{BANK_CARD}",
            "地址改成{ADDRESS}",
            "麻烦寄到{ADDRESS},电话{PHONE}",
            "我的车牌{PLATE}进不去小区",
            "加我微信号{WECHAT}",
            "我叫{NAME},电话{PHONE}",
            "收货人{NAME},地址{ADDRESS}",
        ),
        "en": (
            "call me at {PHONE}",
            "my number is {PHONE}, thanks",
            "email {EMAIL} please",
            "my card {BANK_CARD} was charged twice",
            "ship it to {ADDRESS_EN}",
            "my name is {NAME_EN}, phone {PHONE}",
            "wechat id: {WECHAT}",
            "ID card {ID_CARD}",
        ),
        "mixed": (
            "please call 我的手机{PHONE}",
            "invoice发到{EMAIL} thanks",
            "ship to {ADDRESS} 谢谢",
            "我的card number是{BANK_CARD}",
            "my name is {NAME_EN},手机{PHONE}",
        ),
    },
    harmless={
        "zh": (
            "订单{ORDER}到哪了",
            "M5多少钱,¥3,299吗",
            "11月12号能到吗",
            "热线400-800-1234打不通",
            "寄到杭州要几天",
        ),
        "en": ("where is order {ORDER}", "is the M5 ¥3,299 on 2026-11-11?", "parcel was 3 days on the road"),
        "mixed": ("order {ORDER} 到哪了", "P2 filter 多少钱"),
    },
    surnames="王李张刘陈",
    given=("伟", "芳", "秀英", "娜", "小明"),
    english_names=("John Smith", "Mary", "Li Wei"),
    streets=("文三路", "南京西路", "中山大道", "解放街"),
    estates=("幸福小区", "阳光花园"),
    cities=("浙江省杭州市西湖区", "上海市黄浦区", "", "广州市天河区"),
    english_streets=("Nanjing Road", "Century Avenue", "Main Street"),
)

REPORTED = Half(
    templates={
        "zh": (
            "你好,麻烦让快递员打这个号{PHONE},别打注册的那个",
            "联系不上我就拨{PHONE}",
            "新号码{PHONE}旧的停机了",
            "回我电话{PHONE}急急急",
            "我{PHONE}这个账号登录不了",
            "有问题写信到{EMAIL}",
            "电子发票没收到,是{EMAIL}这个邮箱",
            "{ID_CARD}这是我的身份证,帮我核实一下",
            "实名认证一直失败,号码是{ID_CARD}",
            "钱退到尾号不对,应该是{BANK_CARD}建行的",
            "{BANK_CARD}这张卡被扣了两次",
            "搬家了,以后都送{ADDRESS}",
            "我在{ADDRESS},师傅找不到门",
            "包裹放错地方了,我家是{ADDRESS}不是驿站",
            "收件地址:{ADDRESS}",
            "上门安装的师傅车牌{PLATE},态度很差",
            "{PLATE}是送货车吗",
            "微信:{WECHAT}加我发照片",
            "我微信号是{WECHAT}",
            "qq{QQ}也行",
            "本人姓名{NAME},申请退款",
            "收件人换成{NAME}吧,手机{PHONE}",
            "我叫{NAME}想查一下订单{ORDER}",
            "联系人:{NAME};电话:{PHONE};地址:{ADDRESS}",
            "订单{ORDER}的收货电话写错了,改为{PHONE}",
        ),
        "en": (
            "the courier can reach me on {PHONE} after six",
            "new mobile: {PHONE}",
            "text {PHONE} when it ships",
            "order {ORDER}, contact {PHONE}",
            "could you send the invoice to {EMAIL} instead",
            "{EMAIL} is the address I registered with",
            "refund to {BANK_CARD} not the old card",
            "Card used: {BANK_CARD}",
            "I moved, deliver to {ADDRESS_EN} from now on",
            "Our address is {ADDRESS_EN}.",
            "Hi, my name is {NAME_EN} and my kettle leaks",
            "Recipient: {NAME_EN}, tel {PHONE}",
            "Add me, WeChat: {WECHAT}",
            "my ID number {ID_CARD} was rejected",
            "the van {PLATE} blocked my garage",
        ),
        "mixed": (
            "hi 我手机换了 new one is {PHONE} 帮忙update",
            "email是{EMAIL}, 发票 please",
            "refund到 {BANK_CARD} ok吗",
            "地址 change 成{ADDRESS}, thx",
            "收货人 {NAME}, phone {PHONE}",
            "delivery to {ADDRESS_EN} 可以吗",
            "my wechat号 {WECHAT} 拉我进group",
            "我的ID是{ID_CARD} verify一下",
        ),
    },
    harmless={
        "zh": (
            "订单{ORDER}已经三天没动静了",
            "维修单{TICKET}进度",
            "序列号{SERIAL}还在保修期吗",
            "V75电视4,999还能便宜吗",
            "2026年12月10日20:00开始的双12活动",
            "我打400-800-1234没人接",
            "扫地机报E3错误",
            "顺丰单号SF{DIGITS13}查不到",
            "满300减40怎么算,买2件3299的",
            "15号之前能发货吗,着急",
            "从上海市发到四川省成都市几天",
            "微信支付失败了",
            "收货人可以换吗",
            "20000毫安的充电宝能带上飞机吗",
            "我叫了安装师傅三次都没来",
        ),
        "en": (
            "where is order {ORDER} now",
            "repair {TICKET} still open?",
            "serial {SERIAL}, is it under warranty",
            "the V55 was 2599 on 11/11 and now 2899",
            "tried 400-800-1234 twice",
            "it has been on the road for 6 days",
            "WeChat payment was declined",
            "my name is misspelled on the parcel",
            "does the PB20 with 20000 mAh pass security at 10:30",
            "is there a store near Century Avenue",
        ),
        "mixed": (
            "order {ORDER} 还没 shipped",
            "SN {SERIAL} 保修 till when",
            "W7 mesh 799 两个 pack 吗",
            "12.12 活动 price protection 到 2026-12-31 吗",
            "AirBuds S2 连不上 phone",
        ),
    },
    surnames="赵孙周吴郑冯蒋沈韩杨朱秦许何吕",
    given=("建国", "丽", "志强", "雨桐", "浩然", "静", "子轩", "桂兰", "磊", "思远"),
    english_names=("Emily Chen", "Robert O'Neil", "Wang Fang", "Sophie", "David Brown", "Anna-Maria Keller"),
    streets=(
        "人民路",
        "建设大道",
        "学府街",
        "龙阳路",
        "长江中路",
        "福华三路",
        "青年大街",
        "深南大道",
        "北苑东路",
        "凤起路",
    ),
    estates=("绿城桂花苑", "万科城市花园", "碧桂园小区", "滨江一号公寓", "金地大厦", "锦绣新村"),
    cities=(
        "江苏省南京市鼓楼区",
        "北京市海淀区",
        "深圳市福田区",
        "成都高新区",
        "湖北省武汉市洪山区",
        "",
        "西安市",
        "苏州工业园区",
    ),
    english_streets=(
        "Renmin East Road",
        "Huaihai Road",
        "Jianguo Street",
        "Garden Lane",
        "West Lake Avenue",
        "Oak Drive",
    ),
)
HALVES = {"tuning": TUNING, "reported": REPORTED}


def lines(half: Half, count: int, seed: int) -> list[Line]:
    """`count` lines, a third of them without personal data, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    made = []
    for number in range(count):
        language = chance.choice(("zh", "zh", "en", "mixed"))
        source = half.harmless if number % 3 == 0 else half.templates
        made.append(_fill(chance.choice(source[language]), language, half, chance))
    return made


def _fill(template: str, language: str, half: Half, chance: random.Random) -> Line:
    text, gold, rest = "", [], template
    while "{" in rest:
        before, _, rest = rest.partition("{")
        hole, _, rest = rest.partition("}")
        value = _VALUES[hole](half, chance)
        text += before
        kind = {"ADDRESS_EN": "ADDRESS", "NAME_EN": "NAME", "QQ": "WECHAT"}.get(hole, hole)
        if kind not in {"ORDER", "TICKET", "SERIAL", "DIGITS13"}:
            gold.append((len(text), len(text) + len(value), kind))
        text += value
    return Line(text + rest, language, tuple(gold))


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def _phone(half: Half, chance: random.Random) -> str:
    del half
    mobile = "1" + chance.choice("3456789") + _digits(chance, 9)
    return chance.choice(
        (
            mobile, mobile, mobile, f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}", f"{mobile[:3]}-{mobile[3:7]}-{mobile[7:]}",
            f"+86 {mobile}", f"+86-{mobile}", f"0086{mobile}", mobile.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
            mobile.translate(str.maketrans("0123456789", "零一二三四五六七八九")), " ".join(mobile),
            f"0{chance.choice(('10', '21', '571', '755', '28'))}-{chance.choice('2345678')}{_digits(chance, 7)}",
            f"+852 {chance.choice('569')}{_digits(chance, 3)} {_digits(chance, 4)}",
            f"+853 6{_digits(chance, 3)} {_digits(chance, 4)}", f"0912-{_digits(chance, 3)}-{_digits(chance, 3)}",
            f"(415) {chance.choice('23456789')}{_digits(chance, 2)}-{_digits(chance, 4)}", f"+44 20 7946 0{_digits(chance, 3)}",
        )
    )  # fmt: skip


def _email(half: Half, chance: random.Random) -> str:
    del half
    name = chance.choice(("li.lei", "han_meimei", "zhang2024", "x", "first.last+shop", _digits(chance, 9)))
    return (
        f"{name}@{chance.choice(('qq.com', '163.com', 'gmail.com', 'mail.example.co.uk', 'company.com.cn'))}"
    )


def _id_card(half: Half, chance: random.Random) -> str:
    del half
    area = chance.choice(("110101", "310115", "440305", "330106", "510104"))
    born = f"{chance.randint(1950, 2007)}{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}"
    body = f"{area}{born}{_digits(chance, 3)}"
    return body + str(ric.calc_check_digit(body))


def _bank_card(half: Half, chance: random.Random) -> str:
    del half
    start, length = chance.choice((("6222", 19), ("6217", 19), ("6225", 16), ("4111", 16), ("5425", 16)))
    body = start + _digits(chance, length - len(start) - 1)
    card = body + str(luhn.calc_check_digit(body))
    return card if chance.random() < 0.6 else " ".join(card[at : at + 4] for at in range(0, len(card), 4))


def _address(half: Half, chance: random.Random) -> str:
    street = f"{chance.choice(half.cities)}{chance.choice(half.streets)}{chance.randint(1, 999)}号"
    estate = f"{chance.choice(half.estates)}{chance.randint(1, 30)}{chance.choice(('号楼', '栋', '幢'))}"
    room = f"{chance.randint(1, 4)}单元{chance.randint(101, 2604)}室"
    return chance.choice(
        (
            street,
            street + estate,
            street + estate + room,
            estate + room,
            chance.choice(half.cities) + estate + room,
        )
    )


def _english_address(half: Half, chance: random.Random) -> str:
    street = f"{chance.randint(1, 999)} {chance.choice(half.english_streets)}"
    flat = f"{chance.choice(('Apt', 'Room', 'Unit', 'Flat'))} {chance.randint(1, 2604)}"
    return chance.choice(
        (
            street,
            f"{street}, {flat}",
            f"{flat}, {street}",
            f"{flat}, Building {chance.randint(1, 9)}, {street}",
        )
    )


def _plate(half: Half, chance: random.Random) -> str:
    del half
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    head = chance.choice("京沪粤浙苏川鄂陕") + chance.choice("ABCDE")
    tail = chance.choice(
        (_digits(chance, 5), chance.choice(letters) + _digits(chance, 4), f"{chance.choice('DF')}{_digits(chance, 5)}",
         _digits(chance, 3) + chance.choice(letters) + chance.choice(letters))
    )  # fmt: skip
    return head + chance.choice(("", "·")) + tail


def _wechat(half: Half, chance: random.Random) -> str:
    del half
    return chance.choice(
        ("lilei_1990", "hmm-88", "wxid_ab12cd34ef", "a" + _digits(chance, 7), "shopper" + _digits(chance, 3))
    )


def _serial(half: Half, chance: random.Random) -> str:
    del half
    return "KF" + "".join(chance.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(10))


_VALUES: dict[str, Callable[[Half, random.Random], str]] = {
    "PHONE": _phone,
    "EMAIL": _email,
    "ID_CARD": _id_card,
    "BANK_CARD": _bank_card,
    "ADDRESS": _address,
    "ADDRESS_EN": _english_address,
    "PLATE": _plate,
    "WECHAT": _wechat,
    "QQ": lambda half, chance: chance.choice("123456789") + _digits(chance, 8),
    "NAME": lambda half, chance: chance.choice(half.surnames) + chance.choice(half.given),
    "NAME_EN": lambda half, chance: chance.choice(half.english_names),
    "ORDER": lambda half, chance: f"KF202611{chance.randint(1, 30):02d}-{_digits(chance, 4)}",
    "TICKET": lambda half, chance: f"RX26{_digits(chance, 6)}",
    "SERIAL": _serial,
    "DIGITS13": lambda half, chance: _digits(chance, 13),
}
