"""The question `frontier`: the price of independence, as the cheapest plan for each cap on money that depends on countries of concern."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, ClassVar, Literal

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, percent
from friendshore.domain.base import Number, Record, exact, grouped, totals
from friendshore.domain.countries import COVERED_NATIONS, country_names
from friendshore.domain.plan import Cost, PlanStatus
from friendshore.domain.shown_names import ShownNames
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.values import FACTOR, MONEY
from friendshore.errors import Diagnostic, InputError
from friendshore.explain import DependentSums, judge_purchases, material_dependence, sum_of
from friendshore.explain.results import CENT, Effort, QuestionCounter, QuestionResult, names_of
from friendshore.problem.rule_facts import rows_of
from friendshore.questions.compare.compare_plans import nearest
from friendshore.questions.wording import effort, mass_of, ranked, weighed
from friendshore.recommend import PlanSource, session_of
from friendshore.rules.kinds.limits import Budget
from friendshore.rules.rows import single_rows
from friendshore.rules.verdicts import Dependence
from friendshore.session import Answer, PartPlan, Session
from friendshore.solve import Progress
from friendshore.verify import Line, VerifiedPlan

if TYPE_CHECKING:
    pass


class ShortMaterial(Record):
    """A material that is short."""

    material: str
    kilograms: Number
    added_kg: Number
    """Additional kilograms relative to the plan without a cap. Negative for fewer."""


class Supply(Record):
    """An offer with purchases."""

    offer: str
    facility: str
    material: str


class CapPoint(Record):
    """The cheapest plan under one cap."""

    cap: Number | None
    """Maximum spend on the capped purchases. None for the current plan."""
    capped: Number
    """Cash of the plan for them: price, duty, freight, and one-off costs, not discounted."""
    paid: Number
    """Cash for all purchases, not discounted."""
    known_concern_cost: Number
    """Cash for purchases that depend on the countries, including goods made of such inputs."""
    possible_concern_cost: Number
    share: Number
    cost: Number
    """Total cash, including holding, not discounted."""
    added_cost: Number
    objective: Number
    bound: Number
    status: PlanStatus
    short: tuple[ShortMaterial, ...]
    added: tuple[Supply, ...]
    removed: tuple[Supply, ...]
    conflict: tuple[str, ...] = ()
    """Rules that conflict under the cap. The figures then cover the rest."""
    error: Number | None = None
    """Maximum distance of the lowest objective below the straight line between the previous point and this one. 0 if the line is exact.
    None if nothing is proved.
    """


class Frontier(QuestionResult):
    """The cheapest plan for each cap, from the current plan down to the lowest cap."""

    TABLES: ClassVar[tuple[str, ...]] = ("points",)
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore_risk.frontier:frontier_document"

    case: str
    currency: str
    countries: tuple[str, ...]
    """Countries of the capped purchases. Empty if the cap counts all purchases from the suppliers."""
    suppliers: tuple[str, ...]
    """Suppliers of the capped purchases, including their subsidiaries. Empty means all."""
    materials: tuple[str, ...]
    exact: bool
    """True if the points are corners of the curve. False if the caps are evenly spaced, because the curve may be non-convex."""
    grid_reason: str
    """Reason for evenly spaced caps. Empty if the points are corners."""
    conflict_at_zero: tuple[str, ...] = ()
    """Rules that conflict under a cap of zero. The last point then spends as little as they allow."""
    points: tuple[CapPoint, ...]
    complete: bool
    effort: Effort


_PROVED_GAP = Decimal("1e-8")
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
    """The chord of two corners."""

    left: Corner
    right: Corner
    error: Decimal
    inner_corner: Corner | None


def corners(
    left: Corner, right: Corner, count: int, solve_at_price: Callable[[Decimal], PricedPlan | None]
) -> list[Chord]:
    """Return chords by rising cap. The next corner is split off where the chord overstates most, relative to its cost above the right end."""
    chords = [_chord(left, right, solve_at_price)]
    while len(chords) + 1 < count:
        open_chords = [chord for chord in chords if chord.inner_corner is not None]
        if not open_chords:
            break
        split = max(open_chords, key=lambda chord: _weight(chord, right))
        assert split.inner_corner is not None
        chords.remove(split)
        chords += [
            _chord(split.left, split.inner_corner, solve_at_price, split.error),
            _chord(split.inner_corner, split.right, solve_at_price, split.error),
        ]
    return sorted(chords, key=lambda chord: chord.left.capped)


def _weight(chord: Chord, current: Corner) -> Decimal:
    assert chord.inner_corner is not None
    return chord.error / max(_MONEY, chord.inner_corner.objective - current.objective)


def _chord(
    left: Corner,
    right: Corner,
    solve_at_price: Callable[[Decimal], PricedPlan | None],
    known_error: Decimal | None = None,
) -> Chord:
    """Return the chord of two corners. `known_error` is a bound on its error from a longer chord."""
    width, objective_drop = right.capped - left.capped, left.objective - right.objective
    allowed = max(_MONEY, _PROVED_GAP * abs(left.objective))
    if width <= 0 or objective_drop <= allowed:
        return Chord(left, right, Decimal(0), None)
    # At a price below the slope of the chord, the largest distance between chord and bound is at the left end.
    price = min(Decimal(repr(float(objective_drop / width))), _MAX_PRICE)
    priced_plan = solve_at_price(price)
    if priced_plan is None:
        return Chord(left, right, objective_drop if known_error is None else min(known_error, objective_drop), None)
    value = left.objective + price * left.capped
    error = max(Decimal(0), value - priced_plan.lower)
    if error <= allowed:
        return Chord(left, right, Decimal(0), None)
    is_inside = left.capped < priced_plan.corner.capped < right.capped
    return Chord(left, right, min(error, objective_drop), priced_plan.corner if is_inside else None)


POINTS = 16
CAP = "cap of the frontier"
_MAX_PRICE = Decimal(FACTOR.maximum or 0)
"""Largest penalty that a budget may have. Cases whose shortages cost far more than their goods exceed it."""
_DETERRENT = Decimal(10_000)


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
        countries: Countries that the capped purchases depend on. Empty means those of concern, or all purchases if suppliers are named.
        suppliers: Suppliers of the capped purchases, including their subsidiaries.
        materials: Materials of the capped purchases. Empty means all.
        points: Maximum number of points, including the current plan.
        progress: Called with the number of plans found, the maximum number, and seconds.

    Raises:
        InputError: If a material or supplier is unknown.
    """
    session = session_of(source)
    request = _CapRequest.of(session, countries, suppliers, materials)
    search = _Search(session, request, points, progress)
    return search.run()


