"""The bill of compliance: what each rule, scenario and kind of terms adds, to the cent, part by part of the case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from tests.building import METAL, ban, case, catalog, demand, facility, metals, rule, source, store, terms

from friendshore.document.terminal import plain_text
from friendshore.domain.case import Scenario
from friendshore.domain.change import Change
from friendshore.domain.facts import Place
from friendshore.domain.use import Chained
from friendshore.errors import InputError
from friendshore.explain.pieces import Pieces
from friendshore.problem.inputs import Inputs
from friendshore.recommend import reopen
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds.exclude import Exclude
from friendshore.rules.kinds.limits import Budget, MaxShare, Pin
from friendshore.rules.kinds.tariff import Tariff
from friendshore.rules.rows import Row
from friendshore.session import Session
from friendshore.solve import Limits
from friendshore_reasons.ledger.document import ledger_document
from friendshore_reasons.ledger.items import Method
from friendshore_reasons.ledger.search import Ledger, ledger

STEEL = Path(__file__).parents[3] / "docs" / "cases" / "published" / "multmip3"
THREE = ("fixed-cost", "minimum-load", "max-served")


def opened(given: Any, facts: Any, *rules: Rule) -> Session:
    """A solved case."""
    return Session.open(Inputs(given, (facts,), rules))


def metal(*quantities: float, end_use: str = "defense", **more: Any) -> Any:
    """Metal of which nothing can be held."""
    return case(demand("metal", end_use, *quantities), stores=(store("metal", 0, limit=0),), **more)


def adds(found: Ledger) -> dict[str, float]:
    """What each item adds."""
    return {item.name: float(item.adds.amount) for item in found.items}


def text(found: Ledger) -> str:
    """The report on a line of a hundred characters."""
    return plain_text(ledger_document(found), 100)


def no_china(**more: Any) -> Rule:
    """Nothing from China."""
    return rule(Exclude, id="no-china", countries=["CN"], **more)


def no_one_near() -> Rule:
    """Nothing from China or Australia."""
    return rule(Exclude, id="no-near", countries=["CN", "AU"])


@pytest.fixture(scope="module")
def steel() -> Session:
    """The published transport problem with fixed costs, least loads and a limit on the cities served."""
    return reopen(STEEL).session


@pytest.mark.deep
def test_marginal_costs_in_order_are_the_published_ones(steel: Session) -> None:
    """AMPL's book adds the three one at a time: 199,500, 229,850, 233,150, 235,625."""
    found = ledger(steel, order=THREE)
    assert found.method is Method.ORDER
    assert (found.before.amount, found.after.amount) == (Decimal(199500), Decimal(235625))
    assert adds(found) == {"fixed-cost": 30350, "minimum-load": 3300, "max-served": 2475}
    assert all(item.difference.proved for item in found.items)


@pytest.mark.deep
def test_shapley_values_of_the_published_problem(steel: Session) -> None:
    """By hand, from the eight optima: the mean over the six orders."""
    found = ledger(steel, items=THREE)
    assert found.method is Method.EXACT
    assert adds(found) == {"fixed-cost": 29350, "max-served": 4237.5, "minimum-load": 2537.5}
    alone = {item.name: (float(item.off_alone.value), float(item.on_alone.value)) for item in found.items}
    assert alone == {"fixed-cost": (27600, 30350), "max-served": (2475, 5250), "minimum-load": (2075, 2250)}
    assert found.effort.questions == 8


def test_two_rules_that_forbid_the_same_share_its_cost() -> None:
    """10 kg from Japan at 80 in place of China at 10. Excluding both costs 700; China alone 400, which the two share."""
    found = ledger(opened(metal(10), metals(), no_china(), no_one_near()))
    assert adds(found) == {"no-near": 500, "no-china": 200}
    assert {item.name: item.off_alone.value for item in found.items} == {"no-near": 300, "no-china": 0}
    assert {item.name: item.on_alone.value for item in found.items} == {"no-near": 700, "no-china": 400}
    # Beside `no-near`, `no-china` forbids nothing: the two together are known from the one.
    assert found.effort.questions == 3


def test_any_two_of_three_rules_may_forbid_all_that_the_three_do() -> None:
    """9 kg at 10, 50, 80 or 90 a kilogram: one rule alone makes a kilogram dearer by 70, another by 0, the last by 40; any two by 80, and
    the third adds nothing. By hand, from the average over the six orders.
    """
    facts = metals(facility("us", "US"), source("US", 90))
    pairs = {"a": ["CN", "AU"], "b": ["AU", "JP"], "c": ["CN", "JP"]}
    rules = [rule(Exclude, id=name, countries=countries) for name, countries in pairs.items()]
    found = ledger(opened(metal(9), facts, *rules))
    assert adds(found) == {"a": 390, "c": 255, "b": 75}
    assert found.effort.questions == 8


