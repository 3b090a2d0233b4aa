"""Comparisons: two plans side by side, which change moved what, and what differs in the facts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import pytest

from friendshore.document.terminal import plain_text
from friendshore.domain.case import Scenario
from friendshore.domain.change import Change
from friendshore.domain.facts import Place
from friendshore.domain.use import Chained
from friendshore.errors import InputError
from friendshore.problem.inputs import Inputs
from friendshore.questions.compare.document import comparison_document
from friendshore.questions.compare.records import Comparison
from friendshore.questions.compare.screen import comparison_screen
from friendshore.questions.compare.search import compare, compare_plans, scenario_walk
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds.exclude import Exclude
from friendshore.rules.kinds.limits import Pin
from friendshore.rules.rows import Row
from friendshore.session import Session

from ..building import case, catalog, demand, facility, metals, named_metals, planned, price, rule, source, store


def opened(given: Any, facts: Any, *rules: Rule) -> Session:
    """A solved case."""
    return Session.open(Inputs(given, (facts,), rules))


def metal(*quantities: float, **more: Any) -> Any:
    """Metal for civil use, of which nothing can be held."""
    return case(demand("metal", "civil", *quantities), stores=(store("metal", 0, limit=0),), **more)


def wants(**stated: Any) -> Change:
    """One more demand, as a case file states it."""
    return Change.model_validate(stated)


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
    found = compare(opened(metal(10), named_metals(), no_china()), (), (DEAR,), names=("now", "then"))
    whole = text(found)
    assert "Antimony trioxide  Works of AU (au-metal)" in whole
    assert "20 kg Sb of Antimony trioxide bought more or less" in whole
    screen = plain_text(comparison_screen(found), 100)
    assert "Antimony trioxide  Works of JP" in screen
    assert "10 kg Sb" in screen
    assert {line.offer for line in found.mix} == {"au-metal", "jp-metal"}
    assert found.to_dict()["names"]["offers"] == {"au-metal": "Works of AU", "jp-metal": "Works of JP"}


def test_side_by_side_and_step_by_step() -> None:
    """Australia twice as dear moves 10 kg to Japan: 300 more. Without Japan they come back: 200 more."""
    found = compare(opened(metal(10), metals(), no_china()), (), (DEAR, WITHOUT), names=("now", "then"))
    assert (found.cost_before.total, found.cost_after.total) == (500, 1000)
    assert found.difference.value == 500
    assert found.difference.proved
    assert [(step.title, float(step.rise.total)) for step in found.steps] == [
        ("price au-metal, factor 2", 300),
        ("remove jp-metal", 200),
    ]
    assert mix(found) == {"au-metal": (10, 10)}
    assert mix(found.steps[0]) == {"au-metal": (10, 0), "jp-metal": (0, 10)}
    assert mix(found.steps[1]) == {"au-metal": (0, 10), "jp-metal": (10, 0)}
    assert (found.moved_kg, found.least_moved) == ({}, True)
    assert found.effort.questions == 3


def test_a_tie_is_broken_towards_the_plan_compared_with() -> None:
    """Two plants sell alike. Whichever the plan buys from, a change that leaves them alike moves nothing from one to the other."""
    plants = (facility("a", "AU", 8), facility("b", "KZ", 8), facility("c", "JP", 8))
    offers = (source("AU", 20, plant="a"), source("KZ", 20, plant="b"), source("JP", 20, plant="c"))
    session = opened(metal(12), catalog(*plants, *offers))
    before = {line.offer: float(line.before_kg) for line in compare(session, (), ()).mix}
    used = sorted(before)
    gone = Change(remove=used[0])
    found = compare(session, (), (gone,))
    kept = {name: kg for name, kg in before.items() if name != used[0]}
    assert all(mix(found)[name][1] >= kg for name, kg in kept.items())
    assert found.moved_kg == {"metal": 2 * Decimal(str(before[used[0]]))}
    nothing = compare(session, (), (Change(price="metal", factor=Decimal(3)),))
    assert nothing.moved_kg == {}
    assert nothing.difference.value == 12 * 40


def test_a_shortage_moves_too() -> None:
    """Without the only seller 10 kg are short at 1000 in place of 100 spent."""
    found = compare(opened(metal(10), catalog(facility("cn", "CN"), source("CN", 10))), (), (Change(remove="cn"),))
    (line,) = found.materials
    assert (line.short_before_kg, line.short_after_kg, line.moved_kg) == (0, 10, 10)
    assert found.steps[0].rise.shortage == 10000
    shown = " ".join(text(found).split())
    assert "B is short of 10 kg more metal, and spends USD 100 less cash." in shown
    assert "cash 100 0 -100" in shown
    assert "Penalties, which are not paid, B less A: about +USD 10,000 for shortage (present value)." in shown
    assert "9,900" not in shown  # spend and penalty are in no figure together


def test_from_one_scenario_to_another_changes_end_and_begin() -> None:
    """What both make stays; what only the first makes ends first, the last of it first."""
    a, b, c = WITHOUT, DEAR, Change(demand="metal", factor=Decimal("0.5"))
    found = compare(opened(metal(10), metals(), no_china()), (a, b, NO_CHINA), (a, c, NO_CHINA))
    assert [(step.undoes, step.does) for step in found.steps] == [((b,), ()), ((), (c,))]
    assert (found.cost_before.total, found.cost_after.total) == (100, 50)


def test_the_same_changes_in_another_order_are_a_step_of_their_own() -> None:
    """A bill for one price twice changed comes to the same either way: the step says what it is, and moves nothing."""
    other = Change(capacity="au", per_year=Decimal(4))
    found = compare(opened(metal(10), metals(au=9), no_china()), (DEAR, other), (other, DEAR))
    assert [step.title for step in found.steps] == ["the same changes in another order"]
    assert found.steps[0].rise.objective == 0


def test_a_scenario_with_itself_moves_nothing() -> None:
    """No step, no kilogram, no money."""
    session = opened(metal(10, scenarios=(Scenario(name="s", change=(DEAR,)),)), metals(), no_china())
    before, after, names = scenario_walk(session, ["s", "s"])
    found = compare(session, before, after, names=names)
    assert (found.steps, found.moved_kg, found.difference.value) == ((), {}, 0)
    assert names == ("tiny with scenario s", "tiny with scenario s")
    assert "nobody delivers anything else" in text(found)


def test_an_unknown_scenario_is_refused() -> None:
    """With those that there are."""
    session = opened(metal(10, scenarios=(Scenario(name="dear"),)), metals())
    with pytest.raises(InputError, match="did you mean `dear`"):
        scenario_walk(session, ["deer"])


def test_a_demand_for_a_new_material_is_new_or_removed() -> None:
    """Salt is wanted in one of the two plans only: its steps, money, and kilograms are those of the planned cases."""
    facts, given = metals(source("AU", 20, "salt")), case(demand("metal", "civil", 5, 5))
    salt = wants(want="salt", end_use="civil", per_year="5 kg", shortage_price="500 USD/kg")
    wanted = planned(given, facts, changes=[salt]).run
    for before, after, word in (((), (salt,), "new"), ((salt,), (), "removed")):
        found = compare(opened(given, facts), before, after)
        lines = {one.material: one for one in found.materials}
        assert (lines["salt"].wanted, lines["metal"].wanted) == (word, "both")
        assert {float(lines["salt"].before_kg), float(lines["salt"].after_kg)} == {0.0, 10.0}
        whole = found.cost_after if word == "new" else found.cost_before
        assert float(whole.nominal) == pytest.approx(float(wanted.cost.nominal))
        assert [step.materials[0].wanted for step in found.steps] == [word]
        assert f"salt ({word})" in text(found)
    place = wants(want="metal", end_use="civil", place="JP", called="there", per_year="5 kg")
    moved = compare(opened(given, facts), (), (place,))
    assert {(line.place, float(line.before_kg), float(line.after_kg)) for line in moved.mix} == {
        ("US", 10, 10),
        ("JP", 0, 10),
    }


def test_a_demand_for_an_unknown_material_is_refused() -> None:
    """By its name."""
    unknown = wants(want="unobtainium", end_use="civil", per_year="5 kg", shortage_price="500 USD/kg")
    with pytest.raises(InputError, match="names nothing in the case"):
        compare(opened(case(demand("metal", "civil", 5, 5)), metals()), (), (unknown,))


def test_rules_that_conflict_after_a_step_are_named() -> None:
    """The pin asks for what is taken away: no cost is claimed."""
    pin = Pin.model_validate({"id": "take", "offer": "cn-metal", "at_least": 5})
    found = compare(opened(metal(10), metals(cn=20), pin), (), (Change(capacity="cn", factor=Decimal(0)),))
    assert found.steps[0].conflict == found.conflict_after == ("take",)
    assert found.conflict_before == ()
    assert not found.difference.proved
    assert "in B, take cannot hold together" in text(found)


class Most(Rule):
    """A plugin's kind: at most so many kilograms of metal from China."""

    kind: Literal["most"] = "most"
    most: Decimal = Decimal(4)

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row over the plan."""

        def counts(offer: Chained, place: Place) -> int:
            return int(offer.facility.country == "CN")

        for label, periods in facts.spans("horizon"):
            yield Row(label, (facts.bought(counts, periods),), at_most=self.most)


def test_a_rule_of_a_plugin_moves_kilograms() -> None:
    """Loosened by 2 kg, it lets 2 kg more come from China: 80 saved."""
    found = compare(opened(metal(10), metals(), Most(id="most")), (), (Change(loosen="most", by=Decimal(2)),))
    assert mix(found) == {"cn-metal": (4, 6), "au-metal": (6, 4)}
    assert found.difference.value == -80


def test_two_cases_are_told_apart_by_their_facts() -> None:
    """Rules, offers, prices, capacities, demands and the case's own figures; where a figure comes from is none."""
    one = opened(metal(10), metals(cn=30), no_china())
    dear = metals(cn=20, jp=7)
    offers = tuple(
        o.model_copy(update={"price": o.price.model_copy(update={"amount": Decimal(55)})}) if o.id == "au-metal" else o
        for o in dear.offers
        if o.id != "jp-metal" and o.price is not None
    )
    other = opened(metal(12, discount=Decimal("0.1")), dear.model_copy(update={"offers": offers}), Most(id="most"))
    found = compare_plans(one, other)
    told = {(line.kind, line.name): (line.before, line.after) for line in found.facts}
    assert told["case", "discount"] == ("0", "0.1")
    assert told["demand", "metal-civil quantities"] == ("10", "12")
    assert told["rule", "no-china"] == ("in it", "")
    assert told["rule", "most"] == ("", "in it")
    assert told["price", "au-metal"] == ("amount 50 currency USD", "amount 55 currency USD")
    assert told["offer", "jp-metal"] == ("offered, at amount 80 currency USD", "")
    assert told["capacity", "cn"] == ("per_year 30 status operating", "per_year 20 status operating")
    assert ("capacity", "jp") in told
    assert len(told) == 8
    assert mix(found) == {"au-metal": (10, 8), "cn-metal": (0, 4)}
    assert found.moved_kg == {"metal": 6}
    assert "Kind" in text(found)


