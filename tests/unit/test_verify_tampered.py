"""A plan with one thing in it that fails verification: the verifier names the thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import cache, reduce
from itertools import count
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import PrivateAttr

from friendshore.domain.plan import Infeasible, Plan, PlanStatus
from friendshore.domain.use import PASS, Chained, Move, Result, Use, Verdict
from friendshore.errors import PluginError, VerificationError
from friendshore.problem import rule_facts
from friendshore.recommend import Recommendation
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds.limits import Budget, Cover, MaxShare, MinDelivered, MinSuppliers, Pin, StockLevel
from friendshore.rules.kinds.trade import ExportControl
from friendshore.rules.rows import Purchases, Row, Rows
from friendshore.verify import VerifiedPlan, examine, verify

from ..building import (
    METAL,
    ban,
    bought,
    case,
    catalog,
    chain,
    demand,
    facility,
    lines,
    maker,
    metals,
    planned,
    rule,
    source,
    stock,
    store,
)

Tamper = Callable[[Plan], Plan]


@cache
def plain() -> Recommendation:
    """100 kg in each of two years: 60 Chinese (the site's capacity) and 40 Australian (at most 45 a year, 10 an order).

    `cn-late` is sold in 2027 alone, `cn-lead` is a lead.
    """
    own = source("AU", 50, max_per_year=45, min_order=10, total=88)
    late = source("CN", 70, name="cn-late", start=date(2027, 1, 1))
    sites = [facility("cn", "CN", 60), facility("au", "AU"), facility("x", "CN", capacity=())]
    facts = catalog(*sites, source("CN", 10), own, late, source("CN", 1, name="cn-lead", plant="x"))
    given = case(demand("metal", "civil", 100, 100), stores=(store("metal", 1, limit=20),))
    found = planned(given, facts, rule(MaxShare, by="facility", share="0.6"))
    assert bought(found) == {"cn-metal": 120, "au-metal": 80}
    return found


@cache
def lawful() -> Recommendation:
    """Defense and civil use of 10 kg each in 2026 and 2027, a ban on Chinese metal from 2027 on, and a control by license.

    The license is for 34 kg, the waiver for 4 kg of the defense metal of 2027, of which 3 kg lie in stock: 3 more are Australian.
    """
    control = rule(ExportControl, id="control", exporters=["CN"], effect="license")
    license, waiver = {"id": "L", "rule": "control", "quantity": 34}, {"id": "W", "rule": "ban", "quantity": 4}
    given = case(
        *(demand("metal", use, 10, 10) for use in ("defense", "civil")),
        licenses=[license, {"id": "old", "rule": "control", "until": "2025-12-31"}],
        waivers=[
            {**waiver, "demand": "metal-defense"},
            {"id": "early", "rule": "ban", "quantity": 9, "until": "2026-12-31"},
        ],
        stocks=(stock("metal", 3, chain("AU", *METAL)),),
        stores=(store("metal", 0),),
    )
    found = planned(given, metals(), ban("mined"), control)
    assert bought(found) == {"cn-metal": 34, "au-metal": 3}
    assert [(d.period, float(d.quantity_kg)) for d in found.run.deliveries if d.waivers] == [("2027", 4)]
    return found


@cache
def circuits() -> Recommendation:
    """A plant makes metal and magnets of one oxide; defense metal asks for Australian oxide, civil magnets do not.

    10 units for defense give 10 kg of metal and 10 of magnets, which serve civil use; 20 more units are made for it.
    """
    run = maker("JP", 50, id="jp-run", outputs=lines(metal=1, magnet=1))
    facts = catalog(facility("jp", "JP"), run, source("AU", 40, "oxide"), source("CN", 10, "oxide"))
    found = planned(
        case(demand("metal", "defense", 10), demand("magnet", "civil", 30)), facts, ban("mined", start=None)
    )
    assert bought(found) == {"jp-run": 40, "au-oxide": 20, "cn-oxide": 40}
    assert len(found.plan.plan.transfers) == 1
    return found


def which(plan: Plan, field: str, where: tuple[tuple[str, Any], ...]) -> tuple[int, list[Any]]:
    """The place of the first entry of a field with these values, and all entries."""
    entries = list(getattr(plan, field))
    return next(i for i, e in enumerate(entries) if all(getattr(e, k) == v for k, v in where)), entries


def updated(record: Any, update: dict[str, Any]) -> Any:
    """A record with other values, or with what a function makes of those that it has."""
    return record.model_copy(update={k: v(getattr(record, k)) if callable(v) else v for k, v in update.items()})


def entry(field: str, *where: tuple[str, Any], **update: Any) -> Tamper:
    """Changes the first entry of a field with these values."""

    def tamper(plan: Plan) -> Plan:
        position, entries = which(plan, field, where)
        entries[position] = updated(entries[position], update)
        return plan.model_copy(update={field: tuple(entries)})

    return tamper


def without(field: str, *where: tuple[str, Any]) -> Tamper:
    """Leaves out the first entry of a field with these values."""

    def tamper(plan: Plan) -> Plan:
        position, entries = which(plan, field, where)
        return plan.model_copy(update={field: (*entries[:position], *entries[position + 1 :])})

    return tamper


def all_of(*tampers: Tamper) -> Tamper:
    """One change after another, so that what one disturbs another sets right."""
    return lambda plan: reduce(lambda changed, tamper: tamper(changed), tampers, plan)


def head(**update: Any) -> Tamper:
    """Changes what the plan says as a whole."""
    return lambda plan: updated(plan, update)


def more(by: float) -> Callable[[Decimal], Decimal]:
    """So much more than it was."""
    return lambda value: value + Decimal(str(by))


def stated(field: str, *values: dict[str, Any]) -> Tamper:
    """Puts other entries into a field of the plan."""
    kind = Plan.model_fields[field].annotation.__args__[0]  # type: ignore[union-attr]
    return lambda plan: plan.model_copy(update={field: tuple(kind.model_validate(v) for v in values)})


def short_of(demand: str, quantity: float) -> Tamper:
    """A shortage in the first period."""
    return stated("shorts", {"demand": demand, "period": 0, "quantity": quantity})


def held(*kilograms: float, periods: tuple[int, ...]) -> Tamper:
    """Metal in stock in some periods."""
    what = {"material": "metal", "place": "US", "compliance_class": "R1"}
    return stated("stocks", *({**what, "period": t, "quantity": kg} for t, kg in zip(periods, kilograms, strict=True)))


def shifted(cn: float, au: float) -> Tamper:
    """So much more of the first Chinese order, and of the first Australian one."""
    return all_of(entry("purchases", CN, FIRST, quantity=more(cn)), entry("purchases", AU, FIRST, quantity=more(au)))


CN, AU = ("offer", "cn-metal"), ("offer", "au-metal")
FIRST, SECOND = ("ordered", 0), ("ordered", 1)
MADE_UP = Infeasible(materials=("metal",), demands=("metal-civil",), rules=("max-share",))
TOTAL = all_of(*(entry("purchases", AU, period, quantity=more(5)) for period in (FIRST, SECOND)))
PLAIN: dict[str, tuple[Tamper, str, str]] = {
    "quantity": (entry("purchases", CN, quantity=more(-1)), "FS625", "metal at US for R1 in 2026"),
    "more than is stored": (entry("purchases", AU, FIRST, quantity=more(1)), "FS626", "metal at US for R1 in 2026"),
    "a quantity too fine": (entry("purchases", CN, quantity=more(0.0001)), "FS624", "cn-metal to US"),
    "a negative quantity": (entry("purchases", CN, quantity=Decimal(-60)), "FS624", "cn-metal to US"),
    "arrival": (entry("purchases", CN, FIRST, delivered=1), "FS624", "arrives in 2027"),
    "outside the plan": (entry("purchases", CN, SECOND, ordered=2, delivered=2), "FS624", "cn-metal to US (metal, R1, period 2)"),
    "capacity": (shifted(1, -1), "FS627", "`cn` in 2026"),
    "own maximum": (shifted(-6, 6), "FS627", "more is ordered from `au-metal` in 2026"),
    "order minimum": (entry("purchases", AU, FIRST, quantity=Decimal(9)), "FS627", "less is ordered from `au-metal` in 2026"),
    "total": (TOTAL, "FS627", "more is ordered from `au-metal` than"),
    "not offered then": (entry("purchases", AU, FIRST, offer="cn-late"), "FS624", "cn-late to US (metal, R1, period 0)"),
    "an unknown offer": (entry("purchases", CN, offer="nobody"), "FS624", "offer `nobody`"),
    "a lead": (entry("purchases", CN, offer="cn-lead"), "FS624", "offer `cn-lead`"),
    "an unknown place": (entry("purchases", CN, place="DE"), "FS624", "metal to DE"),
    "another good": (entry("purchases", CN, material="oxide"), "FS624", "oxide to US"),
    "a purchase left out": (without("purchases", CN, FIRST), "FS625", "metal at US for R1 in 2026"),
    "a delivery": (entry("deliveries", quantity=more(-1)), "FS626", "`metal-civil` in 2026"),
    "a delivery left out": (without("deliveries"), "FS626", "`metal-civil`"),
    "an unknown demand": (entry("deliveries", demand="nobody"), "FS624", "demand `nobody`"),
    "a shortage made up": (short_of("metal-civil", 5), "FS626", "`metal-civil` in 2026"),
    "a negative shortage": (all_of(entry("deliveries", quantity=more(5)), short_of("metal-civil", -5)), "FS624", "shortage of `metal-civil`"),
    "a shortage of an unknown demand": (short_of("nobody", 5), "FS624", "`nobody`"),
    "stock made up": (held(5, periods=(0,)), "FS626", "metal at US for R1 in 2026"),
    "stock told twice, at first otherwise": (held(5, 0, periods=(0, 0)), "FS624", "stock of `metal` at `US` in 2026"),
    "a store too full": (all_of(shifted(20, 5), held(25, 25, periods=(0, 1))), "FS627", "metal is stored at US in 2026"),
    "objective": (head(objective=more(-10)), "FS634", "objective"),
    "bound": (head(bound=more(10)), "FS634", "bound"),
    "optimal with a bound far below": (head(bound=lambda bound: bound * Decimal("0.46")), "FS634", "called optimal"),
    "a limit": (shifted(0.01, -0.01), "FS630", "`max-share`"),
    "a conflict made up": (head(infeasible=(MADE_UP,)), "FS634", "conflict"),
    "a conflict left out": (head(status=PlanStatus.INFEASIBLE), "FS634", "conflict"),
}  # fmt: skip


def exchanged(one: str, other: str) -> Tamper:
    """Gives all that is of one compliance class to another, and the other way round: everything else still agrees."""
    labels = {one: other, other: one}

    def moved(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            each.but(compliance_class=labels.get(each.compliance_class, each.compliance_class)) for each in entries
        )

    return head(**dict.fromkeys(("purchases", "lots", "stocks", "deliveries"), moved))


UNDER = ("waivers", ("W",))
LAWFUL: dict[str, tuple[Tamper, str, str]] = {
    "classes exchanged": (exchanged("R1", "R2"), "FS629", "compliance class R2"),
    "a class that is not there": (exchanged("R1", "R9"), "FS629", "R9"),
    "an unlawful offer": (entry("purchases", AU, offer="cn-metal", licenses=("L",)), "FS628", "by `ban` at mined (CN)"),
    "no license": (entry("purchases", CN, licenses=()), "FS628", "unproven by `control` (CN)"),
    "an unknown license": (entry("purchases", CN, licenses=("forged",)), "FS624", "`forged`"),
    "a license of other days": (entry("purchases", CN, licenses=("old",)), "FS628", "`old`"),
    "more than a license": (entry("purchases", CN, quantity=more(1)), "FS627", "`L`"),
    "an unknown waiver": (entry("deliveries", UNDER, waivers=("forged",)), "FS624", "`forged`"),
    "a waiver of other days": (entry("deliveries", UNDER, waivers=("early",)), "FS628", "by `ban`"),
    "no waiver": (entry("deliveries", UNDER, waivers=()), "FS628", "by `ban` at mined (CN)"),
    "more than a waiver": (entry("deliveries", UNDER, quantity=more(1)), "FS627", "`W`"),
    "a wrong compliance class": (entry("purchases", AU, compliance_class="R1"), "FS625", "metal at US for R2 in 2027"),
    "an unknown compliance class": (entry("purchases", AU, compliance_class="R9"), "FS629", "R9"),
    "more of a lot than is there": (entry("lots", quantity=more(1)), "FS625", "`stock-metal-US`"),
    "an unknown lot": (entry("lots", lot="nothing"), "FS624", "lot `nothing`"),
    "a lot elsewhere": (entry("lots", place="DE"), "FS624", "stock-metal-US to DE"),
    "a lot too late": (entry("lots", period=1), "FS624", "stock-metal-US to US"),
}  # fmt: skip


def lent_back(plan: Plan) -> Plan:
    """Lends metal the other way round as well."""
    first = plan.transfers[0]
    ends = {"from_compliance_class": first.to_compliance_class, "to_compliance_class": first.from_compliance_class}
    return plan.but(transfers=(*plan.transfers, first.but(**ends, material="metal")))


CIRCUITS: dict[str, tuple[Tamper, str, str]] = {
    "fewer units": (entry("makes", units=more(-1)), "FS625", "`jp-run` in 2026"),
    "an unknown maker": (entry("makes", offer="nobody"), "FS624", "offer `nobody`"),
    "a run of another compliance class": (entry("makes", compliance_class="R9"), "FS629", "R9"),
    "an input left out": (without("purchases", ("offer", "au-oxide")), "FS625", "oxide at JP for"),
    "more lent": (entry("transfers", quantity=more(1)), "FS625", "magnet is taken from `jp-run` in 2026"),
    "lent by nobody": (entry("transfers", offer="nobody"), "FS624", "offer `nobody`"),
    "lent to the stricter": (lent_back, "FS628", "by `ban` at mined (CN)"),
    "a run outside the plan": (entry("makes", period=7), "FS624", "a run of `jp-run`"),
    "lent outside the plan": (entry("transfers", period=-1), "FS624", "a transfer of `jp-run`"),
    "a delivery outside the plan": (entry("deliveries", period=7), "FS624", "a delivery to `magnet-civil`"),
}
ALL = [
    pytest.param(world, *tampered, id=f"{world.__name__}: {name}")
    for world, cases in ((plain, PLAIN), (lawful, LAWFUL), (circuits, CIRCUITS))
    for name, tampered in cases.items()
]


@pytest.mark.parametrize("world", [plain, lawful, circuits], ids=lambda world: world.__name__)
def test_an_untouched_plan_holds(world: Callable[[], Recommendation]) -> None:
    """Nothing is found in what the optimizer gave."""
    found = world().plan
    assert verify(found.problem, found.plan).cost == found.cost


def findings_of(found: Recommendation, plan: Plan) -> list[str]:
    """What is found of another plan of the same facts, which is not verified."""
    verified, findings = examine(found.plan.problem, plan)
    assert verified is None
    return [f"{f.code} {f.message} {f.found}" for f in findings]


@pytest.mark.parametrize(("world", "tamper", "code", "name"), ALL)
def test_what_is_not_so_is_named(world: Callable[[], Recommendation], tamper: Tamper, code: str, name: str) -> None:
    """One thing changed: there is no verified plan, and a finding names the thing."""
    found = world()
    tampered = tamper(found.plan.plan)
    assert tampered != found.plan.plan
    findings = findings_of(found, tampered)
    assert any(one.startswith(code) and name in one for one in findings), findings


def soft_floor() -> Recommendation:
    """Cover of 73 days keeps 96.4642857... kg in stock. A soft floor of deliveries misses what that leaves, at 5,000 USD per kilogram."""
    given = case(
        demand("metal", "civil", 172, 37, price=200), length="month", stocks=(stock("metal", 150, chain("CA", *METAL)),)
    )
    must = rule(MinDelivered, share="0.6", per="horizon", penalty=5000)
    return planned(given, catalog(facility("au", "AU"), source("AU", 50, "oxide")), must, rule(Cover, days=73))


def test_rounding_to_a_gram_may_change_a_penalty() -> None:
    """Stock of 96.464 kg covers the 73 days, to the gram. So 0.3 g more is delivered than in the solver's plan, which is worth USD 1.49."""
    verified = soft_floor().plan
    assert verified.cost.penalties == Decimal("71.864") * 5000
    assert 1 < verified.plan.objective - verified.cost.objective < verified.rounding < 10


@pytest.mark.parametrize("tamper", [head(objective=more(-10)), head(bound=more(20))])
def test_a_penalty_is_refused_beyond_rounding(tamper: Tamper) -> None:
    """Four rounded quantities change a penalty of 5,000 USD per kilogram by no more than USD 10."""
    found = soft_floor()
    assert any(finding.startswith("FS634") for finding in findings_of(found, tamper(found.plan.plan)))


def test_stock_kept_for_a_use_is_judged_for_it() -> None:
    """Nothing of the last order is delivered: it is kept for defense, which no Chinese metal may serve."""
    reserve = rule(StockLevel, id="reserve", at_least=10, end_uses=["defense"], when="end")
    wanted = demand("metal", "defense", 10, 0), demand("metal", "civil", 5, 5)
    found = planned(case(*wanted), metals(), ban("mined", start=None), reserve)
    assert {(p.offer, p.end_use) for p in found.run.purchases} == {("au-metal", "defense"), ("cn-metal", "civil")}
    plan = found.plan.plan
    held = next(one for one in plan.stocks if one.period == 1)
    late = {"ordered": 1, "delivered": 1, "quantity": 10, "compliance_class": held.compliance_class}
    chinese = next(one for one in plan.purchases if one.offer == "cn-metal").model_copy(update=late)
    fewer = entry("purchases", AU, quantity=10)(plan)
    findings = findings_of(found, fewer.but(purchases=(*fewer.purchases, chinese), stocks=(held,)))
    assert any(one.startswith("FS628") and "may not serve metal for defense use" in one for one in findings)


def test_everything_that_is_not_so_is_named_at_once() -> None:
    """Three changes, three findings at least."""
    found = plain().plan
    tampered = all_of(*(PLAIN[name][0] for name in ("a lead", "an unknown demand", "bound")))(found.plan)
    with pytest.raises(VerificationError) as caught:
        verify(found.problem, tampered)
    assert all(words in str(caught.value) for words in ("cn-lead", "nobody", "bound"))


def test_only_verify_makes_a_verified_plan() -> None:
    """A plan cannot be called verified by hand."""
    found = plain().plan
    fields = {name: getattr(found, name) for name in VerifiedPlan.__slots__}
    with pytest.raises(TypeError, match="only verify"):
        VerifiedPlan(**{**fields, "seal": object()})


@pytest.mark.parametrize(
    ("law", "change"),
    [
        (rule(Budget, amount=3000, per="horizon"), {"au-metal": 51, "cn-metal": 49}),
        (rule(Pin, offer="jp-metal", at_least=20), {"jp-metal": 19, "cn-metal": 81}),
        (rule(MinSuppliers, count=2), {"cn-metal": 96, "au-metal": 4}),
    ],
    ids=lambda given: given.id if isinstance(given, Rule) else "",
)
def test_limits_of_every_question_are_read_on_the_plan(law: Rule, change: dict[str, float]) -> None:
    """Money spent, kilograms bought, suppliers used: a plan made without the rule does not pass with it."""
    given = case(demand("metal", "civil", 100))
    free = planned(given, metals()).plan.plan
    orders = (free.purchases[0].but(offer=name, quantity=Decimal(q)) for name, q in change.items())
    findings = findings_of(planned(given, metals(), law), free.but(purchases=tuple(orders)))
    assert any(one.startswith(f"FS630 rule `{law.id}`") for one in findings), findings


def test_what_must_be_delivered_is_read_on_the_plan() -> None:
    """Metal at 10 is not bought where a kilogram short costs 5: that plan does not pass where 90% must be delivered."""
    given = case(demand("metal", "civil", 100, price=5))
    free = planned(given, metals()).plan.plan
    findings = findings_of(planned(given, metals(), rule(MinDelivered, share="90%")), free)
    assert [one.endswith(" 100") for one in findings if one.startswith("FS630 rule `min-delivered`")] == [True]


class Forgetful(Rule):
    """A plugin's limit of kilograms, which answers by how often it was asked."""

    kind: Literal["forgetful"] = "forgetful"
    bounds: tuple[int, ...]
    """Bounds by turn; the last is for good. Of 0 there is no row."""
    many: bool = False
    _turn: Iterator[int] = PrivateAttr(default_factory=count)

    def rows(self, facts: Facts) -> Iterable[Row | Rows]:
        """One row over all that is bought."""
        most = Decimal(self.bounds[min(next(self._turn), len(self.bounds) - 1)])
        term = facts.bought(lambda offer, place: 1, (0, 1))
        if self.many:
            first = np.array([0, len(term.moves)])
            yield Rows(["all"], Purchases(first, term.moves, term.weight), at_most=[most])
        elif most:
            yield Row("all", (term,), at_most=most)


FIFTY = case(demand("metal", "civil", 50, 50)), catalog(source("AU", 50))


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("bounds", "many", "words"),
    [
        ((600, 60), False, "first row `all` with at most 600, then row `all` with at most 60"),
        ((0, 60), False, "first no further row"),
        ((600, 60), True, "first rows `all` and on with at most 600, then rows `all` and on with at most 60"),
    ],
)
def test_a_rule_that_answers_differently_the_second_time_is_named(
    bounds: tuple[int, ...], many: bool, words: str
) -> None:
    """A limit that was looser when the plan was made is no limit: whoever verifies asks the rule itself."""
    with pytest.raises(PluginError, match=r"its rule `forgetful` of kind `forgetful`.*two different answers") as error:
        planned(*FIFTY, rule(Forgetful, bounds=bounds, many=many))
    assert words in str(error.value)
    assert bought(planned(*FIFTY, rule(Forgetful, bounds=(60,), many=many))) == {"au-metal": 60}


