"""Stretches: the days between two dates on which facts of a case change."""

# Each is planned as a case of one period with the facts of its days, at yearly rates. It has no stock and no open orders, and deliveries are immediate,
# so the plan shows the supply that the facts themselves allow.

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from time import monotonic
from typing import Literal, TypeVar

from pydantic import BaseModel

from friendshore.domain.base import Number, Record, as_decimal, exact, grouped, totals
from friendshore.domain.case import Case, DemandSpec, LicenseSpec, WaiverSpec
from friendshore.domain.facts import CapacityStep, Catalog, Facility, Offer, Quote, Status
from friendshore.domain.terms import PriceSchedule, Terms
from friendshore.domain.time import Horizon, Period, Span, add_months
from friendshore.domain.unmet import RunSupplyCause
from friendshore.explain.causes import Causes, shortage_causes
from friendshore.problem import Problem
from friendshore.problem.demands import demand_name
from friendshore.problem.inputs import Inputs
from friendshore.problem.law import license_id, waiver_id
from friendshore.problem.merged import enclosing_facilities
from friendshore.problem.network import Arc
from friendshore.program import Program, compile_program
from friendshore.program.matrix import Ints
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget, MinDelivered
from friendshore.rules.rows import Row, Rows
from friendshore.rules.terms import ReservedTerm, StockTerm
from friendshore.session import Session
from friendshore.solve import digest, split

