"""What a change does, found by solving again only what it touches, is what solving everything again would find."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.building import chain, demand, facility, offer, rule, terms

from friendshore.domain.case import Level
from friendshore.domain.change import Change, TermKind
from friendshore.domain.facts import Material
from friendshore.domain.plan import PlanStatus
from friendshore.errors import InputError
from friendshore.problem.inputs import Inputs
from friendshore.rules.kinds.limits import MaxShare
from friendshore.session import Session

from .compare import RELATIVE
from .random_cases.facts import Draw
from .random_cases.levels import about_these, levels
from .settings import examples
from .strategies import ONE, Tiny, tiny_cases

ORES = tuple(
    Material(id=name, element="Cu", form="metal", basis="gross", content=Decimal(1)) for name in ("ore", "tin")
)


def beside(tiny: Tiny, capacity: int, joint: bool) -> Inputs:
    """A tiny case with two more materials that have nothing to do with its own, nor with each other unless `joint`."""
    count = tiny.case.horizon.count
    plants = [facility("pit", "AU", capacity), facility("hole", "KZ", 500)]
    offers = [offer("ore-1", "pit", "ore", 7, chain("AU", "mined"), min_order=Decimal(5))]
    offers += [offer("ore-2", "hole", "ore", 9, chain("KZ", "mined"), onboarding=Decimal(40))]
    offers += [offer("tin-1", "pit" if joint else "hole", "tin", 3, chain("AU", "mined"), lot=Decimal(4))]
    bearing = [terms("pit", of="supplier", per="year", fixed=30), terms("ore-2", least=6, fixed=11)]
    bearing += [terms("hole", of="facility", per="horizon", materials=["tin"], fixed=9)]
    catalog = tiny.catalog
    more = {
        "materials": (*catalog.materials, *ORES),
        "facilities": (*catalog.facilities, *plants),
        "offers": (*catalog.offers, *offers),
        "terms": (*catalog.terms, *bearing),
    }
    demands = (*tiny.case.demands, demand("ore", "civil", *[20] * count), demand("tin", "civil", *[11] * count))
    share = {"share": "0.6", "countries": ["AU"], "group_by": "element", "penalty": "3"}
    pending = rule(MaxShare, id="ores", materials=["ore", "tin"], phases=[{"status": "pending"}], **share)
    return Inputs(tiny.case.but(demands=demands), (catalog.model_copy(update=more),), (*tiny.rules, pending))


@st.composite
def changes(draw: Draw[Any], inputs: Inputs) -> Change:
    """One change of any kind that names something in the case."""
    (catalog,) = inputs.catalogs
    offers, rules = [o.id for o in catalog.offers], [rule.id for rule in inputs.rules]
    demands = [*(d.id for d in inputs.case.demands), *(d.material for d in inputs.case.demands), "civil"]
    plants = [f.id for f in catalog.facilities if f.capacity]
    factor = Decimal(draw(st.sampled_from(("0.5", "0.9", "1", "1.3", "4"))))
    names = {
        "price": [*(o.id for o in catalog.offers if o.price), "ore", "tin", "country:AU", "outside:AU"],
        "remove": [*offers, "country:AU", "country:CN", "supplier:au", "parent:cn"],
        "demand": demands,
        "capacity": plants,
        "enable": rules,
        "disable": rules,
        "prove": offers,
        "waive": [rule.id for rule in inputs.rules if "judge" in rule.verbs and rule.judge_scope == "chain"],
        "grant": [rule.id for rule in inputs.rules if rule.judge_scope == "trade"],
        "loosen": [rule.id for rule in inputs.rules if "rows" in rule.verbs],
        "stock": [d.material for d in inputs.case.demands],
        "lift": list(TermKind),
    }

    subject = draw(st.sampled_from(sorted(name for name, known in names.items() if known)))
    more: dict[str, Any] = {"factor": factor} if subject in ("price", "demand", "capacity") else {}
    rarely, half = draw(st.integers(0, 3)) == 3, draw(st.booleans())
    if subject == "remove" and half:
        more["from"] = date(2027, 1, 1)
    elif subject == "demand" and rarely:
        more = {"shortage_price": draw(st.integers(1, 900))}
    elif subject == "demand" and half:
        more["delay"] = inputs.case.horizon.length.months * draw(st.integers(1, 3))
    elif subject == "price" and rarely:
        more = {"amount": draw(st.integers(1, 90))}
    elif subject == "capacity" and half:
        more = {"per_year": draw(st.integers(0, 90))}
    elif subject == "waive":
        more["of"] = draw(st.sampled_from([d.material for d in inputs.case.demands]))
    elif subject == "lift" and half:
        more["of"] = draw(st.sampled_from(offers))
    elif subject == "stock":
        more["countries"] = [draw(st.sampled_from(("AU", "CN")))]
    elif subject == "loosen":
        more["by"] = draw(st.integers(0, 20))
    if subject in ("waive", "grant", "stock"):
        more["quantity"] = draw(st.integers(1, 40))
    return Change.model_validate({subject: draw(st.sampled_from(names[subject])), **more})


@examples(150)
@given(tiny_cases(), st.integers(5, 60), st.booleans(), st.lists(levels(within=True), max_size=2), st.data())
def test_a_change_costs_what_the_changed_case_costs(
    tiny: Tiny, capacity: int, joint: bool, some_levels: list[Level], data: st.DataObject
) -> None:
    """One to three changes asked of a session, and the whole case planned anew with them, come to the same money, and to the same in each level."""
    inputs = beside(tiny.priced(), capacity, joint)
    wanted = {name for d in inputs.case.demands for name in (d.id, d.material, d.end_use)}
    objectives = tuple(about_these(level, wanted) for level in some_levels)
    inputs = replace(inputs, case=inputs.case.but(objectives=objectives))
    some = [data.draw(changes(inputs)) for _ in range(data.draw(st.integers(1, 3)))]
    try:
        anew = Session.open(inputs.after(some), ONE)
    except InputError:
        return  # what was named is gone, or a limit names what no longer counts
    session = Session.open(inputs, ONE)
    answer = session.what_if(*some)
    assert bool(answer.infeasible) == (anew.solution.status is PlanStatus.INFEASIBLE)
    if answer.infeasible or session.verified.plan.infeasible:
        return  # what cannot be planned has no cost
    cost = float(anew.verified.cost.objective)
    allowed = RELATIVE * max(1.0, abs(cost)) * (2 + len(answer.after))
    prices = [float(o.price.amount or 0) for o in inputs.catalogs[0].offers if o.price] + [1000.0]
    pieces = sum(len(part.plan.purchases) + len(part.plan.makes) + 1 for part in (*answer.before, *answer.after))
    allowed += float(inputs.case.resolution) * pieces * 10 * max(prices) * 1.3
    assert abs(float(answer.cost.objective) - cost) <= allowed
    for level, planned in zip(answer.levels, anew.verified.levels, strict=True):
        assert abs(float(level - planned.value)) <= allowed
    least, most = answer.rise_between
    assert float(least) - allowed <= float(answer.rise.objective) <= float(most) + allowed
