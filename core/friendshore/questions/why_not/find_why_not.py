"""Why an offer isn't in the plan, or how stable its place is: its break-even price, and the obstacles that exclude it.

Each answer comes from a changed case that is planned and verified again, never from reduced costs.
"""

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
from ...explain.eligibility import Eligibilities, Obstacle, no_room, obstacles
from ...explain.full_prices import OfferPrice, OfferPrices
from ...explain.results import Counted, Difference, Effort, PlanRise, QuestionResult, between, names_of, plan_rise
from ...recommend import PlanSource, session_of
from ...session import Answer, Session
from ...solve import Progress


class Relaxed(Record):
    """Effect of changes that admit an offer."""

    what: str
    """Relaxation in words."""
    changes: list[Change]
    gives_kg: Number
    """Kilograms of the offer that the cheapest plan would then buy."""
    saves: Difference | None
    """Decrease of the plan's objective (present value, with penalties). None if rules would conflict."""
    adds: PlanRise | None = None
    """Additions to the plan, money and penalties apart. Negative for reductions. None if rules would conflict."""
    own: Difference | None
    """Part due to this offer: rise of the objective without it, penalties included. The rest is due to others that are also admitted."""


class Asked(Record):
    """An obstacle, and the effect of relaxing it alone."""

    obstacle: Obstacle
    lifted: Relaxed | None
    """None if no change of the case relaxes it."""


class BoughtOf(Record):
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
    state: Literal["in the plan", "not bought", "kept out", "not wanted"]
    """State of the offer. `not bought`: allowed, but too expensive. `kept out`: no purchase is allowed. `not wanted`: the case needs nothing
    that it delivers.
    """
    bought: list[BoughtOf]
    made_from: list[str] = []
    """Materials that it takes in. Its own price is then a fee."""
    full_price: OfferPrice | None = None
    """Cost of a kilogram with all inputs. With several goods, that of the first that the case needs. None if it can't be bought, or has no admissible input."""
    entering: BreakEven | None
    """Break-even price in the case as it is. None if it can't be bought at all."""
    obstacles: list[Asked]
    """Reasons that exclude it from some uses or all, each relaxed alone."""
    together: Relaxed | None
    """Effect of relaxing all at once. None unless there are several."""
    entering_lifted: BreakEven | None
    """Break-even price after that. None if nothing can be relaxed."""
    effort: Effort


def why_not(source: PlanSource, offer: str, *, progress: Progress | None = None) -> WhyNot:
    """Return why an offer isn't in the plan, and what would bring it in.

    Args:
        source: A recommendation, a session, or a case.
        offer: Any offer of the case's catalogs.
        progress: Called with the number of finished questions, the total, and seconds.

    Raises:
        InputError: If no offer has that name, with the nearest match.
        SolverError: If a solver fails.
        VerificationError: If a plan fails verification.
        PluginError: If a plugin's rule raises.
    """
    session = session_of(source)
    problem = session.problem
    offer = session.inputs.name_of_today("offer", offer)
    if offer not in problem.merged.offers:
        raise InputError(session.inputs.with_retirement(_unknown(session, offer)))
    asking = _Asking(session, offer, progress)
    lead = next((lead for lead in problem.leads if lead.offer.id == offer), None)
    facts = next((facts for facts in problem.offers if facts.offer.id == offer), None)
    given = facts.offer if facts is not None else lead.offer if lead is not None else problem.merged.offers[offer]
    facility = problem.merged.facilities[given.facility]
    wanted = any(line.material in session.parts.of_material for line in given.outputs)
    standings = Eligibilities(problem)
    against = obstacles(standings, given, lead) if wanted else []
    asking.rounds = 3 + len(against)
    entering = asking.price(()) if wanted and facts is not None else None
    if not against and entering is not None and entering.outcome == "no price" and not asking.possible(given):
        against = [no_room(standings, given)]
    asked = [Asked(obstacle=one, lifted=asking.lifted(one.text, one.lifted_by)) for one in against]
    changes = _all(against)
    bought = _bought(session, offer)
    return WhyNot(
        case=problem.case.name,
        currency=problem.case.currency,
        offer=offer,
        facility=facility.name or facility.id,
        facility_id=facility.id,
        supplier=facility.supplier,
        country=facility.country,
        materials=[line.material for line in given.outputs],
        state=_state(wanted, bought, entering, against),
        bought=bought,
        made_from=sorted(line.material for line in given.inputs),
        full_price=OfferPrices(session.verified).of(offer, _first_wanted(session, given)) if wanted else None,
        entering=entering,
        obstacles=asked,
        together=asking.lifted("all of these", changes) if len(changes) > 1 else None,
        entering_lifted=asking.price(changes) if changes and not bought else None,
        names=names_of(problem, [offer]),
        effort=asking.counted.effort,
    )