@dataclass(frozen=True, slots=True)
class _CapRequest:
    countries: frozenset[str]
    shown: frozenset[str]
    suppliers: tuple[str, ...]
    materials: tuple[str, ...]

    @staticmethod
    def of(
        session: Session, countries: Iterable[str], suppliers: Iterable[str], materials: Iterable[str]
    ) -> _CapRequest:
        country_set, sellers, goods = frozenset(countries), tuple(suppliers), tuple(materials)
        own_countries = session.problem.case.concern.countries
        request = _CapRequest(
            country_set or (frozenset() if sellers else own_countries), country_set or own_countries, sellers, goods
        )
        request.refuse_unknown(session)
        return request

    def rule(self, amount: Decimal, price: Decimal | None = None) -> Budget:
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
        offers = [chained for facts in session.problem.offers for chained in facts.chained]
        known_materials = {material.id for material in session.problem.facts.materials}
        problems = [
            Diagnostic(
                f"the case has no material `{name}`", found=name, fix=did_you_mean(name, known_materials), code="FS505"
            )
            for name in self.materials
            if name not in known_materials
        ]
        sellers = {name for offer in offers for name in (offer.facility.supplier, offer.facility.owner)}
        for name in self.suppliers:
            budget = Budget(id=CAP, amount=Decimal(0), suppliers=(name,))
            if not any(budget.counts(offer) for offer in offers):
                message = f"the case has no supplier `{name}`"
                problems.append(Diagnostic(message, found=name, fix=did_you_mean(name, sellers), code="FS505"))
        if not self.countries and not self.suppliers:
            expected = "a country of concern"
            problems.append(
                Diagnostic(
                    "the case has no country of concern",
                    expected=expected,
                    fix="name one, such as with `--country CN`",
                    code="FS508",
                )
            )
        if problems:
            raise InputError(problems)


