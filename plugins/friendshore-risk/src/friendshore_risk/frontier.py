"""The question `frontier`: the price of independence, as the cheapest plan for each cap on money that depends on countries of concern."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, ClassVar, Literal

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, percent
from friendshore.domain.base import Number, Record, exact, totals
from friendshore.domain.countries import COVERED_NATIONS, country_names
from friendshore.domain.plan import Cost, PlanStatus
from friendshore.domain.shown_names import ShownNames
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.values import FACTOR, MONEY
from friendshore.errors import Diagnostic, InputError
from friendshore.explain import DependentSums, judge_purchases, material_dependence, sum_of
from friendshore.explain.results import CENT, Counted, Effort, QuestionResult, names_of
from friendshore.problem.rule_facts import rows_of
from friendshore.questions.compare.compare_plans import nearest
from friendshore.questions.wording import effort, mass_of, ranked, weighed
from friendshore.recommend import PlanSource, session_of
from friendshore.rules.kinds.limits import Budget
from friendshore.rules.rows import one_by_one
from friendshore.rules.verdicts import Dependence
from friendshore.session import Answer, PartPlan, Session
from friendshore.solve import Progress
from friendshore.verify import Line, VerifiedPlan

if TYPE_CHECKING:
    pass


class Shorter(Record):
    """A material that is short."""

    material: str
    kilograms: Number
    """Over the plan and all its demands."""
    more: Number
    """Additional kilograms relative to the plan without a cap. Negative for fewer."""


class Supply(Record):
    """An offer with purchases."""

    offer: str
    facility: str
    """Name of the facility, or its id if it has no name."""
    material: str


class CapPoint(Record):
    """The cheapest plan under one cap."""

    cap: Number | None
    """Maximum spend on the capped purchases. None for the plan as it is."""
    capped: Number
    """Spend of the plan on them: price, duty, freight, and one-off costs, not discounted."""
    paid: Number
    """Cash for all purchases, not discounted."""
    is_cost: Number
    """Cash for purchases that depend on the countries, including goods made of such inputs."""
    may_be_cost: Number
    """Cash for purchases that may depend on them."""
    share: Number
    """(is_cost + may_be_cost) / paid. 0 if nothing is paid."""
    cost: Number
    """Total cash, including holding, not discounted."""
    cost_more: Number
    """Total cash above that of the plan as it is."""
    objective: Number
    """Objective: discounted cash, penalties, and priced shortage."""
    bound: Number
    """Lower bound on the objective of any plan under the cap."""
    status: PlanStatus
    short: tuple[Shorter, ...]
    """Materials that are short here, or in the plan as it is."""
    new: tuple[Supply, ...]
    """Offers that the plan of the previous point doesn't buy."""
    gone: tuple[Supply, ...]
    """Offers that only the plan of the previous point buys."""
    conflict: tuple[str, ...] = ()
    """Rules that conflict under the cap. The figures then cover the rest."""
    error: Number | None = None
    """Maximum distance of the lowest objective below the straight line between the previous point and this one. 0 if the line is exact.
    None if nothing is proved.
    """


class Frontier(QuestionResult):
    """The cheapest plan for each cap, from the plan as it is down to the lowest cap."""

    TABLES: ClassVar[tuple[str, ...]] = ("points",)
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore_risk.frontier:frontier_document"

    case: str
    currency: str
    countries: tuple[str, ...]
    """Countries of the capped purchases. Empty if the cap counts all purchases from the suppliers."""
    suppliers: tuple[str, ...]
    """Suppliers of the capped purchases, including their subsidiaries. Empty means all."""
    materials: tuple[str, ...]
    """Materials of the capped purchases. Empty means all."""
    exact: bool
    """True if the points are corners of the curve. False if the caps are evenly spaced, because the curve may be non-convex."""
    why_grid: str
    """Reason for evenly spaced caps. Empty if the points are corners."""
    conflict_at_zero: tuple[str, ...] = ()
    """Rules that conflict under a cap of zero. The last point then spends as little as they allow."""
    points: tuple[CapPoint, ...]
    """The plan as it is first, then by falling cap."""
    complete: bool
    effort: Effort


