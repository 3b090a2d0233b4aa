"""The bill of compliance: what each rule, scenario and kind of terms adds, to the cent, part by part of the case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from tests.building import ban, case, catalog, demand, facility, metals, opened, refused, rule, source, terms, unstored

from friendshore.document.terminal import plain_text
from friendshore.domain.case import Case, Scenario
from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog
from friendshore.domain.use import PASS, Chained, Move, Result, Use, Verdict
from friendshore.explain.pieces import Pieces
from friendshore.recommend import reopen
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds.limits import Budget, Pin
from friendshore.rules.kinds.trade import Exclude, ExportControl, Tariff
from friendshore.rules.rows import Row
from friendshore.session import Session
from friendshore.solve import Limits
from friendshore_reasons.ledger.document import ledger_document
from friendshore_reasons.ledger.items import Method
from friendshore_reasons.ledger.search import Ledger, ledger, margins

STEEL = Path(__file__).parents[3] / "docs" / "cases" / "published" / "multmip3"
THREE = ("fixed-cost", "minimum-load", "max-served")


def metal(*quantities: float, end_use: str = "defense", **more: Any) -> Case:
    """Metal of which nothing can be held."""
    return unstored(*quantities, end_use=end_use, **more)


def adds(found: Ledger) -> dict[str, float]:
    return {item.name: float(item.adds.amount) for item in found.items}


def text(found: Ledger) -> str:
    """The report on a line of a hundred characters."""
    return plain_text(ledger_document(found), 100)


def no_china(**more: Any) -> Rule:
    """Nothing from China."""
    return rule(Exclude, **{"id": "no-china", "countries": ["CN"], **more})


NEAR = rule(Exclude, id="no-near", countries=["CN", "AU"])


@pytest.fixture
def pieces_planned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Pieces that are planned, with their changes."""
    found: list[tuple[Any, Any]] = []
    plan = Pieces.plan

    def noted(*given: Any) -> Any:
        found.append(given[1:])
        return plan(*given)

    monkeypatch.setattr(Pieces, "plan", noted)
    return found


@pytest.fixture(scope="module")
def steel() -> Session:
    """The published transport problem with fixed costs, least loads and a limit on the cities served."""
    return reopen(STEEL).session


@pytest.mark.deep
def test_marginal_costs_in_order_are_the_published_ones(steel: Session) -> None:
    """AMPL's book adds the three one at a time: 199,500, 229,850, 233,150, 235,625."""
    answer = ledger(steel, order=THREE)
    assert (answer.method, answer.before.amount, answer.after.amount) == (Method.ORDER, 199500, 235625)
    assert adds(answer) == {"fixed-cost": 30350, "minimum-load": 3300, "max-served": 2475}
    assert all(item.difference.proved for item in answer.items)


@pytest.mark.deep
def test_shapley_values_of_the_published_problem(steel: Session) -> None:
    """By hand, from the eight optima: the mean over the six orders; what each saves alone, and adds alone."""
    answer = ledger(steel, items=THREE)
    assert (answer.method, answer.effort.questions) == (Method.EXACT, 8)
    assert {item.name: (item.adds.amount, item.off_alone.value, item.on_alone.value) for item in answer.items} == {
        "fixed-cost": (29350, 27600, 30350), "max-served": (4237.5, 2475, 5250), "minimum-load": (2537.5, 2075, 2250),
    }  # fmt: skip


def test_two_rules_that_forbid_the_same_share_its_cost() -> None:
    """10 kg from Japan at 80 in place of China at 10. Excluding both costs 700; China alone 400, which the two share."""
    answer = ledger(opened(metal(10), metals(), no_china(), NEAR))
    values = {item.name: (item.adds.amount, item.off_alone.value, item.on_alone.value) for item in answer.items}
    assert values == {"no-near": (500, 300, 700), "no-china": (200, 0, 400)}
    # Beside `no-near`, `no-china` forbids nothing: the two together are known from the one.
    assert answer.effort.questions == 3


