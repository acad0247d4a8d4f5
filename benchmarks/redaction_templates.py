"""What redaction_lines.py makes lines of: two halves that share no template and no word list."""

from __future__ import annotations

from dataclasses import dataclass


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