class _Search:
    def __init__(self, session: Session, request: _CapRequest, points: int, progress: Progress | None) -> None:
        self.session, self.request, self.points = session, request, max(2, points)
        self.counted = QuestionCounter(session, progress)
        self._answers: dict[Decimal, Answer] = {}
        self._offers: dict[tuple[str, str], Supply] = {}
        self._latest: list[PartPlan] = []
        self.current_spend = _capped_spend(session.verified, request.rule(Decimal(0)))
        if MONEY.maximum is not None and self.current_spend > MONEY.maximum:
            message = "the plan's spend on the capped purchases exceeds the largest possible budget"
            raise InputError(message, found=f"{self.current_spend:,.0f}", expected=MONEY.expected, code="FS012")
        self._first = self._point(None, _CasePlan(session, session.verified.cost, (), ()), None, None)
        # Plans: the lowest cap, one for the first chord, two for each further corner, and two for each point except the first.
        self._total, self._done = 4 * self.points - 4, 0

    def run(self) -> Frontier:
        grid_reason = self._why_grid()
        chords: Sequence[Chord] = ()
        caps: list[Decimal] = []
        lowest_corner, conflicts = self._lowest() if self.current_spend > CENT else (None, ())
        if lowest_corner is not None and not grid_reason:
            chords = corners(lowest_corner, self._corner(), self.points, self._priced)
            caps = [chord.left.capped for chord in reversed(chords)]
        elif lowest_corner is not None:
            caps = list(self._grid(lowest_corner.capped))
        capped_points = [self._first]
        error_by_cap = {chord.left.capped: chord.error for chord in chords}
        for cap in caps:
            plan = self._nearest_plan(cap)
            if plan is None:
                break
            capped_points.append(self._point(cap, plan, capped_points[-1], error_by_cap.get(cap)))
        self.counted.report_progress(self._total, self._total)
        case = self.session.problem.case
        return Frontier(
            case=case.name,
            currency=case.currency,
            names=names_of(self.session.problem, ()),
            countries=tuple(sorted(self.request.countries)),
            suppliers=self.request.suppliers,
            materials=self.request.materials,
            exact=not grid_reason,
            grid_reason=grid_reason,
            conflict_at_zero=conflicts,
            points=tuple(capped_points),
            complete=len(capped_points) == len(caps) + 1 and not (self.current_spend > CENT and not caps),
            effort=self.counted.effort,
        )

    def _why_grid(self) -> str:
        if self.session.program.linear.integer.any():
            return "the plan has yes-or-no or whole-number decisions, such as minimum orders"
        if self.session.problem.objectives:
            return "the case ranks objectives"
        return "rules of the case conflict" if self.session.verified.plan.infeasible else ""

    def _grid(self, lowest: Decimal) -> Iterator[Decimal]:
        steps = self.points - 1
        for step in range(1, steps + 1):
            yield (self.current_spend - (self.current_spend - lowest) * step / steps).quantize(CENT, ROUND_CEILING)

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
            return Corner(self.current_spend, self.session.verified.cost.objective)
        return Corner(_cap_reading(answer.after), answer.cost.objective)

    def _capped(self, cap: Decimal) -> Answer | None:
        amount = cap.quantize(CENT, ROUND_CEILING)
        if amount not in self._answers:
            answer = self._solve_with_rule(self.request.rule(exact(amount)))
            if answer is None:
                return None
            self._answers[amount] = answer
        return self._answers[amount]

    def _priced(self, price: Decimal) -> PricedPlan | None:
        answer = self._solve_with_rule(self.request.rule(Decimal(0), price))
        if answer is None:
            return None
        spent = _cap_reading(answer.after)
        return PricedPlan(Corner(spent, answer.cost.objective - price * spent), self._bound(answer))

    def _solve_with_rule(self, rule: Budget) -> Answer | None:
        if self.session.stopped:
            return None
        self.counted.questions += 1
        answer = self.session.what_if(rules=[rule])
        self._progress()
        return answer

    def _progress(self) -> None:
        self._done = min(self._done + 1, self._total)
        self.counted.report_progress(self._done, self._total)

    def _bound(self, answer: Answer) -> Decimal:
        plan = self.session.verified
        others = (plan.cost.objective - plan.plan.bound) - _total_gap(part.verified for part in answer.before)
        return answer.cost.objective - _total_gap(part.verified for part in answer.after) - max(Decimal(0), others)

    def _nearest_plan(self, cap: Decimal) -> _CasePlan | None:
        """Return a plan under a cap without additional cost that moves the fewest kilograms from the plan of the previous point."""
        answer = self._capped(cap)
        if answer is None:
            return None
        cost, parts = answer.cost, list[PartPlan]()
        for part in answer.after:
            last_part = next((each for each in self._latest if each.members == part.members), None)
            before = last_part or PartPlan(part.members, self.session.verified)
            nearest_part = part if self.session.stopped else nearest(self.session, part, before).part
            cost = cost.plus(nearest_part.verified.cost.minus(part.verified.cost))
            parts.append(nearest_part)
        self._latest = parts
        self._progress()
        conflicts = _new_conflicts(self.session, answer)
        return _CasePlan(self.session, cost, tuple(parts), conflicts, self._bound(answer))

    def _point(
        self, cap: Decimal | None, case_plan: _CasePlan, before: CapPoint | None, error: Decimal | None
    ) -> CapPoint:
        plan = self.session.verified
        sums = case_plan.dependence(self.request.shown)
        offers = case_plan.offers
        previous_offers, self._offers = self._offers, offers
        return CapPoint(
            cap=None if cap is None else exact(cap.quantize(CENT, ROUND_CEILING)),
            capped=exact(self.current_spend if cap is None else _cap_reading(case_plan.parts)),
            paid=exact(sums.cash),
            known_concern_cost=exact(sums.is_cash),
            possible_concern_cost=exact(sums.may_be_cash),
            share=exact(sums.share),
            cost=case_plan.cost.nominal,
            added_cost=case_plan.cost.rise_from(plan.cost).nominal,
            objective=case_plan.cost.objective,
            bound=exact(min(case_plan.cost.objective, plan.plan.bound if case_plan.bound is None else case_plan.bound)),
            status=case_plan.status,
            short=case_plan.short(self.session),
            added=()
            if before is None
            else tuple(offers[name] for name in sorted(offers.keys() - previous_offers.keys())),
            removed=()
            if before is None
            else tuple(previous_offers[name] for name in sorted(previous_offers.keys() - offers.keys())),
            conflict=case_plan.conflicts,
            error=error,
        )