def test_any_two_of_three_rules_may_forbid_all_that_the_three_do() -> None:
    """9 kg at 10, 50, 80 or 90: one rule alone makes a kilogram dearer by 70, another by 0, the last by 40; any two by 80. Over six orders."""
    facts = metals(facility("us", "US"), source("US", 90))
    pairs = {"a": ["CN", "AU"], "b": ["AU", "JP"], "c": ["CN", "JP"]}
    rules = [no_china(id=name, countries=countries) for name, countries in pairs.items()]
    answer = ledger(opened(metal(9), facts, *rules))
    assert (adds(answer), answer.effort.questions) == ({"a": 390, "c": 255, "b": 75}, 8)


def test_rules_that_find_nothing_are_planned_no_more_often_beside_a_budget(
    pieces_planned: list[tuple[Any, Any]],
) -> None:
    """10 kg from China at 10. A duty on what comes from elsewhere is due on none of it, and no duty helps to keep a budget."""
    rules = [
        rule(Tariff, id=f"duty-{origin.lower()}", origins=[origin], territory=["US"], rate=Decimal("0.1"))
        for origin in ("CN", "AU", "JP")
    ]
    names = [each.id for each in rules]
    for limits in ((), (rule(Budget, amount=5000),), (rule(Budget, amount=5000, penalty=1),)):
        pieces_planned.clear()
        added = adds(ledger(opened(metal(10), metals(), *rules, *limits), items=names))
        assert added == {"duty-cn": 10.0, "duty-au": 0.0, "duty-jp": 0.0}
        assert len({changes for _, changes in pieces_planned}) == 3


def test_without_a_budget_the_materials_that_it_joins_are_planned_apart(pieces_planned: list[tuple[Any, Any]]) -> None:
    """Both goods cost 110, from Australia 530. With 300 to spend these leave 4.6 kg of metal short at 1000: 4,900.

    By hand: the ban adds 420 or 4,790, the budget nothing or 4,370.
    """
    ores = (source("CN", 1, "oxide", plant="cn-pit"), source("AU", 3, "oxide", plant="au-pit"))
    facts = metals(facility("cn-pit", "CN"), facility("au-pit", "AU"), *ores)
    given = case(demand("metal", "civil", 10), demand("oxide", "civil", 10))
    answer = ledger(opened(given, facts, no_china(), rule(Budget, id="purse", amount=300)))
    assert (adds(answer), answer.method) == ({"no-china": 2605, "purse": 2185}, Method.EXACT)
    planned = {(one.demanded, any(change.disable == "purse" for change in changes)) for one, changes in pieces_planned}
    assert {("metal",), ("oxide",)} < {demanded for demanded, _ in planned}
    assert (("metal", "oxide"), True) not in planned, "only with the budget on are both planned together"


DEAR = Scenario(name="dear", change=(Change(price="jp-metal", factor=Decimal(2)),))


@pytest.mark.parametrize(
    ("facts", "rules", "order", "added"),
    [
        # The first takes all of what both forbid; turned round, the other does.
        (metals(), [no_china(), NEAR], ["no-china", "no-near"], [400, 300]),
        (metals(), [no_china(), NEAR], ["no-near", "no-china"], [700, 0]),
        # A scenario is an item that the case is without.
        (metals(), [NEAR], ["no-near", "dear"], [700, 800]),
        (metals(), [NEAR], ["dear", "no-near"], [0, 1500]),
        # So is a kind of terms.
        (metals(terms("cn-metal", fixed=70)), [no_china()], ["fixed-cost", "no-china"], [70, 330]),
    ],
)
def test_items_add_to_those_before_them(
    facts: Catalog, rules: list[Rule], order: list[str], added: list[float]
) -> None:
    """Of 10 kg at 10 from China, 50 from Australia, and 80 from Japan: the base is the case with none of them."""
    answer = ledger(opened(metal(10, scenarios=(DEAR,)), facts, *rules), order=order)
    assert adds(answer) == dict(zip(order, added, strict=True))
    assert (answer.before.amount, answer.after.amount) == (100, 100 + sum(added))


