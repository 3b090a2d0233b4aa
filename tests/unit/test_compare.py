"""Comparisons: two plans side by side, which change moved what, and what differs in the facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import pytest

from friendshore.document.terminal import plain_text
from friendshore.domain.case import Scenario
from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.questions.compare.compare_plans import compare, compare_plans, scenario_walk
from friendshore.questions.compare.comparison import Comparison
from friendshore.questions.compare.comparison_document import comparison_document
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds import Exclude
from friendshore.rules.kinds.limits import Pin
from friendshore.rules.rows import Row
from friendshore.session import Session

from ..building import (
    case,
    catalog,
    demand,
    facility,
    metals,
    named_metals,
    opened,
    planned,
    price,
    rule,
    source,
    store,
    unstored,
    unwrapped,
)


def mix(found: Any) -> dict[str, tuple[float, float]]:
    """Kilograms before and after by offer, of a comparison or a step."""
    return {line.offer: (float(line.before_kg), float(line.after_kg)) for line in found.mix}


def text(found: Comparison, shown: int = 12) -> str:
    """The report on a line of a hundred characters."""
    return plain_text(comparison_document(found, shown), 100)


NO_CHINA = Change(disable="no-china")
DEAR = Change(price="au-metal", factor=Decimal(2))
WITHOUT = Change(remove="jp-metal")


def no_china() -> Rule:
    """Nothing from China."""
    return rule(Exclude, id="no-china", countries=["CN"])


def test_names_and_bases_come_before_ids() -> None:
    """In both documents; the ids stay in the data."""
    found = compare(opened(unstored(10), named_metals(), no_china()), (), (DEAR,), names=("now", "then"))
    assert "Antimony trioxide  Works of AU (au-metal)" in text(found)
    screen = plain_text(comparison_document(found).on_screen(), 100)
    assert "Antimony trioxide  Works of JP" in screen
    assert "10 kg Sb" in screen
    assert {line.offer for line in found.mix} == {"au-metal", "jp-metal"}
    assert found.to_dict()["names"]["offers"] == {"au-metal": "Works of AU", "jp-metal": "Works of JP"}


def test_side_by_side_and_step_by_step() -> None:
    """Australia twice as dear moves 10 kg to Japan: 300 more. Without Japan they come back: 200 more."""
    found = compare(opened(unstored(10), metals(), no_china()), (), (DEAR, WITHOUT), names=("now", "then"))
    assert (found.cost_before.total, found.cost_after.total) == (500, 1000)
    assert (found.difference.value, found.difference.proved) == (500, True)
    steps = [(step.title, float(step.rise.total)) for step in found.steps]
    assert steps == [("price au-metal, factor 2", 300), ("remove jp-metal", 200)]
    assert mix(found) == {"au-metal": (10, 10)}
    assert mix(found.steps[0]) == {"au-metal": (10, 0), "jp-metal": (0, 10)}
    assert mix(found.steps[1]) == {"au-metal": (0, 10), "jp-metal": (10, 0)}
    assert (found.moved_kg, found.min_moved_proved, found.effort.questions) == ({}, True, 3)


def test_a_shortage_moves_too() -> None:
    """Without the only seller 10 kg are short at 1000 in place of 100 spent."""
    found = compare(opened(unstored(10), catalog(source("CN", 10))), (), (Change(remove="cn"),))
    (line,) = found.materials
    assert (line.short_before_kg, line.short_after_kg, line.moved_kg) == (0, 10, 10)
    assert found.steps[0].rise.shortage == 10000
    shown = unwrapped(comparison_document(found, 12))
    assert "B is short of 10 kg more metal, and spends USD 100 less cash." in shown
    assert "about +USD 10,000 for shortage (present value)." in shown
    assert "9,900" not in shown  # spend and penalty are in no figure together


def test_from_one_scenario_to_another_changes_end_and_begin() -> None:
    """What both make stays; what only the first makes ends first, the last of it first."""
    a, b, c = WITHOUT, DEAR, Change(demand="metal", factor=Decimal("0.5"))
    found = compare(opened(unstored(10), metals(), no_china()), (a, b, NO_CHINA), (a, c, NO_CHINA))
    assert [(step.ended_changes, step.started_changes) for step in found.steps] == [((b,), ()), ((), (c,))]
    assert (found.cost_before.total, found.cost_after.total) == (100, 50)


def test_the_same_changes_in_another_order_are_a_step_of_their_own() -> None:
    """A bill for one price twice changed comes to the same either way: the step says what it is, and moves nothing."""
    other = Change(capacity="au", per_year=Decimal(4))
    found = compare(opened(unstored(10), metals(au=9), no_china()), (DEAR, other), (other, DEAR))
    assert [step.title for step in found.steps] == ["the same changes in another order"]
    assert found.steps[0].rise.objective == 0


def test_a_scenario_or_case_with_itself_moves_nothing() -> None:
    """No step, no kilogram, no money, and no facts."""
    session = opened(unstored(10, scenarios=(Scenario(name="s", change=(DEAR,)),)), metals(), no_china())
    before, after, names = scenario_walk(session, ["s", "s"])
    found = compare(session, before, after, names=names)
    assert (found.steps, found.moved_kg, found.difference.value) == ((), {}, 0)
    assert names == ("tiny with scenario s", "tiny with scenario s")
    assert "all suppliers deliver the same" in text(found)
    plans = compare_plans(session, opened(session.inputs.case, metals(), no_china()))
    assert (plans.facts, plans.moved_kg, plans.difference.value, plans.min_moved_proved) == ((), {}, 0, True)


DECIDED = date(2027, 1, 1)
EUROS = unstored(10, currency="EUR"), catalog(source("CN", price(10, currency="EUR")))
UNKNOWN = {"want": "unobtainium", "end_use": "civil", "per_year": "5 kg", "shortage_price": "500 USD/kg"}


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda session: scenario_walk(session, ["deer"]), "did you mean `dear`"),
        (lambda session: compare(session, (), (Change.model_validate(UNKNOWN),)), "FS241"),
        (lambda session: compare_plans(session, opened(*EUROS)), "FS521 .*USD and EUR"),
        # What was ordered cannot be undone; the message says when the change may begin.
        *(
            (lambda session, change=change: compare(session, (), (change,), decided_before=DECIDED), r"FS706.* metal before 2027-01-01.*from = 2027-01-01")
            for change in (Change(remove="cn-metal"), Change(capacity="cn", per_year=Decimal(0)))
        ),
    ],
    ids=["scenario", "material", "currencies", "order", "capacity"],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(ask: Callable[[Session], object], message: str) -> None:
    """With what there is, or what to write."""
    with pytest.raises(InputError, match=message):
        ask(opened(unstored(10, 10, scenarios=(Scenario(name="dear"),)), metals()))


@pytest.mark.parametrize("word", ["new", "removed"])
def test_a_demand_for_a_new_material_is_new_or_removed(word: str) -> None:
    """Salt is wanted in one of the two plans only: its steps, money, and kilograms are those of the planned cases."""
    facts, given = metals(source("AU", 20, "salt")), case(demand("metal", "civil", 5, 5))
    salt = Change.model_validate(UNKNOWN | {"want": "salt"})
    found = compare(opened(given, facts), *(((), (salt,)) if word == "new" else ((salt,), ())))
    lines = {one.material: one for one in found.materials}
    assert (lines["salt"].wanted, lines["metal"].wanted) == (word, "both")
    assert {float(lines["salt"].before_kg), float(lines["salt"].after_kg)} == {0.0, 10.0}
    whole = found.cost_after if word == "new" else found.cost_before
    wanted = planned(given, facts, changes=[salt]).run
    assert float(whole.nominal) == pytest.approx(float(wanted.cost.nominal))
    assert [step.materials[0].wanted for step in found.steps] == [word]
    assert f"salt ({word})" in text(found)


def test_a_demand_at_a_new_place_is_apart() -> None:
    """Metal in Japan too: what the United States get stays."""
    place = {"want": "metal", "end_use": "civil", "place": "JP", "called": "there", "per_year": "5 kg"}
    moved = compare(opened(case(demand("metal", "civil", 5, 5)), metals()), (), (Change.model_validate(place),))
    found = {(line.place, float(line.before_kg), float(line.after_kg)) for line in moved.mix}
    assert found == {("US", 10, 10), ("JP", 0, 10)}


def test_rules_that_conflict_after_a_step_are_named() -> None:
    """The pin asks for what is taken away: no cost is claimed."""
    pin = rule(Pin, id="take", offer="cn-metal", at_least=5)
    found = compare(opened(unstored(10), metals(cn=20), pin), (), (Change(capacity="cn", factor=Decimal(0)),))
    assert found.steps[0].conflict == found.conflict_after == ("take",)
    assert (found.conflict_before, found.difference.proved) == ((), False)
    assert "in B, take conflict" in text(found)


class Most(Rule):
    """A plugin's kind: at most so many kilograms of metal from China."""

    kind: Literal["most"] = "most"
    most: Decimal = Decimal(4)

    def rows(self, facts: Facts) -> Iterable[Row]:
        for label, periods in facts.spans("horizon"):
            term = facts.bought(lambda offer, _: int(offer.facility.country == "CN"), periods)
            yield Row(label, (term,), at_most=self.most)


