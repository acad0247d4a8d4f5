"""A knowledge base of invented trades with contradictions that were planted, and pairs that only look like some.

Each pair is two articles of one language; each article has the sentence that matters and one that does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bot.upkeep.checks.diagnostics import Diagnostic
from retrieval.documents import Article


@dataclass(frozen=True)
class Pair:
    """Two articles, each as its title and the sentence that matters."""

    name: str
    language: Literal["zh", "en"]
    one: tuple[str, str]
    other: tuple[str, str]

    @property
    def names(self) -> tuple[str, str]:
        """Ids of the two articles."""
        return f"{self.name}-a", f"{self.name}-b"

    @property
    def ids(self) -> frozenset[str]:
        """The same, in no order."""
        return frozenset(self.names)


CONTRADICTIONS = (
    Pair("days-zh", "zh", ("借书期限", "普通读者的图书借期为 30 天。"), ("图书逾期", "普通读者的图书借期为 21 天，超过的收滞纳金。")),
    Pair("numerals-zh", "zh", ("冻结会籍", "年卡会籍每年最多冻结九十天。"), ("会籍冻结规则", "年卡会籍每年最多可以冻结 60 天。")),
    Pair("price-zh", "zh", ("补办门禁卡", "门禁卡丢失后补办，每张收工本费 20 元。"), ("门禁卡丢了", "补办一张门禁卡收工本费 ¥35。")),
    Pair("percent-zh", "zh", ("住院费怎么报销", "住院费用按 80% 报销。"), ("报销比例", "住院费用的报销比例是 70%。")),
    Pair("discount-zh", "zh", ("学生票", "学生凭证件买电影票打八折。"), ("学生买票优惠", "学生凭证件买电影票打 75 折。")),
    Pair("clock-zh", "zh", ("游泳馆开放时间", "游泳馆工作日 22:00 停止入场。"), ("几点停止入场", "工作日游泳馆 21:30 停止入场。")),
    Pair("yes-no-zh", "zh", ("宠物能进餐厅吗", "宠物可以带进餐厅用餐区。"), ("带宠物来用餐", "宠物不可以带进餐厅用餐区。")),
    Pair("free-zh", "zh", ("旧床垫回收", "旧床垫上门回收是免费的。"), ("回收旧床垫", "旧床垫上门回收需要另付费用。")),
    Pair("mixed-zh", "zh", ("VIP 客户专线", "VIP 客户的 App 在线客服响应时间是 5 分钟。"), ("App 客服多久回复", "App 在线客服对 VIP 客户的响应时间是 15 分钟。")),
    Pair("days-en", "en", ("A new tenancy", "You can end a new tenancy within 14 days of signing."), ("Ending a tenancy", "A new tenancy can be ended within 10 days of signing.")),
    Pair("words-en", "en", ("Sick notes", "Send your sick note within three days of falling ill."), ("When you are ill", "Send us your sick note within five days of falling ill.")),
    Pair("price-en", "en", ("Guest parking", "Guest parking in the garage costs $8 a night."), ("Where guests park", "Guests park in the garage, and guest parking costs $12 a night.")),
    Pair("percent-en", "en", ("Early payment", "Invoices paid early get a discount of 2%."), ("Paying an invoice early", "You get a discount of 3% for invoices that are paid early.")),
    Pair("clock-en", "en", ("Latest check-in", "The latest check-in at the lodge is 22:30."), ("Arriving late", "Latest check-in at the lodge is 23:30, so tell us if you are late.")),
    Pair("yes-no-en", "en", ("Bicycles on the ferry", "Bicycles can be taken on the morning ferry."), ("Taking your bicycle", "Bicycles cannot be taken on the morning ferry.")),
    Pair("free-en", "en", ("Replacing a lost key fob", "Replacing a lost key fob is free of charge."), ("Lost key fob", "You pay for replacing a lost key fob.")),
)  # fmt: skip

# The same thing in other words, under other titles: for a real encoder only.
REWORDED = (
    Pair("reworded-days-zh", "zh", ("租琴多久", "学生租用小提琴，租期是 28 天。"), ("逾期还琴", "学生租小提琴租期为 14 天，逾期每天加收租金。")),
    Pair("reworded-deposit-zh", "zh", ("押金什么时候退", "退房后 3 天内，押金原路退回。"), ("租房押金", "押金会在退房后 15 天内原路退回您的账户。")),
    Pair("reworded-days-en", "en", ("Cooling-off period", "You can cancel a gym contract within 14 days of signing."), ("Cancelling a contract", "A gym contract can be cancelled within 10 days of signing.")),
    Pair("reworded-towels-en", "en", ("What the spa costs", "Towels in the spa are free."), ("Spa towels", "There is a fee for towels: in the spa towels are charged.")),
)  # fmt: skip

HARMLESS = (
    Pair("same-in-words-zh", "zh", ("试用期", "新买的净水机试用期是 7 天。"), ("净水机试用", "净水机的试用期为七天，从安装当天算。")),
    Pair("same-in-hours-zh", "zh", ("送修多久取机", "门店送修的手机 48 小时内可以取机。"), ("手机维修取机", "送修的手机两天内可以到门店取机。")),
    Pair("grades-zh", "zh", ("金钻会员延迟退房", "金钻会员可以延迟退房到 16:00。"), ("银钻会员延迟退房", "银钻会员可以延迟退房到 14:00。")),
    Pair("models-zh", "zh", ("T3 跑步机", "T3 跑步机的最大承重是 120 公斤。"), ("T5 跑步机", "T5 跑步机的最大承重是 150 公斤。")),
    Pair("subjects-zh", "zh", ("牙科预约", "取消牙科预约请提前 24 小时。"), ("体检预约", "取消体检预约请提前 72 小时。")),
    Pair("example-zh", "zh", ("押金怎么退", "例如租金 800 元的房间，押金退 1600 元。"), ("押金算法", "例如租金 900 元的房间，押金退 1800 元。")),
    Pair("conditions-zh", "zh", ("没拆封的奶粉", "没拆封的奶粉可以退货。"), ("拆封的奶粉", "拆封的奶粉不能退货。")),
    Pair("limit-zh", "zh", ("行李重量", "随身行李不超过 10 公斤的可以带上飞机。"), ("随身行李", "随身行李 10 公斤以内可以带上飞机。")),
    Pair("same-in-months-en", "en", ("Contract length", "A flat contract runs for 12 months at least."), ("How long a contract runs", "A contract for a flat runs for one year at least.")),
    Pair("grades-en", "en", ("Junior library card", "A junior card lets you borrow 5 books at a time."), ("Senior library card", "A senior card lets you borrow 12 books at a time.")),
    Pair("models-en", "en", ("The K20 heater", "The K20 heater warms a room of 20 m²."), ("The K45 heater", "The K45 heater warms a room of 45 m².")),
    Pair("subjects-en", "en", ("Replying to letters", "We answer letters from tenants within 10 working days."), ("Replying to repair requests", "We answer repair requests within 2 working days.")),
    Pair("conditions-en", "en", ("Dry paint", "Paint that is not opened can be given back."), ("Opened paint", "Paint that is opened cannot be given back.")),
    Pair("mixed-zh-harmless", "zh", ("App 提现", "App 提现到银行卡 T+1 到账，每笔手续费 1 元。"), ("App 转账", "App 转账到微信零钱实时到账，每笔手续费 2 元。")),
)  # fmt: skip

_BESIDE = {
    "zh": ("还有问题请到服务台询问。", "我们会尽快给您答复。"),
    "en": ("Ask at the desk if anything is unclear.", "Our team is happy to help you there."),
}


def articles(*chosen: Pair) -> tuple[Article, ...]:
    """The pairs as articles of one knowledge base."""
    return tuple(
        Article(
            id=name,
            language=pair.language,
            title=title,
            body=f"{sentence}\n\n{beside}",
            path=f"articles/{pair.language}/{name}.md",
        )
        for pair in chosen
        for name, (title, sentence), beside in zip(
            pair.names, (pair.one, pair.other), _BESIDE[pair.language], strict=True
        )
    )


Found = frozenset[frozenset[str]]


def pairs(diagnostics: Iterable[Diagnostic]) -> Found:
    """The ids of the articles that each diagnostic is about."""
    return frozenset(frozenset(place.article or "" for place in each.locations) for each in diagnostics)


# The Chinese and the English face of one article, and whether they contradict each other.
FACES = (
    ("七天内可以退。", "You can return it within seven days.", False),
    ("保修一年半之外，电池保半年。", "The battery is covered for six months.", False),
    ("全场 85 折。", "Everything is 15% off.", False),
    ("预付 1.5 万元。", "Pay 15,000 yuan in advance.", False),
    ("48 小时内回复，每天 9:00 开门。", "We answer within two days and open at 9:00 every day.", False),
    ("满 16 周岁可以使用。", "Nobody under 16 may use it.", False),
    ("含 10GB 流量。", "10 GB of data are included.", False),
    ("下次再来，第二天送达。", "It arrives on the second day.", False),
    ("七天内可以退。", "You can return it within 10 days.", True),
    ("全场八折。", "Everything is 15% off.", True),
    ("预付 1.5 万元。", "Pay 1,500 yuan in advance.", True),
    ("拨打 400-123-4567。", "Call 400-123-4576.", True),
    ("请看[订单](/orders)。", "See your [orders](/order).", True),
    ("活动到 2027-03-05 结束。", "The sale ends on 6 March 2027.", True),
    ("每天 9:00 开门。", "We open at 9:30 every day.", True),
    ("48 小时内回复。", "We answer within 48 days.", True),
    ("含 10GB 流量，WiFi 免费。", "12 GB of data are included.", True),
)
