"""The check that every drafted sentence passes before a customer sees it."""

import pytest

from bot.answering.support import check

ZH = (
    "退货期限\n签收次日起 7 天内可以无理由退货，金卡会员为 15 天。\n耳机的卫生封条破损后，不能无理由退货。\n"
    "质量问题由我们承担运费，签收后 15 天内可以退换。"
)
EN = (
    "Returns\nYou can return an item within 7 days of signing without giving a reason; Gold members have 15 days.\n"
    "Earphones cannot be returned without a reason once the hygiene seal is broken.\n"
    "For a quality fault we pay the postage."
)


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("签收次日起 7 天内可以无理由退货。", ZH),
        ("签收次日起七天内可以无理由退货，金卡会员为15天。", ZH),
        ("耳机卫生封条破损后不能无理由退货。", ZH),
        ("You can return an item within 7 days of signing.", EN),
        ("Gold members have fifteen days.", EN),
        ("Earphones can't be returned once the hygiene seal is broken.", EN),
    ],
)
def test_a_copy_or_close_paraphrase_is_supported(sentence: str, passage: str) -> None:
    assert check(sentence, [passage]).supported


@pytest.mark.parametrize(
    ("sentence", "passage", "because"),
    [
        ("签收次日起 30 天内可以无理由退货。", ZH, "30 day"),
        ("签收次日起 7 天内不可以无理由退货。", ZH, "denies"),
        ("耳机的卫生封条破损后，可以无理由退货。", ZH, "denies"),
        ("质量问题由您承担运费。", ZH, "opposite"),
        ("铂金卡会员享受免费安装空调服务。", ZH, "words"),
        ("You can return an item within 30 days of signing.", EN, "30 day"),
        ("You cannot return an item within 7 days of signing.", EN, "denies"),
        ("Earphones can be returned without a reason once the hygiene seal is broken.", EN, "denies"),
        ("Our stores in Shanghai repair earphones on the spot.", EN, "words"),
        ("您好！", ZH, "nothing"),
    ],
)
def test_an_invention_is_refused_with_its_reason(sentence: str, passage: str, because: str) -> None:
    verdict = check(sentence, [passage])
    assert not verdict.supported
    assert because in verdict.reason or because == "words"


def test_the_passage_that_supports_a_sentence_is_named() -> None:
    assert check("Gold members have 15 days.", [ZH, EN]).passage == 1


def test_a_sentence_in_another_language_than_the_passage_is_not_supported() -> None:
    assert not check("You can return an item within 7 days.", [ZH]).supported


PREORDER = "预售订单\n预售定金在尾款期开始后不能退，除非是我们的责任。请在 48 小时内付尾款。未发货的订单可以在订单页取消。"
ORDERS = (
    "Orders\nAn order that has not been paid closes after 30 minutes. You can cancel an order before it is dispatched."
    " Picking up at a store is free; the pick-up code has 6 digits."
)


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("预售定金可以退，但 48 小时内退货。", PREORDER),
        ("如果是我们的责任，我们无法退。", PREORDER),
        ("未发货的订单不能取消。", PREORDER),
        ("You cannot cancel an order that has not been paid.", ORDERS),
        ("You can cancel an order but you must pay the store pick-up fee.", ORDERS),
        ("Can you cancel an order before it is picked up at a store?", ORDERS),
    ],
)
def test_a_sentence_mangled_from_true_words_is_refused(sentence: str, passage: str) -> None:
    """All of these were written by an untuned base model from passages like these."""
    assert not check(sentence, [passage]).supported


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("1.2 至 1.5 米的儿童半价。", "未含早的客人现场付费，成人每位 68 元，1.2 至 1.5 米的儿童半价。"),
        ("过了 7 天号码就收回，不能再要回来。", "过了 7 天号码就收回，不能再要回来，90 天后会给别的客户用。"),
        (
            "Bookings made on a travel site must be cancelled there; we cannot do it for you.",
            "Bookings made on a travel site must be cancelled there; we cannot do it for you.",
        ),
        ("号码 90 天后会给别的客户用。", "号码 90 天后会给别的客户用。"),
    ],
)
def test_a_clause_may_be_quoted_whatever_the_clause_beside_it_denies(sentence: str, passage: str) -> None:
    assert check(sentence, [passage]).supported


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("You can return earphones.", "You can return earphones, unless the seal is broken."),
        ("所有商品都可以退。", "除个护类以外，所有商品都可以退，没有时间限制。"),
        ("本店可以开专票。", "本店不可以开专票，可以开普票。"),
    ],
)
def test_a_clause_without_its_exception_or_its_denial_is_refused(sentence: str, passage: str) -> None:
    assert not check(sentence, [passage]).supported


TABLE = "运费\n\n| 地区 | 运费 | 时效 |\n|---|---|---|\n| 江浙沪 | 8 元 | 2 天 |\n| 新疆 | 18 元 | 7 天 |"


@pytest.mark.parametrize(
    "sentence", ["新疆运费 18 元，时效 7 天。", "地区新疆，运费 18 元。", "| 新疆 | 18 元 | 7 天 |"]
)
def test_a_row_may_be_told_with_the_names_of_its_columns(sentence: str) -> None:
    assert check(sentence, [TABLE]).supported


@pytest.mark.parametrize("sentence", ["新疆运费 8 元。", "江浙沪时效 7 天。"])
def test_a_row_does_not_lend_its_cells_to_another(sentence: str) -> None:
    assert not check(sentence, [TABLE]).supported
