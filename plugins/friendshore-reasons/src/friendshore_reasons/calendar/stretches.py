"""The finitely many days on which facts of a case change, and one stretch of days on which nothing changes, planned as a year: which demands are met, at what cost, and why the others are not.

And which offers, orders and stock a date bars or frees, and how many kilograms: what a change of law means for what is bought.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from time import monotonic
from typing import Literal

from pydantic import BaseModel

from friendshore.domain.base import Number, Record, exact, grouped, totals
from friendshore.domain.time import Span
from friendshore.domain.unmet import RunSupplyCause
from friendshore.explain.causes import Causes, shortage_causes
from friendshore.problem import Problem
from friendshore.problem.demands import demand_name
from friendshore.problem.inputs import Inputs
from friendshore.problem.judging import licence_id, waiver_id
from friendshore.problem.merged import around
from friendshore.problem.network import Arc
from friendshore.program import Program, compile_program
from friendshore.program.matrix import Ints
from friendshore.session import Session
from friendshore.solve import digest, split

from .snapshot import Snapshot, Subject

_DAY = timedelta(days=1)


def breakpoints(standing: Snapshot) -> dict[date, tuple[Subject, ...]]:
    """Every day after the first on which something that may bear on what is wanted begins or is over, in order.

    Rules are asked for all dates they hold, whatever kind they are of.
    """
    first = standing.inputs.case.horizon.start
    turns = sorted({turn for turn in _turns(standing) if first < turn[0] <= standing.until})
    return {day: tuple(subjects) for day, subjects in grouped(turns).items()}


def _turns(standing: Snapshot) -> Iterator[tuple[date, Subject]]:
    inputs, problem = standing.inputs, standing.problem
    statuses = problem.law.statuses
    for rule in inputs.rules:
        for phase in rule.phases:
            if phase.status in statuses:
                yield from _ends(phase.start, phase.end, ("rule", rule.id))
        for day in _dates_in({name: getattr(rule, name) for name in type(rule).model_fields if name != "phases"}):
            yield day, ("rule", rule.id)
            yield day + _DAY, ("rule", rule.id)
    yield from _of_offers(standing)
    for spec in inputs.case.demands:
        name = ("demand", demand_name(spec, inputs.case))
        if spec.quantities or spec.later:
            yield from ((period.start, name) for period in inputs.case.horizon.periods)
        else:
            yield from _ends(spec.start, spec.end, name)
    for waiver in inputs.case.waivers:
        yield from _ends(waiver.start, waiver.end, ("waiver", waiver_id(waiver)))
    for licence in inputs.case.licences:
        yield from _ends(licence.start, licence.end, ("licence", licence_id(licence)))


def _of_offers(standing: Snapshot) -> Iterator[tuple[date, Subject]]:
    """Dates of offers that make a material of the case, of the capacities they draw on, and of what bears on their prices."""
    merged = standing.problem.merged
    wanted = {material for material, _ in standing.problem.network.nodes}
    offers = [o for o in merged.offers.values() if any(line.material in wanted for line in o.outputs)]
    given = {assumption.id: assumption.start for assumption in standing.inputs.case.assume.offer}
    for offer in offers:
        subject = ("offer", offer.id)
        yield from _ends(offer.start, offer.end, subject)
        for quote in offer.quotes:
            yield from _ends(quote.start, quote.end, subject)
        yield from _ends(standing.qualified(offer), None, subject)
        yield from _ends(given.get(offer.id), None, subject)
    sites = {site.id: site for offer in offers for site in around(offer.facility, merged.facilities)}
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
    """Every date in what a rule holds, however deep."""
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
    """Demands that hang together by what may serve them."""

    demands: tuple[str, ...]
    facts: bytes
    """The same for the same facts."""
    columns: Ints
    """Those of its part of the program."""


@dataclass(frozen=True, eq=False)
class StretchPlan:
    """The facts of a stretch; solved and verified once its plan is asked for, and not to be compared with others."""

    days: Span
    inputs: Inputs
    asked: Session
    """The session that the question is put to: what it has solved is known."""

    @cached_property
    def program(self) -> Program:
        """The facts as a program.

        Raises:
            InputError: if a rule does not fit them.
        """
        return compile_program(self.inputs.problem())

    @cached_property
    def session(self) -> Session:
        """Their plan."""
        began = monotonic()
        return self.asked.beside(self.inputs, self.program, began)

    @cached_property
    def wanted(self) -> dict[str, Decimal]:
        """Demand -> kilograms a year; what is not wanted is left out."""
        return {demand.id: demand.quantity[0] for demand in self.program.problem.demands if demand.quantity[0]}

    @cached_property
    def short(self) -> dict[str, Decimal]:
        """Demand -> kilograms a year short; all of it where rules conflict, and nothing that rounding explains."""
        plan, step = self.session.verified.plan, self.session.problem.case.resolution
        found = {entry.demand: entry.quantity for entry in plan.shorts if entry.quantity > step}
        conflicting = {name for part in plan.infeasible for name in part.demands}
        found |= {name: self.wanted[name] for name in conflicting if name in self.wanted}
        return found

    @cached_property
    def causes(self) -> Causes:
        """Causes of everything that is short."""
        return shortage_causes(self.session)

    def causes_of(self, demand: str) -> tuple[RunSupplyCause, ...]:
        """Return the causes of a demand's shortage. Empty if it is met."""
        return self.causes.get((demand, 0), ()) if demand in self.short else ()

    @cached_property
    def groups(self) -> dict[str, Group]:
        """Demand -> the group it belongs to."""
        program = self.program
        demands, first = program.problem.demands, program.columns.short
        found: dict[str, Group] = {}
        for part in split(program.linear):
            own = part.columns[(part.columns >= first) & (part.columns < first + len(demands))] - first
            names = tuple(demands[at].id for at in own.tolist())
            if not names:
                continue
            found |= dict.fromkeys(names, Group(names, digest(part.linear), part.columns))
        return found

    def spent(self, group: Group) -> Decimal:
        """Money a year for some demands that hang together, without priced shortage."""
        linear, first = self.program.linear, self.program.columns.short
        money = linear.cost[group.columns] * self.session.solution.x[group.columns]
        short = (group.columns >= first) & (group.columns < first + len(self.program.problem.demands))
        return exact(float(money[~short].sum()))

    def same_as(self, other: StretchPlan, demand: str) -> bool:
        """Whether the facts that may bear on a demand are those of another stretch."""
        one, two = self.groups.get(demand), other.groups.get(demand)
        if one is None or two is None:
            return one is two
        return (one.demands, one.facts) == (two.demands, two.facts)