def test_a_rule_about_one_material_leaves_the_plan_of_another() -> None:
    """It renames the compliance classes of all: the plan of the oxide is taken as it is, and nothing is solved for it."""
    given = case(demand("metal", "lab", 10), demand("metal", "civil", 10), demand("oxide", "defense", 10))
    sold = [source(country, cost, "oxide") for country, cost in (("CL", 10), ("CA", 30))]
    facts = metals(facility("cl", "CL"), facility("ca", "CA"), *sold)
    no_cl = rule(Exclude, id="no-cl", countries=["CL"], end_uses=["defense"])
    no_jp = rule(Exclude, id="no-jp", offers=["jp-metal"], end_uses=["lab"])
    one, other = opened(given, facts, no_jp, no_cl), opened(given, facts, no_cl)
    assert [len(session.problem.compliance_classes) for session in (one, other)] == [3, 2]
    found = compare_plans(one, other)
    assert mix(found) == {"cn-metal": (20, 20), "ca-oxide": (10, 10)}
    assert found.effort.solved == 1  # the metal


def test_other_periods_are_not_set_against_each_other() -> None:
    """Kilograms are added up over each plan; nothing is said to have moved."""
    found = compare_plans(opened(metal(10), metals()), opened(metal(6, 6), metals()))
    assert mix(found) == {"cn-metal": (10, 12)}
    assert found.moved_kg is None
    assert "other periods" in text(found)