def _cap_reading(parts: Iterable[PartPlan]) -> Decimal:
    readings = (reading for part in parts for reading in part.verified.readings if reading.rule.id == CAP)
    return sum((reading.value for reading in readings), Decimal(0))


def _capped_spend(verified: VerifiedPlan, rule: Budget) -> Decimal:
    problem, values = verified.problem, verified.readings.values
    rows = rows_of(rule, problem.case.horizon.periods, problem.law, problem.facts)
    terms = [term for each in rows for row in single_rows(each) for term in row.terms]
    for_all = [term for term in terms if getattr(term, "for_uses", None) is None]
    tainted_money = [
        line.total
        for line, judgment in zip(verified.lines, judge_purchases(verified, rule.countries), strict=True)
        if judgment.whole is not Dependence.NO and rule.counts_if_tainted(line.arc.chained)
    ]
    return sum((values.value(term)[0] for term in for_all), sum(tainted_money, Decimal(0)))


def _total_gap(plans: Iterable[VerifiedPlan]) -> Decimal:
    return sum((max(Decimal(0), plan.cost.objective - plan.plan.bound) for plan in plans), Decimal(0))


def _new_conflicts(session: Session, answer: Answer) -> tuple[str, ...]:
    known_rules = {rule for part in session.verified.plan.infeasible for rule in part.rules}
    return tuple(sorted({rule for part in answer.infeasible for rule in part.rules} - known_rules))


