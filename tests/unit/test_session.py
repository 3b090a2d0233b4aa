"""Sessions: changes that solve again only what they touch, and what the problems of a session share."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Literal

import pytest

from friendshore.domain.case import Scenario
from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog, Material, Offer, Place, Terms
from friendshore.domain.use import Chained, Move, Use, Verdict
from friendshore.errors import InputError
from friendshore.problem.inputs import Inputs
from friendshore.problem.kept import Answers, Kept
from friendshore.rules.base import Facts, Phase, PhaseStatus, Rule
from friendshore.rules.kinds.limits import Budget, MaxShare, MaxSuppliers, MinShare
from friendshore.rules.rows import Row
from friendshore.session import Session

from ..building import SOURCE, ban, case, catalog, chain, demand, facility, lines, offer, opened, refused

# --------------------------------------------------------------------------------------------------------------- changes


MATERIALS = tuple(
    Material(id=name, element="Cu", form="metal", basis="gross", content=Decimal(1)) for name in ("ore", "tin", "zinc")
)
BOTH = frozenset({"ore", "tin"})


def facts(*offers: Offer, **more: Any) -> Catalog:
    """Three materials from three plants; the first makes two of them."""
    plants = (facility("pit", "AU", 200), facility("hole", "KZ", 500), facility("mill", "US"))
    given = (
        offer("ore-1", "pit", "ore", 7),
        offer("ore-2", "hole", "ore", 9),
        offer("tin-1", "mill", "tin", 3),
        *offers,
    )
    made = catalog(*plants, *given)
    return made.but(materials=MATERIALS, **more)


def session(*rules: Rule, given: Catalog | None = None) -> Session:
    """A case that wants two of the materials."""
    wanted = case(demand("ore", "civil", 100, 100), demand("tin", "civil", 50, 50), start=date(2027, 1, 1))
    return opened(wanted, given or facts(), *rules)


def members(found: Session) -> set[frozenset[str]]:
    """Materials of every part."""
    return set(found.parts.members)


def pending_cap(**more: Any) -> MaxShare:
    """A cap on both materials together that is only a bill."""
    share = {"id": "cap", "by": "facility", "share": "0.5", "group_by": "element", "phases": [{"status": "pending"}]}
    return MaxShare.model_validate({**share, **more})


def test_materials_that_share_nothing_are_parts_of_their_own() -> None:
    """Two materials from different plants; one that nobody wants belongs to none."""
    assert members(session()) == {frozenset({"ore"}), frozenset({"tin"})}


def test_a_plant_with_a_capacity_makes_its_materials_one_part() -> None:
    """The pit, of which 200 kg a year are known, makes both."""
    assert members(session(given=facts(offer("tin-2", "pit", "tin", 4)))) == {BOTH}


def test_terms_with_a_supplier_make_its_materials_one_part() -> None:
    """A fixed cost of dealing with a supplier at all, whose two plants make different materials."""
    plants = (facility("pit", "AU", 200, operator="Acme"), facility("mill", "US", operator="Acme"))
    made = catalog(*plants, offer("ore-1", "pit", "ore", 7), offer("tin-1", "mill", "tin", 3))
    terms = Terms(of="supplier", id="Acme", per="year", fixed=Decimal(5), currency="USD", source=SOURCE)
    given = made.but(materials=MATERIALS, terms=(terms,))
    assert members(session(given=given)) == {BOTH}
    about_one = terms.but(materials=frozenset({"ore"}))
    assert len(members(session(given=given.but(terms=(about_one,))))) == 2


def test_a_budget_makes_everything_one_part() -> None:
    """One row counts the money of both."""
    assert members(session(Budget(id="budget", amount=Decimal(10**6)))) == {BOTH}


def test_a_change_of_a_price_solves_its_own_component_alone() -> None:
    """The dearer ore costs 2 USD a kilogram more on 200 kg; tin is not looked at."""
    found = session()
    answer = found.after(Change(price="ore-1", factor=Decimal(3)))
    assert [part.members for part in answer.after] == [{"ore"}]
    assert (answer.solved, answer.reused) == (1, 1)
    assert answer.rise.total == 2 * 200
    assert answer.cost.total == found.verified.cost.total + 400
    assert answer.rise_between == (400, 400)


def test_a_change_that_changes_nothing_solves_nothing() -> None:
    """The same price again; and the same question asked twice."""
    found = session()
    assert found.after(Change(price="ore-1", factor=Decimal(1))).solved == 0
    dearer = Change(price="ore-1", factor=Decimal(3))
    assert [found.after(dearer).solved, found.after(dearer).solved] == [1, 0]


def test_a_bill_that_counts_two_parts_together_joins_them() -> None:
    """Half of both materials together from one plant: the mill's tin and the pit's ore."""
    found = session(pending_cap())
    assert members(found) == {frozenset({"ore"}), frozenset({"tin"})}
    answer = found.after(Change(enable="cap"))
    assert [part.members for part in answer.after] == [BOTH]
    assert answer.rise.total == 2 * (9 - 7) * 25  # 75 of 150 kg a year may come from the pit, 25 go to the hole


def test_a_bill_about_one_material_touches_its_part_alone() -> None:
    """A cap on ore is no business of tin's."""
    found = session(pending_cap(materials=["ore"], group_by="material"))
    answer = found.after(Change(enable="cap"))
    assert [part.members for part in answer.after] == [{"ore"}]
    assert answer.rise.total == 2 * (9 - 7) * 50