def test_a_rule_of_a_plugin_moves_kilograms() -> None:
    """Loosened by 2 kg, it lets 2 kg more come from China: 80 saved."""
    found = compare(opened(unstored(10), metals(), Most(id="most")), (), (Change(loosen="most", by=Decimal(2)),))
    assert mix(found) == {"cn-metal": (4, 6), "au-metal": (6, 4)}
    assert found.difference.value == -80


def test_two_cases_are_told_apart_by_their_facts() -> None:
    """Rules, offers, prices, capacities, demands and the case's own figures; where a figure comes from is none."""
    dear = metals(cn=20, jp=7)
    offers = tuple(o.but(price=price(55)) if o.id == "au-metal" else o for o in dear.offers if o.id != "jp-metal")
    dear = dear.but(offers=offers)
    found = compare_plans(
        opened(unstored(10), metals(cn=30), no_china()),
        opened(unstored(12, discount=Decimal("0.1")), dear, Most(id="most")),
    )
    told = {(line.kind, line.name): (line.before, line.after) for line in found.facts}
    assert told.pop(("capacity", "jp"))
    assert told == {
        ("case", "discount"): ("0", "0.1"),
        ("demand", "metal-civil quantities"): ("10", "12"),
        ("rule", "no-china"): ("present", ""),
        ("rule", "most"): ("", "present"),
        ("price", "au-metal"): ("amount 50 currency USD", "amount 55 currency USD"),
        ("offer", "jp-metal"): ("offered, at amount 80 currency USD", ""),
        ("capacity", "cn"): ("per_year 30 status operating", "per_year 20 status operating"),
    }
    assert mix(found) == {"au-metal": (10, 8), "cn-metal": (0, 4)}
    assert found.moved_kg == {"metal": 6}
    assert "Kind" in text(found)


