"""Limits: terms that they count, end uses, shares of use, floors that cannot hold yet, and limits without any demand."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from friendshore.document.markdown import markdown
from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog
from friendshore.domain.plan import PlanStatus
from friendshore.domain.use import Result, Verdict
from friendshore.errors import InputError, VerificationError
from friendshore.plugins import Registry
from friendshore.program.limits import TermColumns
from friendshore.recommend import Recommendation
from friendshore.recommend.recheck import recheck
from friendshore.report import page_document, plan_document
from friendshore.rules import terms
from friendshore.rules.answers import InvalidResult, as_rows, as_sentence, as_verdict
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds import limits
from friendshore.rules.rows import ForUses, Row, Rows
from friendshore.verify import examine
from friendshore.verify.limits import TermValues
from friendshore_testing.generated_cases import generate_cases
from friendshore_testing.rule_trials import RuleTrial

from ..building import (
    ban,
    bought,
    built,
    case,
    catalog,
    chain,
    changed,
    demand,
    lines,
    maker,
    metals,
    offer,
    ordered,
    planned,
    refused,
    rule,
    source,
    stock,
    text,
    unwrapped,
)

# ----------------------------------------------------------------------------------------------------------------- terms


@pytest.mark.parametrize("term", get_args(terms.Term), ids=lambda term: term.__name__)
def test_a_term_names_the_tables_that_its_fields_point_into(term: type) -> None:
    """Every field but the factors holds positions in the table of its name; what else asks for them finds them there."""
    pointing = [f.name for f in fields(term) if f.name not in ("weight", "times", "at_least", "parts", "for_uses")]
    assert pointing == list(getattr(term, "tables", ()))
    assert set(pointing) <= set(get_args(terms.Table))


@pytest.mark.parametrize("reader", [TermColumns, TermValues], ids=["program", "verifier"])
def test_every_term_is_read_by_program_and_verifier(reader: type) -> None:
    """Each has a case for every term, one for one, and ends where the type checker says that there is no other."""
    (matched,) = (node for node in ast.walk(ast.parse(inspect.getsource(reader))) if isinstance(node, ast.Match))
    *cases, last = matched.cases
    named = sorted(ast.unparse(case.pattern) for case in cases)
    assert named == sorted(f"terms.{term.__name__}()" for term in get_args(terms.Term))
    assert ast.unparse(last) == "case _:\n    assert_never(term)"


class Everything(Rule):
    """It counts what no built-in kind counts: what is delivered and what is short."""

    kind: Literal["everything"] = "everything"

    def rows(self, facts: Facts) -> Iterable[Row]:
        periods = range(facts.horizon.count)
        for name, term in (("delivered", facts.delivered(_one, periods)), ("short", facts.short(_one, periods))):
            yield Row(name, (term,), at_least=Decimal(0), sentence="It is no less than nothing.")


def _one(_: object) -> int:
    return 1


def test_made_up_cases_of_the_kit_have_something_of_every_term() -> None:
    """Where a rule is tried there are stock, orders placed, onboarding, tiers, take-or-pay, terms of trade and runs of two goods."""
    rules = [
        rule(limits.Budget, amount=1), rule(limits.Cover, days=30), rule(limits.MaxChurn, share="0.5"), rule(limits.StockLevel, at_most=5),
        rule(limits.MaxSuppliers, count=1),
        rule(Everything),
    ]  # fmt: skip
    asked = [RuleTrial(one, world) for world in generate_cases(rules, count=6) for one in rules]
    found = {type(term) for one in asked for row in one.rows() for term in row.all_terms if not term.is_empty}
    assert found == set(get_args(terms.Term))
    assert 2 in {len(one.problem.lots) for one in asked}


KILOGRAMS = terms.BoughtTerm(np.arange(1), np.ones(1), 1.0)
MISSING = terms.lacking((Decimal(1), KILOGRAMS))


def test_what_is_lacking_is_counted_in_what_its_parts_are() -> None:
    """Kilograms that are lacking are kilograms, money is money; nothing lacks of what is used or not."""
    assert MISSING.unit == "kg"
    assert terms.lacking((Decimal(1), terms.SpentTerm(np.arange(1), np.ones(1)))).unit == "money"
    with pytest.raises(ValueError, match="not of numbers of sellers or another shortfall"):
        terms.lacking((Decimal(1), terms.UsedTerm(np.arange(1), np.ones(1))))


@pytest.mark.parametrize(
    ("term", "bound"), [(MISSING, "at_least"), (terms.ShortfallTerm(MISSING.parts, -1.0), "at_most")]
)
def test_what_is_lacking_is_never_asked_to_be_large(term: terms.ShortfallTerm, bound: str) -> None:
    """It is convex: a row with a least is refused, and one whose most is of its negative."""
    with pytest.raises(ValueError, match="requires a minimum shortfall"):
        Row("x", (term,), **{bound: Decimal(1)})


# -------------------------------------------------------------------------------------------------------------- end uses


DEFENSE = {"end_uses": ["defense"]}


def both(*quantities: float, **more: Any) -> Any:
    """Metal for defense and for civil use."""
    return case(demand("metal", "defense", *quantities), demand("metal", "civil", *quantities), **more)


def test_three_suppliers_for_defence() -> None:
    """Said of defense, a number of suppliers asks for nothing of what civil use is bought."""
    three = rule(limits.MinSuppliers, count=3, least_share="0.1", **DEFENSE)
    found = {(p.offer, p.end_use): p.quantity_kg for p in planned(both(100), metals(), three).run.purchases}
    defence = {("au-metal", "defense"): 10, ("cn-metal", "defense"): 80, ("jp-metal", "defense"): 10}
    assert found == {**defence, ("cn-metal", "civil"): 100}
    assert "At least 3 suppliers of any material for defense use" in three.sentence()


def test_classes_are_told_apart_only_where_a_limit_counts_by_use() -> None:
    """Without such a rule one class serves both uses; with one each has its own, of an offer, its ore and all."""
    for rules, ends in (((), [[]]), ((rule(limits.MaxShare, share="0.5", **DEFENSE),), [[""], ["defense"]])):
        assert sorted(sorted(r.ends) for r in built(both(100), metals(), *rules).compliance_classes) == ends


@pytest.mark.parametrize(("words", "extra"), [({"at_least": 30}, 30), ({"at_most": 0}, 0), ({"exactly": 20}, 20)])
def test_stock_of_one_use(words: dict[str, Any], extra: float) -> None:
    """What is set aside for defense at the end is so much; nothing is asked of civil stock."""
    found = planned(both(100), metals(), rule(limits.StockLevel, when="end", **words, **DEFENSE))
    assert bought(found) == {"cn-metal": 200 + extra}
    assert sum(float(s.quantity) for s in found.plan.plan.stocks) == extra


@pytest.mark.parametrize(
    ("limit", "cost"),
    [
        pytest.param(rule(limits.MaxShare, countries=["CN"], materials=["oxide"], of="purchases", share="0.5", **DEFENSE),
            50 * 5 + 25 * 10 + 25 * 20, id="half of the ore of shared runs is not Chinese"),
        pytest.param(rule(limits.Pin, offer="au-oxide", at_least=10, **DEFENSE), 50 * 5 + 50 * 10 + 10 * 20,
            id="a floor is bought beside what runs for both take"),
        pytest.param(rule(limits.Budget, amount=250, materials=["metal", "salt"], **DEFENSE), 50 * 15, id="money for defence pays for runs for both"),
    ],
)  # fmt: skip
def test_what_is_made_for_several_uses_in_one_run_counts_for_caps_alone(limit: Rule, cost: float) -> None:
    """A kilogram of oxide, Chinese at 10 or Australian at 20, gives metal for defense and salt for civil use, for 5."""
    run = offer("run", "us", "metal", 5, chain("US", "melted"), outputs=lines(metal=1, salt=1), inputs=lines(oxide=1))
    facts = catalog(run, source("CN", 10, "oxide"), source("AU", 20, "oxide"))
    found = planned(case(demand("metal", "defense", 50), demand("salt", "civil", 50)), facts, limit)
    assert float(found.cost.total) == pytest.approx(cost)


def test_what_costs_the_same_for_any_use_is_no_money_of_one() -> None:
    """Onboarding is due whatever an offer is bought for: a budget of one use that would count it is refused, and says so."""
    facts = catalog(source("CN", 10, onboarding=5, onboarding_currency="USD"))
    (problem,) = refused(planned, both(100), facts, rule(limits.Budget, amount=1, **DEFENSE))
    assert (problem.code, problem.message.startswith("the onboarding of `cn-metal`")) == ("FS266", True)
    assert problem.column.startswith("rule")


@pytest.mark.parametrize(
    ("kind", "words", "message"),
    [
        # What is bought today is not told apart by end use; what is used is measured by what is wanted.
        (limits.MaxChurn, {"share": "0.5", **DEFENSE}, "end_uses"),
        (limits.MaxShare, {"share": "0.5", "counts": "used", "of": "purchases"}, "use is a share of the demand"),
    ],
)  # fmt: skip
def test_words_that_make_no_sense_are_refused(kind: type[Rule], words: dict[str, Any], message: str) -> None:
    """With the key."""
    with pytest.raises(ValueError, match=message):
        rule(kind, **words)


def test_stock_for_both_uses_covers_both_and_counts_for_neither_alone() -> None:
    """Where stock is watched, what is kept for several uses is a class of its own: a floor asks for stock of its own."""
    level = rule(limits.StockLevel, at_least=10, when="end", **DEFENSE)
    found = planned(both(100, 100), metals(), rule(limits.Cover, days=73), level)
    assert found.verified
    ends = {r.label: r.ends for r in found.plan.problem.compliance_classes}
    held = [s.quantity for s in found.plan.plan.stocks if s.period == 1 and ends[s.compliance_class] == {"defense"}]
    assert sum(held) >= 10


class Undeclared(Rule):
    """It counts by an end use that it does not name."""

    kind: Literal["undeclared"] = "undeclared"

    def rows(self, facts: Facts) -> Iterable[Row]:
        defence = facts.bought(lambda *_: 1, (0,), for_uses=ForUses(frozenset({"defense"}), surely=False))
        yield Row("all", (defence,), at_most=Decimal(1), sentence="It is little.")


def test_a_kind_must_name_what_it_counts_by() -> None:
    """Classes are told apart for the end uses that a kind names: one that counts by another is told so."""
    rows = list(Undeclared(id="u").rows(built(both(100), metals()).facts))
    with pytest.raises(InvalidResult, match="counts the end use defense, which isn't in"):
        as_rows(rows, frozenset({"civil"}))
    assert as_rows(rows, frozenset({"civil", "defense"})) == rows


HALF = "\udc80"
"""Half of a character, which `verify` can't read from a run."""


