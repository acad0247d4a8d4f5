"""Personal data is masked in Chinese, English and mixed text; what a shop works with is kept."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.safety.redact import KINDS, Span, redact

SHOP = ("400-800-1234", "service@example.com")


def _masked(text: str) -> str:
    return redact(text, allow=SHOP).text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我的手机是13812345678请联系", "我的手机是<PHONE>请联系"),
        ("我的手机是１３８１２３４５６７８请联系", "我的手机是<PHONE>请联系"),
        ("138 1234 5678,138-1234-5678", "<PHONE>,<PHONE>"),
        ("1 3 8 1 2 3 4 5 6 7 8", "<PHONE>"),
        ("+86 138 1234 5678 / 8613812345678", "<PHONE> / <PHONE>"),
        ("打一三八一二三四五六七八", "打<PHONE>"),
        ("138一二三四5678", "<PHONE>"),
        ("座机010-62345678转801,(021)6234-5678", "座机<PHONE>,<PHONE>"),
        ("香港+852 9123 4567,台湾0912-345-678", "香港<PHONE>,台湾<PHONE>"),
        ("call (415) 555-2671 or +44 20 7946 0958", "call <PHONE> or <PHONE>"),
        ("my phone is 9123 4567 thanks", "my phone is <PHONE> thanks"),
        ("tel13812345678x", "tel<PHONE>x"),
    ],
)
def test_a_telephone_number_is_masked(text: str, masked: str) -> None:
    assert _masked(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("邮箱zhang.san+1@qq.com谢谢", "邮箱<EMAIL>谢谢"),
        ("a＠b.com.cn", "<EMAIL>"),
        ("abc#qq.com", "<EMAIL>"),
        ("身份证110101199003074477", "身份证<ID_CARD>"),
        ("110101 19900307 4470", "<ID_CARD>"),
        ("身份证号：11010119900307123X", "身份证号：<ID_CARD>"),
        ("护照号E12345678", "护照号<ID_CARD>"),
        ("HKID A123456(7)", "HKID <ID_CARD>"),
        ("卡 6222 0212 3456 7890 128 退", "卡 <BANK_CARD> 退"),
        ("Visa 4111111111111111.", "Visa <BANK_CARD>."),
        ("车牌沪A12345和粤B·D12345", "车牌<PLATE>和<PLATE>"),
        ("微信号zhangsan_88", "微信号<WECHAT>"),
        ("加V abc12345 或 QQ：12345678", "加V <WECHAT> 或 QQ：<WECHAT>"),
        ("WeChat ID: hello_world", "WeChat ID: <WECHAT>"),
        ("我叫张伟手机坏了", "我叫<NAME>手机坏了"),
        ("收货人：欧阳娜娜", "收货人：<NAME>"),
        ("my name is John Smith, hi", "my name is <NAME>, hi"),
        ("寄到浙江省杭州市西湖区文三路12号3幢502室谢谢", "寄到<ADDRESS>谢谢"),
        ("我住在幸福小区3号楼2单元501,门铃坏了", "我住在<ADDRESS>,门铃坏了"),
        ("I live at 12 Nanjing Road, Apt 5, ok", "I live at <ADDRESS>, ok"),
        ("Ship to Room 502, Building 3, 100 Century Avenue", "Ship to <ADDRESS>"),
    ],
)
def test_other_personal_data_is_masked(text: str, masked: str) -> None:
    assert _masked(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "订单KF20261103-0042到哪了",
        "RX26110371 序列号KF12AB34CD56 快递SF1234567890123",
        "热线400-800-1234,4008001234,400 800 1234",
        "邮箱service@example.com",
        "¥1,899 ¥13,999.00 2026-11-03 14:30 20261103",
        "PB20 20000mAh M5 扫拖一体机器人 AirBuds S2 W6",
        "新PB20000mAh 1 3 5 7 9 11 13 15 价格6000-7000",
        "11月12号能到吗 知道12号 走到这条路3天了 逛街12号去",
        "寄到浙江省杭州市要几天 上海市有门店吗",
        "it spent 3 days on the road, 2 way radio",
        "订单号1234567812345670 tracking number 4111111111111111",
        "微信支付 wechat payment failed 微信怎么绑定",
        "我叫了快递 我叫客服 收货人信息怎么改 收货人写错了",
        "my name is wrong on the invoice",
        "12315 10086 95338",
        "身份证要带吗 110101199003074478",
    ],
)
def test_what_a_shop_works_with_is_kept(text: str) -> None:
    assert _masked(text) == text


def test_the_shops_own_number_is_kept_however_it_is_written() -> None:
    assert (
        redact("021-6234-5678 或(021)62345678", allow=("021 6234 5678",)).text
        == "021-6234-5678 或(021)62345678"
    )
    assert redact("service@example.com").text == "<EMAIL>"


def test_what_was_found_is_counted_and_placed() -> None:
    text = "我叫王芳,１３８１２３４５６７８,a@b.com,13912345678"
    found = redact(text)
    assert found.found == {"NAME": 1, "PHONE": 2, "EMAIL": 1}
    assert found.spans[1] == Span(5, 16, "PHONE")
    assert text[5:16] == "１３８１２３４５６７８"


_PIECES = st.sampled_from(
    [
        "13812345678", "１３８", "一三八", "010-62345678", "+1 415 555 2671", "110101199003074477", "6222021234567890128",
        "KF20261103-0042", "a@b.com", "@", "沪A12345", "微信号", "abc_1234", "我叫", "王芳", "文三路12号", "3号楼", "502室",
        "12 Nanjing Road", "Apt 5", "电话", ":", ",", " ", "-", "的", "0", "9", "<PHONE>", "<", ">", "\n", "x", "😀", "my name is ",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(_PIECES, max_size=12).map("".join) | st.text(max_size=60))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = redact(text, allow=SHOP)
    assert redact(once.text, allow=SHOP).text == once.text
    assert set(once.found) <= set(KINDS)
    assert sum(once.found.values()) == len(once.spans)


@settings(max_examples=200, deadline=None)
@given(
    number=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    before=st.text(alphabet="我的手机电话是联系 ，。:abc", max_size=10),
    after=st.text(alphabet="请联系谢谢 ，。abc", max_size=10),
)
def test_no_mobile_number_survives_whatever_stands_around_it(number: str, before: str, after: str) -> None:
    assert number not in redact(f"{before}{number}{after}").text


@given(st.integers(0, 99_999_999), st.integers(0, 9999))
def test_every_order_number_is_kept(day: int, number: int) -> None:
    text = f"订单KF{day:08d}-{number:04d}到哪了"
    assert redact(text).text == text


def test_a_hundred_thousand_characters_take_less_than_a_second() -> None:
    talk = "我的快递三天没动了,订单KF20261103-0042,电话13812345678,地址文三路12号3幢502室。 can I return it? a@b.com 我叫王芳 "
    text = (talk * (100_000 // len(talk) + 1))[:100_000]
    begin = time.process_time()
    redact(text)
    assert time.process_time() - begin < 1.5  # 0.6 s on a quiet core


@pytest.mark.parametrize(
    "part",
    [
        "1",
        "1 3 ",
        "a ",
        "12 Aa ",
        "a@b.",
        "微信号",
        "我叫王",
        "6222 ",
        "+1 ",
        "区市",
        "Room 5, ",
        "-",
        "电话",
        "一",
        "住",
        "@",
    ],
)
def test_time_grows_with_the_length_only(part: str) -> None:
    short, long = part * (20_000 // len(part)), part * (80_000 // len(part))
    times = []
    for text in (short, long):
        begin = time.process_time()
        redact(text)
        times.append(time.process_time() - begin)
    assert times[1] < 10 * times[0] + 0.2  # four times the text; sixteen times would be the square
