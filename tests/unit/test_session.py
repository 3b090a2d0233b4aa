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

from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog, Material, Offer, Place
from friendshore.domain.use import Chained, Move, Use, Verdict
from friendshore.errors import InputError
from friendshore.problem.inputs import Inputs
from friendshore.problem.shared import Answers, SharedData
from friendshore.rules.base import Facts, Phase, Rule
from friendshore.rules.kinds.limits import Budget, MaxShare, MaxSuppliers, MinShare
from friendshore.rules.rows import Row
from friendshore.session import Session
from friendshore.solve.engine import SolverAnswer, SolverOutcome

from ..building import ban, case, catalog, chain, demand, facility, lines, offer, opened, refused, rule, terms

# --------------------------------------------------------------------------------------------------------------- changes


MATERIALS = tuple(
    Material(id=name, element="Cu", form="metal", basis="gross", content=Decimal(1)) for name in ("ore", "tin", "zinc")
)
ORE, TIN, BOTH = frozenset({"ore"}), frozenset({"tin"}), frozenset({"ore", "tin"})


def facts(*offers: Offer, **more: Any) -> Catalog:
    """Three materials from three plants; the first makes two of them."""
    plants = (facility("pit", "AU", 200), facility("hole", "KZ", 500), facility("mill", "US"))
    given = (offer("ore-1", "pit", "ore", 7), offer("ore-2", "hole", "ore", 9), offer("tin-1", "mill", "tin", 3))
    return catalog(*plants, *given, *offers).but(materials=MATERIALS, **more)


def session(*rules: Rule, given: Catalog | None = None) -> Session:
    """A case that wants two of the materials."""
    wanted = case(demand("ore", "civil", 100, 100), demand("tin", "civil", 50, 50), start=date(2027, 1, 1))
    return opened(wanted, given or facts(), *rules)


def pending_cap(**more: Any) -> MaxShare:
    """A cap on both materials together that is only a bill."""
    share = {"id": "cap", "by": "facility", "share": "0.5", "group_by": "element", "phases": [{"status": "pending"}]}
    return MaxShare.model_validate({**share, **more})


def of_acme(**more: Any) -> Catalog:
    """Different materials from two plants of one supplier, with a fixed cost of dealing with it at all."""
    plants = (facility("pit", "AU", 200, operator="Acme"), facility("mill", "US", operator="Acme"))
    made = catalog(*plants, offer("ore-1", "pit", "ore", 7), offer("tin-1", "mill", "tin", 3))
    return made.but(materials=MATERIALS, terms=(terms("Acme", of="supplier", per="year", fixed=5, **more),))