def test_money_in_two_currencies_is_refused() -> None:
    """Nothing says what the one is worth in the other."""
    euros = catalog(facility("cn", "CN"), source("CN", price(10, currency="EUR")))
    other = opened(metal(10, currency="EUR"), euros)
    with pytest.raises(InputError, match="two currencies"):
        compare_plans(opened(metal(10), metals()), other)


def test_a_case_beside_itself_differs_in_nothing() -> None:
    """Neither plan nor facts."""
    found = compare_plans(opened(metal(10), metals()), opened(metal(10), metals()))
    assert (found.facts, found.moved_kg, found.difference.value, found.least_moved) == ((), {}, 0, True)


def test_what_is_left_out_is_said() -> None:
    """One row of two, and how to get the rest."""
    found = compare(opened(metal(10), metals(), no_china()), (), (NO_CHINA,))
    assert "1 more supply in which no more moved: --top 0 shows all" in text(found, 1)
    assert "more suppl" not in text(found, 0)
    assert max(map(len, text(found).splitlines())) <= 100


def test_a_plan_that_knows_of_a_loss_buys_ahead_unless_what_is_decided_stays() -> None:
    """China is lost in 2027. Known in 2026, 10 kg are held for a year at 1; decided in 2026 without knowing, Australia delivers at 50."""
    session = opened(case(demand("metal", "civil", 10, 10), stores=(store("metal", 1),)), metals())
    lost, day = Change(remove="cn-metal", start=date(2027, 1, 1)), date(2027, 1, 1)
    knowing = compare(session, (), (lost,))
    assert (knowing.difference.value, knowing.foreseen, knowing.decided_before) == (10, day, None)
    assert "add --decided-before 2027-01-01" in " ".join(text(knowing).split())
    decided = compare(session, (), (lost,), decided_before=day)
    assert (round(decided.difference.value), decided.foreseen, decided.decided_before) == (400, None, day)
    assert {name: tuple(map(round, ends)) for name, ends in mix(decided).items()} == {
        "cn-metal": (20, 10),
        "au-metal": (0, 10),
    }
    assert "orders before 2027-01-01 stays as it is" in " ".join(text(decided).split())