def test_changes_of_several_parts_are_each_made_where_they_belong() -> None:
    """Dearer ore and more tin."""
    found = session()
    answer = found.after(Change(price="ore-1", factor=Decimal(3)), Change(demand="tin", factor=Decimal(2)))
    assert [part.members for part in answer.after] == [{"ore"}, {"tin"}]
    assert answer.rise.total == 2 * 200 + 3 * 100


def test_a_rule_that_may_read_anything_keeps_the_case_in_one_piece() -> None:
    """A kind that does not promise that its rows stand alone might look at the other material."""

    class Curious(MaxShare):
        def rows(self, facts: Facts) -> Iterable[Row]:
            return [replace(row, reads=None) for row in super().rows(facts)]

    curious = Curious.model_validate({"id": "curious", "materials": ["ore"], "share": "0.9"})
    assert members(session(curious)) == {BOTH}


@pytest.mark.parametrize(
    "change", [{"price": "orr-1", "factor": 2}, {"capacity": "pitt", "factor": 2}, {"enable": "x"}]
)
def test_a_change_that_names_nothing_is_refused(change: dict[str, Any]) -> None:
    """Also beside one that does."""
    with pytest.raises(InputError, match="names no"):
        session().after(Change(price="ore-1", factor=Decimal(2)), Change.model_validate(change))


def test_a_change_of_what_nobody_wants_touches_nothing() -> None:
    """Zinc is offered, and no demand needs it."""
    found = session(given=facts(offer("zinc-1", "mill", "zinc", 4)))
    answer = found.after(Change(price="zinc-1", factor=Decimal(2)))
    assert (answer.after, answer.rise.objective) == ((), 0)


def test_what_cannot_be_planned_is_named() -> None:
    """A hard floor that no plant can meet: the part is not planned, the other is."""
    phases = (Phase(status=PhaseStatus.PENDING),)
    cap = MaxShare(id="none", materials=("ore",), share=Decimal(0), of="purchases", phases=phases)
    floor = Budget(id="spend", materials=("ore",), amount=Decimal(0), phases=phases)
    answer = session(cap, floor).after(Change(enable="none"), Change(enable="spend"))
    assert answer.infeasible == ()
    assert answer.cost.shortage > 0


def test_a_rule_that_nothing_can_keep_is_no_conflict_once_it_is_switched_off() -> None:
    """Half of the tin is to come from Japan, where nobody sells any: no column speaks of that, and ore has nothing to do with it."""
    floors = [
        MinShare.model_validate({"id": f"{name}-floor", "materials": [name], "share": "0.5", "countries": ["JP"]})
        for name in ("tin", "ore")
    ]
    found = session(*floors)
    assert [part.rules for part in found.verified.plan.infeasible] == [("ore-floor",), ("tin-floor",)]
    assert [part.rules for part in found.after(Change(disable="tin-floor")).infeasible] == [("ore-floor",)]
    assert found.after(Change(disable="tin-floor"), Change(disable="ore-floor")).infeasible == ()


def test_a_lead_that_comes_to_count_is_planned_with_all_it_needs() -> None:
    """A smelter without a capacity makes ore of zinc: stating one brings in the zinc that nobody wanted before, and a cap on it."""
    smelter = facility("smelter", "JP").but(capacity=())
    made = facts(
        offer("ore-3", "smelter", "ore", 1, inputs=lines(zinc=2)),
        offer("zinc-1", "hole", "zinc", 0.5),
        facilities=(facility("pit", "AU", 200), facility("hole", "KZ", 500), facility("mill", "US"), smelter),
    )
    sole = MaxSuppliers.model_validate({"id": "sole", "materials": ["zinc"], "count": 1})
    found = session(sole, given=made)
    answer = found.after(Change(capacity="smelter", per_year=Decimal(60)))
    assert [part.members for part in answer.after] == [{"ore", "zinc"}]
    assert answer.rise.objective == -2 * 60 * (7 - 2)


