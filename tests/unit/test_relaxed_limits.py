"""Hard limits that can't be kept: the smallest set is relaxed by the smallest amounts, and never law."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from random import Random

import pytest

from friendshore.document.figures import relaxation_texts
from friendshore.domain.plan import PlanStatus
from friendshore.domain.unmet import RunRelaxation
from friendshore.plugins import Registry
from friendshore.recommend import Recommendation, recheck
from friendshore.report import headline_of
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget, MaxShare, MinDelivered, MinShare, Pin

from ..building import metals, planned, rule, unstored

BUDGET = rule(Budget, id="cash", amount=400, per="year")
ALL = rule(MinDelivered, id="all")
FLOOR = rule(MinShare, id="floor", by="country", countries=["CN"], share="0.8")
CAP = rule(MaxShare, id="cap", by="country", countries=["CN"], share="0.3")
LEAST = rule(Pin, id="least", offer="cn-metal", at_least="9 kg", per="year")
MOST = rule(Pin, id="most", offer="au-metal", at_most="1 kg", per="year")
LIMITS = (BUDGET, ALL, FLOOR, CAP, LEAST, MOST)


def plan_with(*limits: Rule, **options: bool) -> Recommendation:
    """Plan 10 kg in each of two years, of Chinese metal at 10 or Australian at 50."""
    return planned(unstored(10, 10), metals(jp=0), *limits, **{"strict_limits": False} | options)


def smallest_sets(limits: Sequence[Rule]) -> set[frozenset[str]]:
    """Return every smallest set of limits without which all others can be kept, by trying all sets."""

    def sets() -> Iterator[frozenset[str]]:
        for size in range(len(limits) + 1):
            for removed in combinations(limits, size):
                kept = [each for each in limits if each not in removed]
                if not plan_with(*kept, strict_limits=True).run.conflicts:
                    yield frozenset(each.id for each in removed)

    minimum = None
    smallest = set()
    for members in sets():
        minimum = len(members) if minimum is None else minimum
        if len(members) > minimum:
            break
        smallest.add(members)
    return smallest


def random_limits(seed: int) -> list[Rule]:
    """Return six limits on two offers and their money, of which some can't be kept together."""
    random = Random(seed)

    def pin(name: str) -> Rule:
        bound = {random.choice(["at_least", "at_most"]): random.randint(1, 14)}
        return rule(
            Pin, id=name, offer=random.choice(["cn-metal", "au-metal"]), per=random.choice(["year", "horizon"]), **bound
        )

    def share(name: str) -> Rule:
        kinds: list[type[Rule]] = [MaxShare, MinShare]
        return rule(
            random.choice(kinds),
            id=name,
            by="country",
            countries=[random.choice(["CN", "AU"])],
            share=random.choice(["0.2", "0.5", "0.9"]),
        )

    return [ALL, rule(Budget, id="cash", amount=random.randint(1, 9) * 100), pin("a"), pin("b"), share("c"), share("d")]


@pytest.mark.parametrize("limits", [(CAP, FLOOR), (FLOOR, LEAST, CAP), LIMITS, *map(random_limits, range(6))])
def test_the_smallest_set_is_relaxed(limits: Sequence[Rule]) -> None:
    relaxed = plan_with(*limits)
    assert frozenset(row.rule for row in relaxed.run.relaxed) in smallest_sets(limits)
    assert relaxed.status is PlanStatus.OPTIMAL
    assert recheck(relaxed.facts(), relaxed.run, Registry.of()).run == relaxed.run


def test_only_the_year_that_needs_it_is_relaxed_by_what_it_needs() -> None:
    """10 kg of Chinese metal in 2026 and 20 kg in 2027 cost 100 and 200."""
    found = planned(
        unstored(10, 20), metals(jp=0), ALL, rule(Budget, id="cash", amount=150, per="year"), strict_limits=False
    )
    (row,) = found.run.relaxed
    assert (row.rule, row.limit, row.label) == ("cash", "yearly budget", "2027")
    assert (float(row.stated), float(row.relaxed)) == (150, 200)
    assert found.run.shortages == []
    assert found.run.cost.nominal == 300


def test_a_plan_with_relaxed_limits_never_looks_compliant() -> None:
    found = plan_with(CAP, FLOOR)
    headline = headline_of(found.run)
    assert headline.limits_relaxed
    assert headline.tone == "bad"
    assert "doesn't keep the" in headline.sentences[0]


def test_strict_limits_plan_nothing() -> None:
    found = plan_with(CAP, FLOOR, strict_limits=True)
    assert (found.status, found.run.relaxed, len(found.run.conflicts)) == (PlanStatus.INFEASIBLE, [], 2)


def test_a_limit_with_a_citation_is_law_and_never_relaxed() -> None:
    law = CAP.but(citation="10 USC 1")
    assert {row.rule for row in plan_with(law, FLOOR).run.relaxed} == {"floor"}
    assert plan_with(law, FLOOR.but(citation="10 USC 2")).status is PlanStatus.INFEASIBLE


@pytest.mark.parametrize("amount", ["0.5", "9"], ids=["less than needed", "more than needed"])
def test_another_stated_relaxation_is_refused(amount: str) -> None:
    found = plan_with(CAP, FLOOR)
    first, *others = found.applied.relaxed
    stated = found.applied.but(relaxed=(first.but(by=Decimal(amount)), *others))
    assert [each.code for each in recheck(replace(found, applied=stated).facts(), found.run, Registry.of()).findings]


def test_a_relaxation_of_law_is_refused() -> None:
    found = plan_with(CAP, FLOOR)
    facts = found.facts()
    (relaxed,) = {row.rule for row in found.run.relaxed}
    for each in facts["rules"]:
        if each["data"]["id"] == relaxed:
            each["pack"] = "law"
    assert any(
        "isn't a limit of the case's own" in str(each) for each in recheck(facts, found.run, Registry.of()).findings
    )


def test_a_relaxed_bound_is_never_rounded_to_less_than_the_plan_needs() -> None:
    row = RunRelaxation(
        rule="cash",
        limit="yearly budget",
        label="2028",
        unit="USD",
        stated=Decimal(21_000_000),
        relaxed=Decimal(25_412_001),
    )
    years = [row.but(label=year) for year in ("2028", "2029")]
    (text,) = relaxation_texts(years)
    assert text == "raise the yearly budget of 2028, 2029 (cash) from USD 21 million to USD 25.5 million"
    (text,) = relaxation_texts([row.but(stated=Decimal(25_401_000), relaxed=Decimal(25_402_000))])
    assert text.endswith("from USD 25.4 million to USD 25.5 million")