def test_rules_that_find_nothing_are_planned_no_more_often_beside_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """10 kg from China at 10. A duty on what comes from elsewhere is due on none of it, and no duty helps to keep a budget."""
    rules = [
        rule(Tariff, id=f"duty-{origin.lower()}", origins=[origin], territory=["US"], rate=Decimal("0.1"))
        for origin in ("CN", "AU", "JP")
    ]
    names = [each.id for each in rules]
    planned: list[Any] = []
    plan = Pieces.plan

    def counted(pieces: Pieces, piece: Any, changes: Any) -> Any:
        planned.append(changes)
        return plan(pieces, piece, changes)

    monkeypatch.setattr(Pieces, "plan", counted)

    def found(*limits: Rule) -> tuple[int, dict[str, float]]:
        planned.clear()
        added = adds(ledger(opened(metal(10), metals(), *rules, *limits), items=names))
        return len(set(planned)), added

    alone = found()
    assert alone == (3, {"duty-cn": 10.0, "duty-au": 0.0, "duty-jp": 0.0})
    assert found(rule(Budget, id="purse", amount=5000)) == alone
    assert found(rule(Budget, id="purse", amount=5000, penalty=1)) == alone


def test_without_a_budget_the_materials_that_it_joins_are_planned_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """10 kg of metal at 10 or 50, and of oxide at 1 or 3. Both materials cost 110, from Australia 530. With 300 to spend these leave 4.6 kg of
    metal short at 1000: 4,900. By hand: the ban adds 420 or 4,790, the budget nothing or 4,370.
    """
    given = case(demand("metal", "civil", 10), demand("oxide", "civil", 10))
    plants = (facility("cn-pit", "CN"), facility("au-pit", "AU"))
    ores = (source("CN", 1, "oxide", plant="cn-pit"), source("AU", 3, "oxide", plant="au-pit"))
    planned: list[tuple[Any, bool]] = []
    plan = Pieces.plan

    def noted(pieces: Pieces, piece: Any, changes: Any) -> Any:
        planned.append((piece.demanded, any(change.disable == "purse" for change in changes)))
        return plan(pieces, piece, changes)

    monkeypatch.setattr(Pieces, "plan", noted)
    found = ledger(opened(given, metals(*plants, *ores), no_china(), rule(Budget, id="purse", amount=300)))
    assert adds(found) == {"no-china": 2605, "purse": 2185}
    assert found.method is Method.EXACT
    joined = ("metal", "oxide")
    assert {("metal",), ("oxide",)} < {demanded for demanded, _ in planned}
    assert (joined, True) not in planned, "only with the budget on are both planned together"


def test_items_by_order_add_to_those_before_them() -> None:
    """The first takes all of what both forbid; turned round, the other does."""
    session = opened(metal(10), metals(), no_china(), no_one_near())
    assert adds(ledger(session, order=["no-china", "no-near"])) == {"no-china": 400, "no-near": 300}
    assert adds(ledger(session, order=["no-near", "no-china"])) == {"no-near": 700, "no-china": 0}


def test_the_rest_of_the_rules_stay_as_they_are() -> None:
    """With both on but one item named, the bill is of that one beside the other."""
    found = ledger(opened(metal(10), metals(), no_china(), no_one_near()), items=["no-near"])
    assert (found.before.amount, found.after.amount) == (500, 800)


def test_a_shortage_is_told_in_kilograms_and_money() -> None:
    """Only China can deliver: the ban leaves 10 kg short at 1000, where 100 were spent."""
    facts = catalog(facility("cn", "CN"), source("CN", 10))
    (item,) = ledger(opened(metal(10), facts, ban(*METAL, start=None))).items
    assert (item.adds.amount, item.adds.spent, item.adds.shortage) == (9900, -100, 10000)
    assert item.adds.short_kg == {"metal": 10}


def test_a_duty_leaves_the_price_of_a_shortage_as_it_is() -> None:
    """Without a stated price it is ten times the dearest landed offer, duty included: the bill does not count that as a cost."""
    bare = demand("metal", "civil", 10).model_copy(update={"shortage_price": None})
    given = case(bare, stores=(store("metal", 0, limit=0),))
    facts = catalog(facility("cn", "CN", 4), source("CN", 10))
    (item,) = ledger(opened(given, facts, rule(Tariff, id="duty", origins=["CN"], rate="0.5"))).items
    assert (item.adds.amount, item.adds.shortage) == (4 * 5, 0)