@dataclass(frozen=True, slots=True)
class _CasePlan:
    session: Session
    cost: Cost
    parts: tuple[PartPlan, ...]
    conflicts: tuple[str, ...]
    bound: Decimal | None = None
    """Lower bound. None means that of the current plan."""

    @property
    def members(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.members for part in self.parts))

    @property
    def lines(self) -> Iterator[Line]:
        members = self.members
        yield from (line for line in self.session.verified.lines if line.material not in members)
        for part in self.parts:
            yield from part.verified.lines

    @property
    def offers(self) -> dict[tuple[str, str], Supply]:
        supply_by_key = {}
        for line in self.lines:
            chained = line.arc.chained
            name = chained.facility.name or chained.facility.id
            supply = Supply(offer=chained.offer.id, facility=name, material=chained.material.id)
            supply_by_key[supply.material, supply.offer] = supply
        return supply_by_key

    @property
    def status(self) -> PlanStatus:
        statuses = [part.plan.status for part in self.parts] or [self.session.verified.plan.status]
        return max(statuses, key=list(PlanStatus).index)

    def dependence(self, countries: frozenset[str]) -> DependentSums:
        dependence_by_material, members = material_dependence(self.session.verified, countries), self.members
        sums = [each for name, each in dependence_by_material.items() if name not in members]
        for part in self.parts:
            sums += material_dependence(part.verified, countries).values()
        return sum_of(sums)

    def short(self, session: Session) -> tuple[ShortMaterial, ...]:
        material = {demand.id: demand.use.material.id for demand in session.problem.demands}
        current = [(material[name], kg) for name, kg in session.verified.plan.short_by_demand.items()]
        replanned = [(material[name], kg) for part in self.parts for name, kg in part.plan.short_by_demand.items()]
        members = self.members
        before, planned = (
            totals(current),
            totals([*(entry for entry in current if entry[0] not in members), *replanned]),
        )
        slack = session.problem.case.resolution * session.problem.case.horizon.count
        rows = []
        for name in sorted({*before, *planned}):
            kilograms = planned.get(name, Decimal(0))
            more = kilograms - before.get(name, Decimal(0))
            if kilograms > slack or abs(more) > slack:
                rows.append(
                    ShortMaterial(
                        material=name, kilograms=kilograms, added_kg=more if abs(more) > slack else Decimal(0)
                    )
                )
        return tuple(rows)


_MILLION = Decimal(1_000_000)
_PROVED = Decimal("1e-6")


