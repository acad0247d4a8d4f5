"""The checks on the bundled encoder: planted contradictions, and the demonstration shop, which has none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.factory import rebuild
from bot.models import make_encoder
from bot.settings import load_settings
from bot.upkeep.checks.contradictions import check_contradictions
from bot.upkeep.checks.diagnostics import Kind, Severity
from bot.upkeep.checks.duplicates import check_duplicates
from bot.upkeep.checks.examination import examine_knowledge
from bot.upkeep.checks.gathering import gather
from bot.upkeep.checks.materials import Materials
from retrieval.encoder import Encoder
from retrieval.errors import IndexMismatch, IndexMissing
from retrieval.search import SearchIndex
from tests.bot.upkeep.checks.looked_at import article, materials
from tests.bot.upkeep.checks.planted import CONTRADICTIONS, HARMLESS, REWORDED, articles, pairs

pytestmark = [pytest.mark.models, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return make_encoder(load_settings(), lambda *_: None)


def test_what_was_planted_is_found_also_in_other_words_and_nothing_else(encoder: Encoder) -> None:
    planted = (*CONTRADICTIONS, *REWORDED)
    checked = materials(articles(*planted, *HARMLESS), encoder=encoder)
    assert pairs(check_contradictions(checked)) == {pair.ids for pair in planted}


@pytest.fixture(scope="module")
def shop(encoder: Encoder) -> Materials:
    """The demonstration shop; its index is that of this checkout, built if it is missing."""
    settings = load_settings()
    try:
        SearchIndex.open(settings.index_path, encoder)
    except (IndexMissing, IndexMismatch):
        rebuild(settings, encoder, lambda *_: None)
    return gather(settings, encoder, since=datetime.now(UTC), soon=0)


def test_the_demonstration_shop_contradicts_itself_nowhere(shop: Materials) -> None:
    found = examine_knowledge(shop, lambda *_: None)
    assert [
        each for each in found if each.severity is Severity.ERROR or each.kind is Kind.CONTRADICTION
    ] == []
    assert Kind.CONFUSED_INTENTS in {each.kind for each in found}


def test_an_article_that_says_the_same_in_other_words_is_found(shop: Materials) -> None:
    text = "加入会员不花钱。等级看最近 12 个月花了多少：0 元起是银卡，满 3000 元是金卡，满 10000 元是铂金卡。等级有效 12 个月，到期重新算。"
    copy = article("levels-again", "zh", text, title="怎样升级会员等级")
    found = check_duplicates(replace(shop, articles=(*shop.articles, copy)))
    pairs_of_articles = [
        {place.article for place in each.locations} for each in found if each.kind is Kind.DUPLICATE_ARTICLE
    ]
    assert pairs_of_articles == [{"levels-again", "member-levels"}]
