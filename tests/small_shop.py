"""A shop small enough to read: four intents, four articles, real FAISS, BM25 and SQLite, and a scripted model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import yaml

from bot.answering.answerer import Answerer
from bot.answering.generator import Generator
from bot.answering.grounded import DraftLimits, GroundedWriter
from bot.answering.templates import TemplateBook
from bot.content import Wording, load_content
from bot.conversation import Delta, Provenance, Reply, VisitorId
from bot.desk.desk import Desk
from bot.desk.hours import Hours
from bot.desk.lessons import Lessons
from bot.knowledge import Knowledge
from bot.learning import labelled_questions
from bot.manager import Limits, Manager
from bot.memory.store import Store
from bot.policy import Thresholds
from bot.safety.redact import redact
from bot.thresholds import ThresholdTable
from bot.understanding.intents import fit_head, training_set
from bot.understanding.reader import Reader
from bot.understanding.slots import SlotFinder
from retrieval.build import build_index
from retrieval.search import SearchIndex
from tests.fakes import WordEncoder

TODAY = date(2026, 11, 22)
ANNA, BOB = VisitorId("anna"), VisitorId("bob")
THRESHOLDS = Thresholds(
    template_score=0.6,
    template_margin=0.1,
    handoff_score=0.5,
    grounded_score=0.4,
    clarify_score=0.35,
    in_scope=0.3,
)

INTENTS = {
    "order-status": {
        "title": {"zh": "查询订单", "en": "Track an order"},
        "slots": {"order_number": {"required": True, "ask": {"zh": "请发订单号。", "en": "Which order number?"}}},
        "articles": ["tracking"],
        "quick_replies": ["postage"],
        "answer": {"zh": "订单 {order_number} 请看[物流](/orders).", "en": "See [tracking](/orders) for {order_number}."},
        "examples": {"zh": ["我的订单到哪了", "查一下订单", "订单物流"], "en": ["where is my order", "track order", "order status"]},
    },
    "postage": {
        "title": {"zh": "运费", "en": "Postage"},
        "answer": {"zh": "满 99 元包邮。", "en": "Postage is free from 99 yuan."},
        "examples": {"zh": ["运费多少", "包邮吗", "邮费怎么算"], "en": ["how much is postage", "free postage?", "delivery fee"]},
    },
    "damaged": {
        "title": {"zh": "收到破损", "en": "Damaged parcel"},
        "handoff": "offer",
        "answer": {"zh": "请在 48 小时内拍照。", "en": "Take photos within 48 hours."},
        "examples": {"zh": ["包裹破损了", "收到就坏了", "箱子压坏"], "en": ["parcel damaged", "box crushed", "arrived broken"]},
    },
    "talk-to-person": {
        "title": {"zh": "转人工", "en": "Talk to a person"},
        "handoff": "always",
        "answer": {"zh": "正在为您转人工。", "en": "A person is coming."},
        "examples": {"zh": ["转人工", "找客服人员", "真人客服"], "en": ["talk to a person", "human agent", "real person please"]},
    },
}  # fmt: skip
ARTICLES = {
    ("zh", "tracking"): ("怎样查物流", "发货后 2 小时内出现运单号。物流 48 小时没有更新，请联系我们。"),
    ("en", "tracking"): (
        "Tracking",
        "The tracking number appears within 2 hours. Tell us if nothing moves for 48 hours.",
    ),
    ("zh", "warranty"): (
        "保修期限",
        "整机保修 1 年，大家电保修 3 年。金卡会员保修另加 6 个月。电池不在保修范围内。",
    ),
    ("en", "warranty"): (
        "Warranty",
        "The warranty is 1 year; large appliances have 3 years. Batteries are not covered.",
    ),
    ("en", "voltage"): ("Voltage abroad", "Our appliances need 220 volts. They do not work with 110 volts."),
    ("zh", "spring"): ("春节发货安排", "春节期间 2 月 4 日到 2 月 11 日不发货。"),
}
EXPIRED = "spring"


def write_knowledge_base(folder: Path) -> None:
    """Write the shop's content into `folder`."""
    (folder / "intents").mkdir(parents=True)
    for name, intent in INTENTS.items():
        _write_yaml(folder / "intents" / f"{name}.yaml", {"id": name, **intent})
    out_of_scope = {
        "zh": ["今天天气怎么样", "写一首诗", "都不是"],
        "en": ["what's the weather", "write a poem", "none"],
    }
    _write_yaml(folder / "intents" / "_out_of_scope.yaml", {"id": "out-of-scope", "examples": out_of_scope})
    for (language, name), (title, body) in ARTICLES.items():
        path = folder / "articles" / language / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        end = "valid_until: 2026-03-01\n" if name == EXPIRED else ""
        path.write_text(f"---\nid: {name}\ntitle: {title}\nlanguage: {language}\n{end}---\n{body}\n", "utf-8")
    words = {key: f"{key}." for key in Wording.model_fields} | {"suggested": ["?"]}
    zh = {key: f"（{key}）" for key in Wording.model_fields} | {"suggested": ["？"]}
    zh["talk_to_person"], words["talk_to_person"] = "转人工", "Talk to a person"
    _write_yaml(folder / "messages.yaml", {"zh": zh, "en": words})


