"""Why no plan serves a demand better: the rule, the date, the lead time, the capacity, the limit or the input that keeps supply out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from friendshore.document.markdown import markdown
from friendshore.domain.facts import CapacityStep, Status
from friendshore.plugins import Registry
from friendshore.recommend import Recommendation, reverify
from friendshore.recommend.recheck import recheck
from friendshore.report import page_document, plan_document
from friendshore.rules.kinds.export_control import ExportControl
from friendshore.rules.kinds.limits import MaxShare

from .building import (
    METAL,
    SOURCE,
    ban,
    case,
    catalog,
    chain,
    demand,
    facility,
    maker,
    metals,
    offer,
    planned,
    rule,
    source,
    text,
)  # fmt: skip

WANTED = demand("metal", "defense", 10, 10)
CN_ONLY = catalog(facility("cn", "CN"), source("CN", 10))


def causes(found: Recommendation, period: str) -> list[tuple[str, str, list[str]]]:
    """Kind, sentence and offers of what keeps supply out in a period."""
    (entry,) = [short for short in found.run.shortages if short.period == period]
    return [(cause.kind, cause.text, cause.offers) for cause in entry.causes]


def test_a_rule_that_keeps_the_supply_out_is_named_with_the_offer() -> None:
    """Chinese metal alone, and a ban from 2027."""
    found = planned(case(WANTED), CN_ONLY, ban("melted"))
    assert causes(found, "2027") == [("rule", "barred by `ban`", ["cn-metal"])]
    shown = " ".join(text(plan_document(found.run)).split())
    assert "metal for defense, 2027: barred by `ban`: cn-metal" in shown
    assert "no supply" not in shown
    assert "barred by \\`ban\\`: cn-metal" in markdown(page_document(found.run))


@pytest.mark.parametrize(
    ("facts", "rules", "expected"),
    [
        pytest.param(
            catalog(facility("au", "AU"), source("AU", 50, lead_time=6)), [],
            ("lead time", "earliest order, placed 2026-01-01, arrives 2027", ["au-metal"]), id="lead time",
        ),
        pytest.param(
            catalog(facility("au", "AU"), source("AU", 50, start=date(2027, 1, 1))), [],
            ("date", "can be ordered from 2027 on (not offered before), arrives 2027", ["au-metal"]), id="date",
        ),
        pytest.param(
            catalog(facility("au", "AU", 4), source("AU", 50)), [],
            ("capacity", "already gives all it can", ["au-metal"]), id="capacity",
        ),
        pytest.param(
            catalog(facility("au", "AU", capacity=()), source("AU", 50)), [],
            ("no offer", "no offer of metal counts, nobody published its capacity", ["au-metal"]), id="lead",
        ),
        pytest.param(
            CN_ONLY, [rule(ExportControl, id="control", exporters=["CN"], effect="licence")],
            ("rule", "wanting a licence under `control`", ["cn-metal"]), id="licence",
        ),
        pytest.param(
            catalog(facility("au", "AU"), offer("au-metal", "au", "metal", 5, chain("AU/CN?", *METAL))),
            [ban("melted", start=None)],
            ("rule", "not proved to pass `ban`", ["au-metal"]), id="unproven",
        ),
    ],
)  # fmt: skip
def test_each_cause_is_told_by_its_name(facts: Any, rules: list[Any], expected: tuple[str, str, list[str]]) -> None:
    """In the first year, one cause each."""
    assert causes(planned(case(WANTED), facts, *rules), "2026") == [expected]


def test_capacity_that_begins_later_says_when() -> None:
    """A plant that runs from 2027 on."""
    step = CapacityStep(start=date(2027, 1, 1), per_year=Decimal(30), status=Status.OPERATING, source=SOURCE)
    sites = facility("au", "AU").model_copy(update={"capacity": (step,)})
    found = planned(case(WANTED), catalog(sites, source("AU", 50)))
    assert causes(found, "2026") == [
        ("date", "can be ordered from 2027 on (its capacity begins then), arrives 2027", ["au-metal"])
    ]


def test_a_cap_of_the_planners_own_is_named_where_without_it_more_could_be_had() -> None:
    """Half from one country, and Japan has but 2 kg a year: Australia may give no more, though it could."""
    facts = catalog(facility("au", "AU"), facility("jp", "JP", 2), source("AU", 50), source("JP", 80))
    cap = rule(MaxShare, id="half", by="country", share="50 %", per="year")
    found = planned(case(WANTED), facts, cap)
    assert causes(found, "2026") == [
        ("capacity", "already gives all it can", ["jp-metal"]),
        ("limit", "without `half` more would be available over the plan", []),
    ]
    assert {tuple(short.limited_by) for short in found.run.shortages} == {("half",)}


def test_a_maker_without_input_says_what_it_lacks_and_why() -> None:
    """Metal is melted in Japan from oxide that comes from China alone, which the ban reaches."""
    facts = catalog(facility("cn", "CN"), facility("jp", "JP"), source("CN", 3, material="oxide"), maker("JP", 20))
    found = planned(case(WANTED), facts, ban("mined", start=None))
    assert causes(found, "2026") == [
        ("inputs", "no more oxide to make it of by 2026 (barred by `ban`: cn-oxide)", ["jp-melt"])
    ]


def test_what_a_run_says_of_causes_is_derived_again() -> None:
    """A cause that is made up is found."""
    found = planned(case(WANTED), metals(cn=3, au=3, jp=1), ban("melted"))
    told = found.run
    first = told.shortages[0]
    forged = first.model_copy(update={"causes": [first.causes[0].model_copy(update={"text": "nobody sells"})]})
    changed = told.model_copy(update={"shortages": [forged, *told.shortages[1:]]})
    again = recheck(found.facts(), changed, Registry.of())
    assert again.run is not None
    assert again.run.shortages[0].causes == first.causes
    assert reverify(found.facts(), Registry.of())[1] == []