def test_a_shortage_is_told_in_kilograms_and_money() -> None:
    """Only China can deliver: the ban leaves 10 kg short at 1000, where 100 were spent."""
    (item,) = ledger(opened(metal(10), catalog(source("CN", 10)), ban("mined", start=None))).items
    assert (item.adds.amount, item.adds.spent, item.adds.shortage) == (9900, -100, 10000)
    assert item.adds.short_kg == {"metal": 10}


def test_a_duty_leaves_the_price_of_a_shortage_as_it_is() -> None:
    """Without a stated price it is ten times the dearest landed offer, duty included: the bill does not count that as a cost."""
    given = metal(10)
    given = given.but(demands=(given.demands[0].but(shortage_price=None),))
    facts = catalog(facility("cn", "CN", 4), source("CN", 10))
    (item,) = ledger(opened(given, facts, rule(Tariff, id="duty", origins=["CN"], rate="0.5"))).items
    assert (item.adds.amount, item.adds.shortage) == (4 * 5, 0)


def test_a_scenario_may_switch_on_a_rule_that_is_an_item() -> None:
    """A pending ban costs nothing unless both it and the scenario that enacts it are on: the two share its cost."""
    enacted = Scenario(name="enacted", change=(Change(enable="no-china"),))
    session = opened(metal(10, scenarios=(enacted,)), metals(), no_china(phases=[{"status": "pending"}]))
    assert adds(ledger(session, items=["enacted", "no-china"])) == {"enacted": 200, "no-china": 200}


def test_a_fixed_cost_of_what_is_not_bought_adds_nothing() -> None:
    """The ban of the offer makes it cost nothing."""
    session = opened(metal(10), metals(terms("cn-metal", fixed=70)), no_china())
    assert adds(ledger(session, items=["fixed-cost"])) == {"fixed-cost": 0}


def test_what_makes_no_difference_is_left_out_exactly() -> None:
    """A ban of a country that nobody offers from, and a duty on another, are not even asked about."""
    idle = (no_china(id="no-peru", countries=["PE"]), rule(Tariff, id="duty", origins=["PE"], rate="0.5"))
    answer = ledger(opened(metal(10), metals(), no_china(), *idle))
    assert (sorted(answer.without_effect), answer.effort.questions) == (["duty", "no-peru"], 2)


def test_a_bill_of_nothing_says_so() -> None:
    """No item can bear: what the plan comes to, and no table."""
    answer = ledger(opened(metal(10), metals()), items=["lot"])
    assert (answer.items, answer.without_effect, answer.adds.amount) == ((), ("lot",), 0)
    assert text(answer).startswith("None of the items can affect the plan, which spends USD 100.")
    assert "Adds" not in text(answer)


def test_what_is_not_proved_is_an_interval() -> None:
    """With no time at all nothing is bought, and nothing sure is said of any difference."""
    session = opened(metal(10), metals(terms("cn-metal", fixed=70), terms("au-metal", least=8)))
    answer = ledger(replace(session, limits=Limits(seconds=0.0)), items=["fixed-cost"])
    (item,) = answer.items
    assert not item.difference.proved
    assert item.difference.low <= 70 <= item.difference.high
    assert "fixed-cost ~" in text(answer)
    assert "not proved" in text(answer)


def test_rules_that_cannot_hold_together_are_named_and_not_counted() -> None:
    """The pin asks for 5 kg of what the ban forbids: no cost is claimed."""
    answer = ledger(opened(metal(10), metals(), no_china(), rule(Pin, offer="cn-metal", at_least=5)))
    assert [(part.method, part.conflict) for part in answer.parts] == [(Method.CONFLICT, ("pin",))]
    assert answer.adds.amount == 0
    assert "conflicting rules: pin" in text(answer)