_PROVED_GAP = Decimal("1e-8")
"""Maximum error of a chord that counts as the curve, relative to the objective."""
_MONEY = Decimal(1)
"""Maximum error in money that counts as none, regardless of the objective. Plans are rounded to grams."""


@dataclass(frozen=True, slots=True)
class Corner:
    """A point of the curve."""

    capped: Decimal
    objective: Decimal


@dataclass(frozen=True, slots=True)
class PricedPlan:
    """The cheapest plan with a price for each unit of capped money."""

    corner: Corner
    lower: Decimal
    """Lower bound on `objective + price * capped` of any plan."""


@dataclass(frozen=True, slots=True)
class Chord:
    """The chord of two corners, and the maximum distance of the curve below it."""

    left: Corner
    """Corner with the lower cap."""
    right: Corner
    error: Decimal
    """Maximum distance of the curve below the chord."""
    within: Corner | None


def corners(left: Corner, right: Corner, count: int, priced: Callable[[Decimal], PricedPlan | None]) -> list[Chord]:
    """Return the chords between the most informative corners, by rising cap.

    A corner is split off first where the chord overstates most, relative to the corner's own cost above the right end.

    Args:
        left: Corner with the lowest cap.
        right: The plan as it is.
        count: Maximum number of corners, both ends included.
        priced: Cheapest plan at a price of capped money. None if the search was ended.
    """
    chords = [_chord(left, right, priced)]
    while len(chords) + 1 < count:
        open_chords = [chord for chord in chords if chord.within is not None]
        if not open_chords:
            break
        split = max(open_chords, key=lambda chord: _weight(chord, right))
        assert split.within is not None
        chords.remove(split)
        chords += [
            _chord(split.left, split.within, priced, split.error),
            _chord(split.within, split.right, priced, split.error),
        ]
    return sorted(chords, key=lambda chord: chord.left.capped)


def _weight(chord: Chord, today: Corner) -> Decimal:
    assert chord.within is not None
    return chord.error / max(_MONEY, chord.within.objective - today.objective)


def _chord(
    left: Corner, right: Corner, priced: Callable[[Decimal], PricedPlan | None], known: Decimal | None = None
) -> Chord:
    """Return the chord of two corners. `known` is an error bound that is valid in any case."""
    width, drop = right.capped - left.capped, left.objective - right.objective
    allowed = max(_MONEY, _PROVED_GAP * abs(left.objective))
    if width <= 0 or drop <= allowed:
        return Chord(left, right, Decimal(0), None)
    # At a price below the slope of the chord, the largest distance between chord and bound is at the left end.
    price = min(Decimal(repr(float(drop / width))), _MAX_PRICE)
    found = priced(price)
    if found is None:
        return Chord(left, right, drop if known is None else min(known, drop), None)
    value = left.objective + price * left.capped
    error = max(Decimal(0), value - found.lower)
    if error <= allowed:
        return Chord(left, right, Decimal(0), None)
    inside = left.capped < found.corner.capped < right.capped
    return Chord(left, right, min(error, drop), found.corner if inside else None)


POINTS = 16
"""Default number of points."""
CAP = "cap of the frontier"
"""Name of the rule that caps the money. No case uses this name."""
_MAX_PRICE = Decimal(FACTOR.most or 0)
"""Largest penalty that a budget may have. Cases whose shortages cost far more than their goods exceed it."""
_DETERRENT = Decimal(10_000)
"""Price of a unit of capped money at which a plan spends as little of it as possible."""