def _first_wanted(session: Session, offer: Offer) -> str:
    return next(line.material for line in offer.outputs if line.material in session.parts.of_material)


class _Asking:
    def __init__(self, session: Session, offer: str, progress: Progress | None) -> None:
        self.session = session
        self.offer = offer
        self.counted = Counted(session, progress)
        self.rounds, self._done = 1, 0

    def price(self, changes: Sequence[Change]) -> BreakEven:
        """Return its break-even price after some changes."""
        self._go_on()
        found = break_even_price(self.session, self.offer, changes)
        self._told(found.solves + 1)
        return found

    def lifted(self, what: str, changes: Sequence[Change]) -> Relaxed | None:
        """Return the effect of some changes. None if there are none."""
        if not changes:
            return None
        self._go_on()
        answer, bare = self.session.what_if(*changes), without(self.session, self.offer, changes)
        self._told(2)
        conflict = any(part.plan.infeasible for part in answer.after)
        return Relaxed(
            what=what,
            changes=list(changes),
            gives_kg=sum((part_kg(part, self.offer) for part in answer.after), Decimal(0)),
            saves=None if conflict else _saved(answer),
            adds=None if conflict else plan_rise(self.session, answer),
            own=None if conflict or any(part.plan.infeasible for part in bare.after) else self._own(answer, bare),
        )

    def possible(self, offer: Offer) -> bool:
        """Return True if any plan that follows the rules can buy some of it."""
        self.counted.questions += 1
        name = self.offer
        material = _first_wanted(self.session, offer)
        most = self.session.extreme(material, lambda facts, _, __: float(facts.offer.id == name), None, largest=True)
        return most.bound >= self.session.problem.case.resolution

    def _own(self, answer: Answer, bare: Answer) -> Difference:
        """Return the extra cost of a plan without the offer."""
        ranked = bool(self.session.problem.objectives)
        low = Decimal("-Infinity") if ranked else bound(bare) - objective(answer)
        high = Decimal("Infinity") if ranked else objective(bare) - bound(answer)
        return between(bare.rise.objective - answer.rise.objective, low, high, bare.cost.objective)

    def _go_on(self) -> None:
        """Stop after the time limit, since plans that weren't searched for prove nothing about the offer."""
        self.session.go_on(self._done, self.rounds, "questions about the offer")

    def _told(self, questions: int) -> None:
        self.counted.questions += questions
        self._done += 1
        self.counted.told(min(self._done, self.rounds), self.rounds)
        self._go_on()


def _saved(answer: Answer) -> Difference:
    low, high = answer.rise_between
    return between(-answer.rise.objective, -high, -low, answer.cost.objective)


def _all(against: Sequence[Obstacle]) -> list[Change]:
    """Return the changes that relax all obstacles, each once. Empty if an obstacle to every use can't be relaxed."""
    if any(not one.lifted_by and not one.end_uses for one in against):
        return []
    found: list[Change] = []
    for change in (change for one in against for change in one.lifted_by):
        if change not in found:
            found.append(change)
    return found


def _bought(session: Session, offer: str) -> list[BoughtOf]:
    bought = (entry for entry in session.verified.plan.purchases if entry.offer == offer)
    found = totals(((entry.material, entry.place), entry.quantity) for entry in bought)
    return [BoughtOf(material=m, place=p, kilograms=kg) for (m, p), kg in sorted(found.items())]


def _state(
    wanted: bool, bought: Sequence[BoughtOf], entering: BreakEven | None, against: Sequence[Obstacle]
) -> Literal["in the plan", "not bought", "kept out", "not wanted"]:
    if bought:
        return "in the plan"
    if not wanted:
        return "not wanted"
    out = entering is None or (entering.outcome == "no price" and bool(against))
    return "kept out" if out else "not bought"


def _unknown(session: Session, name: str) -> Diagnostic:
    """Return the error for an unknown offer, with the nearest name, or the offers of a facility, supplier, or material of that name."""
    merged = session.problem.merged
    facilities = merged.facilities
    of = [
        offer.id
        for offer in merged.offers.values()
        if name in (offer.facility, facilities[offer.facility].supplier, *(line.material for line in offer.outputs))
    ]
    meant = nearest(name, merged.offers)
    fix = f"its offers are {', '.join(of)}" if of else f"did you mean `{meant}`?" if meant else ""
    return Diagnostic(f"no offer is called `{name}`", found=name, expected="an offer of the case's catalogs", fix=fix)
