"""From a verified plan to a run: every figure that a reader needs, named."""

from __future__ import annotations

import platform
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.metadata import version
from typing import Any

from .. import explain
from ..domain.base import as_decimal, exact, totals
from ..domain.plan import Purchase
from ..domain.run import (
    Run,
    RunAssumption,
    RunDelivery,
    RunDemand,
    RunLevel,
    RunMake,
    RunPeriod,
    RunPurchase,
    RunRange,
)
from ..domain.time import today
from ..domain.unmet import RunConflict
from ..domain.use import PROGRAM
from ..domain.used import RunBlock, RunPlugin, known_by
from ..plugins import sentence_of
from ..problem import Problem
from ..problem.case_checks import origin_rules
from ..problem.demands import Demand, wanted_at
from ..problem.inputs import Applied
from ..problem.network import final_node
from ..session import Session
from ..solve import Progress
from ..verify import Line, VerifiedPlan
from ..verify.compliance import Judging
from . import run_parts
from .duties import describe_duties, describe_duties_on_inputs, duties_on_inputs
from .facts import PackFacts
from .gather import Gathered, blocks_of
from .law import (
    describe_blocked,
    describe_compliance_classes,
    describe_exposed,
    describe_limits,
    describe_packs,
    describe_rules,
    describe_unproven,
)


@dataclass(frozen=True, slots=True)
class RunContext:
    """What of a run does not follow from its verified plan: how it came about, and what was used."""

    made: date | None
    scenario: Sequence[str]
    changes: Sequence[str]
    """What was applied: every change in words."""
    strict: bool
    causes: explain.Causes
    """Causes of shortages. Finding them takes further solves."""
    packs: Sequence[PackFacts]
    pack_of: Mapping[str, str]
    """Rule -> the pack that brings it."""
    components: int
    holds_from: Sequence[Mapping[str, date]]
    """For every conflict, floor -> first day from which it can be kept; likewise."""
    ranks: Mapping[int, explain.RankPrice]
    """Rank -> what that objective costs; finding out takes further solves."""
    plugins: Sequence[RunPlugin]
    plugins_blocked: Sequence[RunBlock]
    versions: Mapping[str, str]
    by_months: Mapping[str, explain.ByMonths]
    """Demand -> what a plan in months leaves short of it; finding out takes further solves."""


def describe(session: Session, gathered: Gathered, applied: Applied, progress: Progress | None = None) -> Run:
    """The run of a solved and verified session; `progress` is told of what is solved for it."""
    told = RunContext(
        today(),
        applied.scenario,
        applied.told(gathered.case),
        applied.strict,
        explain.shortage_causes(session),
        [PackFacts.of(pack, owner) for pack, owner in gathered.packs],
        gathered.pack_of,
        session.solution.components,
        explain.floors_from(session),
        explain.rank_prices(session),
        gathered.plugins,
        blocks_of(gathered.registry),
        _versions(),
        explain.by_months(session, progress),
    )
    return run_of(session.verified, told)


def run_of(verified: VerifiedPlan, told: RunContext) -> Run:
    """The run of a verified plan: the same whether it was just solved or is checked again from its facts."""
    problem = verified.problem
    out = explain.kept_out(problem)
    shortages = run_parts.describe_shortages(verified, told.causes)
    dependence = explain.plan_dependence(verified, problem.case.concern.countries)
    ranged = explain.spend_at_ends(verified)
    traced = explain.trace_cash(verified)
    bought = purchases(problem, verified.lines, verified.judging, told.plugins, traced.inputs)
    left_out = duties_on_inputs(verified, traced.inputs)
    bought = [one.but(duty_on_inputs=duty) if duty else one for one, duty in zip(bought, left_out, strict=True)]
    objective, bound = verified.cost.objective, min(verified.plan.bound, verified.cost.objective)
    return Run(
        case=problem.case.name,
        **_stated(told),
        status=verified.plan.status,
        confirmed_by=list(verified.plan.confirmed_by),
        not_tie_broken=list(verified.plan.not_tie_broken),
        exchangeable=list(verified.plan.exchangeable),
        verified=True,
        currency=problem.case.currency,
        place=problem.case.place,
        objective=objective,
        bound=exact(bound),
        gap=exact((objective - bound) / abs(objective)) if objective else Decimal(0),
        cost=verified.cost,
        cash=run_parts.describe_cash(verified, traced),
        levels=_levels(verified, told.ranks),
        shortage_kg=run_parts.shortage_totals(shortages),
        periods=[RunPeriod(label=p.label, start=p.start, end=p.end) for p in problem.case.horizon.periods],
        materials=explain.materials_of(problem),
        demands=_demands(verified, traced),
        priority=list(problem.case.assume.priority),
        purchases=run_parts.with_dependence(bought, dependence),
        countries_of_concern=sorted(problem.case.concern.countries),
        dependence=run_parts.describe_dependence(dependence),
        ranges=[] if ranged is None else _ranges(ranged),
        nominal_low=None if ranged is None else ranged.low,
        nominal_high=None if ranged is None else ranged.high,
        oldest_price_days=problem.case.accept.oldest_price_days,
        price_dates=run_parts.describe_price_dates(verified),
        discounts=run_parts.describe_discounts(verified),
        makes=_makes(verified),
        lots=run_parts.describe_lots(verified),
        holdings=run_parts.describe_holdings(problem, explain.holdings(verified)),
        rounded=explain.rounded(problem),
        by_months=run_parts.describe_by_months(verified, told.by_months),
        draws=run_parts.describe_draws(verified),
        stocks=run_parts.describe_stocks(verified),
        deliveries=_deliveries(verified),
        shortages=shortages,
        exposed=describe_exposed(problem, explain.exposed(verified)),
        rules=describe_rules(verified, out, told.pack_of),
        requirements=describe_compliance_classes(problem),
        limits=describe_limits(verified),
        conflicts=_conflicts(verified, told.holds_from),
        unproven=describe_unproven(out),
        blocked=describe_blocked(out),
        leads=run_parts.describe_leads(problem),
        assumptions=[*_assumptions(verified, told), *describe_duties_on_inputs(bought, problem.case.currency)],
        largest_miss_kg=exact(verified.largest_miss),
    )


