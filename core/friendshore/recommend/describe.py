"""Conversion of a verified plan to a run, with every figure that readers need."""

from __future__ import annotations

import platform
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.metadata import version
from typing import Any, get_args

from .. import explain
from ..domain import assumption_codes as codes
from ..domain.base import SharedValues, as_decimal, exact, totals, without_trailing_zeros
from ..domain.change import Change
from ..domain.facts import Facility
from ..domain.quantities import readable
from ..domain.record_table import RecordTable
from ..domain.run import (
    SEPARATE,
    CashUse,
    Run,
    RunAssumption,
    RunCash,
    RunDelivery,
    RunDemand,
    RunDependence,
    RunDiscount,
    RunDraw,
    RunLead,
    RunLevel,
    RunLot,
    RunMake,
    RunPeriod,
    RunPurchase,
    RunRange,
    RunStock,
)
from ..domain.runtime import cached_method
from ..domain.time import today
from ..domain.unmet import RunByMonths, RunConflict, RunShortage
from ..domain.use import PROGRAM, Result
from ..domain.used import PriceDate, RunBlock, RunPlugin, RunPriceDate, earliest_action_date
from ..explain import (
    ByMonths,
    Cash,
    Causes,
    DependentSums,
    PlanDependence,
    PurchaseDependence,
    TracedCash,
    competing,
    counted_shorts,
)
from ..plugins import sentence_of
from ..problem import Problem
from ..problem.case_checks import origin_rules
from ..problem.demands import Demand, demand_at_rate
from ..problem.inputs import Applied
from ..problem.network import Node, final_node
from ..problem.prices import PriceDates
from ..session import Session
from ..solve import Progress
from ..solve.solving import large_work
from ..verify import Bought, Line, VerifiedPlan
from ..verify.compliance import Compliance
from .facts import PackFacts
from .gather import Gathered, blocks_of
from .law import (
    describe_blocked,
    describe_compliance_classes,
    describe_duties,
    describe_duties_on_inputs,
    describe_limits,
    describe_packs,
    describe_rules,
    describe_unproven,
    duties_on_inputs,
    idle_limits,
)
from .relaxed import describe_relaxed

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class RunContext:
    """Parts of a run that don't follow from its verified plan: its settings, and what was used."""

    made: date | None
    scenario: Sequence[str]
    changes: Sequence[str]
    """All changes in words."""
    strict: bool
    causes: explain.Causes
    """Causes of shortages. Finding them takes further solves."""
    packs: Sequence[PackFacts]
    pack_of: Mapping[str, str]
    """Rule -> pack that contains it."""
    components: int
    holds_from: Sequence[Mapping[str, date]]
    """For every conflict, floor -> first day from which it is feasible. Takes further solves."""
    ranks: Mapping[int, explain.RankPrice]
    """Rank -> cost of that objective. Takes further solves."""
    plugins: Sequence[RunPlugin]
    plugins_blocked: Sequence[RunBlock]
    versions: Mapping[str, str]
    by_months: Mapping[str, explain.ByMonths]
    """Demand -> shortage in a plan by months. Takes further solves."""
    relaxed: Sequence[Change] = ()
    """Relaxations of hard limits that can't be kept."""


def describe(session: Session, gathered: Gathered, applied: Applied, progress: Progress | None = None) -> Run:
    with session.explaining() as explained:
        context = RunContext(
            today(),
            applied.scenario,
            applied.change_texts(gathered.case),
            applied.strict,
            explain.shortage_causes(explained),
            [PackFacts.of(pack, owner) for pack, owner in gathered.packs],
            gathered.pack_of,
            session.solution.components,
            explain.first_feasible_days(explained),
            explain.rank_prices(explained),
            gathered.plugins,
            blocks_of(gathered.registry),
            _versions(),
            explain.by_months(explained, progress),
            applied.relaxed,
        )
    del explained  # Its caches may take as much memory as the run.
    with large_work(len(session.solution.x)):
        return run_of(session.verified, context)


