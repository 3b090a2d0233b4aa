"""Being able to lose anybody: what it costs, what it takes, and what nothing can insure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import pytest
from tests.building import case, catalog, demand, facility, metals, source, store

from friendshore.document.terminal import plain_text
from friendshore.domain.case import Level, Minimise
from friendshore.domain.facts import Place
from friendshore.domain.time import Horizon, PeriodLength
from friendshore.domain.use import Chained
from friendshore.errors import InputError
from friendshore.problem.inputs import Inputs
from friendshore.rules.base import Facts, Phase, Rule
from friendshore.rules.rows import Row
from friendshore.session import Session
from friendshore_risk.stress.document import insurance_document
from friendshore_risk.stress.insurance import first_loss, insurance
from friendshore_risk.stress.insured import Insurance
from friendshore_risk.stress.losses import loss_kind

SECOND = date(2027, 1, 1)


def opened(given: Any, facts: Any, *rules: Rule) -> Session:
    """A solved case."""
    return Session.open(Inputs(given, (facts,), rules))


def civil(*quantities: float, holding: float = 1, limit: float | None = None, **more: Any) -> Any:
    """Metal for civil use that may be held."""
    return case(demand("metal", "civil", *quantities), stores=(store("metal", holding, limit=limit),), **more)


def met(found: Insurance) -> dict[str, bool]:
    """Whether each loss is met."""
    return {row.loss.name: row.met for row in found.losses}


def text(found: Insurance, width: int = 100) -> str:
    """The report as it is printed."""
    return plain_text(insurance_document(found), width)


def test_stock_bought_in_time_is_the_premium() -> None:
    """10 kg a year; without China 6 kg a year are available: 8 kg must lie there when it is lost, held for a year at 1."""
    found = insurance(opened(civil(10, 10, 10), metals(cn=30, au=4, jp=2)), start=SECOND)
    assert found.premium.proved
    assert found.premium.value == 8
    assert all(met(found).values())
    (ready,) = found.ready
    assert (ready.material, ready.kilograms, ready.today) == ("metal", 8, 0)
    (ordered,) = found.ordered
    assert (ordered.offer, ordered.kilograms, ordered.today, ordered.new) == ("cn-metal", 18, 10, False)
    worst = found.losses[0]
    assert (worst.loss.name, worst.exposed[0].kilograms) == ("cn", 8)
    # Of the 20 kg after the loss, 8 are there, 8 come at 50 and 4 at 80, in the place of 12 at 10; 4 lie for another year.
    assert worst.costs == 8 * 50 + 4 * 80 - 12 * 10 + 4


def test_stock_that_would_do_instead() -> None:
    """As much as the worst loss leaves short, and the plan made again with it is short of nothing more."""
    found = insurance(opened(civil(10, 10, 10), metals(cn=30, au=4, jp=2)), start=SECOND)
    (needed,) = found.stock
    assert (needed.material, needed.kilograms, needed.loss, needed.holding, needed.proved) == (
        "metal",
        8,
        "cn",
        8,
        True,
    )


def test_stock_that_cannot_be_kept_is_not_said_to_do() -> None:
    """Nothing can be held."""
    found = insurance(opened(civil(10, 10, limit=0), metals(cn=30, au=4, jp=2)), start=SECOND)
    (needed,) = found.stock
    assert not needed.proved
    assert "no: some loss still leaves it short" in text(found)


def test_what_nothing_can_insure_is_named_and_the_rest_is_insured() -> None:
    """Nothing can be held, so that 4 kg are short without China; without Australia China gives all."""
    found = insurance(opened(civil(10, 10, limit=0), metals(cn=30, au=4, jp=2)), start=SECOND)
    assert met(found) == {"cn": False, "au": True, "jp": True}
    lost = found.losses[0]
    assert lost.reason == "cannot be met at any price"
    assert lost.unmet[0].kilograms == 4
    assert found.premium.value == 0
    assert "1 loss below that nothing insures in full" in text(found)


def test_an_offer_is_onboarded_for_the_case_of_a_loss() -> None:
    """Australia costs 200 to qualify, and nothing else could stand in: the premium is that, though nothing is bought there."""
    ready = source("AU", 50, onboarding=200, onboarding_currency="USD")
    facts = catalog(facility("cn", "CN"), facility("au", "AU"), source("CN", 10), ready)
    found = insurance(opened(civil(10, 10, limit=0), facts), start=SECOND)
    assert found.premium.value == 200
    (kept,) = found.onboarded
    assert (kept.offer, kept.cost) == ("au-metal", 200)
    lost = next(row for row in found.losses if row.loss.name == "cn")
    assert lost.met
    assert lost.costs == 10 * 40
    assert "only used if a loss comes" in text(found)


def test_losses_are_met_together_before_anybody_knows_which_comes() -> None:
    """Two plants of 10 kg, 10 wanted in each of two years: whichever is lost, the other gives all; nothing is paid for it."""
    facts = metals(cn=10, au=10, jp=0)
    found = insurance(opened(civil(10, 10), facts), start=SECOND)
    assert found.premium.value == 0
    both = insurance(opened(civil(10, 20), facts), start=SECOND, by="country")
    # 10 kg more must be there when the second year begins: from Australia, the Chinese 10 being used up in the first.
    assert both.premium.value == 10 * 1
    assert met(both) == {"CN": True, "AU": True, "JP": True}


class Floor(Rule):
    """A plugin's kind: at least so many kilograms from one plant, from a day on."""

    kind: Literal["floor"] = "floor"
    plant: str = "jp"
    least: Decimal = Decimal(4)

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row over all periods in which it applies."""

        def counts(offer: Chained, place: Place) -> int:
            return int(offer.facility.id == self.plant)

        for label, periods in facts.spans("horizon"):
            yield Row(label, (facts.bought(counts, periods),), at_least=self.least)


def test_a_dated_rule_of_a_plugin_holds_after_a_loss_too() -> None:
    """From 2027 on 4 kg must come from Japan: without it rules conflict, whatever is done before."""
    floor = Floor(id="floor", phases=(Phase(start=SECOND),))
    found = insurance(opened(civil(10, 10), metals(), floor), start=SECOND)
    lost = next(row for row in found.losses if row.loss.name == "jp")
    assert (lost.met, lost.reason, lost.costs) == (False, "rules conflict", None)
    assert sum(met(found).values()) == 2


@pytest.mark.parametrize(
    ("count", "length", "day"),
    [
        (1, "year", "2026-01-01"),
        (3, "year", "2027-01-01"),
        (16, "quarter", "2027-01-01"),
        (6, "quarter", "2026-10-01"),
        (2, "month", "2026-02-01"),
    ],
)
def test_a_loss_comes_after_a_year_or_in_the_middle_of_a_short_plan(count: int, length: str, day: str) -> None:
    """Unless another day is named."""
    horizon = Horizon(start=date(2026, 1, 1), count=count, length=PeriodLength(length))
    assert first_loss(horizon) == date.fromisoformat(day)


def test_a_premium_is_a_matter_of_cost_alone() -> None:
    """Where objectives are ranked there is no one price."""
    ranked = civil(10, objectives=(Level(minimise=Minimise.SHORTAGE),))
    with pytest.raises(InputError, match="cost alone"):
        insurance(opened(ranked, metals()))


def test_an_unknown_kind_of_loss_is_refused() -> None:
    """With what was meant."""
    with pytest.raises(InputError, match="did you mean `country`"):
        loss_kind("countries")


def test_the_report_fits_its_width() -> None:
    """No line is wider than asked for."""
    told = text(insurance(opened(civil(10, 10, 10), metals(cn=30, au=4, jp=2)), start=SECOND))
    assert max(map(len, told.splitlines())) <= 100
    assert "costs USD 8 more (present value)" in told


def test_the_text_of_an_insurance() -> None:
    """Word for word."""
    told = text(insurance(opened(civil(10, 10, 10), metals(cn=30, au=4, jp=2)), start=SECOND))
    assert [line.rstrip() for line in told.strip().splitlines()] == GOLDEN.strip().splitlines()


GOLDEN = """
Insured against the loss of any one supplier from 2027-01-01 on
To be short of no more after any one loss than today, the plan costs USD 8 more (present value)
where no loss comes. Nobody knows beforehand which loss comes: orders, stock and onboarding before
it are the same for all.

What each loss leaves short
If lost  Short in addition, today  Insured             Spend and penalty then, USD
──────────────────────────────────────────────────────────────────────────────────
cn       metal 8 kg                nothing more short                         +604
· 2 other losses leave nothing more short, as things are and insured

What the insured plan does otherwise before the loss
Ordered from  Insured  Today
────────────────────────────
cn-metal        18 kg  10 kg

In stock or on its way when the loss comes  Insured  Today
──────────────────────────────────────────────────────────
metal                                          8 kg      –

Stock that would do instead, with the plan as it is
Material  Stock  For the loss of  Holding a year, USD  Proved
─────────────────────────────────────────────────────────────
metal      8 kg  cn                                 8  yes
· lawful stock in hand when the loss comes; the price of buying it is not in it

2 questions asked, 9 independent parts solved, 18 % of the parts known already
"""