def frontier_document(answer: Frontier) -> doc.Document:
    columns = [
        *(doc.figures(name) for name in ("#", "Cap", "Of concern", "Cash", "More cash")),
        doc.Column("Added shortage", on="screen"),
        *(
            replace(doc.figures(name), on="whole")
            for name in ("Is of concern", "May be of concern", "Gap", "Line error")
        ),
    ]
    rows = [
        [*_point_cells(point, answer), _shortage_cell(point, answer.names), *_proof_cells(point, answer)]
        for point in answer.points
    ]
    table = ranked(columns, rows, "more point", part=6)
    description = f"Cash for the whole plan in {answer.currency}, not discounted, as the cap falls from today's spend to the right."
    drawing = (
        doc.Drawing("The price of independence", description, _curve(answer), table)
        if len(answer.points) > 1
        else table
    )
    error_note = "the last column shows how far the curve can be below the straight line from the previous point. 0 means that the line is exact"
    notes = [*_notes(answer), *([error_note] if answer.exact and len(answer.points) > 1 else [])]
    commands = doc.sentence(doc.Phrase("--full", code=True), ": shortages and changed suppliers at each point")
    return doc.document(
        f"{answer.case}: the price of independence",
        doc.answer(headline(answer)),
        doc.section("Points", _unit_note(answer), drawing, doc.for_whole(doc.notes(notes)), column="#"),
        doc.for_screen(_brief_changes(answer)),
        doc.for_whole(_short_section(answer)),
        doc.for_whole(_changes_section(answer)),
        doc.for_screen(doc.apart(doc.notes(_notes(answer), doc.Tone.ASIDE), commands)),
        doc.for_whole(effort(answer.effort)),
    )


def headline(answer: Frontier) -> str:
    current, last_point = answer.points[0], answer.points[-1]
    capped_text = _capped_text(answer)
    if not current.capped:
        return f"The plan spends nothing on {capped_text}."
    spend = large_money(current.capped, answer.currency)
    if len(answer.points) == 1:
        return f"The plan spends {spend} on {capped_text}."
    last_free_point = _without_more_shortage(answer)
    lower = large_money(last_free_point.capped, answer.currency)
    first_sentence = (
        f"Spend on {capped_text} can fall from {spend} to {lower} without more shortage. This independence {_cash_text(last_free_point, answer)}."
        if last_free_point is not current
        else f"The plan spends {spend} on {capped_text}. Every lower cap that was tried increases a shortage."
    )
    if last_point is last_free_point:
        return first_sentence
    worse_materials = [each for each in last_point.short if each.added_kg > 0]
    return f"{first_sentence} At a cap of {large_money(last_point.capped, answer.currency)}, {count(len(worse_materials), 'material')} {'has' if len(worse_materials) == 1 else 'have'} a larger shortage."


def _without_more_shortage(answer: Frontier) -> CapPoint:
    last_free_point = answer.points[0]
    for point in answer.points[1:]:
        if point.conflict or any(each.added_kg > 0 for each in point.short):
            break
        last_free_point = point
    return last_free_point


def _cash_text(point: CapPoint, answer: Frontier) -> str:
    return (
        f"{'saves' if point.added_cost < 0 else 'costs'} {large_money(abs(point.added_cost), answer.currency)} of cash"
    )


def _capped_text(answer: Frontier) -> str:
    goods = (
        f"purchases of {', '.join(map(answer.names.material, answer.materials))}" if answer.materials else "purchases"
    )
    sellers = f" from {', '.join(answer.suppliers)}" if answer.suppliers else ""
    if not answer.countries:
        return f"{goods}{sellers}"
    names = country_names()
    if set(answer.countries) == COVERED_NATIONS:
        return f"{goods}{sellers} that depend on countries of concern"
    return f"{goods}{sellers} that depend on {', '.join(names.get(code, code) for code in answer.countries)}"


def _unit_note(answer: Frontier) -> doc.Sentence:
    unit = f"{answer.currency} million" if _in_millions(answer) else answer.currency
    return doc.sentence(f"Cash, not discounted, in {unit}:")


def _point_cells(point: CapPoint, answer: Frontier) -> list[doc.Cell]:
    number = answer.points.index(point)
    more = _money(point.added_cost, answer, form="signed") if number else doc.NOTHING
    return [doc.Count(number), _money(point.capped, answer), doc.Share(point.share), _money(point.cost, answer), more]


def _proof_cells(point: CapPoint, answer: Frontier) -> list[doc.Cell]:
    gap = (point.objective - point.bound) / abs(point.objective) if point.objective else Decimal(0)
    error = doc.NOTHING if point.error is None else _money(point.error, answer)
    return [
        _money(point.known_concern_cost, answer),
        _money(point.possible_concern_cost, answer),
        doc.Share(gap),
        error,
    ]


