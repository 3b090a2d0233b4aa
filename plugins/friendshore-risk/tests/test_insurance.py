"""Being able to lose anybody: what it costs, what it takes, and what nothing can insure."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.building import case, catalog, demand, facility, metals, opened, source, store

from friendshore.document.terminal import plain_text
from friendshore.domain.case import Level, Minimize
from friendshore.domain.time import Horizon, PeriodLength
from friendshore.errors import InputError
from friendshore.rules.base import Phase
from friendshore_risk.losses import parse_loss_kind
from friendshore_risk.stress import insurance_document
from friendshore_risk.stress_answer import Insurance, first_loss, insurance

from .small import Floor

SECOND = date(2027, 1, 1)
THIN = metals(cn=30, au=4, jp=2)


def civil(*quantities: float, holding: float = 1, limit: float | None = None, **more: Any) -> Any:
    """Metal for civil use that may be held."""
    return case(demand("metal", "civil", *quantities), stores=(store("metal", holding, limit=limit),), **more)


def met(found: Insurance) -> dict[str, bool]:
    return {row.loss.name: row.met for row in found.losses}


def text(found: Insurance) -> str:
    """The report as it is printed."""
    return plain_text(insurance_document(found), 100)


def test_what_nothing_can_insure_is_named_and_the_rest_is_insured() -> None:
    """Nothing can be held, so that 4 kg are short without China, and no stock would do; without Australia China gives all."""
    answer = insurance(opened(civil(10, 10, limit=0), THIN), start=SECOND)
    assert met(answer) == {"cn": False, "au": True, "jp": True}
    lost = answer.losses[0]
    assert lost.reason == "can't be met at any price"
    assert lost.unmet[0].kilograms == 4
    assert answer.premium.value == 0
    assert [needed.proved for needed in answer.stock] == [False]
    assert "1 loss below that no plan insures in full" in " ".join(text(answer).split())


def test_an_offer_is_onboarded_for_the_case_of_a_loss() -> None:
    """Australia costs 200 to qualify, and nothing else could stand in: the premium is that, though nothing is bought there."""
    ready = source("AU", 50, onboarding=200, onboarding_currency="USD")
    facts = catalog(facility("cn", "CN"), facility("au", "AU"), source("CN", 10), ready)
    answer = insurance(opened(civil(10, 10, limit=0), facts), start=SECOND)
    assert answer.premium.value == 200
    (kept,) = answer.onboarded
    assert (kept.offer, kept.cost) == ("au-metal", 200)
    lost = next(row for row in answer.losses if row.loss.name == "cn")
    assert lost.met
    assert lost.costs == 10 * 40
    assert "used only after a loss" in text(answer)


def test_losses_are_met_together_before_anybody_knows_which_comes() -> None:
    """Two plants of 10 kg, 10 wanted in each of two years: whichever is lost, the other gives all; nothing is paid for it."""
    facts = metals(cn=10, au=10, jp=0)
    assert insurance(opened(civil(10, 10), facts), start=SECOND).premium.value == 0
    both = insurance(opened(civil(10, 20), facts), start=SECOND, by="country")
    # 10 kg more must be there when the second year begins: from Australia, the Chinese 10 being used up in the first.
    assert both.premium.value == 10 * 1
    assert met(both) == {"CN": True, "AU": True, "JP": True}


def test_a_dated_rule_of_a_plugin_holds_after_a_loss_too() -> None:
    """From 2027 on 4 kg must come from Japan: without it rules conflict, whatever is done before."""
    floor = Floor(id="floor", plant="jp", least=Decimal(4), phases=(Phase(start=SECOND),))
    answer = insurance(opened(civil(10, 10), metals(), floor), start=SECOND)
    lost = next(row for row in answer.losses if row.loss.name == "jp")
    assert (lost.met, lost.reason, lost.costs) == (False, "rules conflict", None)
    assert sum(met(answer).values()) == 2


@pytest.mark.parametrize(
    ("length", "day"),
    [
        ("1 year", "2026-01-01"),
        ("3 year", "2027-01-01"),
        ("16 quarter", "2027-01-01"),
        ("6 quarter", "2026-10-01"),
        ("2 month", "2026-02-01"),
    ],
)
def test_a_loss_comes_after_a_year_or_in_the_middle_of_a_short_plan(length: str, day: str) -> None:
    """Unless another day is named."""
    count, _, unit = length.partition(" ")
    horizon = Horizon(start=date(2026, 1, 1), periods=int(count), period=PeriodLength(unit))
    assert first_loss(horizon) == date.fromisoformat(day)


def test_what_cannot_be_insured_is_refused() -> None:
    """Where objectives are ranked there is no one price; an unknown kind of loss is told with what was meant."""
    ranked = civil(10, objectives=(Level(minimize=Minimize.SHORTAGE),))
    with pytest.raises(InputError, match="FS982"):
        insurance(opened(ranked, metals()))
    with pytest.raises(InputError, match="did you mean `country`"):
        parse_loss_kind("countries")


def test_the_text_of_an_insurance() -> None:
    """10 kg a year; without China 6 kg a year are available: 8 kg must lie there when it is lost, held for a year at 1.

    Of the 20 kg after the loss, 8 are there, 8 come at 50 and 4 at 80, in the place of 12 at 10; 4 lie for another year.
    """
    answer = insurance(opened(civil(10, 10, 10), THIN), start=SECOND)
    assert (answer.premium.value, answer.premium.proved) == (8, True)
    assert answer.losses[0].costs == 8 * 50 + 4 * 80 - 12 * 10 + 4
    assert [line.rstrip() for line in text(answer).strip().splitlines()] == GOLDEN.strip().splitlines()


GOLDEN = """
Insurance against the loss of any one supplier from 2027-01-01 on
To keep any one loss from increasing a shortage, the plan costs USD 8 more (present value) if no
loss occurs. The loss isn't known in advance, so earlier orders, stock, and onboarding are the same
for all losses.

Shortage after each loss
If lost  Additional shortage, current plan  Insured                 Spend and penalty after it, USD
cn       metal 8 kg                         no additional shortage                             +604
· 2 other losses cause no additional shortage, with or without insurance

Changes of the insured plan before the loss
Ordered from  Insured  Current
cn-metal        18 kg    10 kg

In stock or on order when the loss occurs  Insured  Current
metal                                         8 kg        –

Stock that would replace the insurance, with the current plan
Material  Quantity  Holding a year, USD  Covers the loss of  Proved
metal         8 kg                    8  cn                  yes
· lawful stock on hand when the loss occurs. The cost of buying it isn't included

2 questions asked, 9 independent parts solved, 18% of the parts reused
"""