def test_a_change_known_from_the_start_on_is_not_foreseen() -> None:
    """It takes effect at once, or in the first period: nothing can be decided before it."""
    session = opened(metal(10, 10), metals())
    for start in (None, date(2026, 12, 31)):
        found = compare(session, (), (Change(remove="cn-metal", start=start), DEAR))
        assert found.foreseen is None
        assert "--decided-before" not in text(found)


def test_a_change_that_takes_away_what_is_decided_is_refused() -> None:
    """What was ordered cannot be undone; the message says when the change may begin."""
    session = opened(metal(10, 10), metals())
    for change in (Change(remove="cn-metal"), Change(capacity="cn", per_year=Decimal(0))):
        with pytest.raises(InputError, match=r"ordered of metal before 2027-01-01.*from = 2027-01-01"):
            compare(session, (), (change,), decided_before=date(2027, 1, 1))


def test_a_period_that_is_not_over_is_still_open() -> None:
    """Half of 2026 is decided: nothing of it is, since a plan decides whole periods."""
    session = opened(case(demand("metal", "civil", 10, 10), stores=(store("metal", 1),)), metals())
    lost = Change(remove="cn-metal", start=date(2027, 1, 1))
    assert compare(session, (), (lost,), decided_before=date(2026, 7, 1)).difference.value == 10


def test_what_is_decided_may_be_more_than_a_capacity_by_what_plans_are_rounded() -> None:
    """A third of a tonne is made in a third of a year: rounded, the plan orders a little more than that, and orders it again."""
    plants = (facility("cn", "CN", 1000 / 3), facility("au", "AU", 2000 / 3))
    facts = catalog(*plants, source("CN", 10), source("AU", 50))
    session = opened(metal(1000, 1000, resolution=Decimal("0.01")), facts)
    lost = Change(remove="cn-metal", start=date(2027, 1, 1))
    found = compare(session, (), (lost,), decided_before=date(2027, 1, 1))
    assert found.conflict_before == found.conflict_after == ()
    assert abs(found.difference.value - 330_000) < 10