def run_of(verified: VerifiedPlan, context: RunContext) -> Run:
    """Return the run of a verified plan. It is identical after a solve and after a check of its facts."""
    problem, case = verified.problem, verified.problem.case
    excluded = explain.exclusions(problem)
    shortages = describe_shortages(verified, context.causes)
    dependence = explain.plan_dependence(verified, case.concern.countries)
    traced = explain.trace_cash(verified)
    duties = duties_on_inputs(verified, traced.inputs)
    run_purchases = purchases(
        problem, verified.lines, verified.compliance, context.plugins, traced.inputs, duties, dependence
    )
    return Run(
        case=case.name,
        title=case.title,
        **_context_fields(context),
        **_plan_fields(verified),
        currency=case.currency,
        place=case.place,
        cash=_cash(verified, traced),
        levels=_levels(verified, context.ranks),
        shortage_kg=_shortage_totals(shortages),
        periods=[RunPeriod(label=p.label, start=p.start, end=p.end) for p in case.horizon.periods],
        materials=explain.materials_of(problem),
        demands=_demands(verified, traced),
        priority=list(case.assume.priority),
        purchases=run_purchases,
        countries_of_concern=sorted(case.concern.countries),
        dependence=_dependence(dependence),
        **_range_fields(verified),
        oldest_price_days=case.accept.oldest_price_days,
        price_dates=_price_dates(verified),
        discounts=_discounts(verified),
        makes=_makes(verified),
        lots=_lots(verified),
        holdings=explain.holdings(verified),
        rounded=explain.rounded(problem),
        by_months=_by_months(verified, context.by_months),
        draws=_draws(verified),
        stocks=_stocks(verified),
        deliveries=_deliveries(verified),
        shortages=shortages,
        exposed=explain.exposed(verified),
        rules=describe_rules(verified, excluded, context.pack_of),
        compliance_classes=describe_compliance_classes(problem),
        limits=describe_limits(verified),
        relaxed=describe_relaxed(verified, context.relaxed),
        conflicts=_conflicts(verified, context.holds_from),
        unproven=describe_unproven(excluded),
        blocked=describe_blocked(excluded),
        leads=describe_leads(problem),
        assumptions=[
            *_assumptions(verified, context),
            *describe_duties_on_inputs(run_purchases if any(duties) else (), case.currency),
        ],
    )


def _plan_fields(verified: VerifiedPlan) -> dict[str, Any]:
    plan, objective = verified.plan, verified.cost.objective
    bound = exact(min(plan.bound, objective))
    return {
        "status": plan.status,
        "confirmed_by": list(plan.confirmed_by),
        "not_tie_broken": list(plan.not_tie_broken),
        "exchangeable": list(plan.exchangeable),
        "verified": True,
        "objective": objective,
        "bound": bound,
        "gap": exact((objective - min(plan.bound, objective)) / abs(objective)) if objective else Decimal(0),
        "cost": verified.cost,
        "largest_miss_kg": exact(verified.largest_miss),
    }


def _context_fields(context: RunContext) -> dict[str, Any]:
    return {
        "planned_on": context.made,
        "scenario": list(context.scenario),
        "changes": list(context.changes),
        "strict": context.strict,
        "components": context.components,
        "plugins": list(context.plugins),
        "plugins_blocked": list(context.plugins_blocked),
        "versions": dict(context.versions),
    }


def _assumptions(verified: VerifiedPlan, context: RunContext) -> list[RunAssumption]:
    return [
        *_problem_assumptions(verified),
        # A pack is written for many cases, and need not concern this one.
        *(
            RunAssumption(subject=IDLE_LIMIT, text=text, code=codes.IDLE_LIMIT)
            for rule, text in idle_limits(verified.problem)
            if rule.id not in context.pack_of
        ),
        *describe_duties(verified),
        *describe_packs(context.packs, context.made),
    ]