@pytest.mark.parametrize(
    ("check", "result"),
    [
        (as_verdict, Verdict(result=Result.FAIL, clause=HALF)),
        (as_verdict, Verdict(result=Result.FAIL, reason=HALF)),
        (as_verdict, Verdict.model_construct(result=Result.FAIL, reason=None)),
        (as_verdict, Verdict.model_construct(result="pass")),
        (as_sentence, HALF),
        (partial(as_rows, counted_end_uses=()), [Row(HALF, (), at_most=Decimal(1))]),
        (partial(as_rows, counted_end_uses=()), [Row("all", (), at_most=Decimal(1), sentence=HALF)]),
    ],
)
def test_a_result_that_a_run_cannot_contain_is_invalid(check: Callable[[object], object], result: object) -> None:
    with pytest.raises(InvalidResult):
        check(result)


@pytest.mark.parametrize(
    ("tables", "code", "words"),
    [
        (["deliveries"], "FS629", "`metal-defense` is served by goods that were bought for other end uses"),
        (["deliveries", "purchases"], "FS630", "At least 50% of the demand for any material for defense use"),
    ],
)
def test_kilograms_that_end_elsewhere_than_they_were_bought_for_are_found(
    tables: list[str], code: str, words: str
) -> None:
    """Defense is served by what was bought for civil use, or Australian metal is said to be for civil use."""
    found = planned(both(100), metals(), rule(limits.MinShare, countries=["AU"], share="0.5", **DEFENSE))
    swap = {"R1": "R2", "R2": "R1"}
    plan = found.plan.plan
    wrong = {
        name: tuple(row.but(compliance_class=swap[row.compliance_class]) for row in getattr(plan, name))
        for name in tables
    }
    findings = examine(found.plan.problem, plan.but(**wrong))[1]
    assert any(finding.code == code and words in finding.message for finding in findings)