def _money(amount: Decimal, answer: Frontier, form: Literal["rounded", "signed"] = "rounded") -> doc.Amount:
    return doc.Amount(amount / _MILLION if _in_millions(answer) else amount, form=form)


def _in_millions(answer: Frontier) -> bool:
    return answer.points[0].cost >= _MILLION * 100


def _shortage_cell(point: CapPoint, names: ShownNames) -> doc.Cell:
    if point.conflict:
        return doc.Several(tuple(f"conflict: {name}" for name in point.conflict))
    short = [each for each in _largest_shortages_first(point) if each.added_kg > 0]
    if not short:
        return doc.NOTHING
    name, largest = names.material(short[0].material), mass_of(names, short[0].material, short[0].added_kg)
    others = f", {len(short) - 1} more" if len(short) > 1 else ""
    return doc.Several((f"{name} {largest}{others}",), (f"{name}{others}",))


def _largest_shortages_first(point: CapPoint) -> list[ShortMaterial]:
    return sorted(point.short, key=lambda each: (-each.added_kg, each.material))


def _supplier_cell(offers: Sequence[Supply]) -> doc.Cell:
    names = tuple(dict.fromkeys(each.facility for each in offers))
    return doc.Several(names, one="supplier") if names else doc.NOTHING


def _curve(answer: Frontier) -> charts.Curve:
    of_concern = set(answer.countries) == COVERED_NATIONS and not answer.suppliers
    other_cash = tuple(
        max(point.cost - point.known_concern_cost - point.possible_concern_cost, Decimal(0)) for point in answer.points
    )
    series = (
        charts.Series(
            "depends on countries of concern" if of_concern else "capped",
            tuple(point.known_concern_cost for point in answer.points),
            doc.Tone.CONCERN,
        ),
        charts.Series(
            "may depend on countries of concern" if of_concern else "may be capped",
            tuple(point.possible_concern_cost for point in answer.points),
            doc.Tone.UNKNOWN,
        ),
        charts.Series("independent" if of_concern else "other", other_cash),
    )
    return charts.Curve(
        tuple(point.capped for point in answer.points),
        f"Cap on {_capped_text(answer)}",
        answer.currency,
        tuple(part for part in series if any(part.values)),
        answer.currency,
        tuple(_curve_labels(answer)),
        tuple(_shortage_rows(answer)),
        "More shortage at this cap and below:",
        "not spent, since less can be bought" if any(each.added_kg > 0 for each in answer.points[-1].short) else "",
    )


_MAX_ROWS, _MAX_ROW_NAMES = 8, 3
"""Maximum number of rows below the curve, and of names in each."""


def _shortage_rows(answer: Frontier) -> Iterator[charts.Series]:
    """Yield a row for the materials that have a larger shortage at the same points, in the order of the first of these."""
    worse_at: dict[str, list[bool]] = {}
    kilograms: dict[str, Decimal] = {}
    for number, point in enumerate(answer.points):
        for each in point.short:
            if each.added_kg > 0:
                worse_at.setdefault(each.material, [False] * len(answer.points))[number] = True
                kilograms[each.material] = max(kilograms.get(each.material, Decimal(0)), each.added_kg)
    materials_by_points = grouped((tuple(points), material) for material, points in worse_at.items())
    rows = sorted(materials_by_points.items(), key=lambda row: row[0], reverse=True)
    if len(rows) > _MAX_ROWS:
        rest = rows[_MAX_ROWS - 1 :]
        points = tuple(any(at) for at in zip(*(at for at, _ in rest), strict=True))
        rows = [*rows[: _MAX_ROWS - 1], (points, [material for _, names in rest for material in names])]
    for points, materials in rows:
        names = [answer.names.material(name) for name in sorted(materials, key=lambda name: (-kilograms[name], name))]
        others = [f"{len(names) - _MAX_ROW_NAMES} more"] if len(names) > _MAX_ROW_NAMES + 1 else []
        shown = names[:_MAX_ROW_NAMES] + others if others else names
        values = tuple(Decimal(len(materials)) if is_worse else Decimal(0) for is_worse in points)
        yield charts.Series(", ".join(shown), values, doc.Tone.BAD)


