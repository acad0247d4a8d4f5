"""A mistake in the team's content is named with its file and key, and nothing half-right is served."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot.answering.templates import TemplateBook
from bot.content import load_content
from bot.conversation import Language
from bot.errors import ContentError
from tests.small_shop import INTENTS, write_knowledge_base


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_knowledge_base(tmp_path)
    return tmp_path


def change(shop: Path, name: str = "order-status", **fields: object) -> None:
    path = shop / "intents" / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"id": name, **INTENTS[name], **fields}, allow_unicode=True), "utf-8")


def mistake(shop: Path) -> str:
    with pytest.raises(ContentError) as error:
        TemplateBook(load_content(shop))
    return str(error.value)


def test_the_small_shop_loads(shop: Path) -> None:
    assert TemplateBook(load_content(shop)).title("postage", Language.ZH_HANT) == "运费"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"answer": {"zh": "{order_number", "en": "{order_number}"}}, "braces"),
        ({"answer": {"zh": "{order}", "en": "{order_number}"}}, "{order} is not declared"),
        ({"answer": {"zh": "好", "en": "ok"}}, "{order_number} is never used"),
        ({"slots": {"order_number": {"required": False}}}, "is optional"),
        ({"slots": {"order_number": {"required": True}}}, "needs `ask`"),
        (
            {"answer": {"zh": "{order_number} 2 天", "en": "{order_number} in 3 days"}},
            "only one face says 2, 3",
        ),
        ({"answer": {"zh": "{order_number} [看](/a)", "en": "{order_number} [see](/b)"}}, "/a, /b"),
        ({"quick_replies": ["nothing"]}, "'nothing', which is no intent"),
        ({"handoff": "perhaps"}, "handoff"),
        ({"colour": "blue"}, "colour"),
        ({"examples": {"zh": ["一"]}}, "examples.en"),
        ({"id": "other"}, "must be the file's name"),
    ],
)
def test_a_mistake_in_an_intent_is_named(shop: Path, fields: dict, said: str) -> None:
    change(shop, **fields)
    message = mistake(shop)
    assert said in message
    assert "order-status.yaml" in message


def test_all_mistakes_are_listed_at_once(shop: Path) -> None:
    change(shop, "postage", handoff="perhaps")
    change(shop, "damaged", colour="blue")
    assert mistake(shop).count("\n") == 2


def test_a_file_that_is_no_yaml_no_utf8_or_missing_is_named(shop: Path) -> None:
    (shop / "intents" / "postage.yaml").write_text("a: [", "utf-8")
    (shop / "intents" / "damaged.yaml").write_bytes("中".encode("gbk"))
    (shop / "messages.yaml").unlink()
    message = mistake(shop)
    assert "postage.yaml: not YAML" in message
    assert "damaged.yaml: not UTF-8" in message
    assert "messages.yaml: this file is missing" in message


def test_an_empty_knowledge_base_says_what_is_expected(tmp_path: Path) -> None:
    assert "no intents found" in mistake(tmp_path)