def test_a_rule_about_one_material_leaves_the_plan_of_another() -> None:
    """It renames the compliance classes of all: the plan of the oxide is taken as it is, and nothing is solved for it."""
    given = case(demand("metal", "lab", 10), demand("metal", "civil", 10), demand("oxide", "defense", 10))
    facts = metals(source("CL", 10, "oxide"), source("CA", 30, "oxide"))
    no_cl = rule(Exclude, id="no-cl", countries=["CL"], end_uses=["defense"])
    no_jp = rule(Exclude, id="no-jp", offers=["jp-metal"], end_uses=["lab"])
    one, other = opened(given, facts, no_jp, no_cl), opened(given, facts, no_cl)
    assert [len(session.problem.compliance_classes) for session in (one, other)] == [3, 2]
    found = compare_plans(one, other)
    assert mix(found) == {"cn-metal": (20, 20), "ca-oxide": (10, 10)}
    assert found.effort.solved == 1  # the metal


def test_other_periods_are_not_set_against_each_other() -> None:
    """Kilograms are added up over each plan; nothing is said to have moved."""
    found = compare_plans(opened(unstored(10), metals()), opened(unstored(6, 6), metals()))
    assert mix(found) == {"cn-metal": (10, 12)}
    assert found.moved_kg is None
    assert "different periods" in text(found)


def test_what_is_left_out_is_said() -> None:
    """One row of two, and how to get the rest."""
    found = compare(opened(unstored(10), metals(), no_china()), (), (NO_CHINA,))
    assert "1 more supply that moved no more: --top 0 shows all" in text(found, 1)
    assert "more suppl" not in text(found, 0)
    assert max(map(len, text(found).splitlines())) <= 100


def test_a_plan_that_knows_of_a_loss_buys_ahead_unless_what_is_decided_stays() -> None:
    """China is lost in 2027. Known in 2026, 10 kg are held for a year at 1; decided in 2026 without knowing, Australia delivers at 50."""
    session = opened(case(demand("metal", "civil", 10, 10), stores=(store("metal", 1),)), metals())
    lost = Change(remove="cn-metal", start=DECIDED)
    knowing = compare(session, (), (lost,))
    assert (knowing.difference.value, knowing.foreseen, knowing.decided_before) == (10, DECIDED, None)
    assert "add --decided-before 2027-01-01" in unwrapped(comparison_document(knowing, 12))
    decided = compare(session, (), (lost,), decided_before=DECIDED)
    assert (round(decided.difference.value), decided.foreseen, decided.decided_before) == (400, None, DECIDED)
    moved = {name: tuple(map(round, ends)) for name, ends in mix(decided).items()}
    assert moved == {"cn-metal": (20, 10), "au-metal": (0, 10)}
    assert "keep the orders of the case's own plan before 2027-01-01" in unwrapped(comparison_document(decided, 12))
    # Half of 2026 is decided: nothing of it is, since a plan decides whole periods.
    assert compare(session, (), (lost,), decided_before=date(2026, 7, 1)).difference.value == 10


def test_a_change_known_from_the_start_on_is_not_foreseen() -> None:
    """It takes effect at once, or in the first period: nothing can be decided before it."""
    session = opened(unstored(10, 10), metals())
    for start in (None, date(2026, 12, 31)):
        found = compare(session, (), (Change(remove="cn-metal", start=start), DEAR))
        assert found.foreseen is None
        assert "--decided-before" not in text(found)


def test_what_is_decided_may_be_more_than_a_capacity_by_what_plans_are_rounded() -> None:
    """A third of a tonne is made in a third of a year: rounded, the plan orders a little more than that, and orders it again."""
    plants = (facility("cn", "CN", 1000 / 3), facility("au", "AU", 2000 / 3))
    facts = catalog(*plants, source("CN", 10), source("AU", 50))
    session = opened(unstored(1000, 1000, resolution=Decimal("0.01")), facts)
    found = compare(session, (), (Change(remove="cn-metal", start=DECIDED),), decided_before=DECIDED)
    assert found.conflict_before == found.conflict_after == ()
    assert abs(found.difference.value - 330_000) < 10