def _curve_labels(answer: Frontier) -> Iterator[str]:
    """Yield the label of today's plan, of the last point without more shortage, and of the last point."""
    free_point, last = _without_more_shortage(answer), answer.points[-1]
    for number, point in enumerate(answer.points):
        share = percent(point.share)
        if not number:
            yield f"Plan: {large_money(point.cost, answer.currency)}, {share} of concern"
        elif point is free_point:
            yield f"{share} {_cash_text(point, answer)}. Lower caps leave more short"
        elif point is last:
            worse = sum(1 for each in point.short if each.added_kg > 0)
            yield (
                f"{share} of concern: {count(worse, 'material')} with more shortage"
                if worse
                else f"{share} of concern {_cash_text(point, answer)}"
            )
        else:
            yield ""


def _short_section(answer: Frontier) -> doc.Section | None:
    rows: list[list[doc.Cell]] = [
        [
            doc.Count(number),
            answer.names.material(each.material),
            *(weighed(answer.names, each.material, kg) for kg in (each.kilograms, each.added_kg)),
        ]
        for number, point in enumerate(answer.points)
        for each in _largest_shortages_first(point)
        if each.added_kg or not number
    ]
    if not rows:
        return None
    columns = [doc.figures("#"), doc.Column("Material"), doc.figures("Short"), doc.figures("More than at point 0")]
    return doc.section("Shortages that differ from point 0", doc.table(columns, rows))


def _brief_changes(answer: Frontier) -> doc.Section | None:
    rows = [
        [doc.Count(number), _supplier_cell(point.added), _supplier_cell(point.removed)]
        for number, point in enumerate(answer.points)
        if point.added or point.removed
    ]
    columns = [doc.figures("#"), doc.Column("New suppliers"), doc.Column("No longer used")]
    return doc.apart(ranked(columns, rows, "more point with other suppliers", part=3)) if rows else None


def _changes_section(answer: Frontier) -> doc.Section | None:
    rows: list[list[doc.Cell]] = []
    for number, point in enumerate(answer.points):
        for word, some in (("new", point.added), ("gone", point.removed)):
            rows += [
                [doc.Count(number), word, each.facility, answer.names.material(each.material), each.offer]
                for each in some
            ]
        rows += [[doc.Count(number), "conflict", name, doc.NOTHING, doc.NOTHING] for name in point.conflict]
    if not rows:
        return None
    columns = [doc.figures("#"), *map(doc.Column, ("Change", "Supplier", "Material", "Offer"))]
    return doc.section("Changes of suppliers", doc.table(columns, rows))


def _notes(answer: Frontier) -> Iterator[str]:
    if answer.exact:
        yield f"{count(len(answer.points), 'point')}. The program is linear, so each point is a corner of the curve"
    else:
        yield f"{count(len(answer.points), 'point')}, evenly spaced because {answer.grid_reason}"
    gaps = [point.objective - point.bound > abs(point.objective) * _PROVED for point in answer.points]
    unproved = ", ".join(str(number) for number, unproved in enumerate(gaps) if unproved)
    yield (
        f"not proved cheapest: points {unproved}"
        if unproved
        else "each plan is verified, and proved cheapest under its cap"
    )
    if answer.conflict_at_zero:
        yield f"rules conflict under a cap of zero: {', '.join(answer.conflict_at_zero)}. The last point spends as little as they allow"
    if not (answer.materials or answer.suppliers) and any(
        point.capped > point.known_concern_cost + point.possible_concern_cost + 1 for point in answer.points
    ):
        yield "the cap also counts inputs of goods of concern, so it may exceed the cash of concern"
    if not answer.complete:
        yield "the search was ended before all points were found"