# --------------------------------------------------------------------------------------------------------- shares of use


LATER = [{"from": "2027-01-01"}]


def cap(**more: Any) -> Any:
    """No more than 40% of the demand from any one country, China above all."""
    return rule(limits.MaxShare, **{"id": "cap", "countries": ["CN"], "share": "40%", "phases": LATER, **more})


def test_a_cap_counts_stock_in_hand() -> None:
    """Chinese stock of 30 does not slip past the first capped year: it may be used, and nothing says that it is not."""
    given = case(demand("metal", "civil", 10, 10), stocks=(stock("metal", 30, source("CN", 1).chain),))
    assert planned(given, metals(), cap(counts="used")).status is PlanStatus.INFEASIBLE
    soft = planned(given, metals(), cap(counts="used", penalty=1))
    assert [float(row.missed_by) for row in soft.run.limits if row.rule == "cap"] == [16]


MADE = catalog(source("CN", 1, "oxide"), maker("JP", 1, 1, lead_time=12), source("AU", 500))
AHEAD, NEXT = case(demand("metal", "civil", 10, 10)), case(demand("metal", "civil", 0, 10))
HELD, HALF = rule(limits.StockLevel, at_least=5), {"countries": ["AU"], "share": "50%"}
MINES = {"stage": "mined", "group_by": "element"}