def test_beyond_the_limit_orders_are_drawn_and_still_add_up() -> None:
    """Sampled values carry a confidence interval that holds the exact ones, and the same seed gives the same."""
    bans = [no_china(id=f"no-{i}", countries=c) for i, c in enumerate((["CN"], ["CN", "AU"], ["AU"]))]
    session = opened(metal(10), metals(), *bans)
    exactly, sampled, again = ledger(session), *(ledger(session, exact_up_to=2, samples=60, seed=7) for _ in range(2))
    assert sampled.method is Method.SAMPLED
    assert sum(item.adds.amount for item in sampled.items) == sampled.adds.amount == exactly.adds.amount
    for item in sampled.items:
        assert item.error is not None
        assert abs(adds(exactly)[item.name] - float(item.adds.amount)) <= 2 * float(item.error)
    assert adds(again) == adds(sampled)
    assert "seed 7" in text(sampled)


class AtMost(Rule):
    """A plugin's kind: at most 4 kg of metal from the Chinese plant."""

    kind: Literal["at-most"] = "at-most"
    penalty: Decimal | None = None

    def rows(self, facts: Facts) -> Iterable[Row]:
        for label, periods in facts.spans("horizon"):
            counted = facts.bought(lambda offer, _: int(offer.facility.id == "cn"), periods)
            yield Row(label, (counted,), at_most=Decimal(4), penalty=self.penalty)


def test_a_rule_of_a_plugin_has_its_part() -> None:
    """6 of 10 kg move from China to Australia: 240; the duty of 50% on the 4 kg that stay: 20, or 50 where it comes first."""
    duty = rule(Tariff, id="duty", origins=["CN"], rate="0.5")
    answer = ledger(opened(metal(10, end_use="civil"), metals(), AtMost(id="at-most"), duty))
    assert adds(answer) == {"at-most": 225, "duty": 35}
    assert text(answer).count("at-most") == 2


def test_a_soft_rule_of_a_plugin_is_missed_for_money() -> None:
    """Missing it costs 3 a kilogram, less than Australia: 6 kg over."""
    answer = ledger(opened(metal(10), metals(), AtMost(id="at-most", penalty=Decimal(3))))
    assert (answer.items[0].adds.amount, answer.items[0].adds.penalties) == (18, 18)
    assert (answer.adds.cash, answer.adds.short_kg) == (0, {})
    (row,) = [" ".join(line.split()) for line in text(answer).splitlines() if line.startswith("at-most ")]
    assert row == "at-most – – – +18"  # short, cash, present value, penalty


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["no-chian"], ("FS920", "no-chian", "both, ", "did you mean `no-china`")),
        (["no-china", "no-china"], ("FS923", "no-china", "each name once", "")),
        (["both"], ("FS921", "both", "rule:both or scenario:both", "`rule:both`")),
    ],
)
def test_a_name_that_says_nothing_is_refused(names: list[str], problem: tuple[str, str, str, str]) -> None:
    """With what was meant, where that can be told."""
    given = metal(10, scenarios=(Scenario(name="both"),))
    session = opened(given, metals(), no_china(), no_china(id="both", countries=["PE"]))
    refusal = refused(ledger, session, items=names)[0]
    code, found, expected, fix = problem
    assert (refusal.code, refusal.found) == (code, found)
    assert expected in refusal.expected
    assert fix in refusal.fix
    assert ledger(session, items=["rule:both", "scenario:both"]).items == ()


def test_a_scenario_that_is_applied_already_cannot_come_in() -> None:
    """Nothing says what the case is without it."""
    session = opened(metal(10, scenarios=(Scenario(name="s"),)), metals())
    refusal = refused(ledger, session, items=["s"], applied=["s"])[0]
    assert (refusal.code, refusal.found) == ("FS922", "s")