def test_a_scenario_is_an_item_that_the_case_is_without() -> None:
    """The base is the case with neither; the whole is the case with the scenario applied and the rule in force."""
    dear = Scenario(name="dear", change=(Change(price="jp-metal", factor=Decimal(2)),))
    session = opened(metal(10, scenarios=(dear,)), metals(), no_one_near())
    found = ledger(session, order=["no-near", "dear"])
    assert (found.before.amount, found.after.amount) == (100, 1600)
    assert adds(found) == {"no-near": 700, "dear": 800}
    assert adds(ledger(session, order=["dear", "no-near"])) == {"dear": 0, "no-near": 1500}


def test_a_scenario_may_switch_on_a_rule_that_is_an_item() -> None:
    """A pending ban costs nothing unless both it and the scenario that enacts it are on: the two share its cost."""
    enacted = Scenario(name="enacted", change=(Change(enable="no-china"),))
    session = opened(metal(10, scenarios=(enacted,)), metals(), no_china(phases=[{"status": "pending"}]))
    assert adds(ledger(session, items=["enacted", "no-china"])) == {"enacted": 200, "no-china": 200}


def test_kinds_of_terms_are_items() -> None:
    """A fixed cost of 70 of the cheap offer; the ban of it makes it cost nothing."""
    session = opened(metal(10), metals(terms("cn-metal", fixed=70)), no_china())
    assert adds(ledger(session, items=["fixed-cost"])) == {"fixed-cost": 0}
    assert adds(ledger(session, order=["fixed-cost", "no-china"])) == {"fixed-cost": 70, "no-china": 330}


def test_what_makes_no_difference_is_left_out_exactly() -> None:
    """A ban of a country that nobody offers from, and a duty on another, are not even asked about."""
    idle = (rule(Exclude, id="no-peru", countries=["PE"]), rule(Tariff, id="duty", origins=["PE"], rate="0.5"))
    found = ledger(opened(metal(10), metals(), no_china(), *idle))
    assert sorted(found.idle) == ["duty", "no-peru"]
    assert found.effort.questions == 2


def test_a_bill_of_nothing_says_so() -> None:
    """No item can bear: what the plan comes to, and no table."""
    found = ledger(opened(metal(10), metals()), items=["lot"])
    assert (found.items, found.idle, found.adds.amount) == ((), ("lot",), 0)
    assert text(found).startswith("Nothing asked about can bear on the plan, which spends USD 100.")
    assert "Adds" not in text(found)


def test_what_is_not_proved_is_an_interval() -> None:
    """With no time at all nothing is bought, and nothing sure is said of any difference."""
    session = opened(metal(10), metals(terms("cn-metal", fixed=70), terms("au-metal", least=8)))
    hurried = replace(session, limits=Limits(seconds=0.0))
    (item,) = ledger(hurried, items=["fixed-cost"]).items
    assert not item.difference.proved
    assert item.difference.low is not None
    assert item.difference.high is not None
    assert item.difference.low <= 70 <= item.difference.high
    told = text(ledger(hurried, items=["fixed-cost"]))
    assert "fixed-cost ~" in told
    assert "not proved" in told


def test_parts_of_the_case_are_split_on_their_own() -> None:
    """Oxide and metal have nothing to do with each other: each has its own row, and cells add up to both."""
    given = case(demand("metal", "civil", 10), demand("oxide", "civil", 10))
    plants = (facility("cn-pit", "CN"), facility("au-pit", "AU"))
    ores = (source("CN", 1, "oxide", plant="cn-pit"), source("AU", 3, "oxide", plant="au-pit"))
    facts = metals(*plants, *ores)
    only_metal = MaxShare.model_validate({"id": "cap", "materials": ["metal"], "share": "0.5", "countries": ["CN"]})
    found = ledger(opened(given, facts, no_china(), only_metal))
    assert [(part.materials, float(part.adds.amount)) for part in found.parts] == [(("metal",), 400), (("oxide",), 20)]
    for item in found.items:
        assert sum(cell.adds.amount for cell in found.cells if cell.item == item.name) == item.adds.amount


def test_rules_that_cannot_hold_together_are_named_and_not_counted() -> None:
    """The pin asks for 5 kg of what the ban forbids: no cost is claimed."""
    pin = Pin.model_validate({"id": "take", "offer": "cn-metal", "at_least": 5})
    found = ledger(opened(metal(10), metals(), no_china(), pin))
    assert [(part.method, part.conflict) for part in found.parts] == [(Method.CONFLICT, ("take",))]
    assert found.adds.amount == 0
    assert "cannot hold together" in text(found)


