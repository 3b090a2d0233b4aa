"""Limits: terms that they count, end uses, shares of use, floors that cannot hold yet, and limits without any demand."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from friendshore.document.markdown import markdown
from friendshore.domain.facts import Catalog, RecipeLine
from friendshore.domain.plan import PlanStatus
from friendshore.errors import InputError, VerificationError
from friendshore.plugins import Registry
from friendshore.recommend import Recommendation
from friendshore.recommend.recheck import recheck
from friendshore.report import page_document, plan_document
from friendshore.rules import terms
from friendshore.rules.answers import WrongAnswer, as_rows
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds.limits import (
    Budget,
    Cover,
    MaxChurn,
    MaxShare,
    MaxSuppliers,
    MinDelivered,
    MinShare,
    MinSuppliers,
    Pin,
    SingleSource,
    StockLevel,
)
from friendshore.rules.rows import ForUses, Row, Rows
from friendshore.verify import examine
from friendshore_testing.asking import Asking
from friendshore_testing.worlds import worlds

from ..building import (
    METAL,
    SOURCE,
    ban,
    bought,
    built,
    case,
    catalog,
    chain,
    demand,
    facility,
    maker,
    metals,
    offer,
    ordered,
    planned,
    rule,
    source,
    stock,
    text,
    unwrapped,
)

# ----------------------------------------------------------------------------------------------------------------- terms


CORE = Path(__file__).parents[2] / "core"
READERS = {
    "program": CORE / "friendshore/program/term_columns.py",
    "verifier": CORE / "friendshore/verify/term_values.py",
}
NEW = '''
@dataclass(frozen=True, slots=True, eq=False)
class ReturnedTerm(_OfDemands):
    """Kilograms sent back."""

    unit: ClassVar[Unit] = "kg"


Term = (
    ReturnedTerm
'''


@pytest.mark.parametrize("term", get_args(terms.Term), ids=lambda term: term.__name__)
def test_a_term_names_the_tables_that_its_fields_point_into(term: type) -> None:
    """Every field but the factors holds positions in the table of its name; what else asks for them finds them there."""
    pointing = [f.name for f in fields(term) if f.name not in ("weight", "times", "at_least", "parts", "for_uses")]
    assert pointing == list(getattr(term, "tables", ()))
    assert set(pointing) <= set(get_args(terms.Table))


@pytest.mark.parametrize("reader", READERS)
def test_every_term_is_read_by_program_and_verifier(reader: str) -> None:
    """Each has a case for every term, one for one, and ends where the type checker says that there is no other."""
    (matched,) = (node for node in ast.walk(ast.parse(READERS[reader].read_text())) if isinstance(node, ast.Match))
    *cases, last = matched.cases
    named = [ast.unparse(case.pattern) for case in cases]
    assert sorted(named) == sorted(f"terms.{term.__name__}()" for term in get_args(terms.Term))
    assert ast.unparse(last) == "case _:\n    assert_never(term)"


def test_program_and_verifier_read_terms_by_themselves() -> None:
    """Neither module imports anything of the other's package."""
    for name, other in (("program", "verify"), ("verifier", "program")):
        imports = [n for n in ast.walk(ast.parse(READERS[name].read_text())) if isinstance(n, ast.ImportFrom)]
        assert not [n for n in imports if (n.module or "").split(".")[0] == other]