@pytest.mark.parametrize(
    ("given", "facts", "rules", "kilograms"),
    [
        # 10 kg a year: all 20 come in the year before the cap. A cap on what is used leaves 4 of the second year's.
        pytest.param(AHEAD, metals(), [cap()], {"cn-metal": 20}, id="a cap on what is bought is met by buying early"),
        pytest.param(AHEAD, metals(), [cap(counts="used")], {"cn-metal": 14, "au-metal": 6}, id="a cap on what is used"),
        # Metal is a year in the making of Chinese oxide.
        pytest.param(NEXT, MADE, [cap(**MINES)], {"cn-oxide": 10, "jp-melt": 10}, id="what is in the making was bought before"),
        pytest.param(NEXT, MADE, [cap(**MINES, counts="used")], {"cn-oxide": 4, "jp-melt": 4, "au-metal": 6}, id="what is in the making is used"),
        # 5 kg must lie in stock at the end, and may be Australian.
        pytest.param(case(demand("metal", "civil", 10)), metals(), [HELD, rule(limits.MinShare, **HALF)], {"cn-metal": 10, "au-metal": 5},
            id="a floor on what is bought"),
        pytest.param(case(demand("metal", "civil", 10)), metals(), [HELD, rule(limits.MinShare, **HALF, counts="used")],
            {"cn-metal": 5, "au-metal": 10}, id="a floor counts nothing that is carried out"),
    ],
)  # fmt: skip
def test_shares_of_use(given: Case, facts: Catalog, rules: list[Rule], kilograms: dict[str, float]) -> None:
    """Beside shares of what is bought."""
    assert bought(planned(given, facts, *rules)) == pytest.approx(kilograms, abs=0.001)


def test_what_nobody_can_have_sold_is_in_no_stock() -> None:
    """A cap on Kazakhstan, which sells nothing, counts no stock; of a year without demand nothing is capped."""
    given = case(demand("metal", "civil", 10, 0, 10), stocks=(stock("metal", 8, source("AU", 1).chain),))
    found = planned(given, metals(), cap(counts="used", countries=["KZ"], share=0, phases=[{}]))
    assert found.status is PlanStatus.OPTIMAL
    assert planned(case(demand("metal", "civil", 10, 0)), metals(), cap(counts="used")).run.limits == []