def _levels(verified: VerifiedPlan, prices: Mapping[int, explain.RankPrice]) -> list[RunLevel]:
    return [
        RunLevel(
            rank=rank,
            minimize=reading.objective.level.minimize.value,
            sentence=reading.objective.sentence,
            unit=verified.problem.case.currency if reading.objective.in_money else "kg",
            implied=reading.objective.implied,
            value=reading.value,
            bound=min(reading.bound, reading.value),
            gap=exact((reading.least - reading.bound) / abs(reading.least)) if reading.least else Decimal(0),
            best_value=reading.least,
            within=reading.objective.level.within,
            reduction=prices.get(rank, explain.UNPRICED).gained,
            objective_increase=prices.get(rank, explain.UNPRICED).raised_objective,
        )
        for rank, reading in enumerate(verified.levels, 1)
    ]


_version = cache(version)


def _versions() -> dict[str, str]:
    names = ("friendshore", "highspy", "ortools", "numpy")
    return {"python": platform.python_version()} | {name: _version(name) for name in names}


def _label(problem: Problem, period: int) -> str:
    return problem.case.horizon.label(period)


def _demands(verified: VerifiedPlan, traced: explain.TracedCash) -> list[RunDemand]:
    problem = verified.problem
    short_by_demand, short_by_period = verified.plan.short_by_demand, defaultdict[str, dict[int, Decimal]](dict)
    for entry in explain.counted_shorts(verified):
        short_by_period[entry.demand][entry.period] = entry.quantity
    return [
        RunDemand(
            id=demand.id,
            material=demand.use.material.id,
            end_use=demand.use.end_use,
            place=demand.use.place.id,
            wanted_kg=sum(demand.quantity, Decimal(0)),
            low_kg=demand_at_rate(demand, demand.spec.low),
            high_kg=demand_at_rate(demand, demand.spec.high),
            delivered_kg=sum(demand.quantity, Decimal(0)) - short_by_demand.get(demand.id, Decimal(0)),
            short_kg=sum(short_by_period[demand.id].values(), Decimal(0)),
            shortage_price=price,
            program=str(demand.use.stated.get(PROGRAM, "")),
            cash=as_decimal(sum(traced.by_demand.get(demand.id, {}).values(), Fraction(0))),
            first_met=_first_met_period(problem, demand, short_by_period[demand.id]),
            origin_rules=origin_rules(demand, problem.law),
        )
        for demand, price in zip(problem.demands, problem.shortage_price, strict=True)
    ]


def _first_met_period(problem: Problem, demand: Demand, short: dict[int, Decimal]) -> str:
    """Return the first period from which the demand stays met, up to a rounding of a few grams, or ""."""
    slack = problem.case.resolution * 10
    last = max((t for t, quantity in short.items() if quantity > slack), default=-1)
    later = [t for t, demanded in enumerate(demand.quantity) if t > last and demanded]
    return _label(problem, later[0]) if later else ""


def purchases(
    problem: Problem,
    lines: Sequence[Line],
    compliance: Compliance,
    plugins: Iterable[RunPlugin] = (),
    inputs: Sequence[Fraction] = (),
    duties: Sequence[Decimal] = (),
    dependence: PlanDependence | None = None,
) -> RecordTable[RunPurchase]:
    """Return every purchase with its cost. `inputs` is the cash of each purchase's inputs. Without it, purchases have no full price."""
    known_from = earliest_action_date(plugins, problem.case.horizon.start)
    order_days = explain.order_days(compliance.ledger)
    purchase_of = _PurchaseFields(problem, compliance, known_from)
    no_inputs: list[Fraction | None] = [None] * len(lines)
    no_dependence: list[PurchaseDependence | None] = [None] * len(lines)
    columns = (
        lines,
        order_days,
        inputs or no_inputs,
        duties or [_ZERO] * len(lines),
        no_dependence if dependence is None else dependence.purchases,
    )
    return RecordTable(RunPurchase, (purchase_of.fields(*row) for row in zip(*columns, strict=True)))


