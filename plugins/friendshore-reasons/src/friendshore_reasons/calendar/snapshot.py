"""Facts as they stand on some days on which nothing changes: a case of one period that stands for a year at their rates.

No stock is carried in, nothing is on its way, and everything is delivered at once: what the facts themselves allow, for as long
as they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from typing import TypeVar

from friendshore.domain.base import as_decimal, exact
from friendshore.domain.case import Case, DemandSpec, LicenceSpec, WaiverSpec
from friendshore.domain.facts import CapacityStep, Catalog, Facility, Offer, Quote, Status
from friendshore.domain.terms import Terms
from friendshore.domain.tiers import PriceSchedule
from friendshore.domain.time import Horizon, Period, Span, add_months
from friendshore.problem.demands import demand_name
from friendshore.problem.inputs import Inputs
from friendshore.problem.judging import licence_id, waiver_id
from friendshore.problem.problem import Problem
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget
from friendshore.rules.rows import Row, Rows
from friendshore.rules.terms import ReservedTerm, StockTerm

Subject = tuple[str, str]
"""What changes on a date: its kind (`rule`, `offer`, `facility`, …) and its name."""
Dated = TypeVar("Dated", WaiverSpec, LicenceSpec, PriceSchedule, Terms, Quote)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The facts of a case, to be looked at on any days."""

    inputs: Inputs
    problem: Problem
    until: date
    """Last day that is looked at."""

    @staticmethod
    def of(inputs: Inputs, problem: Problem, until: date) -> Snapshot:
        """Return the facts, with shortage and holding at the prices of the plan.

        Rules about stock alone are left out, because no stock is carried.
        """
        about_stock = {rule.id for rule, row in problem.limit_rows if _counts_only_stock(row)}
        kept = tuple(rule for rule in inputs.rules if rule.id not in about_stock)
        return Snapshot(replace(inputs.freeze(problem), rules=kept), problem, until)

    @property
    def budgets(self) -> frozenset[str]:
        """Return the ids of the budgets. A budget joins everything that it pays for into one part."""
        return frozenset(rule.id for rule in self.inputs.rules if isinstance(rule, Budget))

    def on(
        self, days: Span, other: Mapping[Subject, Span] | None = None, without: Collection[str] = frozenset()
    ) -> Inputs:
        """The facts on some days, within which nothing dated begins or ends, as a case of one period; of `other` subjects those on other days.

        `without` are ids of rules that are left out.
        """
        assert days.start is not None and days.end is not None
        view = _View(self, days, other or {})
        horizon = Horizon(start=days.start, count=1, length=self.inputs.case.horizon.length, until=days.end)
        return replace(
            self.inputs,
            case=view.case(self.inputs.case, horizon),
            catalogs=tuple(view.catalog(catalog) for catalog in self.inputs.catalogs),
            rules=tuple(view.rule(rule) for rule in self.inputs.rules if rule.id not in without),
        )

    def qualified(self, offer: Offer) -> date | None:
        """First day on which an offer may be ordered that has to be qualified first."""
        if offer.qualification is None or any(today.offer == offer.id for today in self.inputs.case.incumbents):
            return None
        months = int(offer.qualification.to_integral_value(ROUND_CEILING))
        return add_months(self.inputs.case.horizon.start, months)


def _counts_only_stock(row: Row | Rows) -> bool:
    """Return True if a row counts kilograms in stock and nothing else.

    A limit on use counts purchases too. It stays: without stock, it limits purchases.
    """
    counted = [term for term in row.asked if not term.parts]
    return bool(counted) and all(isinstance(term, StockTerm | ReservedTerm) for term in counted)


