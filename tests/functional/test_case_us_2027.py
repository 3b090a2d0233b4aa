"""The worked case: its README tells what the command prints, and the pending bills do what it says."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

import friendshore
from friendshore import Recommendation
from friendshore.report.heading import met

CASE = Path(__file__).parents[2] / "docs" / "cases" / "us-2027"
README = (CASE / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([a-z0-9-]+) \| (civil|defense) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| (\S+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def plans() -> dict[str, Recommendation]:
    """The case as enacted, with each of its scenarios, and with unknown phases in force."""
    case = friendshore.load_case(CASE)
    made = {name: friendshore.plan(case, scenario=name) for name in ("s1803", "hr9073", "projects-on-time")}
    return made | {"enacted": friendshore.plan(case), "strict": friendshore.plan(case, strict=True)}


def test_every_plan_is_optimal_and_verified(plans: dict[str, Recommendation]) -> None:
    """Each is the cheapest, proved, and checked by the verifier."""
    assert {(plan.status.value, plan.verified) for plan in plans.values()} == {("optimal", True)}


def test_table_of_demand(plans: dict[str, Recommendation]) -> None:
    """The README's table is the run's demands, in tonnes."""
    totals: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    met: dict[tuple[str, str], str] = {}
    for demand in plans["enacted"].run.demands:
        key = (demand.material, demand.end_use)
        for position, kilograms in enumerate((demand.wanted_kg, demand.delivered_kg, demand.short_kg)):
            totals[key][position] += float(kilograms) / 1000
        met[key] = max(met.get(key, ""), demand.first_met or "never")
    told = {
        (m, use): ([int(n.replace(",", "")) for n in (w, d, s)], since)
        for m, use, w, d, s, since in ROW.findall(README)
    }
    assert told == {key: ([round(n) for n in totals[key]], met[key]) for key in totals}


def test_the_heading_says_how_many_demands_are_met_and_which_never(plans: dict[str, Recommendation]) -> None:
    """Nothing is short because the plan begins somewhere; the four goods of the README are never met."""
    never = {d.material for d in plans["enacted"].run.demands if d.short_kg}
    assert never == {"smco-magnet", "smco-alloy", "tantalum-powder", "tungsten-heavy-alloy"}
    assert "19 of 23 demands met in full; 4 never: smco-alloy for defense," in met(plans["enacted"].run)


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        ("nominal", "14.0 billion dollars"),
        ("total", "12.2 billion discounted"),
        ("charges", "0.2 billion of that are duties"),
    ],
)
def test_costs(plans: dict[str, Recommendation], figure: str, text: str) -> None:
    """The README's costs are the run's."""
    assert text in README
    assert f"{float(getattr(plans['enacted'].cost, figure)) / 1e9:,.1f}" == text.split(maxsplit=1)[0]


@pytest.mark.parametrize("bill", ["s1803", "hr9073"])
def test_pending_bills_save_money_and_no_shortage(plans: dict[str, Recommendation], bill: str) -> None:
    """Either bill makes the plan some 6 million dollars cheaper, and nothing less short."""
    before, after = plans["enacted"], plans[bill]
    assert "about 6 million dollars cheaper" in README
    assert round(float(before.cost.nominal - after.cost.nominal) / 1e6) == 6
    short = [{d.id: round(d.short_kg, 1) for d in plan.run.demands} for plan in (before, after)]
    assert short[0] == short[1]


def test_extension_keeps_defence_magnets_at_the_proved_maker(plans: dict[str, Recommendation]) -> None:
    """With the extension all defence magnets come from Fort Worth; without it most come from a maker on Chinese metal."""

    def makers(plan: Recommendation) -> dict[str, float]:
        found: defaultdict[str, float] = defaultdict(float)
        for purchase in plan.run.purchases:
            if purchase.material == "ndfeb-magnet" and purchase.end_use == "defense":
                found[purchase.offer] += float(purchase.quantity_kg)
        return dict(found)

    assert set(makers(plans["enacted"])) == {"independence-magnet"}
    free = makers(plans["s1803"])
    elsewhere = {"hai-phong-magnet", "narva-magnet"}
    assert sum(kg for offer, kg in free.items() if offer in elsewhere) > sum(free.values()) / 2


def test_unknown_phases_are_exposed_and_strict_lets_them_bite(plans: dict[str, Recommendation]) -> None:
    """What an unknown suspension would forbid stands beside the mix; with `--strict` gallium runs short."""
    exposed = {row.rule: row for row in plans["enacted"].run.exposed}
    assert set(exposed) == {"cn-46-2-minerals", "cn-61-military"}
    minerals = exposed["cn-46-2-minerals"].materials
    # What the plan takes of China's antimony is a matter of ties: anything up to all that civil buyers get.
    assert minerals.get("antimony-metal", 0) <= 9040_001
    assert "up to 9,040 t" in README
    assert round(float(minerals["gallium-metal-4n"]) / 1000, 1) == 68.4
    assert "68.4 t of gallium" in README
    assert round(float(exposed["cn-61-military"].materials["ndpr-oxide"]) / 1000) == 300
    assert plans["strict"].run.exposed == []
    short = {d.id: round(float(d.short_kg) / 1000, 1) for d in plans["strict"].run.demands if "gallium" in d.id}
    assert short == {"gallium-civil": 64.0, "gallium-defense": 0.0}
    assert "Defence gets its 1.9 t of them, and 64 t of civil use go short" in README


def test_projects_on_time_lift_none_of_the_four_shortages(plans: dict[str, Recommendation]) -> None:
    """Mines and refineries on time do not bring the converters that are missing."""
    missing = {"smco-magnet", "smco-alloy", "tantalum-powder", "tungsten-heavy-alloy"}
    saved = plans["enacted"].cost.nominal - plans["projects-on-time"].cost.nominal
    assert round(float(saved) / 1e6, 1) == 63.3
    left = {d.material for d in plans["projects-on-time"].run.demands if d.short_kg > 1}
    assert left == missing