def _range_fields(verified: VerifiedPlan) -> dict[str, Any]:
    spends, rows = explain.spend_at_ends(verified), list[RunRange]()
    if spends is None:
        return {}
    for offer, lines_at_ends in sorted(spends.lines.items()):
        for material in sorted({line.material for line in lines_at_ends[0]}):
            lines = [[line for line in lines_at_end if line.material == material] for lines_at_end in lines_at_ends]
            price, price_low, price_high = (
                exact(sum((line.price for line in lines_at_end), Decimal(0))) for lines_at_end in lines
            )
            cost, cost_low, cost_high = (
                exact(sum((line.total for line in lines_at_end), Decimal(0))) for lines_at_end in lines
            )
            rows.append(
                RunRange(
                    offer=offer,
                    material=material,
                    quantity_kg=sum((line.quantity for line in lines[0]), Decimal(0)),
                    price=price,
                    price_low=price_low,
                    price_high=price_high,
                    cost=cost,
                    cost_low=cost_low,
                    cost_high=cost_high,
                )
            )
    return {"ranges": rows, "nominal_low": spends.low, "nominal_high": spends.high}


class _PurchaseFields:
    """Fields of purchases. A plan may have a hundred thousand, so equal values are shared."""

    def __init__(self, problem: Problem, compliance: Compliance, known_from: date) -> None:
        self.problem = problem
        self.compliance = compliance
        self.known_from = known_from
        self.demand_by_node = totals(
            (final_node(demand.use), sum(demand.quantity, Decimal(0))) for demand in problem.demands
        )
        self.labels = [period.label for period in problem.case.horizon.periods]
        self.end_uses: dict[tuple[str, Node, int], str] = {}
        self.reasons: dict[tuple[str, ...], list[str]] = {}

    def fields(
        self,
        line: Line,
        order: explain.OrderDay,
        inputs: Fraction | None,
        duty: Decimal,
        dependence: PurchaseDependence | None,
    ) -> dict[str, object]:
        arc, facility = line.arc, line.arc.chained.facility
        quantity, share = self._quantities(arc.node, line.quantity)
        price, charges, freight = map(without_trailing_zeros, (line.price, line.charges, line.freight))
        full_price = None
        if inputs is not None and line.quantity:
            full_price = (
                as_decimal((Fraction(line.total) + inputs) / Fraction(line.quantity))
                if inputs
                else line.total / line.quantity
            )
        late_days = (self.known_from - order.day).days if self.known_from > arc.order_by[line.ordered] else 0
        because = () if dependence is None else dependence.because
        return {
            "offer": line.name,
            "material": line.material,
            "facility": facility.name or facility.id,
            "facility_id": facility.id,
            "supplier": facility.supplier,
            "country": facility.country,
            "countries": self._countries(arc.index),
            "place": line.place,
            "ordered": self.labels[line.ordered],
            "order_by": order.day,
            "at_once": order.at_once,
            "late_days": late_days,
            "delivered": self.labels[line.delivered],
            "end_use": self._end_uses_of(line),
            "compliance_class": line.compliance_class,
            "quantity_kg": quantity,
            "basis": self.problem.merged.materials[line.material].basis,
            "cost": without_trailing_zeros(line.total) if charges or freight else price,
            "price": price,
            "charges": charges or _ZERO,
            "freight": freight or _ZERO,
            "inputs_cost": without_trailing_zeros(as_decimal(inputs)) if inputs else _ZERO,
            "duty_on_inputs": without_trailing_zeros(duty) if duty else _ZERO,
            "full_price_per_kg": None if full_price is None else without_trailing_zeros(full_price),
            "share_of_demand": share,
            "concern": "" if dependence is None else dependence.whole.value,
            "concern_because": self.reasons.setdefault(because, list(because)),
            "owners_of_concern": [] if dependence is None else self._owners_of_concern(facility),
            "catalog": arc.chained.offer.catalog,
            "confidence": self._confidence(arc.index),
        }

    def _owners_of_concern(self, facility: Facility) -> list[str]:
        return [
            f"{owner.owner} ({owner.country}{'' if owner.share is None else f', {without_trailing_zeros(owner.share * 100):f}%'})"
            for owner in facility.owners
            if owner.country in self.problem.case.concern.countries
        ]

    def _quantities(self, node: Node, kilograms: Decimal) -> tuple[Decimal, Decimal | None]:
        total = self.demand_by_node.get(node)
        return without_trailing_zeros(kilograms), without_trailing_zeros(kilograms / total) if total else None

    @cached_method
    def _countries(self, arc: int) -> dict[str, list[str]]:
        chained = self.problem.network.arcs[arc].chained
        return {
            stage.value: sorted(frozenset().union(*(e.countries for e in chained.entries(stage))))
            for stage in sorted({e.main_stage for e in chained.stage_entries}, key=lambda s: s.rank)
        }

    def _end_uses_of(self, line: Line) -> str:
        key = line.compliance_class, line.arc.node, line.delivered
        if key not in self.end_uses:
            deliveries = self.compliance.deliveries_of(line)
            self.end_uses[key] = "+".join(sorted({delivery.use.end_use for delivery in deliveries}))
        return self.end_uses[key]

    @cached_method
    def _confidence(self, arc: int) -> str:
        return explain.least_confidence(self.problem, self.problem.network.arcs[arc].chained).value