def _stated(told: RunContext) -> dict[str, Any]:
    """Return the fields of a run that don't follow from its plan."""
    return {
        "made": told.made,
        "scenario": list(told.scenario),
        "changes": list(told.changes),
        "strict": told.strict,
        "components": told.components,
        "plugins": list(told.plugins),
        "plugins_blocked": list(told.plugins_blocked),
        "versions": dict(told.versions),
    }


def _assumptions(verified: VerifiedPlan, told: RunContext) -> list[RunAssumption]:
    return [
        *run_parts.describe_assumptions(verified),
        *run_parts.describe_idle_limits(verified.problem, told.pack_of),
        *describe_duties(verified),
        *describe_packs(told.packs, told.made),
    ]


def _levels(verified: VerifiedPlan, prices: Mapping[int, explain.RankPrice]) -> list[RunLevel]:
    return [
        RunLevel(
            rank=rank,
            minimise=reading.objective.level.minimise.value,
            sentence=reading.objective.sentence,
            unit=verified.problem.case.currency if reading.objective.in_money else "kg",
            implied=reading.objective.implied,
            value=reading.value,
            bound=min(reading.bound, reading.value),
            gap=exact((reading.least - reading.bound) / abs(reading.least)) if reading.least else Decimal(0),
            least=reading.least,
            within=reading.objective.level.within,
            gained=prices.get(rank, explain.UNPRICED).gained,
            raised_objective=prices.get(rank, explain.UNPRICED).raised_objective,
        )
        for rank, reading in enumerate(verified.levels, 1)
    ]


def _versions() -> dict[str, str]:
    names = ("friendshore", "highspy", "ortools", "numpy", "scipy")
    return {"python": platform.python_version()} | {name: _version(name) for name in names}


@cache
def _version(name: str) -> str:
    """Of an installed distribution, whose file is looked up and read once."""
    return version(name)


def _label(problem: Problem, period: int) -> str:
    return problem.case.horizon.label(period)


def _demands(verified: VerifiedPlan, traced: explain.TracedCash) -> list[RunDemand]:
    problem = verified.problem
    every, short = verified.plan.short_by_demand, defaultdict[str, dict[int, Decimal]](dict)
    for entry in explain.counted_shorts(verified):
        short[entry.demand][entry.period] = entry.quantity
    return [
        RunDemand(
            id=demand.id,
            material=demand.use.material.id,
            end_use=demand.use.end_use,
            place=demand.use.place.id,
            wanted_kg=sum(demand.quantity, Decimal(0)),
            low_kg=wanted_at(demand, demand.spec.low),
            high_kg=wanted_at(demand, demand.spec.high),
            delivered_kg=sum(demand.quantity, Decimal(0)) - every.get(demand.id, Decimal(0)),
            short_kg=sum(short[demand.id].values(), Decimal(0)),
            shortage_price=price,
            program=str(demand.use.stated.get(PROGRAM, "")),
            cash=as_decimal(sum(traced.by_demand.get(demand.id, {}).values(), Fraction(0))),
            first_met=_first_met(problem, demand, short[demand.id]),
            origin_rules=origin_rules(demand, problem.law),
        )
        for demand, price in zip(problem.demands, problem.shortage_price, strict=True)
    ]


def _first_met(problem: Problem, demand: Demand, short: dict[int, Decimal]) -> str:
    """The first period with a demand from which nothing is short any more; rounding of a few grams does not count."""
    slack = problem.case.resolution * 10
    last = max((t for t, quantity in short.items() if quantity > slack), default=-1)
    later = [t for t, wanted in enumerate(demand.quantity) if t > last and wanted]
    return _label(problem, later[0]) if later else ""