def test_the_report_reads_as_a_bill() -> None:
    """Totals, parts to the cent, what is left out, each by itself, and what it took."""
    answer = ledger(opened(metal(10), metals(), no_china(), NEAR, no_china(id="idle", countries=["PE"])))
    lines = text(answer).splitlines()
    rows = [" ".join(line.split()) for line in lines]
    assert "That is USD 700.00 more cash." in " ".join(rows)
    for row in ("no-near – +500.00 +500.00 –", "all together – +700.00 +700.00 –"):
        assert rows.count(row) == 1
    assert "· cannot affect this plan: 1 item (--json names them)" in rows
    assert max(len(line.rstrip()) for line in lines) <= 100


# ---------------------------------------------------------------------------------------------- one more unit


def test_more_of_a_capacity_that_is_used_up() -> None:
    """China's 20 a year are used up in the second year alone: a tenth more saves 2 kg at 40, told by the 4 kg that it adds."""
    (one,) = margins(opened(metal(10, 30), metals(cn=20, au=50)), increment=Decimal("0.1")).capacities
    assert (one.facility, one.full_periods, one.added_kg) == ("cn", ("2027",), 4)
    assert (one.saving.value, one.saving.proved, one.per_kg) == (80, True, 20)


def test_what_is_not_used_up_is_not_asked_about() -> None:
    """Neither a plant with room left nor one that nothing is bought from."""
    assert margins(opened(metal(10), metals(cn=20, au=0))).capacities == ()


def test_a_capacity_that_set_ups_use_up() -> None:
    """A campaign's set-up takes 5 of the 15: with it the plant is full."""
    found = margins(opened(metal(10), metals(terms("cn-metal", setup_use=5), cn=15)))
    assert [(capacity.facility, capacity.saving.value) for capacity in found.capacities] == [("cn", 0)]


def test_a_waiver_of_a_rule_that_bears() -> None:
    """A kilogram of ten may come from China at 10 in place of Australia's 50."""
    found = margins(opened(metal(10), metals(), ban("mined", start=None)), increment=Decimal("0.1"))
    values = [
        (waiver.rule, waiver.demand, waiver.waived_kg, waiver.saving.value, waiver.per_kg) for waiver in found.waivers
    ]
    assert values == [("ban", "metal-defense", 1, 40, 40)]


def test_each_of_two_waivers_alone_saves_nothing() -> None:
    """Each prohibits what the other permits."""
    rules = (ban("mined", start=None), ban("mined", start=None, id="also"))
    found = margins(opened(metal(10), metals(), *rules))
    assert {waiver.rule: waiver.saving.value for waiver in found.waivers} == {"ban": 0, "also": 0}


def test_a_buyer_cannot_waive_an_export_control() -> None:
    """Its own government licenses it."""
    control = rule(ExportControl, exporters=["CN"], effect="prohibit")
    assert margins(opened(metal(10), metals(), control)).waivers == ()


class Small(Rule):
    """A plugin's kind: nothing from the plant `cn`."""

    kind: Literal["small"] = "small"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        return Verdict(result=Result.FAIL, rule=self.id) if offer.facility.id == "cn" else PASS


def test_a_rule_of_a_plugin_can_be_waived() -> None:
    """1% of 10 kg at 40 less."""
    found = margins(opened(metal(10), metals(), Small(id="small")))
    assert [(waiver.rule, waiver.waived_kg, waiver.saving.value) for waiver in found.waivers] == [
        ("small", Decimal("0.1"), 4)
    ]


def test_the_bill_holds_them_if_asked() -> None:
    """Each is one more question."""
    session = opened(metal(10), metals(cn=5), ban("mined", start=None))
    bare, full = ledger(session), ledger(session, more_units=True)
    assert bare.margins is None
    assert len(full.margins.waivers) == 1
    assert full.effort.questions == bare.effort.questions + 1