def _makes(verified: VerifiedPlan) -> list[RunMake]:
    problem = verified.problem
    return [
        RunMake(
            offer=make.offer,
            ordered=_label(problem, make.period),
            compliance_class=make.compliance_class,
            units=make.units,
            cost=exact(problem.offers[offer].price[make.period] * make.units),
        )
        for make, offer in verified.ledger.makes
    ]


def _deliveries(verified: VerifiedPlan) -> list[RunDelivery]:
    problem, make_record = verified.problem, SharedValues().unchecked_record
    deliveries = []
    for delivery, position in verified.ledger.deliveries:
        use = problem.demands[position].use
        fields: dict[str, object] = {
            "demand": delivery.demand,
            "material": use.material.id,
            "end_use": use.end_use,
            "place": use.place.id,
            "period": _label(problem, delivery.period),
            "compliance_class": delivery.compliance_class,
            "quantity_kg": delivery.quantity,
            "waivers": list(delivery.waivers),
        }
        deliveries.append(make_record(RunDelivery, fields))
    return deliveries


def _conflicts(verified: VerifiedPlan, holds_from: Sequence[Mapping[str, date]]) -> list[RunConflict]:
    rules = {rule.id: rule for rule in verified.problem.rules}
    return [
        RunConflict(
            rules=list(part.rules),
            sentences=[sentence_of(rules[name]) if name in rules else name for name in part.rules],
            materials=list(part.materials),
            demands=list(part.demands),
            feasible_from=dict(holds_from[number]) if number < len(holds_from) else {},
        )
        for number, part in enumerate(verified.plan.infeasible)
    ]


IDLE_LIMIT = "limit without demand"
"""Subject of notes on limits of the case without an effect."""


def _by_months(verified: VerifiedPlan, plans: Mapping[str, ByMonths]) -> list[RunByMonths]:
    """Return every demand that was planned by months, or should have been, with the shortage that only the length of the periods causes."""
    short = totals((each.demand, each.quantity) for each in counted_shorts(verified))
    case = verified.problem.case
    rounding = case.resolution * case.horizon.count * case.horizon.length.months
    rows = []
    for name, by_months in sorted(plans.items()):
        due_to_periods = (
            Decimal(0) if by_months.kilograms is None else short.get(name, Decimal(0)) - by_months.kilograms
        )
        rows.append(
            RunByMonths(
                demand=name,
                short_kg=short.get(name, Decimal(0)),
                monthly_short_kg=by_months.kilograms,
                due_to_periods_kg=due_to_periods if due_to_periods > rounding else Decimal(0),
                note=by_months.note,
            )
        )
    return rows


def _dependence(dependence: PlanDependence | None) -> list[RunDependence]:
    if dependence is None:
        return []
    sums = {("plan", ""): dependence.plan}
    sums |= {("material", name): sums_of_row for name, sums_of_row in dependence.by_material.items()}
    sums |= {("end use" if name else "stock", name): sums_of_row for name, sums_of_row in dependence.by_end_use.items()}
    return [_dependent(scope, name, sums_of_row) for (scope, name), sums_of_row in sums.items()]