def frontier(
    source: PlanSource,
    *,
    countries: Iterable[str] = (),
    suppliers: Iterable[str] = (),
    materials: Iterable[str] = (),
    points: int = POINTS,
    progress: Progress | None = None,
) -> Frontier:
    """Return the cheapest plan for each of several caps on the money for some purchases, from the plan's spend on them down to zero.

    Each point is the verified plan of the case with the cap as a rule of the kind `budget`. If the program is linear, the points are corners of the
    curve. Otherwise the caps are evenly spaced.

    Args:
        source: A recommendation, a session, or a case.
        countries: Countries that the capped purchases depend on. Empty means the countries of concern of the case, or all purchases if suppliers are
            named.
        suppliers: Suppliers of the capped purchases, including their subsidiaries.
        materials: Materials of the capped purchases.
        points: Maximum number of points, the plan as it is included.
        progress: Called with the number of plans found, the maximum number, and seconds.

    Raises:
        InputError: If a material or supplier is unknown.
        SolverError: If a solver fails.
        VerificationError: If a plan fails verification.
    """
    session = session_of(source)
    asked = _Asked.of(session, countries, suppliers, materials)
    search = _Search(session, asked, points, progress)
    return search.found()


@dataclass(frozen=True, slots=True)
class _Asked:
    """Capped purchases."""

    countries: frozenset[str]
    """Countries that the capped purchases depend on. Empty means all purchases from the suppliers."""
    shown: frozenset[str]
    """Countries of the share of concern in each point."""
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
        """Reject unknown names of materials and suppliers.

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
    """Search for the cheapest plan under one cap after the other."""

    def __init__(self, session: Session, asked: _Asked, points: int, progress: Progress | None) -> None:
        self.session, self.asked, self.points = session, asked, max(2, points)
        self.counted = Counted(session, progress)
        self._answers: dict[Decimal, Answer] = {}
        self._offers: dict[tuple[str, str], Supply] = {}
        """Offers that the plan of the latest point uses."""
        self._latest: list[PartPlan] = []
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
        """Return the reason why the curve may be non-convex. Empty if it is convex."""
        if self.session.program.linear.integer.any():
            return "the plan has whole-number decisions, such as minimum orders or suppliers that are used or not"
        if self.session.problem.objectives:
            return "the case ranks objectives"
        return "rules of the case conflict" if self.session.verified.plan.infeasible else ""

    def _grid(self, lowest: Decimal) -> Iterator[Decimal]:
        """Yield evenly spaced caps below the plan's spend."""
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
        """Return the cheapest plan under a cap. None if the search was ended."""
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
        answer = self.session.what_if(rules=[rule])
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
        """Return a plan under a cap without additional cost that moves the fewest kilograms from the plan of the previous point."""
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
        if found.whole is not Dependence.NO and rule.counts_if_tainted(line.arc.chained)
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
    """Rules that conflict under the cap."""
    bound: Decimal | None = None
    """Lower bound. None means that of the plan as it is."""

    @property
    def members(self) -> frozenset[str]:
        """Materials of the parts."""
        return frozenset[str]().union(*(part.members for part in self.parts))

    @property
    def lines(self) -> Iterator[Line]:
        """All purchases."""
        members = self.members
        yield from (line for line in self.session.verified.lines if line.material not in members)
        for part in self.parts:
            yield from part.verified.lines

    @property
    def offers(self) -> dict[tuple[str, str], Supply]:
        """Offers with purchases, by material and offer."""
        found = {}
        for line in self.lines:
            chained = line.arc.chained
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
        """Return the shortages here or in the plan as it is, without rounding."""
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


_MILLION = Decimal(1_000_000)
_PROVED = Decimal("1e-6")
"""Maximum relative gap of a plan that counts as proved cheapest."""


def frontier_document(found: Frontier) -> doc.Document:
    """Return every point with its chart, its shortages, and what changes."""
    columns = [
        *(doc.figures(name) for name in ("#", "Capped", "Of concern", "Cash", "More cash")),
        doc.Column("Shorter by", on="screen"),
        *(replace(doc.figures(name), on="whole") for name in ("Is of concern", "May be", "Gap", "Line above it by")),
    ]
    rows = [[*_figures(point, found), _shorter(point, found.names), *_proof(point, found)] for point in found.points]
    table = ranked(columns, rows, "more point", part=6)
    told = f"Cash for the whole plan at each point, in {found.currency}, not discounted, by dependence of its purchases on the countries."
    drawing = doc.Drawing("Cash at each point", told, _bars(found), table) if len(found.points) > 1 else table
    line = "the curve lies below the straight line from the point before by no more than the last column says; 0 means that the line is the curve"
    notes = [*_notes(found), *([line] if found.exact and len(found.points) > 1 else [])]
    commands = doc.sentence(doc.Phrase("--full", code=True), ": what is short at each point, and who comes and goes")
    return doc.document(
        f"{found.case}: the price of independence",
        doc.sentence(headline(found), strong=True),
        doc.section("Points", _unit(found), drawing, doc.for_whole(doc.notes(notes)), column="#"),
        doc.for_screen(_brief_changes(found)),
        doc.for_whole(_short_section(found)),
        doc.for_whole(_changes_section(found)),
        doc.for_screen(doc.apart(doc.notes(_notes(found), doc.Tone.ASIDE), commands)),
        doc.for_whole(effort(found.effort)),
    )