class Fickle(Rule):
    """A plugin's rule that passes everything a few times, and nothing after that."""

    kind: Literal["fickle"] = "fickle"
    passes: int
    _turn: Iterator[int] = PrivateAttr(default_factory=count)

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """The verdict by how often the rule was asked."""
        if next(self._turn) < self.passes:
            return PASS
        return Verdict(result=Result.UNPROVEN, rule=self.id, reason="asked too often")


@pytest.mark.usefixtures("site")
def test_a_rule_with_two_verdicts_is_named() -> None:
    """The plan asks once, and verification twice."""
    with pytest.raises(PluginError, match=r"`judge` gave two different answers for au-metal: first pass, then unprov"):
        planned(*FIFTY, rule(Fickle, passes=2))
    assert bought(planned(*FIFTY, rule(Fickle, passes=3))) == {"au-metal": 100}


@pytest.mark.usefixtures("site")
def test_a_rule_of_too_many_rows_is_told_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of rows is refused, before time or memory is gone."""
    monkeypatch.setattr(rule_facts, "MOST_ROWS", 0)
    with pytest.raises(PluginError, match="yields more than 0 rows"):
        planned(*FIFTY, rule(Forgetful, bounds=(60,)))


def test_rounding_may_miss_by_what_it_must_and_no_more() -> None:
    """A third of a kilogram of oxide a kilogram of metal, in grams: the draw of 10/3 kg is 3.333 and misses by less than a gram."""
    facts = catalog(maker("JP", 5, needs=1 / 3), source("AU", 40, "oxide"))
    found = planned(case(demand("metal", "civil", 10)), facts)
    assert 0 < found.run.largest_miss_kg < Decimal("0.0005")
    assert bought(found) == {"jp-melt": 10, "au-oxide": 3.333}
    findings = findings_of(found, entry("purchases", ("offer", "au-oxide"), quantity=more(-0.001))(found.plan.plan))
    assert "more oxide at JP" in findings[0]


def test_a_search_that_was_stopped_may_say_too_much_and_never_too_little() -> None:
    """The solver's figure may lie above what the plan costs by what its bound leaves open, never below it."""
    found = plain().plan
    loose = found.plan.but(bound=found.plan.bound - 50, status=PlanStatus.FEASIBLE)
    above, below = (loose.but(objective=loose.objective + off) for off in (40, -40))
    assert examine(found.problem, above)[0] is not None
    assert examine(found.problem, below)[0] is None