def _dependent(scope: str, name: str, sums: DependentSums) -> RunDependence:
    return RunDependence.model_validate(
        {
            "scope": scope,
            "name": name,
            "cost": exact(sums.cash),
            "known_concern_cost": exact(sums.is_cash),
            "possible_concern_cost": exact(sums.may_be_cash),
            "input_concern_cost": exact(sums.by_inputs_cash),
            "share": exact(sums.share),
            "quantity_kg": sums.kilograms,
            "known_concern_kg": sums.is_kilograms,
            "possible_concern_kg": sums.may_be_kilograms,
        }
    )


def _price_dates(verified: VerifiedPlan) -> list[RunPriceDate]:
    if verified.problem.case.accept.oldest_price is None:
        return []
    days = PriceDates(verified.problem)
    quantities, costs = defaultdict[PriceDate, Decimal](Decimal), defaultdict[PriceDate, Decimal](Decimal)
    for line in verified.lines:
        for price in days.of(line.arc, line.ordered, line.delivered):
            quantities[price] += line.quantity
            costs[price] += line.price if price.of == "price" else line.freight
    return [
        RunPriceDate(**dict(price), quantity_kg=exact(quantities[price]), cost=exact(costs[price]))
        for price in sorted(quantities, key=PriceDate.order)
    ]


def _discounts(verified: VerifiedPlan) -> list[RunDiscount]:
    periods = verified.problem.case.horizon
    discounts = []
    for settlement in verified.settlements:
        span, next_tiers = settlement.span, settlement.span.tiers[settlement.tier + 1 :]
        discounts.append(
            RunDiscount(
                schedule=span.schedule.name,
                span=span.label,
                settled=periods.label(span.settlement_period),
                measure=span.schedule.measure,
                measured=exact(settlement.measured),
                tier=settlement.tier + 1,
                tier_min=span.tiers[settlement.tier].least,
                next_tier_min=next_tiers[0].least if next_tiers else None,
                tier_max=span.tiers[settlement.tier].most,
                at_list=exact(settlement.at_list),
                discount=exact(settlement.discount),
            )
        )
    return discounts


def _cash(verified: VerifiedPlan, traced: TracedCash) -> list[RunCash]:
    site = {demand.id: demand.use.place.id for demand in verified.problem.demands}
    parts: list[tuple[CashUse, str, Cash]] = [("use", site[demand], cash) for demand, cash in traced.by_demand.items()]
    parts += [("stock", "", traced.stock), ("unused", "", traced.unused)]
    parts += [(on, "", traced.separate.get(on, {})) for on in SEPARATE]
    amounts = defaultdict[tuple[int, CashUse, str], Fraction](Fraction)
    for on, place, cash in parts:
        for t, amount in cash.items():
            amounts[t, on, place] += amount
    label, order = verified.problem.case.horizon.label, list(get_args(CashUse))
    return [
        RunCash(period=label(t), purpose=on, place=place, amount=as_decimal(amounts[t, on, place]))
        for t, on, place in sorted(amounts, key=lambda key: (key[0], order.index(key[1]), key[2]))
        if amounts[t, on, place]
    ]


def by_months_of_run(rows: Iterable[RunByMonths]) -> dict[str, ByMonths]:
    """Return a run's plans by months. They aren't part of its facts, so they are taken from the run."""
    return {row.demand: ByMonths(row.monthly_short_kg, row.note) for row in rows}


def describe_shortages(verified: VerifiedPlan, causes: Causes) -> list[RunShortage]:
    problem = verified.problem
    demands = {demand.id: demand for demand in problem.demands}
    shorts = counted_shorts(verified)
    groups, short_demands = competing(problem), {short.demand for short in shorts}
    shortages = []
    for short in shorts:
        demand = demands[short.demand]
        shortages.append(
            RunShortage(
                demand=short.demand,
                material=demand.use.material.id,
                end_use=demand.use.end_use,
                place=demand.use.place.id,
                period=problem.case.horizon.label(short.period),
                quantity_kg=short.quantity,
                wanted_kg=demand.quantity[short.period],
                causes=list(causes.get((short.demand, short.period), ())),
                competes_with=[name for name in groups[short.demand] if name != short.demand and name in short_demands],
            )
        )
    return shortages