def headline(found: Frontier) -> str:
    """Return the cost of independence in a sentence or two."""
    today, last = found.points[0], found.points[-1]
    whom = _whom(found)
    if not today.capped:
        return f"The plan spends nothing on {whom}."
    spent = f"The plan spends {large_money(today.capped, found.currency)} on {whom}"
    if len(found.points) == 1:
        return f"{spent}."
    free = _without_more_shortage(found)
    first = (
        f"{spent}. It can fall to {large_money(free.capped, found.currency)} without more shortage, for {_cash(free, found)}."
        if free is not today
        else f"{spent}. Any lower cap that was tried leaves more short."
    )
    if last is free:
        return first
    more = [each for each in last.short if each.more > 0]
    return f"{first} At {large_money(last.capped, found.currency)}, {count(len(more), 'material')} {'is' if len(more) == 1 else 'are'} shorter."


def _without_more_shortage(found: Frontier) -> CapPoint:
    """Return the last point before rules conflict or any shortage rises above today's."""
    free = found.points[0]
    for point in found.points[1:]:
        if point.conflict or any(each.more > 0 for each in point.short):
            break
        free = point
    return free


def _cash(point: CapPoint, found: Frontier) -> str:
    more = large_money(abs(point.cost_more), found.currency)
    return f"{more} {'less' if point.cost_more < 0 else 'more'} cash"


def _whom(found: Frontier) -> str:
    goods = f"purchases of {', '.join(map(found.names.material, found.materials))}" if found.materials else "purchases"
    sellers = f" from {', '.join(found.suppliers)}" if found.suppliers else ""
    if not found.countries:
        return f"{goods}{sellers}"
    names = country_names()
    if set(found.countries) == COVERED_NATIONS:
        return f"{goods}{sellers} that depend on countries of concern"
    return f"{goods}{sellers} that depend on {', '.join(names.get(code, code) for code in found.countries)}"


def _unit(found: Frontier) -> doc.Sentence:
    unit = f"{found.currency} million" if _in_millions(found) else found.currency
    return doc.sentence(f"Cash, not discounted, in {unit}:")


def _figures(point: CapPoint, found: Frontier) -> list[doc.Cell]:
    number = found.points.index(point)
    more = _money(point.cost_more, found, form="signed") if number else doc.NOTHING
    return [doc.Count(number), _money(point.capped, found), doc.Share(point.share), _money(point.cost, found), more]


def _proof(point: CapPoint, found: Frontier) -> list[doc.Cell]:
    gap = (point.objective - point.bound) / abs(point.objective) if point.objective else Decimal(0)
    error = doc.NOTHING if point.error is None else _money(point.error, found)
    return [_money(point.is_cost, found), _money(point.may_be_cost, found), doc.Share(gap), error]


def _money(amount: Decimal, found: Frontier, form: Literal["rounded", "signed"] = "rounded") -> doc.Amount:
    return doc.Amount(amount / _MILLION if _in_millions(found) else amount, form=form)


def _in_millions(found: Frontier) -> bool:
    return found.points[0].cost >= _MILLION * 100


def _shorter(point: CapPoint, names: ShownNames) -> doc.Cell:
    """Return the materials with a larger shortage than today, those with the most kilograms first."""
    if point.conflict:
        return doc.Several(tuple(f"conflict: {name}" for name in point.conflict))
    told = [
        f"{names.material(each.material)} {mass_of(names, each.material, each.more)}"
        for each in _by_kilograms(point)
        if each.more > 0
    ]
    more = f", {len(told) - 1} more" if len(told) > 1 else ""
    return f"{told[0]}{more}" if told else doc.NOTHING