class Concerned(Record):
    """An offer, an order already placed or stock in hand, from the day on which a rule begins or ceases to bar it."""

    day: date
    rule: str
    effect: Literal["bars", "frees"]
    kind: Literal["offer", "order", "stock"]
    id: str
    material: str
    end_uses: tuple[str, ...]
    """End uses that it is barred from, or free for as far as this rule goes."""
    kilograms: Number
    """Of an order or of stock: its quantity. Of an offer: what is bought of it a year just before it is barred, or just after it is freed."""


def concerned(
    problem: Problem, planned: Sequence[StretchPlan], turns: Mapping[date, Sequence[Subject]]
) -> Iterator[Concerned]:
    """All that rules which begin or end bear on, date by date: `turns` has what changes on each, `planned` are the stretches between them."""
    positions = {rule.id: position for position, rule in enumerate(problem.rules)}
    for before, after in pairwise(planned):
        day = after.days.start
        assert day is not None
        for kind, name in turns[day]:
            position = positions.get(name, -1) if kind == "rule" else -1
            if position < 0:
                continue
            was, now = (problem.law.in_force(position, one.days) for one in (before, after))
            if was != now:
                amounts = _bought(before if now else after)
                yield from _by_rule(problem, position, day, "bars" if now else "frees", amounts)


def _by_rule(
    problem: Problem,
    position: int,
    day: date,
    effect: Literal["bars", "frees"],
    amounts: Mapping[tuple[str, str], Decimal],
) -> Iterator[Concerned]:
    found: dict[tuple[str, str], tuple[Arc, set[str]]] = {}
    for use, judgement in problem.judgements.items():
        verdicts = judgement.chain.get(position) or judgement.trade.get(position) or {}
        for index, verdict in verdicts.items():
            arc = problem.network.arcs[index]
            if problem.law.forbids(verdict, arc) and _in_time(problem, arc, day, trade=position in judgement.trade):
                name = problem.lots[arc.lot].id if arc.lot >= 0 else arc.chained.offer.id
                found.setdefault((name, arc.chained.material.id), (arc, set()))[1].add(use.end_use)
    for (name, material), (arc, uses) in sorted(found.items(), key=lambda item: (item[1][0].lot < 0, item[0])):
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


def _in_time(problem: Problem, arc: Arc, day: date, *, trade: bool) -> bool:
    """Whether a date still matters to it: what has crossed the border by then is not stopped there."""
    return not (trade and arc.lot >= 0) or problem.case.horizon.periods[problem.lots[arc.lot].period].end >= day


def _bought(one: StretchPlan) -> dict[tuple[str, str], Decimal]:
    """Offer and material -> kilograms bought a year."""
    return totals(((bought.offer, bought.material), bought.quantity) for bought in one.session.verified.plan.purchases)