@settings(deadline=None, max_examples=12)
@given(
    wanted=st.lists(st.integers(0, 20), min_size=3, max_size=4),
    in_hand=st.integers(0, 30),
    dear=st.integers(1, 3),
    percent=st.sampled_from([20, 50, 80]),
    most=st.integers(0, 25),
)
def test_whatever_is_used_first_the_cap_is_kept(
    wanted: list[int], in_hand: int, dear: int, percent: int, most: int
) -> None:
    """As much Chinese metal as can be in stock and is bought never exceeds the cap, if the limit is said to be kept."""
    stocks = (stock("metal", in_hand, source("CN", 1).chain),) if in_hand else ()
    facts, limit = metals(cn=most or None, au=15 * dear), cap(counts="used", share=f"{percent}%", penalty=1000)
    found = planned(case(demand("metal", "civil", *wanted), stocks=stocks), facts, limit)
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


@pytest.mark.parametrize(
    ("kind", "words"),
    [(limits.Cover, {"days": 90}), (limits.MinDelivered, {})],
    ids=["cover", "demand that must be met"],
)
def test_a_floor_is_answered_with_the_first_day_on_which_it_can_hold(kind: type[Rule], words: dict[str, Any]) -> None:
    """What is ordered on the first day comes a quarter later; with the phase written as told, the case has a plan."""
    found = quarters(rule(kind, id="floor", **words))
    assert found.status is PlanStatus.INFEASIBLE
    assert [(one.rules, one.feasible_from) for one in found.run.conflicts] == [(["floor"], {"floor": date(2026, 4, 1)})]
    kept = quarters(rule(kind, id="floor", **words, phases=[{"from": "2026-04-01"}]))
    assert kept.status is PlanStatus.OPTIMAL
    assert not any(limit.missed_by for limit in kept.run.limits)
    # Finding the day takes further solves: a check takes it as told, and the rest is derived.
    assert recheck(found.facts(), found.run, Registry.of()).run.conflicts == found.run.conflicts


def test_the_day_from_which_a_floor_can_hold_is_shown_with_its_phase() -> None:
    """On the page as well; and one line a rule says by how much it is missed."""
    found = quarters(rule(limits.Cover, id="safety-stock", days=90))
    plan = re.sub(r"\s+", " ", text(plan_document(found.run)))
    assert "safety-stock can be satisfied from 2026-04-01 on" in plan
    for surface in (plan, re.sub(r"\s+", " ", markdown(page_document(found.run)).replace("\\", ""))):
        assert "phases = [{ from = 2026-04-01 }]" in surface
    assert len(re.findall(r"Missed in \d+ of \d+ rows, 2026-Q1 to 2027-Q4, by up to [\d.]+ kg", plan)) == 1


def test_a_floor_that_never_holds_names_no_day() -> None:
    """More kilograms in stock than the store takes."""
    levels = (
        rule(limits.StockLevel, id="reserve", at_least="50 kg"),
        rule(limits.StockLevel, id="room", at_most="20 kg"),
    )
    assert [conflict.feasible_from for conflict in quarters(*levels).run.conflicts] == [{}]


def test_what_covers_is_named_by_the_demands_that_it_covers() -> None:
    """Not by the number of a compliance class, which means nothing to a reader; the class itself says what it admits."""
    found = quarters(
        rule(limits.Cover, id="cover", days=30, phases=[{"from": "2027-01-01"}]), ban("melted", countries="CN")
    )
    for limit in found.run.limits:
        assert re.fullmatch(r"metal US for civil-metal \+ defense-metal 2027-Q\d", limit.label)
        assert limit.unit == "kg"
    assert [compliance_class.name for compliance_class in found.run.compliance_classes] == [
        "civil and defense: all goods"
    ]


# ------------------------------------------------------------------------------------------------- limits without demand


NOW = case(demand("metal", "civil", 10, 10))


@pytest.mark.parametrize(
    "words",
    [
        {"each": False}, {}, {"stage": "melted"}, {"per": "period"}, {"each_place": True}, {"countries": [], "by": "supplier", "suppliers": ["cn"]},
    ],
)  # fmt: skip
def test_a_cap_admits_nothing_in_a_year_without_demand(words: dict[str, Any]) -> None:
    """A fifth of no demand is nothing: Chinese metal may not be bought a year early beyond its share of what is then wanted."""
    early, share = (
        changed(metals(), "cn-metal", end="2026-12-31"),
        rule(limits.MaxShare, share="20%", **{"countries": ["CN"], **words}),
    )
    for facts, rules, chinese in ((early, [], {"2026": 100}), (early, [share], {}), (metals(), [share], {"2027": 20})):
        found = ordered(planned(case(demand("metal", "civil", 0, 100)), facts, *rules))
        assert {period: kg for (offer, period), kg in found.items() if offer == "cn-metal"} == chinese