class _View:
    """Facts turned into those of one stretch of days."""

    def __init__(self, standing: Snapshot, days: Span, other: Mapping[Subject, Span]) -> None:
        self.standing, self.days, self.other = standing, days, other
        self.plan = standing.inputs.case.horizon

    def rule(self, rule: Rule) -> Rule:
        """A rule; of other days, as it stands on them for good. A budget is what may be spent in a year."""
        if isinstance(rule, Budget) and rule.per != "year":
            length = Fraction(self.plan.length.months, 12) if rule.per == "period" else self._years
            rule = rule.but(amount=as_decimal(Fraction(rule.amount) / length))
        span = self.other.get(("rule", rule.id))
        if span is None:
            return rule
        phases = tuple(p.but(start=None, end=None) for p in rule.phases if p.span.meets(span))
        return rule.but(phases=phases)

    def catalog(self, catalog: Catalog) -> Catalog:
        """A catalog."""
        return catalog.but(
            offers=tuple(self._offer(offer) for offer in catalog.offers),
            facilities=tuple(self._facility(facility) for facility in catalog.facilities),
            schedules=tuple(self._kept(catalog.schedules, "price schedule", lambda s: s.name)),
            terms=tuple(self._kept(catalog.terms, "terms", lambda t: t.name)),
        )

    def _offer(self, offer: Offer) -> Offer:
        months = Decimal(12 // self.plan.length.months)
        qualified = self.standing.qualified(offer)
        start = max([day for day in (offer.start, qualified) if day is not None], default=None)
        rates = [rate for rate in (offer.max_per_year, self._a_year(offer.total)) if rate is not None]
        update: dict[str, object] = {
            "start": start,
            "qualification": None,
            "lead_time": Decimal(0),
            "lanes": tuple(lane.but(lead_time=None) for lane in offer.lanes),
            "max_order": None if offer.max_order is None else exact(offer.max_order * months),
            "max_lots": None if offer.max_lots is None else offer.max_lots * int(months),
            "max_per_year": min(rates) if rates else None,
            "total": None,
        }
        span = self.other.get(("offer", offer.id))
        if span is not None:
            open_then = Span(start=start, end=offer.end).covers(span)
            quotes = [quote for quote in offer.quotes if Span(start=quote.start, end=quote.end).covers(span)]
            open_then = open_then and (bool(quotes) or not offer.quotes)
            update |= {"start": None, "end": None if open_then else self._before()}
            update["quotes"] = tuple(q.but(start=None, end=None) for q in quotes[:1] or offer.quotes[:1])
        return offer.but(**update)

    def _facility(self, facility: Facility) -> Facility:
        span = self.other.get(("facility", facility.id))
        if span is None or not facility.capacity:
            return facility
        assert span.start is not None
        begun = [step for step in facility.capacity if step.start is None or step.start <= span.start]
        nothing = CapacityStep(per_year=Decimal(0), status=Status.OPERATING, source=facility.capacity[0].source)
        step = begun[-1] if begun else nothing
        return facility.but(capacity=(step.but(start=None),))

    def case(self, case: Case, horizon: Horizon) -> Case:
        """The case: nothing in stock or on its way, quantities as yearly rates."""
        assumed = []
        for given in case.assume.offer:
            offer = self.standing.problem.merged.offers.get(given.id)
            days = [given.start, None if offer is None else self.standing.qualified(offer)]
            start = max([day for day in days if day is not None], default=None)
            start = None if ("offer", given.id) in self.other else start
            assumed.append(given.but(start=start))
        assume = case.assume.but(lead_time=Decimal(0), safety_lead=Decimal(0), offer=tuple(assumed))
        waivers = self._kept(case.waivers, "waiver", waiver_id)
        licences = self._kept(case.licences, "licence", licence_id)
        return case.but(
            horizon=horizon,
            assume=assume,
            demands=tuple(self._demand(demand, case) for demand in case.demands),
            waivers=tuple(w.but(quantity=self._rate(w)) for w in waivers),
            licences=tuple(one.but(quantity=self._rate(one)) for one in licences),
            stocks=(),
            orders=(),
        )

    def _demand(self, spec: DemandSpec, case: Case) -> DemandSpec:
        name = demand_name(spec, case)
        days = self.other.get(("demand", name), self.days)
        update: dict[str, object] = {"id": name}
        if spec.quantities or spec.later:
            update |= self._listed(name, days)
        elif ("demand", name) in self.other:
            wanted = Span(start=spec.start, end=spec.end).covers(days)
            update |= {"start": None, "end": None, "per_year": spec.per_year if wanted else Decimal(0)}
        return spec.but(**update)

    def _listed(self, name: str, days: Span) -> dict[str, object]:
        """A demand that is stated period by period, as the rate of the period that the days lie in; after the plan that of its last."""
        assert days.start is not None
        found = {demand.id: (demand, price) for demand, price in zip(
            self.standing.problem.demands, self.standing.problem.shortage_price, strict=True)}  # fmt: skip
        demand, price = found[name]
        at = self.plan.find(days.start)
        period = self.plan.periods[-1 if at is None else at]
        rate = as_decimal(Fraction(demand.quantity[period.index]) / period.years)
        return {
            "per_year": rate, "quantities": (), "later": 0, "start": None, "end": None, "substance": "", "shortage_price": price,
        }  # fmt: skip

    def _kept(self, records: tuple[Dated, ...], kind: str, name: Callable[[Dated], str]) -> list[Dated]:
        """Dated records; of those to be looked at on other days, the ones that hold then, for good."""
        found = []
        for record in records:
            span = self.other.get((kind, name(record)))
            if span is None:
                found.append(record)
            elif Span(start=record.start, end=record.end).covers(span):
                found.append(record.but(start=None, end=None))
        return found

    def _rate(self, paper: WaiverSpec | LicenceSpec) -> Decimal | None:
        """Return the yearly rate of a quantity that is valid on some dates. None if it has none."""
        if paper.quantity is None:
            return None
        first, last = self.plan.start, max(self.standing.until, self.plan.periods[-1].end)
        start, end = max(paper.start or first, first), min(paper.end or last, last)
        if start > end:
            return paper.quantity
        years = Period(index=0, start=start, end=end, label="").years
        return as_decimal(Fraction(paper.quantity) / years)

    def _a_year(self, total: Decimal | None) -> Decimal | None:
        """Return the yearly rate of a quantity for the whole plan. None if there is none."""
        return None if total is None else as_decimal(Fraction(total) / self._years)

    @property
    def _years(self) -> Fraction:
        """Length of the plan."""
        return sum((period.years for period in self.plan.periods), Fraction(0))

    def _before(self) -> date:
        assert self.days.start is not None
        return self.days.start - timedelta(days=1)
