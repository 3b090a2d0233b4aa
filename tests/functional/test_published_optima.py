"""Problems whose optimum others have published, stated as ordinary cases: the plan costs what they say.

The cases are in `docs/cases/published`. `PUBLISHED=write pytest FILE` writes the results into their page.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

import friendshore
from friendshore import Recommendation
from friendshore.domain.change import Change

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "reference" / "bench.md"

HEAD, TAIL = (
    "| case | problem | source | published | friendshore |\n|---|---|---|---:|---:|\n",
    "\n## Problems with scenarios\n",
)
"""What stands on the page before and after the results that are made here."""


@dataclass(frozen=True)
class Published:
    """A problem and its published optimum."""

    folder: str
    problem: str
    source: str
    optimum: str
    """With as many decimals as were published."""

    @property
    def tolerance(self) -> Decimal:
        """Half a unit of the last published digit, or a millionth."""
        value = Decimal(self.optimum)
        return max(Decimal(10) ** int(value.as_tuple().exponent) / 2, abs(value) / 10**6)


AMPL = "Fourer, Gay, Kernighan, *AMPL*, 2nd ed.,"
SNYDER = "Snyder, Shen, *Fundamentals of Supply Chain Theory*, 2nd ed.,"
BEASLEY = "Beasley, OR-Library,"
PROBLEMS = (
    Published("trnsport", "transport: two plants, three markets", "Dantzig 1963; GAMS model library `trnsport`", "153.675"),
    Published("multi", "three goods, three mills, seven cities, a limit on each lane", f"{AMPL} ch. 4 `multi`", "199500"),
    Published("multmip1", "the same, with a fixed cost for each lane used", f"{AMPL} ch. 20 `multmip1`", "229850"),
    Published("multmip2", "the same, with a least load for each lane used", f"{AMPL} ch. 20 `multmip2`", "233150"),
    Published("multmip3", "the same, with at most five cities for each mill", f"{AMPL} ch. 20 `multmip3`", "235625"),
    Published(
        "bid", "five bids with set-up costs and incremental price bands", "Bracken, McCormick 1968; GAMS model library `bid`",
        "15210109.512",
    ),
    Published("ww-1958", "lot sizing, twelve periods", "Wagner, Whitin, *Management Science* 5, 1958", "864"),
    Published("ww-example-3-9", "lot sizing, four periods", f"{SNYDER} example 3.9", "1380"),
    Published("ww-problem-3-27", "lot sizing, four periods", f"{SNYDER} problem 3.27", "424"),
    Published("ww-problem-3-29", "lot sizing, five periods", f"{SNYDER} problem 3.29", "423"),
    Published("cap41", "warehouse location, 16 sites, 50 customers", f"{BEASLEY} cap41", "1040444.375"),
    Published("cap44", "warehouse location, 16 sites, 50 customers", f"{BEASLEY} cap44", "1235500.450"),
    Published("cap71", "warehouse location, 16 sites, 50 customers", f"{BEASLEY} cap71", "932615.750"),
    Published("cap134", "warehouse location, 50 sites, 50 customers", f"{BEASLEY} cap134", "928941.750"),
)  # fmt: skip
SLOW = ("cap134", "cap71", "multmip1", "multmip2", "multmip3")
DUALS = {"new-york": "0.225", "chicago": "0.153", "topeka": "0.126"}
"""Of Dantzig's transport problem: money for one unit more, by market, as GAMS lists it."""


@cache
def planned(folder: str) -> Recommendation:
    """The plan of one of the cases."""
    return friendshore.plan(friendshore.load_case(DOCS / "cases" / "published" / folder))


@cache
def one_more(market: str) -> Decimal:
    """What one unit more for a market adds to the transport problem."""
    plan = planned("trnsport")
    (demand,) = (demand for demand in plan.session.problem.demands if demand.id == market)
    (wanted,) = demand.quantity
    return plan.session.what_if(Change(demand=market, factor=(wanted + 1) / wanted)).rise.objective


@cache
def without_limit() -> Decimal:
    """What the steel mills save if they may serve any number of cities."""
    return -planned("multmip3").session.what_if(Change(disable="max-served")).rise.objective


@pytest.mark.parametrize(
    "problem",
    [pytest.param(p, marks=pytest.mark.deep) if p.folder in SLOW else p for p in PROBLEMS],
    ids=lambda problem: problem.folder,
)
def test_optimum_is_the_published_one(problem: Published) -> None:
    """All is delivered at the published cost."""
    plan = planned(problem.folder)
    assert plan.status.value == "optimal"
    assert plan.run.shortage_kg == {}
    assert abs(plan.cost.objective - Decimal(problem.optimum)) <= problem.tolerance


@pytest.mark.parametrize("market", DUALS)
def test_a_unit_more_costs_the_published_dual(market: str) -> None:
    """The dual of a market's demand is what one unit more adds to the cost."""
    assert one_more(market) == pytest.approx(Decimal(DUALS[market]), abs=Decimal("1e-6"))


@pytest.mark.deep
def test_a_rule_costs_the_difference_of_the_published_optima() -> None:
    """Switched off, the limit of five cities gives back what it costs."""
    published = {problem.folder: Decimal(problem.optimum) for problem in PROBLEMS}
    assert without_limit() == pytest.approx(published["multmip3"] - published["multmip2"], abs=Decimal("0.1"))


def _lines() -> Iterator[str]:
    for problem in PROBLEMS:
        decimals = len(problem.optimum.partition(".")[2])
        published, found = Decimal(problem.optimum), planned(problem.folder).cost.objective
        yield (
            f"| `{problem.folder}` | {problem.problem} | {problem.source} "
            f"| {published:,.{decimals}f} | {found:,.{decimals}f} |"
        )
    duals = ", ".join(f"{market} {one_more(market):.3f}" for market in DUALS)
    published_duals = ", ".join(f"{market} {value}" for market, value in DUALS.items())
    yield "\n## Prices\n"
    yield f"- Of one unit more in the transport problem: {duals} (published duals: {published_duals})."
    yield (
        f"- Of the limit of five cities: {without_limit():,.0f}, found by switching the rule `max-served` of `multmip3` off; "
        "the published optima of `multmip3` and `multmip2` differ by 2,475."
    )


@pytest.mark.deep
def test_page_says_what_the_runs_say() -> None:
    """The page is up to date."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(HEAD)
    shown, _, after = rest.partition(TAIL)
    results = "\n".join(_lines()) + "\n"
    if os.environ.get("PUBLISHED") == "write":
        PAGE.write_text(before + HEAD + results + TAIL + after, encoding="utf-8")
    else:
        assert shown == results
