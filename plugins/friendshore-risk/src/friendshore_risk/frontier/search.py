"""Search of the frontier: the cheapest plan for each cap on money that depends on countries of concern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from friendshore.domain.base import exact, totals
from friendshore.domain.plan import Cost, PlanStatus
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.values import MONEY
from friendshore.errors import A_SESSION, Diagnostic, InputError, takes
from friendshore.explain import DependentSums, judge_purchases, material_dependence, sum_of
from friendshore.explain.results import CENT, Counted, names_of
from friendshore.problem.rule_facts import rows_of
from friendshore.questions.compare.compare_plans import nearest
from friendshore.rules.kinds.limits import Budget
from friendshore.rules.rows import one_by_one
from friendshore.rules.verdicts import Dependence
from friendshore.session import Answer, PartPlan, Session
from friendshore.solve import Progress
from friendshore.verify import Line, VerifiedPlan

from .curve import Chord, Corner, PricedPlan, corners
from .records import CapPoint, Frontier, Shorter, Supply

POINTS = 16
"""Points that are found unless another number is asked for."""
CAP = "cap of the frontier"
"""Name of the rule that caps the money. No case calls a rule so."""
_DETERRENT = Decimal(10_000)
"""Price of a unit of capped money at which a plan spends as little of it as it can."""


@takes(Session, A_SESSION)
def frontier(
    session: Session,
    *,
    countries: Iterable[str] = (),
    suppliers: Iterable[str] = (),
    materials: Iterable[str] = (),
    points: int = POINTS,
    progress: Progress | None = None,
) -> Frontier:
    """Return the cheapest plan for each of several caps on the money for some purchases, from what the plan spends on them down to nothing.

    Each point is the verified plan of the case with the cap as a rule of the kind `budget`. If the program is linear, the points are corners of the
    curve. Otherwise the caps are evenly spaced.

    Args:
        session: A solved case.
        countries: Purchases that depend on these. None means the countries of concern of the case, or all purchases where suppliers are named.
        suppliers: Only purchases from these companies, or from companies that they own.
        materials: Only purchases of these materials.
        points: Maximum number of points, the plan as it is included.
        progress: Called with the plans found, all that there may be, and seconds.

    Raises:
        InputError: If nothing has the name of a material or supplier.
        SolverError: If a solver breaks down.
        VerificationError: If a plan does not hold.
    """
    asked = _Asked.of(session, countries, suppliers, materials)
    search = _Search(session, asked, points, progress)
    return search.found()


@dataclass(frozen=True, slots=True)
class _Asked:
    """Purchases that are capped."""

    countries: frozenset[str]
    """Countries on which the capped purchases depend; none: all purchases of the suppliers."""
    shown: frozenset[str]
    """Countries by which points tell the share of concern."""
    suppliers: tuple[str, ...]
    materials: tuple[str, ...]

    @staticmethod
    def of(session: Session, countries: Iterable[str], suppliers: Iterable[str], materials: Iterable[str]) -> _Asked:
        named, sellers, goods = frozenset(countries), tuple(suppliers), tuple(materials)
        own = session.problem.case.concern.countries
        asked = _Asked(named or (frozenset() if sellers else own), named or own, sellers, goods)
        asked.refuse_unknown(session)
        return asked

    def rule(self, amount: Decimal, price: Decimal | None = None) -> Budget:
        """Return the cap as a case would write it."""
        return Budget.model_validate(
            {
                "id": CAP,
                "amount": amount,
                "penalty": price,
                "per": "horizon",
                "countries": sorted(self.countries),
                "suppliers": self.suppliers,
                "materials": self.materials,
            }
        )

    def refuse_unknown(self, session: Session) -> None:
        """Refuse names of materials and suppliers that nothing in the case has.

        Raises:
            InputError: With all such names.
        """
        offers = [chained for facts in session.problem.offers for chained in facts.chained]
        known = {material.id for material in session.problem.facts.materials}
        found = [
            Diagnostic(f"no material of the case is called `{name}`", found=name, fix=did_you_mean(name, known))
            for name in self.materials
            if name not in known
        ]
        sellers = {name for o in offers for name in (o.facility.supplier, o.facility.owner)}
        for name in self.suppliers:
            alone = Budget(id=CAP, amount=Decimal(0), suppliers=(name,))
            if not any(alone.counts(offer) for offer in offers):
                found.append(
                    Diagnostic(
                        f"no supplier of the case is called `{name}`", found=name, fix=did_you_mean(name, sellers)
                    )
                )
        if not self.countries and not self.suppliers:
            expected = "a country of concern"
            found.append(
                Diagnostic("the case names no country of concern", expected=expected, fix="name some: --country")
            )
        if found:
            raise InputError(found)


class _Search:
    """Plans the case under one cap after the other."""

    def __init__(self, session: Session, asked: _Asked, points: int, progress: Progress | None) -> None:
        self.session, self.asked, self.points = session, asked, max(2, points)
        self.counted = Counted(session, progress)
        self._answers: dict[Decimal, Answer] = {}
        self._offers: dict[tuple[str, str], Supply] = {}
        """Offers that the plan of the latest point buys."""
        self._latest: list[PartPlan] = []
        """Its parts."""
        self.today = _capped_by(session.verified, asked.rule(Decimal(0)))
        if MONEY.most is not None and self.today > MONEY.most:
            message = "the plan spends more on the capped purchases than a budget can state"
            raise InputError(message, found=f"{self.today:,.0f}", expected=MONEY.expected)
        self._first = self._point(None, _Whole(session, session.verified.cost, (), ()), None, None)
        # The lowest cap, a priced plan for the first chord and two for each further corner, and two plans for each point but the first.
        self._total, self._done = 4 * self.points - 4, 0

    def found(self) -> Frontier:
        """Return the frontier."""
        why = self._why_grid()
        chords: Sequence[Chord] = ()
        caps: list[Decimal] = []
        lowest, conflicts = self._lowest() if self.today > CENT else (None, ())
        if lowest is not None and not why:
            chords = corners(lowest, self._corner(), self.points, self._priced)
            caps = [chord.left.capped for chord in reversed(chords)]
        elif lowest is not None:
            caps = list(self._grid(lowest.capped))
        found = [self._first]
        errors = {chord.left.capped: chord.error for chord in chords}
        for cap in caps:
            plan = self._near(cap)
            if plan is None:
                break
            found.append(self._point(cap, plan, found[-1], errors.get(cap)))
        self.counted.told(self._total, self._total)
        case = self.session.problem.case
        return Frontier(
            case=case.name,
            currency=case.currency,
            names=names_of(self.session.problem, ()),
            countries=tuple(sorted(self.asked.countries)),
            suppliers=self.asked.suppliers,
            materials=self.asked.materials,
            exact=not why,
            why_grid=why,
            conflict_at_zero=conflicts,
            points=tuple(found),
            complete=len(found) == len(caps) + 1 and not (self.today > CENT and not caps),
            effort=self.counted.effort,
        )

    def _why_grid(self) -> str:
        """Return why the curve need not be convex; empty if it is."""
        if self.session.program.linear.integer.any():
            return "the plan has whole-number decisions, such as minimum orders or suppliers that are used or not"
        if self.session.problem.objectives:
            return "the case ranks objectives"
        return "rules of the case conflict" if self.session.verified.plan.infeasible else ""

    def _grid(self, lowest: Decimal) -> Iterator[Decimal]:
        """Yield evenly spaced caps below what the plan spends."""
        steps = self.points - 1
        for step in range(1, steps + 1):
            yield (self.today - (self.today - lowest) * step / steps).quantize(CENT, ROUND_CEILING)

    def _lowest(self) -> tuple[Corner | None, tuple[str, ...]]:
        """Return the corner with the lowest cap, and rules that conflict under a cap of zero. The corner is None if the search was ended."""
        answer = self._capped(Decimal(0))
        if answer is None:
            return None, ()
        conflicts = _new_conflicts(self.session, answer)
        if not conflicts:
            return self._corner(answer), ()
        deterred = self._priced(_DETERRENT)
        return None if deterred is None else deterred.corner, conflicts

    def _corner(self, answer: Answer | None = None) -> Corner:
        if answer is None:
            return Corner(self.today, self.session.verified.cost.objective)
        return Corner(_counted_by_cap(answer.after), answer.cost.objective)

    def _capped(self, cap: Decimal) -> Answer | None:
        """Return the cheapest plan under a cap; None if the search was ended."""
        amount = cap.quantize(CENT, ROUND_CEILING)
        if amount not in self._answers:
            answer = self._after(self.asked.rule(exact(amount)))
            if answer is None:
                return None
            self._answers[amount] = answer
        return self._answers[amount]

    def _priced(self, price: Decimal) -> PricedPlan | None:
        answer = self._after(self.asked.rule(Decimal(0), price))
        if answer is None:
            return None
        spent = _counted_by_cap(answer.after)
        return PricedPlan(Corner(spent, answer.cost.objective - price * spent), self._bound(answer))

    def _after(self, rule: Budget) -> Answer | None:
        if self.session.stopped:
            return None
        self.counted.questions += 1
        answer = self.session.after(rules=[rule])
        self._progress()
        return answer

    def _progress(self) -> None:
        self._done = min(self._done + 1, self._total)
        self.counted.told(self._done, self._total)

    def _bound(self, answer: Answer) -> Decimal:
        """Return a lower bound on the objective of the whole case."""
        plan = self.session.verified
        others = (plan.cost.objective - plan.plan.bound) - _gaps(part.verified for part in answer.before)
        return answer.cost.objective - _gaps(part.verified for part in answer.after) - max(Decimal(0), others)

    def _near(self, cap: Decimal) -> _Whole | None:
        """Return the plan under a cap that moves the fewest kilograms from the plan of the point before, of all that cost no more."""
        answer = self._capped(cap)
        if answer is None:
            return None
        cost, parts = answer.cost, list[PartPlan]()
        for part in answer.after:
            known = next((each for each in self._latest if each.members == part.members), None)
            before = known or PartPlan(part.members, self.session.verified)
            near = part if self.session.stopped else nearest(self.session, part, before).part
            cost = cost.plus(near.verified.cost.minus(part.verified.cost))
            parts.append(near)
        self._latest = parts
        self._progress()
        conflicts = _new_conflicts(self.session, answer)
        return _Whole(self.session, cost, tuple(parts), conflicts, self._bound(answer))

    def _point(self, cap: Decimal | None, whole: _Whole, before: CapPoint | None, error: Decimal | None) -> CapPoint:
        plan = self.session.verified
        sums = whole.dependence(self.asked.shown)
        offers = whole.offers
        known, self._offers = self._offers, offers
        return CapPoint(
            cap=None if cap is None else exact(cap.quantize(CENT, ROUND_CEILING)),
            capped=exact(self.today if cap is None else _counted_by_cap(whole.parts)),
            paid=exact(sums.cash),
            is_cost=exact(sums.is_cash),
            may_be_cost=exact(sums.may_be_cash),
            share=exact(sums.share),
            cost=whole.cost.nominal,
            cost_more=exact(whole.cost.nominal - plan.cost.nominal),
            objective=whole.cost.objective,
            bound=exact(min(whole.cost.objective, plan.plan.bound if whole.bound is None else whole.bound)),
            status=whole.status,
            short=whole.short(self.session),
            new=() if before is None else tuple(offers[name] for name in sorted(offers.keys() - known.keys())),
            gone=() if before is None else tuple(known[name] for name in sorted(known.keys() - offers.keys())),
            conflict=whole.conflicts,
            error=error,
        )


def _counted_by_cap(parts: Iterable[PartPlan]) -> Decimal:
    readings = (reading for part in parts for reading in part.verified.readings if reading.rule.id == CAP)
    return sum((reading.value for reading in readings), Decimal(0))


def _capped_by(verified: VerifiedPlan, rule: Budget) -> Decimal:
    """Return the money of a plan that a budget counts: by offer, and on what the plan makes of inputs of concern."""
    problem, values = verified.problem, verified.readings.values
    rows = rows_of(rule, problem.case.horizon.periods, problem.law, problem.facts)
    terms = [term for each in rows for row in one_by_one(each) for term in row.terms]
    for_all = [term for term in terms if getattr(term, "for_uses", None) is None]
    made = [
        line.total
        for line, found in zip(verified.lines, judge_purchases(verified, rule.countries), strict=True)
        if found.whole is not Dependence.NO and rule.counts_if_tainted(line.item.arc.chained)
    ]
    return sum((values.value(term)[0] for term in for_all), sum(made, Decimal(0)))


def _gaps(plans: Iterable[VerifiedPlan]) -> Decimal:
    return sum((max(Decimal(0), plan.cost.objective - plan.plan.bound) for plan in plans), Decimal(0))


def _new_conflicts(session: Session, answer: Answer) -> tuple[str, ...]:
    known = {rule for part in session.verified.plan.infeasible for rule in part.rules}
    return tuple(sorted({rule for part in answer.infeasible for rule in part.rules} - known))


@dataclass(frozen=True, slots=True)
class _Whole:
    """The plan of the whole case: the parts that a cap touches, and the rest as it is."""

    session: Session
    cost: Cost
    parts: tuple[PartPlan, ...]
    conflicts: tuple[str, ...]
    """Rules that can't hold together under the cap."""
    bound: Decimal | None = None
    """None: that of the plan as it is."""

    @property
    def members(self) -> frozenset[str]:
        """Materials of the parts."""
        return frozenset[str]().union(*(part.members for part in self.parts))

    @property
    def lines(self) -> Iterator[Line]:
        """All purchases."""
        members = self.members
        yield from (line for line in self.session.verified.lines if line.item.entry.material not in members)
        for part in self.parts:
            yield from part.verified.lines

    @property
    def offers(self) -> dict[tuple[str, str], Supply]:
        """Offers that are bought, by material and offer."""
        found = {}
        for line in self.lines:
            chained = line.item.arc.chained
            name = chained.facility.name or chained.facility.id
            supply = Supply(offer=chained.offer.id, facility=name, material=chained.material.id)
            found[supply.material, supply.offer] = supply
        return found

    @property
    def status(self) -> PlanStatus:
        """The least sure status of its parts."""
        statuses = [part.plan.status for part in self.parts] or [self.session.verified.plan.status]
        return max(statuses, key=list(PlanStatus).index)

    def dependence(self, countries: frozenset[str]) -> DependentSums:
        """Return the cash for purchases, by dependence on some countries."""
        kept, members = material_dependence(self.session.verified, countries), self.members
        sums = [each for name, each in kept.items() if name not in members]
        for part in self.parts:
            sums += material_dependence(part.verified, countries).values()
        return sum_of(sums)

    def short(self, today: Session) -> tuple[Shorter, ...]:
        """Return the shortages here or in the plan as it is, without those that rounding explains."""
        material = {demand.id: demand.use.material.id for demand in today.problem.demands}
        kept = [(material[name], kg) for name, kg in today.verified.plan.short_by_demand.items()]
        changed = [(material[name], kg) for part in self.parts for name, kg in part.plan.short_by_demand.items()]
        members = self.members
        before, now = totals(kept), totals([*(one for one in kept if one[0] not in members), *changed])
        slack = today.problem.case.resolution * today.problem.case.horizon.count
        rows = []
        for name in sorted({*before, *now}):
            kilograms = now.get(name, Decimal(0))
            more = kilograms - before.get(name, Decimal(0))
            if kilograms > slack or abs(more) > slack:
                rows.append(Shorter(material=name, kilograms=kilograms, more=more if abs(more) > slack else Decimal(0)))
        return tuple(rows)