def test_a_limit_in_countries_that_want_nothing_joins_nothing() -> None:
    """A floor on what Japan buys, where nobody there buys anything."""
    floor = MinShare.model_validate(
        {"id": "f", "share": "0.5", "countries": ["AU"], "places": ["JP"], "of": "purchases"}
    )
    assert members(session(floor)) == {frozenset({"ore"}), frozenset({"tin"})}


def unpriced(*scenarios: Scenario) -> Inputs:
    """10 kg of ore from the pit at 7 or, 200 a year of it at most, the hole at 9; no price on a shortage, holding at 10 % a year."""
    bare = demand("ore", "civil", 300, 300).but(shortage_price=None)
    wanted = case(bare, start=date(2027, 1, 1), assume={"holding": "0.1"}, scenarios=scenarios)
    plants = (facility("pit", "AU", 200), facility("hole", "KZ", 60))
    given = catalog(*plants, offer("ore-1", "pit", "ore", 7), offer("ore-2", "hole", "ore", 9))
    return Inputs(wanted, (given.but(materials=MATERIALS),), ())


def test_the_loss_of_the_dearest_offer_costs_what_is_short_for_it() -> None:
    """60 kg a year at 9 are lost, and short at ten times 9, not at ten times the 7 of what is left: two years of 60 × (90 - 9)."""
    asked = Session.open(unpriced())
    assert asked.after(Change(remove="ore-2")).rise.objective == 2 * 60 * (90 - 9)
    assert asked.after(Change(remove="ore-1")).rise.objective == 2 * 200 * (90 - 7)


def test_a_scenario_leaves_the_price_of_a_shortage_as_it_is() -> None:
    """Planned with the scenario, in the session of the case, and in that of a run of the scenario, it is what the case as given says."""
    gone = Change(remove="ore-2")
    given = unpriced()
    planned = Session.open(given.after((gone,)))
    asked = Session.open(given).after(gone)
    assert planned.problem.shortage_price == (90,)
    assert planned.verified.cost.objective == asked.cost.objective
    assert planned.after(Change(price="ore-1", factor=Decimal(4))).after[0].verified.cost.shortage == 2 * 100 * 90
    assert planned.problem.stores["ore", "US"].holding == (Decimal("0.9"),) * 2


def test_an_offer_that_a_change_brings_prices_what_nothing_priced() -> None:
    """A case that prices no shortage is none; the change that brings the first price prices it."""
    bare = unpriced()
    catalogs = tuple(c.but(offers=tuple(o.but(price=None) for o in c.offers)) for c in bare.catalogs)
    bare = replace(bare, catalogs=catalogs)
    with pytest.raises(InputError, match="shortage"):
        Session.open(bare)
    priced = bare.after((Change(price="ore-1", amount=Decimal(5)),))
    assert priced.problem().shortage_price == (50,)


def test_what_a_session_keeps_is_bounded_and_answers_are_the_same() -> None:
    """A session that may keep next to nothing makes plans again that another still has; both compare with the plan as it was."""
    inputs = session().inputs
    changes = [Change(price="ore-1", factor=Decimal(10 + number) / 10) for number in range(8)]
    costs, again = [], []
    for memory in (128 * 2**20, 4096):
        opened = Session.open(inputs, memory=memory)
        first, *others = [opened.after(change) for change in (*changes, changes[0])]
        costs.append([answer.cost for answer in (first, *others)])
        assert others[-1].before[0] is first.before[0]
        again.append(others[-1].after[0] is not first.after[0])
    assert costs[0] == costs[1]
    assert again == [False, True]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"changes": {"price": "o1", "factor": 2}}, "dict"),
        ({"changes": [Change(price="o1", factor=Decimal(2))]}, "list"),
        ({"changes": Change(price="o1", factor=Decimal(2)), "rules": {"kind": "max-share"}}, "dict"),
        ({"changes": Change(price="o1", factor=Decimal(2)), "rules": pending_cap()}, "MaxShare"),
    ],
)
def test_arguments_of_another_type_are_refused_in_words(arguments: dict[str, Any], found: str) -> None:
    """A dict in the place of a change, and rules that are no list of rules: what was found, what is taken, and how to write it."""
    (problem,) = refused(session().after, arguments["changes"], rules=arguments.get("rules", ()))
    assert problem.found == f"`{found}`"
    assert ("Rule" if "rules" in arguments else "Change") in problem.expected
    assert problem.fix


# -------------------------------------------------------------------------------------------------------- what is shared