def build_shop(
    folder: Path,
    generator: Generator | None = None,
    *,
    encoder: WordEncoder | None = None,
    compose_score: float = 0.0,
) -> Manager:
    """A manager over the small shop; its log is `folder/kefu.db`."""
    knowledge_base = folder / "knowledge_base"
    if not knowledge_base.exists():
        write_knowledge_base(knowledge_base)
    encoder = WordEncoder() if encoder is None else encoder
    content = load_content(knowledge_base)
    build_index(
        knowledge_base,
        folder / "index",
        encoder,
        labelled=labelled_questions(content),
        passage_limit=600,
        progress=lambda *_: None,
    )
    index = SearchIndex.open(folder / "index", encoder)
    examples = training_set(content)
    writer = GroundedWriter(encoder, generator, DraftLimits(2.0, 5.0, 64, compose_score=compose_score))
    knowledge = Knowledge(
        content=content,
        index=index,
        reader=Reader(
            head=fit_head(examples, encoder.encode_queries(examples.texts)),
            encoder=encoder,
            slots=SlotFinder(["M5"], lambda: TODAY),
            burst=timedelta(seconds=8),
        ),
        answerer=Answerer(content, TemplateBook(content), index, writer),
        thresholds=ThresholdTable(THRESHOLDS, THRESHOLDS),
        provenance=Provenance("test", str(index.manifest["generation"]), encoder.name),
    )
    store = Store(folder / "kefu.db")
    desk = Desk(
        store.path,
        Hours("24/7", time_zone="Asia/Shanghai", country=None),
        lambda text: redact(text).text,
        learn=Lessons(store).learn,
    )
    return Manager(knowledge, store, desk, redact, Limits(top_k=5, max_characters=2000), lambda: TODAY)


def say(manager: Manager, *messages: str, visitor: VisitorId = ANNA) -> list[Reply]:
    """Send messages one after another in a new conversation; the replies."""
    conversation = manager.open_conversation(visitor, channel="test")
    return [reply_to(manager.answer(conversation, message, visitor=visitor)) for message in messages]


def reply_to(stream: Sequence[Delta | Reply] | Callable[[], None] | object) -> Reply:
    """The reply at the end of an answer's stream."""
    *_, reply = list(stream)  # type: ignore[call-overload]
    if not isinstance(reply, Reply):
        raise TypeError(f"The stream ended with {reply!r} instead of a reply.")
    return reply


def _write_yaml(path: Path, value: object) -> None:
    path.write_text(yaml.safe_dump(value, allow_unicode=True, sort_keys=False), "utf-8")
