"""Parts of what a run tells: what it rests on, what is in stock and on order, what is short and why, and what its periods' length does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import get_args

from ..domain.base import as_decimal, exact, totals
from ..domain.cash import SEPARATE, CashUse, RunCash, RunDiscount
from ..domain.dependence import RunDependence
from ..domain.held import RunHolding, RunHoldingBar, RunHoldingUse, RunLot, RunStock
from ..domain.price_dates import PriceDate, RunPriceDate
from ..domain.quantities import readable
from ..domain.run import RunAssumption, RunDraw, RunLead, RunPurchase
from ..domain.unmet import RunByMonths, RunShortage
from ..domain.use import Result
from ..explain import (
    ByMonths,
    Cash,
    Causes,
    DependentSums,
    Holding,
    PlanDependence,
    TracedCash,
    competing,
    counted_shorts,
)
from ..explain.idle_limits import idle_limits
from ..explain.stock import Bar
from ..problem import Problem
from ..problem.price_dates import PriceDates
from ..verify import Bought, VerifiedPlan

IDLE_LIMIT = "limit without demand"
"""Subject of what is said of limits of the case that ask for nothing."""


def describe_by_months(verified: VerifiedPlan, found: Mapping[str, ByMonths]) -> list[RunByMonths]:
    """Every demand that was looked at by months, or should have been; what only the length of the periods makes short is worked out here."""
    short = totals((each.demand, each.quantity) for each in counted_shorts(verified))
    case = verified.problem.case
    rounding = case.resolution * case.horizon.count * case.horizon.length.months
    rows = []
    for name, by_months in sorted(found.items()):
        only = Decimal(0) if by_months.kilograms is None else short.get(name, Decimal(0)) - by_months.kilograms
        rows.append(
            RunByMonths(
                demand=name,
                short_kg=short.get(name, Decimal(0)),
                by_months_kg=by_months.kilograms,
                only_kg=only if only > rounding else Decimal(0),
                note=by_months.note,
            )
        )
    return rows


def with_dependence(bought: list[RunPurchase], found: PlanDependence | None) -> list[RunPurchase]:
    """Return purchases that say whether they are of concern. They say nothing if the case names no country of concern."""
    if found is None:
        return bought
    return [
        purchase.but(concern=each.whole.value, concern_because=list(each.because))
        for purchase, each in zip(bought, found.purchases, strict=True)
    ]


def describe_dependence(found: PlanDependence | None) -> list[RunDependence]:
    """Return the dependence of the plan, of each material, and of each end use."""
    if found is None:
        return []
    sums = {("plan", ""): found.plan}
    sums |= {("material", name): each for name, each in found.by_material.items()}
    sums |= {("end use" if name else "stock", name): each for name, each in found.by_end_use.items()}
    return [_dependent(scope, name, each) for (scope, name), each in sums.items()]


def _dependent(scope: str, name: str, sums: DependentSums) -> RunDependence:
    return RunDependence.model_validate(
        {
            "scope": scope,
            "name": name,
            "cost": exact(sums.cash),
            "is_cost": exact(sums.is_cash),
            "may_be_cost": exact(sums.may_be_cash),
            "by_inputs_cost": exact(sums.by_inputs_cash),
            "share": exact(sums.share),
            "quantity_kg": sums.kilograms,
            "is_kg": sums.is_kilograms,
            "may_be_kg": sums.may_be_kilograms,
        }
    )


def describe_price_dates(verified: VerifiedPlan) -> list[RunPriceDate]:
    """Every price and freight that is paid, with its day and the money, where the case states how old one may be."""
    if verified.problem.case.accept.oldest_price is None:
        return []
    days = PriceDates(verified.problem)
    quantities, costs = defaultdict[PriceDate, Decimal](Decimal), defaultdict[PriceDate, Decimal](Decimal)
    for line in verified.lines:
        for one in days.of(line.item.arc, line.item.ordered, line.item.delivered):
            quantities[one] += line.item.entry.quantity
            costs[one] += line.price if one.of == "price" else line.freight
    return [
        RunPriceDate(**dict(one), quantity_kg=exact(quantities[one]), cost=exact(costs[one]))
        for one in sorted(quantities, key=PriceDate.order)
    ]


def describe_discounts(verified: VerifiedPlan) -> list[RunDiscount]:
    """Return every settlement of a price schedule."""
    periods = verified.problem.case.horizon
    found = []
    for settled in verified.settled:
        span, above = settled.span, settled.span.tiers[settled.tier + 1 :]
        found.append(
            RunDiscount(
                schedule=span.schedule.name,
                span=span.label,
                settled=periods.label(span.settled),
                measure=span.schedule.measure,
                measured=exact(settled.measured),
                tier=settled.tier + 1,
                least=span.tiers[settled.tier].least,
                next=above[0].least if above else None,
                most=span.tiers[settled.tier].most,
                at_list=exact(settled.at_list),
                discount=exact(settled.off),
            )
        )
    return found


def describe_cash(verified: VerifiedPlan, traced: TracedCash) -> list[RunCash]:
    """Return the traced cash by period, site, and what it is spent on."""
    site = {demand.id: demand.use.place.id for demand in verified.problem.demands}
    parts: list[tuple[CashUse, str, Cash]] = [("use", site[demand], cash) for demand, cash in traced.by_demand.items()]
    parts += [("stock", "", traced.stock), ("unused", "", traced.unused)]
    parts += [(on, "", traced.separate.get(on, {})) for on in SEPARATE]
    found = defaultdict[tuple[int, CashUse, str], Fraction](Fraction)
    for on, place, cash in parts:
        for t, amount in cash.items():
            found[t, on, place] += amount
    label, order = verified.problem.case.horizon.label, list(get_args(CashUse))
    return [
        RunCash(period=label(t), on=on, place=place, amount=as_decimal(found[t, on, place]))
        for t, on, place in sorted(found, key=lambda key: (key[0], order.index(key[1]), key[2]))
        if found[t, on, place]
    ]


def by_months_as_told(rows: Iterable[RunByMonths]) -> dict[str, ByMonths]:
    """What a run says of its plans in months: they are not among its facts, and are taken from it."""
    return {row.demand: ByMonths(row.by_months_kg, row.note) for row in rows}


def describe_shortages(verified: VerifiedPlan, causes: Causes) -> list[RunShortage]:
    """Return every demand and period that is short, with the causes."""
    problem = verified.problem
    demands = {demand.id: demand for demand in problem.demands}
    shorts = counted_shorts(verified)
    groups, lacking = competing(problem), {short.demand for short in shorts}
    found = []
    for short in shorts:
        demand = demands[short.demand]
        found.append(
            RunShortage(
                demand=short.demand,
                material=demand.use.material.id,
                end_use=demand.use.end_use,
                place=demand.use.place.id,
                period=problem.case.horizon.label(short.period),
                quantity_kg=short.quantity,
                wanted_kg=demand.quantity[short.period],
                causes=list(causes.get((short.demand, short.period), ())),
                competes_with=[name for name in groups[short.demand] if name != short.demand and name in lacking],
            )
        )
    return found


def shortage_totals(shortages: Sequence[RunShortage]) -> dict[str, dict[str, Decimal]]:
    """Material -> end use -> kilograms short over the plan."""
    totals: dict[str, dict[str, Decimal]] = {}
    for short in shortages:
        by_use = totals.setdefault(short.material, {})
        by_use[short.end_use] = by_use.get(short.end_use, Decimal(0)) + short.quantity_kg
    return totals


def describe_holdings(problem: Problem, found: Sequence[Holding]) -> list[RunHolding]:
    """Stock in hand and orders already placed, with what bars them."""
    label = problem.case.horizon.label
    return [
        RunHolding(
            lot=one.lot.id,
            kind="order" if one.lot.on_order else "stock",
            offer=one.lot.offer,
            material=one.lot.material,
            place=one.lot.place.id,
            arrives=one.lot.arrives,
            available=label(one.lot.period),
            quantity_kg=one.lot.quantity,
            used_kg=one.lot.quantity - one.left,
            left_kg=one.left,
            uses=[
                RunHoldingUse(
                    demand_material=served.use.material.id,
                    end_use=served.use.end_use,
                    place=served.use.place.id,
                    verdict=served.state,
                    periods=[label(t) for t in served.periods],
                    bars=[_bar(bar) for bar in served.bars],
                )
                for served in one.served
            ],
        )
        for one in found
    ]


def describe_lots(verified: VerifiedPlan) -> list[RunLot]:
    """Stock in hand and orders placed, as far as the plan uses them."""
    return [
        RunLot(
            lot=entry.lot,
            material=entry.material,
            place=entry.place,
            requirement=entry.requirement,
            available=verified.problem.case.horizon.label(entry.period),
            quantity_kg=entry.quantity,
        )
        for entry in verified.plan.lots
    ]


def describe_draws(verified: VerifiedPlan) -> list[RunDraw]:
    """What plants take out of stock, by offer."""
    totals: defaultdict[tuple[str, str, str, str, int], Decimal] = defaultdict(Decimal)
    for (material, place), requirement, period, quantity, taker in verified.ledger.draws():
        totals[verified.problem.offers[taker].offer.id, material, place, requirement, period] += quantity
    return [
        RunDraw(
            offer=offer,
            material=material,
            place=place,
            requirement=requirement,
            period=verified.problem.case.horizon.label(period),
            quantity_kg=exact(quantity),
        )
        for (offer, material, place, requirement, period), quantity in sorted(totals.items())
    ]


def describe_stocks(verified: VerifiedPlan) -> list[RunStock]:
    """What lies in stock at the end of each period."""
    return [
        RunStock(
            material=entry.material,
            place=entry.place,
            requirement=entry.requirement,
            period=verified.problem.case.horizon.label(entry.period),
            quantity_kg=entry.quantity,
        )
        for entry in verified.plan.stocks
    ]


def _bar(bar: Bar) -> RunHoldingBar:
    verdict = bar.verdict
    return RunHoldingBar(
        rule=verdict.rule,
        start=bar.start,
        end=bar.end,
        unproven=verdict.result is Result.UNPROVEN,
        stage=verdict.stage,
        countries=list(verdict.countries),
        clause=verdict.clause,
        reason=verdict.reason,
        heals=bar.heals,
    )


def describe_leads(problem: Problem) -> list[RunLead]:
    """Offers that could deliver something wanted, but whose figures nobody published well enough."""
    found = []
    for lead in problem.leads:
        facility = problem.merged.facilities[lead.offer.facility]
        found.append(
            RunLead(
                offer=lead.offer.id,
                materials=[line.material for line in lead.offer.outputs],
                facility=facility.name or facility.id,
                facility_id=facility.id,
                country=facility.country,
                reasons=list(dict.fromkeys(lead.reasons)),
            )
        )
    return found


def describe_assumptions(verified: VerifiedPlan) -> list[RunAssumption]:
    """Everything taken as given: by the case, and by the offers that the plan buys from."""
    problem = verified.problem
    used = {item.arc.chained.offer.id for item in verified.ledger.bought} | {m.offer for m, _ in verified.ledger.makes}
    offers = {facts.offer.id for facts in problem.offers}
    given = {assumption.id for assumption in problem.case.assume.offer}
    found = [
        RunAssumption(subject=a.subject, text=a.text)
        for a in problem.assumptions
        if a.subject not in offers or a.subject in used or a.subject in given
    ]
    return found + _let_pass(verified)


def describe_idle_limits(problem: Problem, pack_of: Mapping[str, str]) -> list[RunAssumption]:
    """Return the limits of the case itself that ask for nothing; a pack is written for many cases, and need not concern this one."""
    return [
        RunAssumption(subject=IDLE_LIMIT, text=text) for rule, text in idle_limits(problem) if rule.id not in pack_of
    ]


def _let_pass(verified: VerifiedPlan) -> list[RunAssumption]:
    """What the plan takes though a rule in force finds it unproven, because the case accepts that."""
    problem = verified.problem
    accept = problem.case.accept
    if not accept.unproven and not accept.proven:
        return []
    found: dict[tuple[str, str, str], dict[int, Bought]] = {}
    for judged in verified.judged:
        item, verdict = judged.item, judged.verdict
        if verdict.result is not Result.UNPROVEN or problem.law.forbids(verdict, item.arc):
            continue
        arrival = problem.case.horizon.periods[item.delivered].span
        if verdict.licence and problem.law.licences(verdict, item.arc, judged.use, arrival) is not None:
            continue
        key = (item.arc.chained.offer.id, verdict.rule, verdict.reason)
        found.setdefault(key, {})[id(item)] = item
    return [
        RunAssumption(subject=offer, text=f"{_kilograms(items)} kg let pass by `{rule}` without proof: {reason}")
        for (offer, rule, reason), items in sorted(found.items())
    ]


def _kilograms(items: dict[int, Bought]) -> str:
    return readable(sum((item.entry.quantity for item in items.values()), Decimal(0)))