def _by_kilograms(point: CapPoint) -> list[Shorter]:
    return sorted(point.short, key=lambda each: (-each.more, each.material))


def _suppliers(some: Sequence[Supply]) -> doc.Cell:
    names = tuple(dict.fromkeys(each.facility for each in some))
    return doc.Several(names, one="supplier") if names else doc.NOTHING


def _bars(found: Frontier) -> charts.Bars:
    """Return a bar for each point: cash that is of concern, may be, and the rest."""
    labels = tuple(f"{number}: {percent(point.share)}" for number, point in enumerate(found.points))
    other = tuple(point.cost - point.is_cost - point.may_be_cost for point in found.points)
    series = (
        charts.Series("of concern", tuple(point.is_cost for point in found.points)),
        charts.Series("may be of concern", tuple(point.may_be_cost for point in found.points), doc.Tone.DOUBTFUL),
        charts.Series("other", tuple(max(amount, Decimal(0)) for amount in other), doc.Tone.ASIDE),
    )
    return charts.Bars(labels, series, found.currency)


def _short_section(found: Frontier) -> doc.Section | None:
    rows: list[list[doc.Cell]] = [
        [
            doc.Count(number),
            found.names.material(each.material),
            *(weighed(found.names, each.material, kg) for kg in (each.kilograms, each.more)),
        ]
        for number, point in enumerate(found.points)
        for each in _by_kilograms(point)
        if each.more or not number
    ]
    if not rows:
        return None
    columns = [doc.figures("#"), doc.Column("Material"), doc.figures("Short"), doc.figures("More than at 0")]
    return doc.section("Short at each point, where it differs from point 0", doc.table(columns, rows))


def _brief_changes(found: Frontier) -> doc.Section | None:
    """Return the suppliers that enter and leave at each point, a line each."""
    rows = [
        [doc.Count(number), _suppliers(point.new), _suppliers(point.gone)]
        for number, point in enumerate(found.points)
        if point.new or point.gone
    ]
    columns = [doc.figures("#"), doc.Column("New suppliers"), doc.Column("Gone")]
    return doc.apart(ranked(columns, rows, "more point with other suppliers", part=3)) if rows else None


def _changes_section(found: Frontier) -> doc.Section | None:
    rows: list[list[doc.Cell]] = []
    for number, point in enumerate(found.points):
        for word, some in (("new", point.new), ("gone", point.gone)):
            rows += [
                [doc.Count(number), word, each.facility, found.names.material(each.material), each.offer]
                for each in some
            ]
        rows += [[doc.Count(number), "conflict", name, doc.NOTHING, doc.NOTHING] for name in point.conflict]
    if not rows:
        return None
    columns = [doc.figures("#"), *map(doc.Column, ("Change", "Supplier", "Material", "Offer"))]
    return doc.section("Suppliers that come and go", doc.table(columns, rows))


def _notes(found: Frontier) -> Iterator[str]:
    if found.exact:
        yield f"{count(len(found.points), 'point')}: the program is linear, so each point is a corner of the curve of the least objective"
    else:
        yield f"{count(len(found.points), 'point')}, evenly spaced: {found.why_grid}"
    gaps = [point.objective - point.bound > abs(point.objective) * _PROVED for point in found.points]
    unproved = ", ".join(str(number) for number, unproved in enumerate(gaps) if unproved)
    yield (
        f"not proved cheapest: points {unproved}"
        if unproved
        else "each plan is verified, and proved cheapest under its cap"
    )
    if found.conflict_at_zero:
        yield f"under a cap of zero, rules conflict: {', '.join(found.conflict_at_zero)}; the last point spends as little as they allow"
    if not (found.materials or found.suppliers) and any(p.capped > p.is_cost + p.may_be_cost + 1 for p in found.points):
        yield "the cap also counts what goes into goods of concern on the way, so it may be more than the cash of concern"
    if not found.complete:
        yield "the search was ended: points are missing"