@pytest.mark.nightly
def test_a_term_that_is_read_nowhere_does_not_pass_the_type_checker(tmp_path: Path) -> None:
    """With one more class among the terms, mypy names both readers, and nothing else."""
    shutil.copytree(CORE, tmp_path / "core", ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "core/friendshore/rules/terms.py"
    text = file.read_text()
    assert "\nTerm = (\n    BoughtTerm" in text
    file.write_text(text.replace("\nTerm = (\n    BoughtTerm", f"{NEW}    | BoughtTerm"))
    config, known = CORE.parent / "pyproject.toml", CORE.parent / ".mypy_cache"
    if known.is_dir():  # what the type checker knows of all the other files is as true of their copies
        shutil.copytree(known, tmp_path / "cache")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        str(config),
        "--cache-dir",
        str(tmp_path / "cache"),
        "core",
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    wrong = [line for line in run.stdout.splitlines() if ": error:" in line]
    assert sorted(line.partition(":")[0] for line in wrong) == [
        "core/friendshore/program/term_columns.py",
        "core/friendshore/verify/term_values.py",
    ], run.stdout
    assert all("assert_never" in line and "ReturnedTerm" in line for line in wrong)


class Everything(Rule):
    """It counts what no built-in kind counts."""

    kind: Literal["everything"] = "everything"

    def rows(self, facts: Facts) -> Iterable[Row]:
        """What is delivered and what is short."""
        periods = range(facts.horizon.count)
        for name, term in (("delivered", facts.delivered(_one, periods)), ("short", facts.short(_one, periods))):
            yield Row(name, (term,), at_least=Decimal(0), sentence="It is no less than nothing.")


def _one(_: object) -> int:
    return 1


def test_made_up_cases_of_the_kit_have_something_of_every_term() -> None:
    """Where a rule is tried there are stock, orders placed, onboarding, tiers, take-or-pay, terms of trade and runs of two goods."""
    given: list[tuple[type[Rule], dict[str, object]]] = [
        (Budget, {"amount": 1}), (Cover, {"days": 30}), (MaxChurn, {"share": "0.5"}), (StockLevel, {"at_most": 5}),
        (MaxSuppliers, {"count": 1}), (Everything, {}),
    ]  # fmt: skip
    rules = [kind.model_validate({"id": kind.__name__, **words}) for kind, words in given]
    found: set[type] = set()
    lots: set[int] = set()
    for world in worlds(rules, count=6):
        for one in rules:
            asking = Asking(one, world)
            lots.add(len(asking.problem.lots))
            found |= {type(t) for made in asking.rows() for t in made.asked if not t.is_empty}
    assert found == set(get_args(terms.Term))
    assert 2 in lots


def bought_term(*weights: float, times: float = 1.0) -> terms.BoughtTerm:
    """What is bought of the first moves."""
    return terms.BoughtTerm(np.arange(len(weights)), np.array(weights), times)


class TestLacking:
    """What is lacking is convex: it may be kept small, and is made of what is linear."""

    def test_of_a_count_is_refused(self) -> None:
        """Nothing lacks of what is used or not."""
        used = terms.UsedTerm(np.arange(1), np.ones(1))
        with pytest.raises(ValueError, match="not of what is used or lacking"):
            terms.lacking((Decimal(1), used))

    def test_is_never_asked_to_be_large(self) -> None:
        """A row with a least is refused, and one whose most is of its negative."""
        missing = terms.lacking((Decimal(1), bought_term(1.0)))
        with pytest.raises(ValueError, match="never asked for"):
            Row("x", (missing,), at_least=Decimal(1))
        with pytest.raises(ValueError, match="never asked for"):
            Row("x", (terms.LackingTerm(missing.parts, -1.0),), at_most=Decimal(1))

    def test_is_counted_in_what_its_parts_are(self) -> None:
        """Kilograms that are lacking are kilograms, money is money."""
        spent = terms.SpentTerm(np.arange(1), np.ones(1))
        assert terms.lacking((Decimal(1), bought_term(1.0))).unit == "kg"
        assert terms.lacking((Decimal(1), spent)).unit == "money"


# -------------------------------------------------------------------------------------------------------------- end uses


DEFENSE = {"end_uses": ["defense"]}


def both(*quantities: float, **more: Any) -> Any:
    """Metal for defence and for civil use."""
    return case(demand("metal", "defense", *quantities), demand("metal", "civil", *quantities), **more)


def by_use(found: Recommendation) -> dict[tuple[str, str], float]:
    """Kilograms bought by offer and by what they are for."""
    totals: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for purchase in found.run.purchases:
        totals[purchase.offer, purchase.end_use] += purchase.quantity_kg
    return {key: float(kilograms) for key, kilograms in sorted(totals.items())}


def test_three_suppliers_for_defence() -> None:
    """Said of defence, a number of suppliers asks for nothing of what civil use is bought."""
    three = rule(MinSuppliers, count=3, least_share="0.1", **DEFENSE)
    found = planned(both(100), metals(), three)
    assert by_use(found) == {
        ("au-metal", "defense"): 10,
        ("cn-metal", "civil"): 100,
        ("cn-metal", "defense"): 80,
        ("jp-metal", "defense"): 10,
    }
    assert "At least 3 suppliers of any material for defense use" in three.sentence()


def test_classes_are_told_apart_only_where_a_limit_counts_by_use() -> None:
    """Without such a rule one class serves both uses; with one each has its own, of an offer, its ore and all."""
    facts = metals()
    assert [r.ends for r in built(both(100), facts).compliance_classes] == [frozenset()]
    apart = built(both(100), facts, rule(MaxShare, share="0.5", **DEFENSE)).compliance_classes
    assert sorted(sorted(r.ends) for r in apart) == [[""], ["defense"]]


@pytest.mark.parametrize(("words", "extra"), [({"at_least": 30}, 30), ({"at_most": 0}, 0), ({"exactly": 20}, 20)])
def test_stock_of_one_use(words: dict[str, Any], extra: float) -> None:
    """What is set aside for defence at the end is so much; nothing is asked of civil stock."""
    found = planned(both(100), metals(), rule(StockLevel, when="end", **words, **DEFENSE))
    assert found.status is PlanStatus.OPTIMAL
    assert sum(by_use(found).values()) == 200 + extra
    assert sum(float(s.quantity) for s in found.plan.plan.stocks) == extra


def made_together() -> Any:
    """A plant that makes metal, for defence, and salt, for civil use, of one kilogram of oxide; and oxide at 10 and 20."""
    out = tuple(RecipeLine(material=m, per_unit=Decimal(1), source=SOURCE) for m in ("metal", "salt"))
    into = (RecipeLine(material="oxide", per_unit=Decimal(1), source=SOURCE),)
    run = offer("run", "us", "metal", 5, chain("US", "melted"), outputs=out, inputs=into)
    ores = [offer(f"{c}-oxide", c, "oxide", p, chain(c.upper(), *METAL[:2])) for c, p in (("cn", 10), ("au", 20))]
    return catalog(*(facility(c, c.upper()) for c in ("us", "cn", "au")), run, *ores)


class TestMadeTogether:
    """What is made for several uses in one run is for both: counted where it may be too much, not where it may be too little."""

    given = case(demand("metal", "defense", 50), demand("salt", "civil", 50))
    words = {"materials": ["oxide"], "of": "purchases", "share": "0.5", **DEFENSE}

    def test_counts_for_a_cap(self) -> None:
        """Half of the ore of a shared run is not Chinese: 50 x 5 + 25 x 10 + 25 x 20."""
        found = planned(self.given, made_together(), rule(MaxShare, countries=["CN"], **self.words))
        assert float(found.cost.total) == pytest.approx(1000)

    def test_does_not_count_for_a_floor(self) -> None:
        """Least kilograms for defence alone are bought beside what 50 runs for both take: 50 x 5 + 50 x 10 + 10 x 20."""
        pin = rule(Pin, offer="au-oxide", at_least=10, **DEFENSE)
        found = planned(self.given, made_together(), pin)
        assert float(found.cost.total) == pytest.approx(950)

    def test_money_of_runs_counts(self) -> None:
        """What defence may spend on runs pays for what is made for both."""
        budget = rule(Budget, amount=250, materials=["metal", "salt"], **DEFENSE)
        found = planned(self.given, made_together(), budget)
        assert float(found.cost.total) == pytest.approx(50 * 15)


def test_what_costs_the_same_for_any_use_is_no_money_of_one() -> None:
    """Onboarding is due whatever an offer is bought for: a budget of one use that would count it is refused, and says so."""
    costly = source("CN", 10, onboarding=5, onboarding_currency="USD")
    facts = catalog(facility("cn", "CN"), costly)
    with pytest.raises(
        InputError, match=r"`cn-metal` is not spent for one end use or another: its onboarding"
    ) as caught:
        planned(both(100), facts, rule(Budget, amount=1, **DEFENSE))
    assert caught.value.problems[0].column.startswith("rule")


def test_churn_knows_no_end_use() -> None:
    """What is bought today is not told apart by end use, so that churn cannot be: the key is refused."""
    with pytest.raises(ValueError, match="end_uses"):
        rule(MaxChurn, share="0.5", **DEFENSE)


def test_stock_for_both_uses_covers_both_and_counts_for_neither_alone() -> None:
    """Where stock is watched, what is kept for several uses is a class of its own: a floor asks for stock of its own."""
    cover = rule(Cover, days=73)
    level = rule(StockLevel, at_least=10, when="end", **DEFENSE)
    found = planned(both(100, 100), metals(), cover, level)
    assert found.verified
    held = {s.requirement: float(s.quantity) for s in found.plan.plan.stocks if s.period == 1}
    ends = {r.label: r.ends for r in found.plan.problem.compliance_classes}
    assert sum(kg for label, kg in held.items() if ends[label] == {"defense"}) >= 10


class Undeclared(Rule):
    """It counts by an end use that it does not name."""

    kind: Literal["undeclared"] = "undeclared"

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row."""
        uses = ForUses(frozenset({"defense"}), surely=False)
        yield Row(
            "all", (facts.bought(lambda *_: 1, (0,), for_uses=uses),), at_most=Decimal(1), sentence="It is little."
        )


def test_a_kind_must_name_what_it_counts_by() -> None:
    """Classes are told apart for the end uses that a kind names: one that counts by another is told so."""
    rows = list(Undeclared(id="u").rows(built(both(100), metals()).facts))
    with pytest.raises(WrongAnswer, match="counts what is for defense, which `counted_end_uses`"):
        as_rows(rows, frozenset({"civil"}))
    assert as_rows(rows, frozenset({"civil", "defense"})) == rows


class TestTampered:
    """A plan whose kilograms end elsewhere than they were bought for is no plan."""

    def test_deliveries_of_another_class(self) -> None:
        """Defence is served by what was bought for civil use."""
        floor = rule(MinShare, countries=["AU"], share="0.5", **DEFENSE)
        found = planned(both(100), metals(), floor)
        plan = found.plan.plan
        swap = {"R1": "R2", "R2": "R1"}
        deliveries = tuple(d.but(requirement=swap[d.requirement]) for d in plan.deliveries)
        wrong = examine(found.plan.problem, plan.but(deliveries=deliveries))[1]
        assert "`metal-defense` is served by what was bought for other end uses" in " ".join(map(str, wrong))

    def test_purchases_of_another_class(self) -> None:
        """Australian metal is said to be for civil use: the floor of defence does not hold."""
        floor = rule(MinShare, countries=["AU"], share="0.5", **DEFENSE)
        found = planned(both(100), metals(), floor)
        plan = found.plan.plan
        swap = {"R1": "R2", "R2": "R1"}
        purchases = tuple(p.but(requirement=swap[p.requirement]) for p in plan.purchases)
        deliveries = tuple(d.but(requirement=swap[d.requirement]) for d in plan.deliveries)
        changed = plan.but(purchases=purchases, deliveries=deliveries)
        wrong = " ".join(map(str, examine(found.plan.problem, changed)[1]))
        assert "does not hold: At least 50 % of the demand for any material for defense use" in wrong


# --------------------------------------------------------------------------------------------------------- shares of use


LATER = [{"from": "2027-01-01"}]


def cap(**more: Any) -> Any:
    """No more than 40 % of the demand from any one country, China above all."""
    return rule(MaxShare, **{"id": "cap", "countries": ["CN"], "share": "40 %", "phases": LATER, **more})


def test_a_cap_on_what_is_bought_is_met_by_buying_early() -> None:
    """10 kg a year, Chinese at 10: all 20 come in the year before the cap. A cap on what is used leaves 4 of the second year's."""
    wanted = case(demand("metal", "civil", 10, 10))
    assert bought(planned(wanted, metals(), cap())) == {"cn-metal": 20}
    found = planned(wanted, metals(), cap(counts="used"))
    assert bought(found) == {"cn-metal": 14, "au-metal": 6}


def test_a_cap_counts_stock_in_hand_and_what_is_in_the_making() -> None:
    """Chinese stock of 30, and metal that is a year in the making of Chinese oxide: neither slips past the first capped year."""
    wanted = case(demand("metal", "civil", 10, 10), stocks=(stock("metal", 30, source("CN", 1).chain),))
    found = planned(wanted, metals(), cap(counts="used"))
    assert found.status is PlanStatus.INFEASIBLE  # what is there may be used, and nothing says that it is not
    soft = planned(wanted, metals(), cap(counts="used", penalty=1))
    assert [float(row.missed_by) for row in soft.run.limits if row.rule == "cap"] == [16]
    made = catalog(source("CN", 1, "oxide"), maker("JP", 1, 1, lead_time=12), source("AU", 500))  # fmt: skip
    later = case(demand("metal", "civil", 0, 10))
    words: dict[str, Any] = {"stage": "mined", "group_by": "element"}
    assert bought(planned(later, made, cap(**words)))["jp-melt"] == 10
    kept = planned(later, made, cap(**words, counts="used"))
    assert {name: round(kg, 3) for name, kg in bought(kept).items() if name != "cn-oxide"} == {
        "jp-melt": 4,
        "au-metal": 6,
    }


def test_a_floor_does_not_count_what_is_carried_out() -> None:
    """Half of 10 kg must be Australian, and 5 kg must lie in stock at the end: these may be the Australian ones, so 10 are bought."""
    wanted = case(demand("metal", "civil", 10))
    held = rule(StockLevel, id="held", at_least=5)
    words: dict[str, Any] = {"id": "floor", "countries": ["AU"], "share": "50 %"}
    assert bought(planned(wanted, metals(), held, rule(MinShare, **words))) == {"cn-metal": 10, "au-metal": 5}
    found = planned(wanted, metals(), held, rule(MinShare, **words, counts="used"))
    assert bought(found) == {"cn-metal": 5, "au-metal": 10}


def test_what_nobody_can_have_sold_is_in_no_stock() -> None:
    """A cap on Kazakhstan, which sells nothing, counts no stock; of a year without demand nothing is capped."""
    wanted = case(demand("metal", "civil", 10, 0, 10), stocks=(stock("metal", 8, source("AU", 1).chain),))
    found = planned(wanted, metals(), cap(counts="used", countries=["KZ"], share=0, phases=[{}]))
    assert found.status is PlanStatus.OPTIMAL
    none = planned(case(demand("metal", "civil", 10, 0)), metals(), cap(counts="used", phases=LATER))
    assert [row.label for row in none.run.limits] == []


def test_a_share_of_purchases_is_no_share_of_use() -> None:
    """What is used is measured by what is wanted."""
    with pytest.raises(ValueError, match="what is used is a share of what is wanted"):
        cap(counts="used", of="purchases")


@settings(deadline=None, max_examples=12)
@given(
    st.lists(st.integers(0, 20), min_size=3, max_size=4),
    st.integers(0, 30),
    st.integers(1, 3),
    st.sampled_from([20, 50, 80]),
    st.integers(0, 25),
)
def test_whatever_is_used_first_the_cap_is_kept(
    wanted: list[int], in_hand: int, dear: int, percent: int, most: int
) -> None:
    """As much Chinese metal as can be in stock and is bought never exceeds the cap, if the limit is said to be kept."""
    stocks = (stock("metal", in_hand, source("CN", 1).chain),) if in_hand else ()
    given_case = case(demand("metal", "civil", *wanted), stocks=stocks)
    found = planned(
        given_case, metals(cn=most or None, au=15 * dear), cap(counts="used", share=f"{percent} %", penalty=1000)
    )
    for t, quantity in enumerate(wanted):
        missed = sum(float(r.missed_by) for r in found.run.limits if r.rule == "cap" and str(2026 + t) in r.label)
        if t and quantity and not missed:
            assert _most_used(found, t, in_hand) <= percent / 100 * quantity + 1e-6


def _most_used(found: Recommendation, year: int, in_hand: int) -> float:
    """The most Chinese metal that may be used in a year: all of it that can be in stock, and all that is bought, up to what is delivered."""
    plan = found.run
    before = [p for p in plan.purchases if int(p.delivered) < 2026 + year]
    used = sum(float(d.quantity_kg) for d in plan.deliveries if int(d.period) < 2026 + year)
    there = in_hand + sum(float(p.quantity_kg) for p in before) - used
    chinese = in_hand + sum(float(p.quantity_kg) for p in before if p.offer == "cn-metal")
    now = sum(float(p.quantity_kg) for p in plan.purchases if p.offer == "cn-metal" and int(p.delivered) == 2026 + year)
    delivered = sum((d.quantity_kg for d in plan.deliveries if int(d.period) == 2026 + year), Decimal(0))
    return min(float(delivered), min(there, chinese) + now)


# ------------------------------------------------------------------------------------------- floors that cannot hold yet


WANTED = [demand("metal", use, *[5] * 8, id=f"{use}-metal") for use in ("civil", "defense")]
LATE = catalog(source("AU", 50, lead_time=3))
"""Metal that comes a quarter after it is ordered: nothing can lie in stock at the end of the first."""


def quarters(*rules: Rule, **more: Any) -> Recommendation:
    """Two years by quarters."""
    return planned(case(*WANTED, length="quarter", **more), LATE, *rules)


def test_a_floor_from_the_first_day_is_answered_with_the_first_day_on_which_it_can_hold() -> None:
    """90 days of cover from the first day: they can lie there at the end of the second quarter at the earliest."""
    found = quarters(rule(Cover, id="safety-stock", days=90))
    assert found.status is PlanStatus.INFEASIBLE
    (conflict,) = found.run.conflicts
    assert conflict.holds_from == {"safety-stock": date(2026, 4, 1)}
    shown = re.sub(r"\s+", " ", text(plan_document(found.run)))
    assert "safety-stock can first be kept from 2026-04-01 on" in shown
    assert "phases = [{ from = 2026-04-01 }]" in shown
    assert ".." not in shown
    assert "phases = [{ from" in re.sub(r"\s+", " ", markdown(page_document(found.run)).replace("\\", ""))
    assert shown.count("Missed in") == 1, "one line a rule"
    assert re.search(r"Missed in \d+ of \d+ rows, 2026-Q1 to 2027-Q4, by up to [\d.]+ kg", shown), shown


def test_demand_that_must_be_met_is_answered_with_the_first_day_on_which_it_can_be() -> None:
    """What is ordered on the first day comes a quarter later; the rest of the run says that nothing is planned for it."""
    found = quarters(rule(MinDelivered, id="must"))
    assert [conflict.rules for conflict in found.run.conflicts] == [["must"]]
    assert found.run.conflicts[0].holds_from == {"must": date(2026, 4, 1)}
    kept = quarters(rule(MinDelivered, id="must", phases=[{"from": "2026-04-01"}]))
    assert kept.status is PlanStatus.OPTIMAL
    assert {limit.value for limit in kept.run.limits} == {Decimal(0)}


def test_the_fix_that_is_told_is_one() -> None:
    """With the phase written as told, the case has a plan; a period earlier it has none."""
    phases = [{"from": "2026-04-01"}]
    assert quarters(rule(Cover, id="safety-stock", days=90, phases=phases)).status is PlanStatus.OPTIMAL


def test_a_floor_that_never_holds_names_no_day() -> None:
    """More kilograms in stock than the store takes."""
    level = rule(StockLevel, id="reserve", at_least="50 kg")
    most = rule(StockLevel, id="room", at_most="20 kg")
    (conflict,) = quarters(level, most).run.conflicts
    assert conflict.holds_from == {}


def test_what_covers_is_named_by_the_demands_that_it_covers() -> None:
    """Not by the number of a compliance class, which means nothing to a reader; the class itself says what it admits."""
    found = quarters(rule(Cover, id="cover", days=30, phases=[{"from": "2027-01-01"}]), ban("melted", countries="CN"))
    labels = {limit.label for limit in found.run.limits}
    assert all(re.fullmatch(r"metal US for civil-metal \+ defense-metal 2027-Q\d", label) for label in labels), labels
    assert {limit.unit for limit in found.run.limits} == {"kg"}
    assert [requirement.name for requirement in found.run.requirements] == ["civil and defense: whatever there is"]


def test_the_day_is_kept_when_a_run_is_checked_again() -> None:
    """Finding it takes further solves: a check takes it as told, and the rest is derived."""
    found = quarters(rule(Cover, id="safety-stock", days=90))
    again = recheck(found.facts(), found.run, Registry.of())
    assert again.run.conflicts == found.run.conflicts


# ------------------------------------------------------------------------------------------------- limits without demand


SECOND_YEAR = case(demand("metal", "civil", 0, 100))
"""Metal is wanted in the second year only."""
NOW = case(demand("metal", "civil", 10, 10))


@pytest.mark.parametrize(
    "words",
    [
        {"countries": ["CN"], "each": False},
        {"countries": ["CN"]},
        {"countries": ["CN"], "stage": "melted"},
        {"countries": ["CN"], "per": "period"},
        {"countries": ["CN"], "each_place": True},
        {"by": "supplier", "suppliers": ["cn"]},
    ],
)
def test_a_cap_admits_nothing_in_a_year_without_demand(words: dict[str, Any]) -> None:
    """A fifth of no demand is nothing: Chinese metal may not be bought a year early beyond its share of what is then wanted."""
    early = {"end": date(2026, 12, 31)}
    facts = metals()
    facts = facts.but(offers=(source("CN", 10, **early), *facts.offers[1:]))

    def chinese(facts: Catalog, *rules: Rule) -> dict[str, float]:
        return {
            period: kg
            for (offer, period), kg in ordered(planned(SECOND_YEAR, facts, *rules)).items()
            if offer == "cn-metal"
        }

    share = rule(MaxShare, share="20 %", **words)
    assert chinese(facts) == {"2026": 100}
    assert chinese(facts, share) == {}
    assert chinese(metals(), share) == {"2027": 20}


def test_a_cap_on_what_is_bought_only_as_an_input_admits_none_of_it_and_the_plan_says_why() -> None:
    """Nobody demands oxide itself: its cap is a share of nothing, and the way out is to take a share of purchases."""
    facts = metals(source("CN", 1, "oxide"), source("AU", 5, "oxide"), maker("JP", 1))
    cap = {"countries": ["CN"], "share": "20 %", "materials": ["oxide"]}
    found = planned(NOW, facts, rule(MaxShare, **cap))
    assert "cn-oxide" not in {offer for offer, _ in ordered(found)}
    assert "takes a share of the demand for oxide, and the case demands none" in shown(found)
    assert "demands none" not in shown(planned(NOW, facts, rule(MaxShare, **cap, of="purchases")))


@pytest.mark.parametrize(
    "limit",
    [
        rule(MinShare, countries=["AU"], share="50 %", materials=["oxide"]),
        rule(MinShare, countries=["AU"], share="50 %", end_uses=["defense"]),
        rule(MinSuppliers, count=2, materials=["oxide"]),
        rule(MinDelivered, end_uses=["defense"]),
        rule(Cover, days=30, materials=["oxide"]),
        rule(MaxChurn, share="10 %"),
        rule(StockLevel, at_least="5 kg", elements=["La"]),
    ],
    ids=lambda limit: limit.kind,
)
def test_a_floor_of_nothing_is_reported(limit: Rule) -> None:
    """Nobody may take such a limit for one that the plan keeps."""
    assert f"rule `{limit.id}` limits nothing" in shown(planned(NOW, metals(source("AU", 5, "oxide")), limit))


@pytest.mark.parametrize(
    "limit",
    [
        rule(MaxShare, countries=["CN"], share="20 %"),
        rule(MinShare, countries=["AU"], share="20 %"),
        rule(SingleSource, materials=["oxide"]),
        rule(StockLevel, at_most="5 kg", elements=["La"]),
    ],
    ids=lambda limit: limit.kind,
)
def test_other_limits_are_not_reported(limit: Rule) -> None:
    """Neither those that bind, nor those that are kept whatever is bought."""
    assert "limits nothing" not in shown(planned(NOW, metals(), limit))


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ({"materials": ["oxide"]}, "oxide"),
        ({"materials": ["oxide"], "together": True}, "oxide"),
        ({"materials": ["metal", "oxide"]}, "oxide"),
        ({"materials": ["metal"], "places": ["JP"]}, "metal at JP"),
        ({"places": ["JP"]}, "any material at JP"),
    ],
)
def test_stock_of_what_nothing_needs_is_refused(words: dict[str, Any], what: str) -> None:
    """No purchase could ever fill it: the case is refused, not planned without its stock."""
    with pytest.raises(InputError, match=f"asks for stock of {what}, which nothing in this case needs"):
        planned(NOW, metals(source("AU", 5, "oxide")), rule(StockLevel, at_least="5 kg", **words))


def shown(found: Any) -> str:
    """Return the first screen of a plan, in one line."""
    return unwrapped(plan_document(found.run), 1000)


class Forgetful(MaxShare):
    """A cap that asks for no row in the first year, as one with a mistake in it would."""

    def rows(self, facts: Facts) -> Iterable[Rows]:
        periods = frozenset(range(1, len(facts.horizon.periods)))
        return super().rows(facts.within(periods))  # type: ignore[attr-defined]


def test_a_purchase_that_no_row_of_its_cap_counts_is_a_finding() -> None:
    """Program and verifier read the same rows: what a row has to count is worked out once more."""
    with pytest.raises(VerificationError, match="no row of rule `max-share` counts cn-metal"):
        planned(NOW, metals(), rule(Forgetful, share="20 %", countries=["CN"]))
    kept = planned(NOW, metals(), rule(MaxShare, share="20 %", countries=["CN"]))
    assert ordered(kept)["cn-metal", "2026"] == 2