Subject = tuple[str, str]
"""Subject of a change on a date: its kind (`rule`, `offer`, `facility`, …) and its name."""
Dated = TypeVar("Dated", WaiverSpec, LicenseSpec, PriceSchedule, Terms, Quote)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The facts of a case up to a day, for views of any days until then."""

    inputs: Inputs
    problem: Problem
    until: date

    @staticmethod
    def of(inputs: Inputs, problem: Problem, until: date) -> Snapshot:
        """Return the facts with the plan's shortage penalties and holding costs. Rules about stock alone are left out, because no stock is carried."""
        about_stock = {rule.id for rule, row in problem.limit_rows if _counts_only_stock(row)}
        rules = tuple(rule for rule in inputs.rules if rule.id not in about_stock)
        return Snapshot(replace(inputs.freeze(problem), rules=rules), problem, until)

    @property
    def budgets(self) -> frozenset[str]:
        """Ids of the budgets. A budget joins all its purchases into one part."""
        return frozenset(rule.id for rule in self.inputs.rules if isinstance(rule, Budget))

    @property
    def floors(self) -> tuple[MinDelivered, ...]:
        """Hard floors of deliveries. A stretch that can't keep one is planned without it, so that its demands are short only of what is missing."""
        return tuple(rule for rule in self.inputs.rules if isinstance(rule, MinDelivered) and rule.penalty is None)

    def on(
        self,
        days: Span,
        days_by_subject: Mapping[Subject, Span] | None = None,
        without: Collection[str] = frozenset(),
    ) -> Inputs:
        """Return a case of one period with the facts of some days (of the days in `days_by_subject` for these subjects), within which nothing dated begins or ends."""
        assert days.start is not None and days.end is not None
        view = _StretchView(self, days, days_by_subject or {})
        horizon = Horizon(start=days.start, periods=1, period=self.inputs.case.horizon.length, until=days.end)
        return replace(
            self.inputs,
            case=view.case(self.inputs.case, horizon),
            catalogs=view.catalogs(),
            rules=tuple(view.rule(rule) for rule in self.inputs.rules if rule.id not in without),
            part=True,  # the whole case was checked
        )

    @cached_property
    def catalogs(self) -> tuple[Catalog, ...]:
        """Catalogs of every view in which no fact of theirs has other days, with immediate delivery, and quantities by year. Views share them."""
        return tuple(
            catalog.but(offers=tuple(map(self._yearly_offer, catalog.offers))) for catalog in self.inputs.catalogs
        )

    def _yearly_offer(self, offer: Offer) -> Offer:
        horizon = self.inputs.case.horizon
        months = Decimal(12 // horizon.length.months)
        days = [day for day in (offer.start, self.orderable_from(offer)) if day is not None]
        yearly_total = None if offer.total is None else as_decimal(Fraction(offer.total) / _years(horizon))
        rates = [rate for rate in (offer.max_per_year, yearly_total) if rate is not None]
        return offer.but(
            start=max(days, default=None),
            qualification=None,
            lead_time=Decimal(0),
            lanes=tuple(lane.but(lead_time=None) for lane in offer.lanes),
            max_order=None if offer.max_order is None else exact(offer.max_order * months),
            max_lots=None if offer.max_lots is None else offer.max_lots * int(months),
            max_per_year=min(rates) if rates else None,
            total=None,
        )

    def orderable_from(self, offer: Offer) -> date | None:
        """Return the first day on which an offer can be ordered. None if it needs no qualification."""
        if offer.qualification is None or any(incumbent.offer == offer.id for incumbent in self.inputs.case.incumbents):
            return None
        months = int(offer.qualification.to_integral_value(ROUND_CEILING))
        return add_months(self.inputs.case.horizon.start, months)


def _counts_only_stock(row: Row | Rows) -> bool:
    """Return True if a row counts only stock. A limit on use counts purchases too, so it stays."""
    counted = [term for term in row.all_terms if not term.parts]
    return bool(counted) and all(isinstance(term, StockTerm | ReservedTerm) for term in counted)


class _StretchView:
    """Conversion of facts to those of one stretch of days."""

    def __init__(self, snapshot: Snapshot, days: Span, other: Mapping[Subject, Span]) -> None:
        self.snapshot, self.days, self.days_by_subject = snapshot, days, other
        self.plan = snapshot.inputs.case.horizon

    def rule(self, rule: Rule) -> Rule:
        """Return a rule with the status of its days, permanently if it is a rule of other days. A budget becomes yearly."""
        if isinstance(rule, Budget) and rule.per != "year":
            years = Fraction(self.plan.length.months, 12) if rule.per == "period" else _years(self.plan)
            rule = rule.but(amount=as_decimal(Fraction(rule.amount) / years))
        days = self.days_by_subject.get(("rule", rule.id))
        if days is None:
            return rule
        phases = tuple(p.but(start=None, end=None) for p in rule.phases if p.span.meets(days))
        return rule.but(phases=phases)

    def catalogs(self) -> tuple[Catalog, ...]:
        if not any(kind in _CATALOG_KINDS for kind, _ in self.days_by_subject):
            return self.snapshot.catalogs
        return tuple(map(self._catalog, self.snapshot.catalogs))

    def _catalog(self, catalog: Catalog) -> Catalog:
        return catalog.but(
            offers=tuple(self._offer(offer) for offer in catalog.offers),
            facilities=tuple(self._facility(facility) for facility in catalog.facilities),
            schedules=tuple(self._valid_records(catalog.schedules, "price schedule", lambda s: s.name)),
            terms=tuple(self._valid_records(catalog.terms, "terms", lambda t: t.name)),
        )

    def _offer(self, offer: Offer) -> Offer:
        span = self.days_by_subject.get(("offer", offer.id))
        if span is None:
            return offer
        is_open = Span(start=offer.start, end=offer.end).covers(span)
        quotes = [quote for quote in offer.quotes if Span(start=quote.start, end=quote.end).covers(span)]
        is_open = is_open and (bool(quotes) or not offer.quotes)
        return offer.but(
            start=None,
            end=None if is_open else self._before(),
            quotes=tuple(q.but(start=None, end=None) for q in quotes[:1] or offer.quotes[:1]),
        )

    def _facility(self, facility: Facility) -> Facility:
        days = self.days_by_subject.get(("facility", facility.id))
        if days is None or not facility.capacity:
            return facility
        assert days.start is not None
        started = [step for step in facility.capacity if step.start is None or step.start <= days.start]
        idle = CapacityStep(per_year=Decimal(0), status=Status.OPERATING, source=facility.capacity[0].source)
        step = started[-1] if started else idle
        return facility.but(capacity=(step.but(start=None),))

    def case(self, case: Case, horizon: Horizon) -> Case:
        assumptions = []
        for assumption in case.assume.offer:
            offer = self.snapshot.problem.merged.offers.get(assumption.id)
            days = [assumption.start, None if offer is None else self.snapshot.orderable_from(offer)]
            start = max([day for day in days if day is not None], default=None)
            start = None if ("offer", assumption.id) in self.days_by_subject else start
            assumptions.append(assumption.but(start=start))
        assume = case.assume.but(lead_time=Decimal(0), safety_lead=Decimal(0), offer=tuple(assumptions))
        waivers = self._valid_records(case.waivers, "waiver", waiver_id)
        licenses = self._valid_records(case.licenses, "license", license_id)
        return case.but(
            horizon=horizon,
            assume=assume,
            demands=tuple(self._demand(demand, case) for demand in case.demands),
            waivers=tuple(w.but(quantity=self._yearly_rate(w)) for w in waivers),
            licenses=tuple(license.but(quantity=self._yearly_rate(license)) for license in licenses),
            stocks=(),
            orders=(),
        )

    def _demand(self, spec: DemandSpec, case: Case) -> DemandSpec:
        name = demand_name(spec, case)
        days = self.days_by_subject.get(("demand", name), self.days)
        update: dict[str, object] = {"id": name}
        if spec.quantities or spec.later:
            update |= self._yearly_demand(name, days)
        elif ("demand", name) in self.days_by_subject:
            wanted = Span(start=spec.start, end=spec.end).covers(days)
            update |= {"start": None, "end": None, "per_year": spec.per_year if wanted else Decimal(0)}
        return spec.but(**update)

    def _yearly_demand(self, name: str, days: Span) -> dict[str, object]:
        assert days.start is not None
        demand_and_price = {demand.id: (demand, price) for demand, price in zip(
            self.snapshot.problem.demands, self.snapshot.problem.shortage_price, strict=True)}  # fmt: skip
        demand, price = demand_and_price[name]
        position = self.plan.find(days.start)
        period = self.plan.periods[-1 if position is None else position]
        rate = as_decimal(Fraction(demand.quantity[period.index]) / period.years)
        return {
            "per_year": rate, "quantities": (), "later": 0, "start": None, "end": None, "substance": "", "shortage_price": price,
        }  # fmt: skip

    def _valid_records(self, records: tuple[Dated, ...], kind: str, name: Callable[[Dated], str]) -> list[Dated]:
        valid = []
        for record in records:
            span = self.days_by_subject.get((kind, name(record)))
            if span is None:
                valid.append(record)
            elif Span(start=record.start, end=record.end).covers(span):
                valid.append(record.but(start=None, end=None))
        return valid

    def _yearly_rate(self, permit: WaiverSpec | LicenseSpec) -> Decimal | None:
        if permit.quantity is None:
            return None
        first, last = self.plan.start, max(self.snapshot.until, self.plan.periods[-1].end)
        start, end = max(permit.start or first, first), min(permit.end or last, last)
        if start > end:
            return permit.quantity
        years = Period(index=0, start=start, end=end, label="").years
        return as_decimal(Fraction(permit.quantity) / years)

    def _before(self) -> date:
        assert self.days.start is not None
        return self.days.start - timedelta(days=1)


def _years(horizon: Horizon) -> Fraction:
    return sum((period.years for period in horizon.periods), Fraction(0))


_CATALOG_KINDS = frozenset({"offer", "facility", "price schedule", "terms"})
"""Kinds of subjects whose facts are in catalogs."""
_DAY = timedelta(days=1)


def breakpoints(snapshot: Snapshot) -> dict[date, tuple[Subject, ...]]:
    """Return every day after the first on which a relevant fact or any rule begins or ends, in order."""
    first = snapshot.inputs.case.horizon.start
    dated_changes = sorted(
        {dated_change for dated_change in _dated_changes(snapshot) if first < dated_change[0] <= snapshot.until}
    )
    return {day: tuple(subjects) for day, subjects in grouped(dated_changes).items()}


def _dated_changes(snapshot: Snapshot) -> Iterator[tuple[date, Subject]]:
    inputs, problem = snapshot.inputs, snapshot.problem
    statuses = problem.law.statuses
    for rule in inputs.rules:
        for phase in rule.phases:
            if phase.status in statuses:
                yield from _ends(phase.start, phase.end, ("rule", rule.id))
        for day in _dates_in({name: getattr(rule, name) for name in type(rule).model_fields if name != "phases"}):
            yield day, ("rule", rule.id)
            yield day + _DAY, ("rule", rule.id)
    yield from _dated_offer_changes(snapshot)
    for spec in inputs.case.demands:
        name = ("demand", demand_name(spec, inputs.case))
        if spec.quantities or spec.later:
            yield from ((period.start, name) for period in inputs.case.horizon.periods)
        else:
            yield from _ends(spec.start, spec.end, name)
    for waiver in inputs.case.waivers:
        yield from _ends(waiver.start, waiver.end, ("waiver", waiver_id(waiver)))
    for license in inputs.case.licenses:
        yield from _ends(license.start, license.end, ("license", license_id(license)))


def _dated_offer_changes(snapshot: Snapshot) -> Iterator[tuple[date, Subject]]:
    merged = snapshot.problem.merged
    materials = {material for material, _ in snapshot.problem.network.nodes}
    offers = [o for o in merged.offers.values() if any(line.material in materials for line in o.outputs)]
    assumed_starts = {assumption.id: assumption.start for assumption in snapshot.inputs.case.assume.offer}
    for offer in offers:
        subject = ("offer", offer.id)
        yield from _ends(offer.start, offer.end, subject)
        for quote in offer.quotes:
            yield from _ends(quote.start, quote.end, subject)
        yield from _ends(snapshot.orderable_from(offer), None, subject)
        yield from _ends(assumed_starts.get(offer.id), None, subject)
    sites = {site.id: site for offer in offers for site in enclosing_facilities(offer.facility, merged.facilities)}
    for name, site in sites.items():
        for step in site.capacity:
            yield from _ends(step.start, None, ("facility", name))
    benchmarks = {offer.price.benchmark for offer in offers if offer.price is not None}
    for name, rows in merged.prices.items():
        yield from ((row.date, ("price", name)) for row in rows if name in benchmarks)
    yield from ((rate.start, ("exchange rate", f"{rate.currency}/{rate.to}")) for rate in merged.rates)
    for schedule in merged.schedules:
        yield from _ends(schedule.start, schedule.end, ("price schedule", schedule.name))
    for terms in merged.terms:
        yield from _ends(terms.start, terms.end, ("terms", terms.name))


def _ends(start: date | None, end: date | None, subject: Subject) -> Iterator[tuple[date, Subject]]:
    if start is not None:
        yield start, subject
    if end is not None and end < date.max:
        yield end + _DAY, subject


def _dates_in(value: object) -> Iterator[date]:
    if isinstance(value, date):
        yield value
    elif isinstance(value, BaseModel):
        yield from _dates_in({name: getattr(value, name) for name in type(value).model_fields})
    elif isinstance(value, dict):
        for item in value.values():
            yield from _dates_in(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _dates_in(item)


@dataclass(frozen=True, slots=True)
class Group:
    """Demands with shared possible supply."""

    demands: tuple[str, ...]
    facts: bytes
    """Key, equal for equal facts."""
    columns: Ints


@dataclass(frozen=True, eq=False)
class StretchPlan:
    """The facts of a stretch, solved and verified when its plan is first requested. Not comparable."""

    days: Span
    inputs: Inputs
    question_session: Session
    """Session of the question, whose known solutions are reused."""

    @cached_property
    def program(self) -> Program:
        """Raises InputError if a rule doesn't fit the facts."""
        return compile_program(self.inputs.problem())

    @cached_property
    def session(self) -> Session:
        started = monotonic()
        return self.question_session.with_inputs(self.inputs, self.program, started)

    @cached_property
    def wanted(self) -> dict[str, Decimal]:
        return {demand.id: demand.quantity[0] for demand in self.program.problem.demands if demand.quantity[0]}

    @cached_property
    def short(self) -> dict[str, Decimal]:
        """Demand -> kilograms per year short, without rounding. All of a demand if its rules conflict."""
        plan, step = self.session.verified.plan, self.session.problem.case.resolution
        short_by_demand = {entry.demand: entry.quantity for entry in plan.shorts if entry.quantity > step}
        conflicting = {name for part in plan.infeasible for name in part.demands}
        short_by_demand |= {name: self.wanted[name] for name in conflicting if name in self.wanted}
        return short_by_demand

    def lack_of(self, floor: MinDelivered) -> Decimal:
        """Return the kilograms per year that deliveries lack to reach a floor."""
        step = self.session.problem.case.resolution
        demands = [demand.id for demand in self.program.problem.demands if floor.counts_demand(demand)]
        lacks = [
            self.short.get(name, Decimal(0)) - self.wanted.get(name, Decimal(0)) * (1 - floor.share) for name in demands
        ]
        lack = sum(lacks, Decimal(0)) if floor.together else sum((max(lack, Decimal(0)) for lack in lacks), Decimal(0))
        return lack if lack > step else Decimal(0)

    @cached_property
    def causes(self) -> Causes:
        return shortage_causes(self.session)

    def causes_of(self, demand: str) -> tuple[RunSupplyCause, ...]:
        return self.causes.get((demand, 0), ()) if demand in self.short else ()

    @cached_property
    def groups(self) -> dict[str, Group]:
        program = self.program
        demands, first = program.problem.demands, program.columns.short
        group_by_demand: dict[str, Group] = {}
        for part in split(program.linear):
            demand_positions = part.columns[(part.columns >= first) & (part.columns < first + len(demands))] - first
            names = tuple(demands[position].id for position in demand_positions.tolist())
            if not names:
                continue
            group_by_demand |= dict.fromkeys(names, Group(names, digest(part.linear), part.columns))
        return group_by_demand

    def spent(self, group: Group) -> Decimal:
        linear, first = self.program.linear, self.program.columns.short
        money = linear.cost[group.columns] * self.session.solution.x[group.columns]
        is_shortage = (group.columns >= first) & (group.columns < first + len(self.program.problem.demands))
        return exact(float(money[~is_shortage].sum()))

    def has_same_facts(self, other: StretchPlan, demand: str) -> bool:
        own, others = self.groups.get(demand), other.groups.get(demand)
        if own is None or others is None:
            return own is others
        return (own.demands, own.facts) == (others.demands, others.facts)


class Concerned(Record):
    """An offer, open order, or stock on hand, from the day on which a rule begins or ceases to prohibit it."""

    day: date
    rule: str
    effect: Literal["bars", "frees"]
    kind: Literal["offer", "order", "stock"]
    id: str
    material: str
    end_uses: tuple[str, ...]
    """End uses that the rule prohibits it for, or no longer prohibits it for."""
    kilograms: Number
    """Quantity of an order or of stock. For an offer, its yearly purchase just before it is prohibited or just after it is freed."""


def concerned(
    problem: Problem, planned: Sequence[StretchPlan], changes_by_day: Mapping[date, Sequence[Subject]]
) -> Iterator[Concerned]:
    positions = {rule.id: position for position, rule in enumerate(problem.rules)}
    for before, after in pairwise(planned):
        day = after.days.start
        assert day is not None
        for subject_kind, name in changes_by_day[day]:
            position = positions.get(name, -1) if subject_kind == "rule" else -1
            if position < 0:
                continue
            was_in_force, is_in_force = (problem.law.in_force(position, stretch.days) for stretch in (before, after))
            if was_in_force != is_in_force:
                amounts = _yearly_purchases(before if is_in_force else after)
                yield from _affected_goods(problem, position, day, "bars" if is_in_force else "frees", amounts)


def _affected_goods(
    problem: Problem,
    position: int,
    day: date,
    effect: Literal["bars", "frees"],
    amounts: Mapping[tuple[str, str], Decimal],
) -> Iterator[Concerned]:
    arc_and_uses: dict[tuple[str, str], tuple[Arc, set[str]]] = {}
    for use, judgement in problem.judgements.items():
        verdicts = judgement.chain.get(position) or judgement.trade.get(position) or {}
        for index, verdict in verdicts.items():
            arc = problem.network.arcs[index]
            if problem.law.forbids(verdict, arc) and _still_affects(
                problem, arc, day, trade=position in judgement.trade
            ):
                arc_and_uses.setdefault((arc.name, arc.chained.material.id), (arc, set()))[1].add(use.end_use)
    for (name, material), (arc, uses) in sorted(arc_and_uses.items(), key=lambda item: (item[1][0].lot < 0, item[0])):
        lot = problem.lots[arc.lot] if arc.lot >= 0 else None
        yield Concerned(
            day=day,
            rule=problem.rules[position].id,
            effect=effect,
            kind="offer" if lot is None else "order" if lot.on_order else "stock",
            id=name,
            material=material,
            end_uses=tuple(sorted(uses)),
            kilograms=amounts.get((name, material), Decimal(0)) if lot is None else lot.quantity,
        )


def _still_affects(problem: Problem, arc: Arc, day: date, *, trade: bool) -> bool:
    """Return True if a rule that begins on a day still affects an arc. Goods that crossed the border before aren't stopped."""
    return not (trade and arc.lot >= 0) or problem.case.horizon.periods[problem.lots[arc.lot].period].end >= day


def _yearly_purchases(stretch: StretchPlan) -> dict[tuple[str, str], Decimal]:
    return totals(
        ((purchase.offer, purchase.material), purchase.quantity) for purchase in stretch.session.verified.plan.purchases
    )