def purchases(
    problem: Problem,
    lines: Sequence[Line],
    judging: Judging,
    used: Iterable[RunPlugin] = (),
    inputs: Sequence[Fraction] = (),
) -> list[RunPurchase]:
    """Return every purchase with its cost, and with the end uses of the deliveries that it may end in.

    Args:
        used: What the plan was made with. Orders that should have gone out before its newest date are late.
        inputs: Cash of each purchase's inputs. Empty: it is not traced, and no full price is given.
    """
    known = known_by(used, problem.case.horizon.start)
    wanted = totals((final_node(demand.use), sum(demand.quantity, Decimal(0))) for demand in problem.demands)
    carried: Sequence[Fraction | None] = inputs or [None] * len(lines)
    days = explain.order_days(judging.ledger)
    return [
        _purchase(problem, line, wanted, judging, known, cash, day)
        for line, cash, day in zip(lines, carried, days, strict=True)
    ]


def _ranges(ranged: explain.RangedSpend) -> list[RunRange]:
    """What is bought of every offer whose price has a range, by material."""
    found = []
    for offer, ends in sorted(ranged.lines.items()):
        for material in sorted({line.item.entry.material for line in ends[0]}):
            lines = [[line for line in some if line.item.entry.material == material] for some in ends]
            price, price_low, price_high = (exact(sum((line.price for line in some), Decimal(0))) for some in lines)
            cost, cost_low, cost_high = (exact(sum((line.total for line in some), Decimal(0))) for some in lines)
            found.append(
                RunRange(
                    offer=offer,
                    material=material,
                    quantity_kg=sum((line.item.entry.quantity for line in lines[0]), Decimal(0)),
                    price=price,
                    price_low=price_low,
                    price_high=price_high,
                    cost=cost,
                    cost_low=cost_low,
                    cost_high=cost_high,
                )
            )
    return found


def _purchase(
    problem: Problem,
    line: Line,
    wanted: dict[tuple[str, str], Decimal],
    judging: Judging,
    known: date,
    inputs: Fraction | None,
    order: explain.OrderDay,
) -> RunPurchase:
    entry, arc = line.item.entry, line.item.arc
    assert isinstance(entry, Purchase)
    facility = arc.chained.facility
    total = wanted.get(arc.node, Decimal(0))
    traced = inputs is not None and entry.quantity
    full = None
    if traced:
        full = (
            as_decimal((Fraction(line.total) + inputs) / Fraction(entry.quantity))
            if inputs
            else exact(line.total / entry.quantity)
        )
    return RunPurchase(
        offer=entry.offer,
        material=entry.material,
        facility=facility.name or facility.id,
        facility_id=facility.id,
        supplier=facility.supplier,
        country=facility.country,
        countries={
            stage.value: sorted(frozenset().union(*(e.countries for e in arc.chained.entries(stage))))
            for stage in sorted({e.main_stage for e in arc.chained.performed}, key=lambda s: s.rank)
        },
        place=entry.place,
        ordered=_label(problem, entry.ordered),
        order_by=order.day,
        at_once=order.at_once,
        late_days=(known - order.day).days if known > arc.order_by[entry.ordered] else 0,
        delivered=_label(problem, entry.delivered),
        end_use="+".join(sorted({served.use.end_use for served in judging.ends(line.item)})),
        requirement=entry.requirement,
        quantity_kg=entry.quantity,
        basis=problem.merged.materials[entry.material].basis,
        cost=exact(line.total),
        price=exact(line.price),
        charges=exact(line.charges),
        freight=exact(line.freight),
        inputs_cost=as_decimal(inputs) if inputs else Decimal(0),
        full_price_per_kg=full,
        share_of_demand=exact(entry.quantity / total) if total else None,
        catalog=arc.chained.offer.catalog,
        confidence=explain.least_confidence(problem, arc.chained).value,
    )


def _makes(verified: VerifiedPlan) -> list[RunMake]:
    problem = verified.problem
    return [
        RunMake(
            offer=make.offer,
            ordered=_label(problem, make.period),
            requirement=make.requirement,
            units=make.units,
            cost=exact(problem.offers[offer].price[make.period] * make.units),
        )
        for make, offer in verified.ledger.makes
    ]


def _deliveries(verified: VerifiedPlan) -> list[RunDelivery]:
    problem = verified.problem
    found = []
    for delivery, position in verified.ledger.deliveries:
        use = problem.demands[position].use
        found.append(
            RunDelivery(
                demand=delivery.demand,
                material=use.material.id,
                end_use=use.end_use,
                place=use.place.id,
                period=_label(problem, delivery.period),
                requirement=delivery.requirement,
                quantity_kg=delivery.quantity,
                waivers=list(delivery.waivers),
            )
        )
    return found


def _conflicts(verified: VerifiedPlan, holds_from: Sequence[Mapping[str, date]]) -> list[RunConflict]:
    rules = {rule.id: rule for rule in verified.problem.rules}
    return [
        RunConflict(
            rules=list(part.rules),
            sentences=[sentence_of(rules[name]) if name in rules else name for name in part.rules],
            materials=list(part.materials),
            demands=list(part.demands),
            holds_from=dict(holds_from[number]) if number < len(holds_from) else {},
        )
        for number, part in enumerate(verified.plan.infeasible)
    ]