class Counting(Rule):
    """A ban that lets everything pass, and counts how often it is asked about what."""

    kind: Literal["counting"] = "counting"
    asked: ClassVar[Counter[str]] = Counter()

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        self.asked[offer.offer.id] += 1
        return super().judge(offer, move, use)


def shared(*rules: Rule) -> Session:
    """A case with two offers of what it wants."""
    facts = catalog(
        facility("pit", "AU", 200),
        facility("hole", "KZ", 500),
        offer("o1", "pit", "oxide", 7, chain("AU", "mined")),
        offer("o2", "hole", "oxide", 9, chain("KZ", "mined")),
    )
    wanted = case(demand("oxide", "civil", 100, 100), start=date(2027, 1, 1))
    return opened(wanted, facts, *rules)


def test_records_are_the_same_only_if_they_say_the_same_down_to_the_zeros_of_numbers() -> None:
    """A verdict may quote a number as it is written."""
    kept = Kept()
    first, other = Place(id="X", country="AU"), Place(id="X", country="AU")
    assert kept.same(first) is first
    assert kept.same(other) is first
    assert kept.same(Place(id="X", country="KZ")) is not first
    rule = Counting(id="r", loosened=Decimal(1))
    assert kept.same(rule) is rule
    assert kept.same(rule.but(loosened=Decimal("1e0"))) is rule
    assert kept.same(rule.but(loosened=Decimal("1.0"))) is not rule
    assert kept.same(rule.but(phases=(Phase(start=date(2028, 1, 1)),))) is not rule


def test_a_rule_is_asked_again_only_after_it_changed_itself() -> None:
    """Once by whoever plans the part and once by whoever verifies it; not again after another rule has changed."""
    asked = shared(Counting(id="r"), ban("mined", countries="AU", end_uses=["civil"], phases=[{"status": "pending"}]))
    asked.part_of("oxide")
    before = Counter(Counting.asked)
    found = asked.after(Change(enable="ban"))
    assert {entry.offer for part in found.after for entry in part.plan.purchases} == {"o2"}
    more = Counting.asked - before
    assert more["o1"] == 0
    assert more["o2"] == 1, "the verifier asks for itself about what the plan before did not buy"


def test_what_is_kept_stays_behind_when_a_session_is_stored() -> None:
    """It is made again."""
    kept = Kept()
    kept.same(Place(id="X", country="AU"))
    assert not pickle.loads(pickle.dumps(kept))._records


def test_answers_of_rules_are_bounded() -> None:
    """However many questions are put to a session, what its rules answered takes no more than it may, and rules are asked again."""
    opened = shared(Counting(id="r"))
    opened.inputs.kept.planned = answers = Answers(most=20)
    sizes = []
    for number in range(100):
        opened.after(Change(price="o1", factor=Decimal(1000 + number) / 1000))
        sizes.append(answers.size)
    assert max(sizes) <= 20 + 64 * 2, "as many more as are added between two counts"
    assert sizes != sorted(sizes)


class Duty(Rule):
    """Charges a tenth of the price, whatever is delivered."""

    kind: Literal["duty"] = "duty"

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        return value / 10


class Narrow(Duty):
    """A duty on one material, which refuses to be asked about any other."""

    kind: Literal["narrow"] = "narrow"  # type: ignore[assignment]
    material: str

    def charges_on(self, material: Material) -> bool:
        return material.id == self.material

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        assert offer.material.id == self.material
        return super().charge(offer, move, use, origin, value)


def test_a_duty_costs_the_same_where_it_says_which_materials_it_charges_on() -> None:
    """The rule is never asked about another material: it would fail."""
    every = shared(Duty(id="d")).verified.cost.charges
    assert shared(Narrow(id="d", material="oxide")).verified.cost.charges == every > 0
    assert shared(Narrow(id="d", material="gallium")).verified.cost.charges == 0


def test_a_duty_that_ends_earlier_costs_less_though_it_asks_the_same_of_every_delivery() -> None:
    """What rules charge together is kept for the days on which each holds: half a period of a duty is half of it."""
    whole = shared(Duty(id="d"))
    half = Change.model_validate({"move": "d", "until": date(2028, 6, 30)})
    lists: dict[str, tuple[Change, ...]] = {"all": (), "half": (half,), "none": (Change(disable="d"),)}
    charges = {name: round(whole.after(*changes).cost.charges, 9) for name, changes in lists.items()}
    alone = {name: Session.open(whole.inputs.after(some)).verified.cost.charges for name, some in lists.items()}
    assert charges == {name: round(money, 9) for name, money in alone.items()}
    assert charges["all"] > charges["half"] > charges["none"] == 0