def test_beyond_the_limit_orders_are_drawn_and_still_add_up() -> None:
    """Sampled values carry a confidence interval that holds the exact ones, and the same seed gives the same."""
    bans = [rule(Exclude, id=f"no-{i}", countries=c) for i, c in enumerate((["CN"], ["CN", "AU"], ["AU"]))]
    session = opened(metal(10), metals(), *bans)
    exactly, sampled = ledger(session), ledger(session, exact_up_to=2, samples=60, seed=7)
    assert sampled.method is Method.SAMPLED
    assert sum(item.adds.amount for item in sampled.items) == sampled.adds.amount == exactly.adds.amount
    for item in sampled.items:
        assert item.error is not None
        assert abs(adds(exactly)[item.name] - float(item.adds.amount)) <= 2 * float(item.error)
    assert adds(ledger(session, exact_up_to=2, samples=60, seed=7)) == adds(sampled)
    assert "seed 7" in text(sampled)


class AtMost(Rule):
    """A plugin's kind: at most so many kilograms of metal from one plant."""

    kind: Literal["at-most"] = "at-most"
    plant: str = "cn"
    most: Decimal = Decimal(4)
    penalty: Decimal | None = None

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row over the plan."""

        def counts(offer: Chained, place: Place) -> int:
            return int(offer.facility.id == self.plant)

        for label, periods in facts.spans("horizon"):
            yield Row(label, (facts.bought(counts, periods),), at_most=self.most, penalty=self.penalty)


def test_a_rule_of_a_plugin_has_its_part() -> None:
    """6 of 10 kg move from China to Australia: 240; the duty of 50 % on the 4 kg that stay: 20, or 50 where it comes first."""
    duty = rule(Tariff, id="duty", origins=["CN"], rate="0.5")
    found = ledger(opened(metal(10, end_use="civil"), metals(), AtMost(id="at-most"), duty))
    assert adds(found) == {"at-most": 225, "duty": 35}
    assert text(found).count("at-most") == 2


def test_a_soft_rule_of_a_plugin_is_missed_for_money() -> None:
    """Missing it costs 3 a kilogram, less than Australia: 6 kg over."""
    found = ledger(opened(metal(10), metals(), AtMost(id="at-most", penalty=Decimal(3))))
    assert (found.items[0].adds.amount, found.items[0].adds.penalties) == (18, 18)
    assert (found.adds.cash, found.adds.short_kg) == (0, {})
    (row,) = [" ".join(line.split()) for line in text(found).splitlines() if line.startswith("at-most ")]
    assert row == "at-most – – – +18"  # short, cash, present value, penalty


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["no-chian"], "did you mean `no-china`"),
        (["no-china", "no-china"], "named twice"),
        (["both"], "several things have this name; found both; expected rule:both or scenario:both"),
    ],
)
def test_a_name_that_says_nothing_is_refused(names: list[str], message: str) -> None:
    """With what was meant, where that can be told."""
    given = metal(10, scenarios=(Scenario(name="both"),))
    session = opened(given, metals(), no_china(), rule(Exclude, id="both", countries=["PE"]))
    with pytest.raises(InputError) as refused:
        ledger(session, items=names)
    assert message in str(refused.value.problems[0])
    assert ledger(session, items=["rule:both", "scenario:both"]).items == ()


def test_a_scenario_that_is_applied_already_cannot_come_in() -> None:
    """Nothing says what the case is without it."""
    session = opened(metal(10, scenarios=(Scenario(name="s"),)), metals())
    with pytest.raises(InputError, match="applied to the case already"):
        ledger(session, items=["s"], applied=["s"])


def test_the_report_reads_as_a_bill() -> None:
    """Totals, parts to the cent, what is left out, each by itself, and what it took."""
    found = ledger(opened(metal(10), metals(), no_china(), no_one_near(), rule(Exclude, id="idle", countries=["PE"])))
    lines = [line.rstrip() for line in text(found).splitlines()]
    assert "That is USD 700.00 more cash." in " ".join(lines)
    assert [" ".join(line.split()) for line in lines if "+500.00" in line] == ["no-near – +500.00 +500.00 –"]
    assert [" ".join(line.split()) for line in lines if "all together" in line] == ["all together – +700.00 +700.00 –"]
    assert "· cannot bear on this plan: 1 item (--json names them)" in lines
    assert max(map(len, lines)) <= 100