class Curious(MaxShare):
    """A kind that does not promise that its rows stand alone."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        return [replace(row, reads=None) for row in super().rows(facts)]


@pytest.mark.parametrize(
    ("given", "rules", "parts"),
    [
        (facts(), [], {ORE, TIN}),
        (facts(offer("tin-2", "pit", "tin", 4)), [], {BOTH}),
        (of_acme(), [], {BOTH}),
        (of_acme(materials={"ore"}), [], {ORE, TIN}),
        (facts(), [rule(Budget, amount=10**6)], {BOTH}),
        (facts(), [pending_cap()], {ORE, TIN}),
        (facts(), [rule(Curious, materials=["ore"], share="0.9")], {BOTH}),
        (facts(), [rule(MinShare, share="0.5", countries=["AU"], places=["JP"], of="purchases")], {ORE, TIN}),
    ],
    ids=["apart", "plant with a capacity", "supplier", "supplier of one", "budget", "bill", "rule that may read anything", "floor where nobody buys"],
)  # fmt: skip
def test_what_hangs_together_is_one_part(given: Catalog, rules: list[Rule], parts: set[frozenset[str]]) -> None:
    """Two materials are parts of their own unless something joins them; one that nobody wants belongs to none."""
    assert set(session(*rules, given=given).parts.members) == parts


@pytest.mark.parametrize(
    ("rules", "changes", "parts", "rise"),
    [
        ([pending_cap()], [Change(enable="cap")], [BOTH], 2 * (9 - 7) * 25),  # 75 of 150 kg a year may come from the pit
        ([pending_cap(materials=["ore"], group_by="material")], [Change(enable="cap")], [ORE], 2 * (9 - 7) * 50),
        ([], [Change(price="ore-1", factor=Decimal(3)), Change(demand="tin", factor=Decimal(2))], [ORE, TIN], 2 * 200 + 3 * 100),
        ([], [Change(price="zinc-1", factor=Decimal(2))], [], 0),
    ],
    ids=["bill about both", "bill about one", "changes of both", "of what nobody wants"],
)  # fmt: skip
def test_a_change_is_made_where_it_belongs(
    rules: list[Rule], changes: list[Change], parts: list[frozenset[str]], rise: int
) -> None:
    """The parts that it touches, and what it adds."""
    answer = session(*rules, given=facts(offer("zinc-1", "mill", "zinc", 4))).what_if(*changes)
    assert [part.members for part in answer.after] == parts
    assert (answer.rise.total, answer.rise.objective) == (rise, rise)


def test_a_change_of_a_price_solves_its_own_component_alone() -> None:
    """The dearer ore costs 2 USD a kilogram more on 200 kg; tin is not looked at, nor is anything that was asked before."""
    found = session()
    dearer = Change(price="ore-1", factor=Decimal(3))
    answer = found.what_if(dearer)
    assert [part.members for part in answer.after] == [ORE]
    assert (answer.solved, answer.reused) == (1, 1)
    assert answer.rise.total == 2 * 200
    assert answer.cost.total == found.verified.cost.total + 400
    assert answer.rise_between == (400, 400)
    assert [found.what_if(dearer).solved, found.what_if(Change(price="ore-1", factor=Decimal(1))).solved] == [0, 0]


@pytest.mark.parametrize(
    "change", [{"price": "orr-1", "factor": 2}, {"capacity": "pitt", "factor": 2}, {"enable": "x"}]
)
def test_a_change_that_names_nothing_is_refused(change: dict[str, Any]) -> None:
    """Also beside one that does."""
    with pytest.raises(InputError, match=r"FS241|FS302"):
        session().what_if(Change(price="ore-1", factor=Decimal(2)), Change.model_validate(change))


def test_a_rule_that_nothing_can_keep_is_no_conflict_once_it_is_switched_off() -> None:
    """Half of the tin is to come from Japan, where nobody sells any: no column speaks of that, and ore has nothing to do with it."""
    floors = (rule(MinShare, id=f"{x}-floor", materials=[x], share="0.5", countries=["JP"]) for x in ("tin", "ore"))
    found = session(*floors)
    assert [part.rules for part in found.verified.plan.infeasible] == [("ore-floor",), ("tin-floor",)]
    assert [part.rules for part in found.what_if(Change(disable="tin-floor")).infeasible] == [("ore-floor",)]
    assert found.what_if(Change(disable="tin-floor"), Change(disable="ore-floor")).infeasible == ()


def test_a_lead_that_comes_to_count_is_planned_with_all_it_needs() -> None:
    """A smelter without a capacity makes ore of zinc: stating one brings in the zinc that nobody wanted before, and a cap on it."""
    made = facts(offer("ore-3", "smelter", "ore", 1, inputs=lines(zinc=2)), offer("zinc-1", "hole", "zinc", 0.5))
    made = made.but(facilities=(*made.facilities, facility("smelter", "JP").but(capacity=())))
    found = session(rule(MaxSuppliers, materials=["zinc"], count=1), given=made)
    answer = found.what_if(Change(capacity="smelter", per_year=Decimal(60)))
    assert [part.members for part in answer.after] == [{"ore", "zinc"}]
    assert answer.rise.objective == -2 * 60 * (7 - 2)


def unpriced() -> Inputs:
    """10 kg of ore from the pit at 7 or, 200 a year of it at most, the hole at 9; no price on a shortage, holding at 10% a year."""
    bare = demand("ore", "civil", 300, 300).but(shortage_price=None)
    plants = (facility("pit", "AU", 200), facility("hole", "KZ", 60))
    given = catalog(*plants, offer("ore-1", "pit", "ore", 7), offer("ore-2", "hole", "ore", 9)).but(materials=MATERIALS)
    return Inputs(case(bare, start=date(2027, 1, 1), assume={"holding": "0.1"}), (given,), ())


def test_the_loss_of_the_dearest_offer_costs_what_is_short_for_it() -> None:
    """60 kg a year at 9 are lost, and short at ten times 9, not at ten times the 7 of what is left: two years of 60 × (90 - 9)."""
    asked = Session.open(unpriced())
    assert [asked.what_if(Change(remove=name)).rise.objective for name in ("ore-2", "ore-1")] == [
        2 * 60 * (90 - 9),
        2 * 200 * (90 - 7),
    ]


def test_a_scenario_leaves_the_price_of_a_shortage_as_it_is() -> None:
    """Planned with the scenario, in the session of the case, and in that of a run of the scenario, it is what the case as given says."""
    gone = Change(remove="ore-2")
    planned = Session.open(unpriced().after((gone,)))
    assert planned.problem.shortage_price == (90,)
    assert planned.verified.cost.objective == Session.open(unpriced()).what_if(gone).cost.objective
    assert planned.what_if(Change(price="ore-1", factor=Decimal(4))).after[0].verified.cost.shortage == 2 * 100 * 90
    assert planned.problem.stores["ore", "US"].holding == (Decimal("0.9"),) * 2


def test_an_offer_that_a_change_brings_prices_what_nothing_priced() -> None:
    """A case that prices no shortage is none; the change that brings the first price prices it."""
    bare = unpriced()
    catalogs = tuple(c.but(offers=tuple(o.but(price=None) for o in c.offers)) for c in bare.catalogs)
    bare = replace(bare, catalogs=catalogs)
    with pytest.raises(InputError, match="shortage"):
        Session.open(bare)
    assert bare.after((Change(price="ore-1", amount=Decimal(5)),)).problem().shortage_price == (50,)


def test_what_a_session_keeps_is_bounded_and_answers_are_the_same() -> None:
    """A session that may keep next to nothing makes plans again that another still has; both compare with the plan as it was."""
    changes = [Change(price="ore-1", factor=Decimal(10 + number) / 10) for number in range(8)]
    costs, again = [], []
    for memory in (128 * 2**20, 4096):
        opened = Session.open(session().inputs, memory=memory)
        answers = [opened.what_if(change) for change in (*changes, changes[0])]
        costs.append([answer.cost for answer in answers])
        assert answers[-1].before[0] is answers[0].before[0]
        again.append(answers[-1].after[0] is not answers[0].after[0])
    assert costs[0] == costs[1]
    assert again == [False, True]


@pytest.mark.parametrize(
    ("changes", "rules", "found", "expected"),
    [
        ({"price": "o1", "factor": 2}, (), "dict", "Change"),
        ([Change(price="o1", factor=Decimal(2))], (), "list", "Change"),
        (Change(price="o1", factor=Decimal(2)), {"kind": "max-share"}, "dict", "Rule"),
        (Change(price="o1", factor=Decimal(2)), pending_cap(), "MaxShare", "Rule"),
    ],
)
def test_arguments_of_another_type_are_refused_in_words(changes: Any, rules: Any, found: str, expected: str) -> None:
    """A dict in the place of a change, and rules that are no list of rules: what was found, what is taken, and how to write it."""
    (problem,) = refused(session().what_if, changes, rules=rules)
    assert problem.found == f"`{found}`"
    assert expected in problem.expected
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
    sold = offer("o1", "pit", "oxide", 7, chain("AU", "mined")), offer("o2", "hole", "oxide", 9, chain("KZ", "mined"))
    facts = catalog(facility("pit", "AU", 200), facility("hole", "KZ", 500), *sold)
    return opened(case(demand("oxide", "civil", 100, 100), start=date(2027, 1, 1)), facts, *rules)


def test_records_are_the_same_only_if_they_say_the_same_down_to_the_zeros_of_numbers() -> None:
    """A verdict may quote a number as it is written; what is kept is made again where a session is stored."""
    kept = SharedData()
    first, rule = Place(id="X", country="AU"), Counting(id="r", loosened=Decimal(1))
    assert kept.same(first) is kept.same(Place(id="X", country="AU")) is first
    assert kept.same(Place(id="X", country="KZ")) is not first
    assert kept.same(rule) is kept.same(rule.but(loosened=Decimal("1e0"))) is rule
    assert kept.same(rule.but(loosened=Decimal("1.0"))) is not rule
    assert kept.same(rule.but(phases=(Phase(start=date(2028, 1, 1)),))) is not rule
    assert not pickle.loads(pickle.dumps(kept))._records


def test_a_rule_is_asked_again_only_after_it_changed_itself() -> None:
    """Once to plan the part and twice to verify it; not again after another rule has changed."""
    asked = shared(Counting(id="r"), ban("mined", countries="AU", end_uses=["civil"], phases=[{"status": "pending"}]))
    asked.part_of("oxide")
    before = Counter(Counting.asked)
    found = asked.what_if(Change(enable="ban"))
    assert {entry.offer for part in found.after for entry in part.plan.purchases} == {"o2"}
    more = Counting.asked - before
    assert more["o1"] == 0
    assert more["o2"] == 2, "the verifier asks for itself, and twice, about what the plan before did not buy"


def test_answers_of_rules_are_bounded() -> None:
    """However many questions are put to a session, what its rules answered takes no more than it may, and rules are asked again."""
    opened = shared(Counting(id="r"))
    opened.inputs.shared.planned = answers = Answers(20)
    sizes = []
    for number in range(100):
        opened.what_if(Change(price="o1", factor=Decimal(1000 + number) / 1000))
        sizes.append(answers.size)
    assert max(sizes) <= 20 + 64 * 2, "as many more as are added between two counts"
    assert sizes != sorted(sizes)


class Duty(Rule):
    """Charges a tenth of the price of all materials or one, and refuses to be asked about any other."""

    kind: Literal["duty"] = "duty"
    material: str = ""

    def charges_on(self, material: Material) -> bool:
        return self.material in ("", material.id)

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        assert self.charges_on(offer.material)
        return value / 10


def test_a_duty_costs_the_same_where_it_says_which_materials_it_charges_on() -> None:
    """The rule is never asked about another material: it would fail."""
    every, same, other = (shared(Duty(id="d", material=m)).verified.cost.charges for m in ("", "oxide", "gallium"))
    assert every == same > other == 0


def test_a_duty_that_ends_earlier_costs_less_though_it_asks_the_same_of_every_delivery() -> None:
    """What rules charge together is kept for the days on which each holds: half a period of a duty is half of it."""
    whole = shared(Duty(id="d"))
    lists = ((), (Change.model_validate({"move": "d", "until": date(2028, 6, 30)}),), (Change(disable="d"),))
    charges = [round(whole.what_if(*changes).cost.charges, 9) for changes in lists]
    alone = [Session.open(whole.inputs.after(changes)).verified.cost.charges for changes in lists]
    assert charges == [round(money, 9) for money in alone]
    assert charges[0] > charges[1] > charges[2] == 0


def test_a_copy_answers_as_a_session_that_was_just_opened() -> None:
    """Neither its answers nor its counts depend on questions to the original, and the original doesn't notice it."""
    original = session()
    copy = original.copy()
    change = Change(price="ore-1", factor="3")
    first = original.what_if(change)
    again = original.what_if(change)
    assert (again.solved, again.reused) != (first.solved, first.reused)
    copied = copy.what_if(change)
    assert (copied.solved, copied.reused, copied.rise) == (first.solved, first.reused, first.rise)
    assert original.copy().what_if(change).solved == 0  # its solver's answers are known by now


def test_two_threads_that_solve_the_same_count_as_one_after_the_other() -> None:
    original = session()
    cache = original.answers.copy()
    assert (cache.solved, cache.reused) == (0, 0)
    answer = SolverAnswer(SolverOutcome.OPTIMAL)
    cache.keep(b"new", answer)
    cache.keep(b"new", answer)  # the second thread didn't find it when it began
    assert (cache.solved, cache.reused) == (1, 1)