def test_a_cap_on_what_is_bought_only_as_an_input_admits_none_of_it_and_the_plan_says_why() -> None:
    """Nobody demands oxide itself: its cap is a share of nothing, and the way out is to take a share of purchases."""
    facts = metals(source("CN", 1, "oxide"), source("AU", 5, "oxide"), maker("JP", 1))
    words = {"countries": ["CN"], "share": "20%", "materials": ["oxide"]}
    found = planned(NOW, facts, rule(limits.MaxShare, **words))
    assert "cn-oxide" not in bought(found)
    assert "limits a share of the demand for oxide, but the case demands none" in shown(found)
    assert "demands none" not in shown(planned(NOW, facts, rule(limits.MaxShare, **words, of="purchases")))


LIMITS_NOTHING = [
    rule(limits.MinShare, countries=["AU"], share="50%", materials=["oxide"]),
    rule(limits.MinShare, countries=["AU"], share="50%", end_uses=["defense"]),
    rule(limits.MinSuppliers, count=2, materials=["oxide"]),
    rule(limits.MinDelivered, end_uses=["defense"]),
    rule(limits.Cover, days=30, materials=["oxide"]),
    rule(limits.MaxChurn, share="10%"),
    rule(limits.StockLevel, at_least="5 kg", elements=["La"]),
]
BINDING_OR_KEPT = [
    rule(limits.MaxShare, countries=["CN"], share="20%"),
    rule(limits.MinShare, countries=["AU"], share="20%"),
    rule(limits.SingleSource, materials=["oxide"]),
    rule(limits.StockLevel, at_most="5 kg", elements=["La"]),
]


@pytest.mark.parametrize("limit", [*LIMITS_NOTHING, *BINDING_OR_KEPT], ids=lambda limit: limit.kind)
def test_a_floor_of_nothing_is_reported(limit: Rule) -> None:
    """Nobody may take such a limit for one that the plan keeps; those that bind, or are kept whatever is bought, are not reported."""
    found = shown(planned(NOW, metals(source("AU", 5, "oxide")), limit))
    assert (f"rule {limit.id} limits nothing" in found) is (limit in LIMITS_NOTHING)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ({"materials": ["oxide"]}, "oxide"), ({"materials": ["oxide"], "together": True}, "oxide"), ({"materials": ["metal", "oxide"]}, "oxide"),
        ({"materials": ["metal"], "places": ["JP"]}, "metal at JP"), ({"places": ["JP"]}, "any material at JP"),
    ],
)  # fmt: skip
def test_stock_of_what_nothing_needs_is_refused(words: dict[str, Any], what: str) -> None:
    """No purchase could ever fill it: the case is refused, not planned without its stock."""
    with pytest.raises(InputError) as refused:
        planned(NOW, metals(source("AU", 5, "oxide")), rule(limits.StockLevel, at_least="5 kg", **words))
    assert [(p.code, p.found) for p in refused.value.problems] == [("FS247", what)]


def shown(found: Any) -> str:
    """Return the first screen of a plan, in one line."""
    return unwrapped(plan_document(found.run), 1000)


class Forgetful(limits.MaxShare):
    """A cap that asks for no row in the first year, as one with a mistake in it would."""

    def rows(self, facts: Facts) -> Iterable[Rows]:
        periods = frozenset(range(1, len(facts.horizon.periods)))
        return super().rows(facts.within(periods))  # type: ignore[attr-defined]


def test_a_purchase_that_no_row_of_its_cap_counts_is_a_finding() -> None:
    """Program and verifier read the same rows: what a row has to count is worked out once more."""
    with pytest.raises(VerificationError, match="no row of rule `max-share` counts cn-metal"):
        planned(NOW, metals(), rule(Forgetful, share="20%", countries=["CN"]))
    kept = planned(NOW, metals(), rule(limits.MaxShare, share="20%", countries=["CN"]))
    assert ordered(kept)["cn-metal", "2026"] == 2
