"""Limits in a stretch, or on a material, without any demand: a share of nothing is nothing, and a limit without effect is reported."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from friendshore.domain.facts import Catalog
from friendshore.errors import InputError, VerificationError
from friendshore.report import plan_document
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds.limits import (
    Cover,
    MaxChurn,
    MaxShare,
    MinDelivered,
    MinShare,
    MinSuppliers,
    SingleSource,
    StockLevel,
)
from friendshore.rules.rows import Rows

from ..building import case, demand, maker, metals, ordered, planned, rule, source, text

LATER = case(demand("metal", "civil", 0, 100))
"""Metal is wanted in the second year only."""
NOW = case(demand("metal", "civil", 10, 10))


@pytest.mark.parametrize(
    "words",
    [
        {"countries": ["CN"], "each": False},
        {"countries": ["CN"]},
        {"countries": ["CN"], "stage": "melted"},
        {"countries": ["CN"], "per": "period"},
        {"countries": ["CN"], "each_place": True},
        {"by": "supplier", "suppliers": ["cn"]},
    ],
)
def test_a_cap_admits_nothing_in_a_year_without_demand(words: dict[str, Any]) -> None:
    """A fifth of no demand is nothing: Chinese metal may not be bought a year early beyond its share of what is then wanted."""
    early = {"end": date(2026, 12, 31)}
    facts = metals()
    facts = facts.model_copy(update={"offers": (source("CN", 10, **early), *facts.offers[1:])})

    def chinese(facts: Catalog, *rules: Rule) -> dict[str, float]:
        return {
            period: kg for (offer, period), kg in ordered(planned(LATER, facts, *rules)).items() if offer == "cn-metal"
        }

    share = rule(MaxShare, share="20 %", **words)
    assert chinese(facts) == {"2026": 100}
    assert chinese(facts, share) == {}
    assert chinese(metals(), share) == {"2027": 20}


def test_a_cap_on_what_is_bought_only_as_an_input_admits_none_of_it_and_the_plan_says_why() -> None:
    """Nobody demands oxide itself: its cap is a share of nothing, and the way out is to take a share of purchases."""
    facts = metals(source("CN", 1, "oxide"), source("AU", 5, "oxide"), maker("JP", 1))
    cap = {"countries": ["CN"], "share": "20 %", "materials": ["oxide"]}
    found = planned(NOW, facts, rule(MaxShare, **cap))
    assert "cn-oxide" not in {offer for offer, _ in ordered(found)}
    assert "takes a share of the demand for oxide, and the case demands none" in shown(found)
    assert "demands none" not in shown(planned(NOW, facts, rule(MaxShare, **cap, of="purchases")))


@pytest.mark.parametrize(
    "limit",
    [
        rule(MinShare, countries=["AU"], share="50 %", materials=["oxide"]),
        rule(MinShare, countries=["AU"], share="50 %", end_uses=["defense"]),
        rule(MinSuppliers, count=2, materials=["oxide"]),
        rule(MinDelivered, end_uses=["defense"]),
        rule(Cover, days=30, materials=["oxide"]),
        rule(MaxChurn, share="10 %"),
        rule(StockLevel, at_least="5 kg", elements=["La"]),
    ],
    ids=lambda limit: limit.kind,
)
def test_a_floor_of_nothing_is_reported(limit: Rule) -> None:
    """Nobody may take such a limit for one that the plan keeps."""
    assert f"rule `{limit.id}` limits nothing" in shown(planned(NOW, metals(source("AU", 5, "oxide")), limit))


@pytest.mark.parametrize(
    "limit",
    [
        rule(MaxShare, countries=["CN"], share="20 %"),
        rule(MinShare, countries=["AU"], share="20 %"),
        rule(SingleSource, materials=["oxide"]),
        rule(StockLevel, at_most="5 kg", elements=["La"]),
    ],
    ids=lambda limit: limit.kind,
)
def test_other_limits_are_not_reported(limit: Rule) -> None:
    """Neither those that bind, nor those that are kept whatever is bought."""
    assert "limits nothing" not in shown(planned(NOW, metals(), limit))


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ({"materials": ["oxide"]}, "oxide"),
        ({"materials": ["oxide"], "together": True}, "oxide"),
        ({"materials": ["metal", "oxide"]}, "oxide"),
        ({"materials": ["metal"], "places": ["JP"]}, "metal at JP"),
        ({"places": ["JP"]}, "any material at JP"),
    ],
)
def test_stock_of_what_nothing_needs_is_refused(words: dict[str, Any], what: str) -> None:
    """No purchase could ever fill it: the case is refused, not planned without its stock."""
    with pytest.raises(InputError, match=f"asks for stock of {what}, which nothing in this case needs"):
        planned(NOW, metals(source("AU", 5, "oxide")), rule(StockLevel, at_least="5 kg", **words))


def shown(found: Any) -> str:
    """Return the first screen of a plan, in one line."""
    return " ".join(text(plan_document(found.run), 1000).split())


class Forgetful(MaxShare):
    """A cap that asks for no row in the first year, as one with a mistake in it would."""

    def rows(self, facts: Facts) -> Iterable[Rows]:
        periods = frozenset(range(1, len(facts.horizon.periods)))
        return super().rows(facts.within(periods))  # type: ignore[attr-defined]


def test_a_purchase_that_no_row_of_its_cap_counts_is_a_finding() -> None:
    """Program and verifier read the same rows: what a row has to count is worked out once more."""
    with pytest.raises(VerificationError, match="no row of rule `max-share` counts cn-metal"):
        planned(NOW, metals(), rule(Forgetful, share="20 %", countries=["CN"]))
    kept = planned(NOW, metals(), rule(MaxShare, share="20 %", countries=["CN"]))
    assert ordered(kept)["cn-metal", "2026"] == 2
