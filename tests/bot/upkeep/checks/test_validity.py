"""Articles and templates that are over, have not begun, or end soon."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot.upkeep.checks.diagnostics import Diagnostic, Kind, Severity
from bot.upkeep.checks.validity import check_validity
from tests.bot.upkeep.checks.looked_at import TODAY, article, intent, materials

DAY = timedelta(days=1)


def kinds(found: list[Diagnostic]) -> list[tuple[Kind, Severity]]:
    return [(each.kind, each.severity) for each in found]


@pytest.mark.parametrize(
    ("start", "end", "kind"),
    [
        (None, None, None),
        (None, TODAY - DAY, Kind.EXPIRED),
        (None, TODAY, Kind.EXPIRES_SOON),
        (None, TODAY + 30 * DAY, Kind.EXPIRES_SOON),
        (None, TODAY + 31 * DAY, None),
        (TODAY, None, None),
        (TODAY + DAY, None, Kind.NOT_YET_VALID),
        (TODAY + DAY, TODAY + 2 * DAY, Kind.NOT_YET_VALID),
        (TODAY - 9 * DAY, TODAY - DAY, Kind.EXPIRED),
    ],
)
def test_the_dates_of_an_article(start: date | None, end: date | None, kind: Kind | None) -> None:
    found = list(check_validity(materials([article("sale", valid_from=start, valid_until=end)])))
    assert [each.kind for each in found] == ([] if kind is None else [kind])


def test_faces_with_the_same_dates_are_one_diagnostic_with_the_line_that_says_so() -> None:
    faces = [article("sale", language, valid_until=date(2026, 11, 1)) for language in ("zh", "en")]
    lines = {"articles/zh/sale.md": ("---", "id: sale", "valid_until: 2026-11-01", "---")}
    (found,) = check_validity(materials(faces, lines=lines))
    assert kinds([found]) == [(Kind.EXPIRED, Severity.WARNING)]
    assert [str(place) for place in found.locations] == ["articles/zh/sale.md:3", "articles/en/sale.md"]
    assert "26 days ago" in found.message


def test_a_template_whose_articles_are_all_over_is_an_error() -> None:
    old = [article("sale", language, valid_until=TODAY - DAY) for language in ("zh", "en")]
    found = list(
        check_validity(
            materials(old, [intent("sale-when", "到月底。", "Until the month ends.", articles=["sale"])])
        )
    )
    assert kinds(found) == [(Kind.EXPIRED, Severity.WARNING), (Kind.EXPIRED_TEMPLATE, Severity.ERROR)]
    assert found[1].locations[0].intent == "sale-when"
    assert found[1].locations[0].text == "到月底。"


def test_a_template_lives_as_long_as_one_of_its_articles_does_in_any_language() -> None:
    faces = [
        article("sale", "zh", valid_until=TODAY - DAY),
        article("sale", "en", valid_until=TODAY - DAY),
        article("prices", "en"),
    ]
    found = check_validity(
        materials(faces, [intent("sale-when", articles=["sale", "prices"]), intent("free")])
    )
    assert Kind.EXPIRED_TEMPLATE not in {each.kind for each in found}


def test_a_template_that_has_not_begun_is_an_error_too() -> None:
    found = check_validity(
        materials([article("spring", valid_from=TODAY + DAY)], [intent("spring-when", articles=["spring"])])
    )
    assert (Kind.EXPIRED_TEMPLATE, Severity.ERROR) in kinds(list(found))


def test_what_ends_soon_names_the_templates_that_rest_on_it_alone() -> None:
    intents = [intent("when", articles=["sale"]), intent("how", articles=["sale", "other"])]
    faces = [article("sale", valid_until=TODAY + DAY), article("other")]
    (found,) = check_validity(materials(faces, intents))
    assert "when" in found.message
    assert "how" not in found.message
    assert "in 1 day." in found.message


def test_faces_that_are_valid_at_different_times_are_told() -> None:
    faces = [article("sale", "zh", valid_until=date(2027, 5, 1)), article("sale", "en")]
    (found,) = check_validity(materials(faces))
    assert kinds([found]) == [(Kind.VALIDITY_DIFFERS, Severity.WARNING)]
    assert found.message == "zh: until 2027-05-01; en: always."


def test_a_template_that_names_no_article_there_is_is_an_error() -> None:
    (found,) = check_validity(materials([], [intent("when", articles=["gone"])]))
    assert kinds([found]) == [(Kind.UNKNOWN_ARTICLE, Severity.ERROR)]
    assert "gone" in found.message
