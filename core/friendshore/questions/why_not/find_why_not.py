"""Break-even price of an offer, and the obstacles that exclude it, each from a changed case that is planned and verified."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Literal

from ...domain.base import Number, Record, totals
from ...domain.change import Change
from ...domain.facts import Offer
from ...domain.suggest import nearest
from ...errors import Diagnostic, InputError
from ...explain.break_even import BreakEven, bound, break_even_price, objective, part_kg, without
from ...explain.eligibility import Eligibilities, Obstacle, no_feasible_plan, obstacles
from ...explain.full_prices import OfferPrice, OfferPrices
from ...explain.results import (
    Difference,
    Effort,
    PlanRise,
    QuestionCounter,
    QuestionResult,
    between,
    names_of,
    plan_rise,
)
from ...recommend import PlanSource, session_of
from ...recommend.law import offers_of_unknown_origin
from ...session import Answer, Session
from ...solve import Progress


class Relaxed(Record):
    """Effect of changes that admit an offer."""

    what: str
    """Relaxation in words."""
    changes: list[Change]
    bought_kg: Number
    """Kilograms of the offer that the cheapest plan would then buy."""
    saving: Difference | None
    """Decrease of the plan's objective (present value, with penalties). None if rules would conflict."""
    adds: PlanRise | None = None
    """Additions to the plan, money and penalties apart. Negative for reductions. None if rules would conflict."""
    own: Difference | None
    """Part due to this offer: rise of the objective without it, penalties included. The rest is due to others that are also admitted."""


class RelaxedObstacle(Record):
    """An obstacle, and the effect of relaxing it alone."""

    obstacle: Obstacle
    relaxed: Relaxed | None
    """None if no change of the case relaxes it."""


class OfferPurchase(Record):
    """Purchases from an offer in the recommended plan."""

    material: str
    place: str
    kilograms: Number


class WhyNot(QuestionResult):
    """Reasons why an offer isn't in the plan."""

    TABLES: ClassVar[tuple[str, ...]] = ("bought", "obstacles")
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore.questions.why_not.why_not_document:why_not_document"

    case: str
    currency: str
    offer: str
    facility: str
    """Name. Its id if it has none."""
    facility_id: str = ""
    supplier: str
    country: str
    materials: list[str]
    """Materials that it delivers."""
    state: Literal["in the plan", "not bought", "excluded", "not wanted"]
    """State of the offer. `not bought`: allowed, but too expensive. `excluded`: no purchase is allowed. `not wanted`: the case needs nothing
    that it delivers.
    """
    bought: list[OfferPurchase]
    made_from: list[str] = []
    """Materials that it takes in. Its own price is then a fee."""
    full_price: OfferPrice | None = None
    """Cost of a kilogram with all inputs. With several goods, that of the first that the case needs. None if it can't be bought, or has no admissible input."""
    estimated_duty: str = ""
    """Why it is charged the highest duty for any country, and what settles it. Empty unless a duty depends on its unknown customs origin."""
    break_even: BreakEven | None
    """Break-even price in the case as it is. None if it can't be bought at all."""
    obstacles: list[RelaxedObstacle]
    """Reasons that exclude it from some uses or all, each relaxed alone."""
    together: Relaxed | None
    """Effect of relaxing all at once. None unless there are several."""
    break_even_relaxed: BreakEven | None
    """Break-even price after that. None if nothing can be relaxed."""
    effort: Effort


def why_not(source: PlanSource, offer: str, *, progress: Progress | None = None) -> WhyNot:
    """Return why an offer isn't in the plan, and what would bring it in.

    `progress` is called with the number of finished questions, the total, and seconds. An unknown offer raises an `InputError`.
    """
    session = session_of(source)
    problem = session.problem
    offer = session.inputs.name_of_today("offer", offer)
    if offer not in problem.merged.offers:
        raise InputError(session.inputs.with_retirement(_unknown(session, offer)))
    search = _OfferSearch(session, offer, progress)
    lead = next((lead for lead in problem.leads if lead.offer.id == offer), None)
    facts = next((facts for facts in problem.offers if facts.offer.id == offer), None)
    stated_offer = (
        facts.offer if facts is not None else lead.offer if lead is not None else problem.merged.offers[offer]
    )
    facility = problem.merged.facilities[stated_offer.facility]
    is_needed = any(line.material in session.parts.of_material for line in stated_offer.outputs)
    eligibilities = Eligibilities(problem)
    excluding = obstacles(eligibilities, stated_offer, lead) if is_needed else []
    search.total = 3 + len(excluding)
    entering = search.price(()) if is_needed and facts is not None else None
    if (
        not excluding
        and entering is not None
        and entering.outcome == "no price"
        and not search.is_possible(stated_offer)
    ):
        excluding = [no_feasible_plan(eligibilities, stated_offer)]
    relaxed_obstacles = [
        RelaxedObstacle(obstacle=obstacle, relaxed=search.relaxed(obstacle.text, obstacle.relaxed_by))
        for obstacle in excluding
    ]
    changes = _all_changes(excluding)
    bought = _bought(session, offer)
    return WhyNot(
        case=problem.case.name,
        currency=problem.case.currency,
        offer=offer,
        facility=facility.name or facility.id,
        facility_id=facility.id,
        supplier=facility.supplier,
        country=facility.country,
        materials=[line.material for line in stated_offer.outputs],
        state=_state(is_needed, bought, entering, excluding),
        bought=bought,
        made_from=sorted(line.material for line in stated_offer.inputs),
        full_price=OfferPrices(session.verified).of(offer, _first_needed_material(session, stated_offer))
        if is_needed
        else None,
        estimated_duty=offers_of_unknown_origin(
            problem, (arc for arc in problem.network.arcs if arc.offer >= 0 and arc.chained.offer.id == offer)
        ).get(offer, ""),
        break_even=entering,
        obstacles=relaxed_obstacles,
        together=search.relaxed("all of these", changes) if len(changes) > 1 else None,
        break_even_relaxed=search.price(changes) if changes and not bought else None,
        names=names_of(problem, [offer]),
        effort=search.counter.effort,
    )