def _shortage_totals(shortages: Sequence[RunShortage]) -> dict[str, dict[str, Decimal]]:
    totals: dict[str, dict[str, Decimal]] = {}
    for short in shortages:
        by_use = totals.setdefault(short.material, {})
        by_use[short.end_use] = by_use.get(short.end_use, Decimal(0)) + short.quantity_kg
    return totals


def _lots(verified: VerifiedPlan) -> list[RunLot]:
    return [
        RunLot(
            lot=entry.lot,
            material=entry.material,
            place=entry.place,
            compliance_class=entry.compliance_class,
            available=verified.problem.case.horizon.label(entry.period),
            quantity_kg=entry.quantity,
        )
        for entry in verified.plan.lots
    ]


def _draws(verified: VerifiedPlan) -> list[RunDraw]:
    totals: defaultdict[tuple[str, str, str, str, int], Decimal] = defaultdict(Decimal)
    for (material, place), compliance_class, period, quantity, taker in verified.ledger.draws():
        totals[verified.problem.offers[taker].offer.id, material, place, compliance_class, period] += quantity
    return [
        RunDraw(
            offer=offer,
            material=material,
            place=place,
            compliance_class=compliance_class,
            period=verified.problem.case.horizon.label(period),
            quantity_kg=exact(quantity),
        )
        for (offer, material, place, compliance_class, period), quantity in sorted(totals.items())
    ]


def _stocks(verified: VerifiedPlan) -> list[RunStock]:
    label, make_record = verified.problem.case.horizon.label, SharedValues().unchecked_record
    fields_of_entries: Iterator[dict[str, object]] = (
        {
            "material": entry.material,
            "place": entry.place,
            "compliance_class": entry.compliance_class,
            "period": label(entry.period),
            "quantity_kg": entry.quantity,
        }
        for entry in verified.plan.stocks
    )
    return [make_record(RunStock, fields) for fields in fields_of_entries]


def describe_leads(problem: Problem) -> list[RunLead]:
    leads = []
    for lead in problem.leads:
        facility = problem.merged.facilities[lead.offer.facility]
        leads.append(
            RunLead(
                offer=lead.offer.id,
                materials=[line.material for line in lead.offer.outputs],
                facility=facility.name or facility.id,
                facility_id=facility.id,
                country=facility.country,
                reasons=lead.texts,
            )
        )
    return leads


def _problem_assumptions(verified: VerifiedPlan) -> list[RunAssumption]:
    problem = verified.problem
    used = {item.arc.chained.offer.id for item in verified.ledger.bought} | {m.offer for m, _ in verified.ledger.makes}
    offers = {facts.offer.id for facts in problem.offers}
    assumed_offers = {assumption.id for assumption in problem.case.assume.offer}
    assumptions = [
        RunAssumption(subject=assumption.subject, text=assumption.text, code=assumption.code, short=assumption.short)
        for assumption in problem.assumptions
        if assumption.subject not in offers or assumption.subject in used or assumption.subject in assumed_offers
    ]
    return assumptions + _unproven_accepted(verified)


def _unproven_accepted(verified: VerifiedPlan) -> list[RunAssumption]:
    problem = verified.problem
    accept = problem.case.accept
    if not accept.unproven and not accept.proven:
        return []
    items_by_reason: dict[tuple[str, str, str], dict[int, Bought]] = {}
    for ruling in verified.rulings:
        item, verdict = ruling.item, ruling.verdict
        if verdict.result is not Result.UNPROVEN or problem.law.forbids(verdict, item.arc):
            continue
        arrival = problem.case.horizon.periods[item.delivered].span
        if verdict.license and problem.law.licenses(verdict, item.arc, ruling.use, arrival) is not None:
            continue
        key = (item.arc.chained.offer.id, verdict.rule, verdict.reason)
        items_by_reason.setdefault(key, {})[id(item)] = item
    return [
        RunAssumption(
            subject=offer,
            text=f"{readable(kilograms)} kg accepted under `{rule}` without proof: {reason}",
            code=codes.UNPROVEN_ACCEPTED,
        )
        for (offer, rule, reason), items in sorted(items_by_reason.items())
        for kilograms in [sum((item.quantity for item in items.values()), Decimal(0))]
    ]