def _first_needed_material(session: Session, offer: Offer) -> str:
    return next(line.material for line in offer.outputs if line.material in session.parts.of_material)


class _OfferSearch:
    def __init__(self, session: Session, offer: str, progress: Progress | None) -> None:
        self.session = session
        self.offer = offer
        self.counter = QuestionCounter(session, progress)
        self.total, self._done = 1, 0

    def price(self, changes: Sequence[Change]) -> BreakEven:
        self._check_limits()
        break_even = break_even_price(self.session, self.offer, changes)
        self._count(break_even.solves + 1)
        return break_even

    def relaxed(self, label: str, changes: Sequence[Change]) -> Relaxed | None:
        if not changes:
            return None
        self._check_limits()
        answer, answer_without = self.session.what_if(*changes), without(self.session, self.offer, changes)
        self._count(2)
        has_conflict = any(part.plan.infeasible for part in answer.after)
        return Relaxed(
            what=label,
            changes=list(changes),
            bought_kg=sum((part_kg(part, self.offer) for part in answer.after), Decimal(0)),
            saving=None if has_conflict else _saved(answer),
            adds=None if has_conflict else plan_rise(self.session, answer),
            own=None
            if has_conflict or any(part.plan.infeasible for part in answer_without.after)
            else self._own_part(answer, answer_without),
        )

    def is_possible(self, offer: Offer) -> bool:
        self.counter.questions += 1
        name = self.offer
        material = _first_needed_material(self.session, offer)
        extreme = self.session.extreme(material, lambda facts, _, __: float(facts.offer.id == name), None, largest=True)
        return extreme.bound >= self.session.problem.case.resolution

    def _own_part(self, answer: Answer, answer_without: Answer) -> Difference:
        ranked = bool(self.session.problem.objectives)
        low = Decimal("-Infinity") if ranked else bound(answer_without) - objective(answer)
        high = Decimal("Infinity") if ranked else objective(answer_without) - bound(answer)
        return between(answer_without.rise.objective - answer.rise.objective, low, high, answer_without.cost.objective)

    def _check_limits(self) -> None:
        self.session.raise_if_stopped(self._done, self.total, "questions about the offer")

    def _count(self, questions: int) -> None:
        self.counter.questions += questions
        self._done += 1
        self.counter.report_progress(min(self._done, self.total), self.total)
        self._check_limits()


def _saved(answer: Answer) -> Difference:
    low, high = answer.rise_between
    return between(-answer.rise.objective, -high, -low, answer.cost.objective)


def _all_changes(obstacles: Sequence[Obstacle]) -> list[Change]:
    """Return the changes that relax all obstacles. Empty if an obstacle to every use can't be relaxed."""
    if any(not obstacle.relaxed_by and not obstacle.end_uses for obstacle in obstacles):
        return []
    changes: list[Change] = []
    for change in (change for obstacle in obstacles for change in obstacle.relaxed_by):
        if change not in changes:
            changes.append(change)
    return changes


def _bought(session: Session, offer: str) -> list[OfferPurchase]:
    bought = (entry for entry in session.verified.plan.purchases if entry.offer == offer)
    kilograms = totals(((entry.material, entry.place), entry.quantity) for entry in bought)
    return [OfferPurchase(material=m, place=p, kilograms=kg) for (m, p), kg in sorted(kilograms.items())]


def _state(
    is_needed: bool, bought: Sequence[OfferPurchase], entering: BreakEven | None, obstacles: Sequence[Obstacle]
) -> Literal["in the plan", "not bought", "excluded", "not wanted"]:
    if bought:
        return "in the plan"
    if not is_needed:
        return "not wanted"
    is_excluded = entering is None or (entering.outcome == "no price" and bool(obstacles))
    return "excluded" if is_excluded else "not bought"


def _unknown(session: Session, name: str) -> Diagnostic:
    merged = session.problem.merged
    facilities = merged.facilities
    related = [
        offer.id
        for offer in merged.offers.values()
        if name in (offer.facility, facilities[offer.facility].supplier, *(line.material for line in offer.outputs))
    ]
    match = nearest(name, merged.offers)
    fix = f"write one of its offers: {', '.join(related)}" if related else f"did you mean `{match}`?" if match else ""
    return Diagnostic(
        f"offer `{name}` doesn't exist", found=name, expected="an offer of the case's catalogs", fix=fix, code="FS522"
    )
