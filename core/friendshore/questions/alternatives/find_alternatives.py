"""Search for alternatives: every offer of a material, ranked by the cost of using it, with its verdicts and usage range."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from itertools import zip_longest
from typing import ClassVar, Literal

from ...domain.base import Number, Record, exact, grouped, totals
from ...domain.facts import Facility, Offer
from ...domain.plan import PlanStatus
from ...domain.stages import Stage
from ...domain.suggest import did_you_mean
from ...domain.use import Chained, Result
from ...errors import Diagnostic, InputError, NoPlanError
from ...explain.break_even import BreakEven, break_even_price
from ...explain.eligibility import (
    Eligibilities,
    Eligibility,
    Obstacle,
    delivers,
    least_confidence,
    no_feasible_plan,
    obstacles,
    references,
)
from ...explain.full_prices import OfferPrice, OfferPrices
from ...explain.pieces import answer_concurrently
from ...explain.results import (
    Difference,
    Effort,
    PlanRise,
    QuestionCounter,
    QuestionResult,
    between,
    difference,
    names_of,
    plan_rise,
)
from ...problem.case_checks import origin_rules_of
from ...problem.offers import Lead, OfferFacts
from ...recommend import PlanSource, session_of
from ...recommend.law import offers_of_unknown_origin
from ...rules.kinds.limits import MinSuppliers, Pin
from ...session import Session
from ...solve import Progress
from ...verify import VerifiedPlan

WITHIN = Decimal("0.01")


class Alternative(Record):
    """One offer of a demanded material."""

    material: str
    offer: str
    facility: str
    """Name. Its id if it has none."""
    facility_id: str = ""
    supplier: str
    country: str
    rank: int | None
    """Rank from 1, by the cost of using it. None if it can't be used."""
    tied: bool = False
    """True if it isn't proved which of this offer and the next is cheaper to use."""
    today_kg: Number
    """Kilograms over the plan at today's rate."""
    plan_kg: Number
    """Kilograms that the recommended plan buys for the places that demand the material."""
    plan_share: Number
    """`plan_kg` as a share of the material's demand."""
    used_from_kg: Number
    """Kilograms over the plan from which on it counts as used. 0 if it can't be used."""
    in_time: bool
    """False if the time limit ended the search before a plan that uses it. Then `rise` and `landed` are unknown."""
    rise: Difference | None
    """Rise of the objective (present value, with penalties) from the recommended plan to the cheapest plan that uses it. None if there is no such plan."""
    cash: Number | None = None
    """Added cash of this plan, undiscounted, without penalties. None if there is no such plan."""
    spent: Number | None = None
    """Present value of `cash`."""
    penalty: Number | None = None
    """Added penalties for shortage and missed limits."""
    short_kg: dict[str, Number] = {}
    """Material -> added kilograms of shortage. Negative if the shortage is smaller."""
    share: UsageShare | None
    """Usage range. None if rules conflict in this part of the case."""
    made_from: list[str]
    """Materials that it takes in. `landed` is then a fee, without their cost."""
    landed: Landed | None
    """Cost of a kilogram in the cheapest plan that uses it, without inputs."""
    full_price: OfferPrice | None = None
    """Cost of a kilogram with all inputs. None if it can't be bought, or has no admissible input."""
    estimated_duty: str = ""
    """Why it is charged the highest duty for any country, and what settles it. Empty unless a duty depends on its unknown customs origin."""
    max_kg: Number | None
    """Maximum kilograms over the plan by its own limits and its facility's capacity. None if no limit is stated, or for a lead."""
    max_share: Number | None
    """`max_kg` as a share of the material's demand."""
    first_delivery: str
    """First period in which a delivery can be lawful. Empty if none."""
    lead_months: Number | None
    """Months from order to delivery."""
    qualification_months: Number | None
    """Months before the first order. 0 for current suppliers."""
    confidence: str
    """Lowest confidence of its capacity, price, and chain. Empty for a lead."""
    references: list[str]
    checks: list[StageCheck]
    """Verdicts of the rules in force, by stage and use."""
    obstacles: list[Obstacle]
    """Reasons that exclude it from some uses or all."""


class MaterialMix(Record):
    """A demanded material."""

    material: str
    basis: str
    wanted_kg: Number
    short_kg: Number
    shortage_penalty: Number = Decimal(0)
    """Penalty for `short_kg`, not discounted."""
    today_kg: Number
    """Current purchases over the plan, at today's rate."""
    allowed_increase: Number | None
    """Money by which plans in reported usage ranges may cost more, as present value. None if rules conflict."""
    with_materials: list[str]
    """Other materials in the same part of the case, which share that money."""
    for_makers: bool
    """True if only makers need it, without a demand of its own."""
    next_offer: str = ""
    """Usable offer that adds least and isn't bought for the places that demand the material. Empty if there is none."""
    next_price: BreakEven | None = None
    """Break-even price of this offer. None if there is no offer, the plan buys it for another use, or a limit ended the search."""


class Alternatives(QuestionResult):
    """Every offer of some demanded materials."""

    TABLES: ClassVar[tuple[str, ...]] = ("offers", "materials")
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore.questions.alternatives.alternatives_document:alternatives_document"

    case: str
    currency: str
    within: Number
    """Share of the spend by which plans in reported usage ranges may cost more."""
    used_from: Number
    """Share of the demand from which on an offer counts as used."""
    ranked_objectives: bool
    """True if the case ranks objectives. Plans then keep the levels before cost."""
    materials: list[MaterialMix]
    offers: list[Alternative]
    """Offers by material: usable ones by rank, then the others."""
    effort: Effort


def alternatives(
    source: PlanSource,
    materials: Sequence[str] = (),
    *,
    inputs: bool = False,
    within: Decimal = WITHIN,
    progress: Progress | None = None,
) -> Alternatives:
    """Return every offer of the demanded materials, or of those named. Demand for inputs is the quantity that the plan buys for makers.

    Args:
        source: A recommendation, a session, or a case.
        materials: Demanded materials, or inputs that the plan buys for makers. Empty means all demanded materials.
        inputs: True to include inputs for makers if `materials` is empty.
        within: Share of the spend (present value, without penalties) by which plans in a usage range may cost more.
        progress: Called with the number of finished offers, the total, and seconds.

    Raises:
        InputError: If a material is neither demanded nor bought for makers, or `within` is negative.
        FriendshoreError: If a solver, a plugin's rule, or the verification fails.
    """
    session = session_of(source)
    materials = [session.inputs.name_of_today("material", name) for name in materials]
    input_kg = _inputs(session)
    included_inputs = {name: kg for name, kg in input_kg.items() if inputs or name in materials}
    eligibilities = Eligibilities(session.problem, included_inputs)
    prices = OfferPrices(session.verified)
    demanded = list(eligibilities.demand_kg)
    unknown = [name for name in materials if name not in demanded]
    if unknown or within < 0:
        available = [*demanded, *(name for name in input_kg if name not in demanded)]
        raise InputError([_not_needed(name, available) for name in unknown] or [_negative_share(within)])
    counter = QuestionCounter(session)
    selected = [name for name in demanded if name in materials] if materials else demanded
    searches: list[_OfferSearch] = []

    def new_search() -> _OfferSearch:
        searches.append(_OfferSearch(session, eligibilities, UsageRange(session, eligibilities), within, prices))
        return searches[-1]

    search = new_search()
    part_of = session.parts.of_material
    by_part = grouped((part_of[name], (name, offer)) for name in selected for offer in search.offers(name))
    answers = answer_concurrently(session, list(by_part.values()), lambda: new_search().alternative, progress)
    all_offers = [entry for group in answers for entry in group]
    offers = {name: _ranked([entry for entry in all_offers if entry.material == name]) for name in selected}
    mixes = [_with_next(session, search.mix(name), offers[name]) for name in selected]
    solves = [mix.next_price.solves + 1 for mix in mixes if mix.next_price is not None]
    counter.questions = sum(entry.usage.questions for entry in searches) + sum(solves)
    return Alternatives(
        case=session.problem.case.name,
        currency=session.problem.case.currency,
        within=within,
        used_from=USED_FROM,
        ranked_objectives=bool(session.problem.objectives),
        names=names_of(session.problem, (entry.offer for entry in all_offers)),
        materials=mixes,
        offers=[entry for of_material in offers.values() for entry in of_material],
        effort=counter.effort,
    )


def unused(offers: Iterable[Alternative]) -> list[Alternative]:
    return [offer for offer in offers if (offer.rank is not None or not offer.in_time) and not offer.plan_kg]


def costs_nothing(offer: Alternative) -> bool:
    is_small = offer.rise is not None and offer.rise.proved and abs(offer.rise.value) < 1
    return is_small and not offer.short_kg and abs(offer.cash or Decimal(0)) < 1


def _with_next(session: Session, mix: MaterialMix, offers: Sequence[Alternative]) -> MaterialMix:
    candidates = unused(offers)
    if not candidates:
        return mix
    offer = candidates[0].offer
    is_bought_elsewhere = any(purchase.offer == offer for purchase in session.verified.plan.purchases)
    price = None if is_bought_elsewhere or session.stopped else break_even_price(session, offer, ())
    return mix.but(next_offer=offer, next_price=price)


def _inputs(session: Session) -> dict[str, Decimal]:
    demanded = {demand.use.material.id for demand in session.problem.demands}
    bought = (entry for entry in session.verified.plan.purchases if entry.material not in demanded)
    return dict(sorted(totals((entry.material, entry.quantity) for entry in bought).items()))


def _negative_share(within: Decimal) -> Diagnostic:
    return Diagnostic(
        "`within` is negative, but no plan is cheaper than the cheapest",
        found=str(within),
        expected="a share of 0 or more",
        fix="write a share such as 0.01 for 1%",
        code="FS012",
    )


def _not_needed(name: str, available: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        f"`{name}` is neither demanded nor bought as an input",
        found=name,
        expected="one of " + ", ".join(available),
        fix=did_you_mean(name, available),
        code="FS523",
    )


def _ranked(offers: Sequence[Alternative]) -> list[Alternative]:
    usable = sorted(
        (offer for offer in offers if offer.rise is not None),
        key=lambda offer: (offer.rise.value if offer.rise is not None else Decimal(0), -offer.plan_kg, offer.offer),
    )
    ranked = [
        offer.but(rank=rank, tied=_may_cost_the_same(offer.rise, after.rise if after else None))
        for rank, (offer, after) in enumerate(zip_longest(usable, usable[1:]), 1)
    ]
    return ranked + sorted(
        (offer for offer in offers if offer.rise is None), key=lambda offer: (-offer.today_kg, offer.offer)
    )


def _may_cost_the_same(rise: Difference | None, next_rise: Difference | None) -> bool:
    if rise is None or next_rise is None or (rise.proved and next_rise.proved and rise.value != next_rise.value):
        return False
    return rise.high is None or next_rise.low is None or next_rise.low <= rise.high


@dataclass(slots=True, eq=False)
class _OfferSearch:
    session: Session
    eligibilities: Eligibilities
    usage: UsageRange
    within: Decimal
    prices: OfferPrices
    _of_offer: dict[str, Lead | OfferFacts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problem = self.session.problem
        self._of_offer = {facts.offer.id: facts for facts in problem.offers}
        self._of_offer |= {lead.offer.id: lead for lead in problem.leads}

    def offers(self, material: str) -> list[str]:
        positions = [offer for offer, name in self.eligibilities.arcs if name == material]
        problem = self.session.problem
        ids = {problem.offers[position].offer.id for position in positions}
        ids |= {lead.offer.id for lead in problem.leads if delivers(lead.offer, material)}
        ids |= {line.offer for line in problem.facts.incumbents if line.material.id == material}
        return sorted(ids)

    def mix(self, material: str) -> MaterialMix:
        problem, verified = self.session.problem, self.session.verified
        price_of = {
            demand.id: price
            for demand, price in zip(problem.demands, problem.shortage_price, strict=True)
            if demand.use.material.id == material
        }
        short = [(entry.quantity, price_of[entry.demand]) for entry in verified.plan.shorts if entry.demand in price_of]
        part = self.session.connected_part(material)
        has_conflict = bool(self.session.part_of(material).plan.infeasible)
        return MaterialMix(
            material=material,
            basis=problem.merged.materials[material].basis,
            wanted_kg=self.eligibilities.demand_kg[material],
            short_kg=sum((kg for kg, _ in short), Decimal(0)),
            shortage_penalty=exact(sum((kg * price for kg, price in short), Decimal(0))),
            today_kg=sum((self._today(material, name) for name in self.offers(material)), Decimal(0)),
            allowed_increase=None if has_conflict else exact(self.within * abs(part.spent)),
            with_materials=sorted(part.materials - {material}),
            for_makers=material in self.eligibilities.inputs,
        )

    def alternative(self, material_and_offer: tuple[str, str]) -> Alternative:
        material, name = material_and_offer
        problem, verified = self.session.problem, self.session.verified
        facts_or_lead = self._of_offer.get(name)
        offer = facts_or_lead.offer if facts_or_lead is not None else problem.merged.offers[name]
        facility = problem.merged.facilities[offer.facility]
        position = next((i for i, facts in enumerate(problem.offers) if facts is facts_or_lead), None)
        eligibility = self.eligibilities.by_offer.get((position, material)) if position is not None else None
        max_kg = self.eligibilities.max_supply_kg(position, material) if position is not None else None
        places = self.eligibilities.places[material]
        demand_kg, plan_kg = self.eligibilities.demand_kg[material], bought(verified, name, material, places)
        use = self.usage.cheapest_use(material, name) if eligibility else None
        adds = use.adds if use is not None and use.rise is not None else None
        chained = self._chained(position, material)
        arcs = self.eligibilities.arcs.get((position, material), ()) if position is not None else ()
        return Alternative(
            material=material,
            offer=name,
            facility=facility.name or facility.id,
            facility_id=facility.id,
            supplier=facility.supplier,
            country=facility.country,
            rank=None,
            today_kg=self._today(material, name),
            plan_kg=plan_kg,
            plan_share=exact(plan_kg / demand_kg) if demand_kg else Decimal(0),
            used_from_kg=use.kilograms if use else Decimal(0),
            rise=use.rise if use else None,
            cash=adds.cash if adds else None,
            spent=adds.spent if adds else None,
            penalty=adds.penalty if adds else None,
            short_kg=adds.short_kg if adds else {},
            in_time=use is None or use.rise is not None,
            share=self.usage.usage_share(material, name, self.within) if eligibility else NOT_AT_ALL,
            made_from=sorted(line.material for line in offer.inputs),
            landed=landed(use.verified, name, material) if use and use.verified is not None else None,
            full_price=self.prices.of(name, material) if eligibility else None,
            estimated_duty=offers_of_unknown_origin(problem, arcs).get(name, ""),
            max_kg=max_kg,
            max_share=exact(max_kg / demand_kg) if max_kg is not None and demand_kg else None,
            first_delivery=problem.case.horizon.label(eligibility.first)
            if eligibility and eligibility.first is not None
            else "",
            lead_months=self._lead_months(position, material),
            qualification_months=self._qualification(offer),
            confidence=least_confidence(problem, chained).value if chained is not None else "",
            references=references(problem.merged, offer, facility),
            checks=list(checks(self.eligibilities, position, material)) if position is not None else [],
            obstacles=self._obstacles(offer, facility, facts_or_lead, in_use=use is not None),
        )

    def _obstacles(
        self, offer: Offer, facility: Facility, facts_or_lead: Lead | OfferFacts | None, *, in_use: bool
    ) -> list[Obstacle]:
        if facts_or_lead is None:
            text = f"it is bought today, but {facility.id} no longer makes anything that the case needs"
            return [Obstacle(kind="figure", text=text)]
        problems = obstacles(self.eligibilities, offer, facts_or_lead if isinstance(facts_or_lead, Lead) else None)
        return problems if problems or in_use else [no_feasible_plan(self.eligibilities, offer)]

    def _chained(self, position: int | None, material: str) -> Chained | None:
        if position is None:
            return None
        outputs = self.session.problem.offers[position].chained
        return next((chained for chained in outputs if chained.material.id == material), None)

    def _today(self, material: str, name: str) -> Decimal:
        incumbents = [i for i in self.session.problem.facts.incumbents if (i.offer, i.material.id) == (name, material)]
        return sum((quantity for line in incumbents for quantity in line.quantity), Decimal(0))

    def _lead_months(self, position: int | None, material: str) -> Decimal | None:
        if position is None:
            return None
        months = self.session.problem.case.horizon.length.months
        return min(
            (Decimal(min(arc.lags) * months) for arc in self.eligibilities.arcs.get((position, material), ())),
            default=None,
        )

    def _qualification(self, offer: Offer) -> Decimal | None:
        today = any(line.offer == offer.id for line in self.session.problem.facts.incumbents)
        return Decimal(0) if today else offer.qualification


class StageCheck(Record):
    """A stage of an offer for a use, or the move itself."""

    end_use: str
    """End use. For an input, also the good that it becomes part of."""
    stage: str
    """Stage of the material's chain. Empty for the move, to which export controls and exclusions apply."""
    countries: list[str]
    """Countries where the offer may have performed it. Empty if unknown, or if it is done in its inputs."""
    from_inputs: bool
    """True if the stage is done earlier, in the inputs of the offer."""
    result: Literal["pass", "unproven", "fail", "undecided", "no rule"]
    """Result of the rules in force. `undecided`: no rule objects, but a rule that objected at another stage may have skipped this one.
    `no rule`: no rule of origin in force covers this use.
    """
    rule: str = ""
    """Rule that decided. Empty if none objects."""
    clause: str = ""
    since: str = ""
    """First period of the plan in which that rule is in force."""
    reason: str = ""


def checks(eligibilities: Eligibilities, offer: int, material: str) -> Iterator[StageCheck]:
    problem = eligibilities.problem
    facts = problem.offers[offer]
    chained = next(chained for chained in facts.chained if chained.material.id == material)
    for use in eligibilities.uses[material]:
        exclusions = [
            exclusion
            for exclusion in eligibilities.exclusions_by_offer.get(facts.offer.id, [])
            if exclusion.arc.chained.material.id == material
        ]
        verdicts = [exclusion.verdict for exclusion in exclusions if exclusion.use == use]
        has_stage_verdict = any(verdict.stage for verdict in verdicts)
        spans = [period.span for period in problem.case.horizon.periods]
        is_unchecked = not origin_rules_of(use, spans, problem.law)
        for stage in [stage.value for stage in chained.material.stages] + [""]:
            of_stage = [verdict for verdict in verdicts if verdict.stage == stage]
            worst = max(of_stage, key=lambda verdict: verdict.result.rank, default=None)
            entries = chained.entries(Stage(stage)) if stage else ()
            yield StageCheck(
                end_use=use.end_use if use.material.id == material else f"{use.material.id} for {use.end_use}",
                stage=stage,
                countries=sorted(frozenset().union(*(entry.countries for entry in entries))),
                from_inputs=not entries and any(supplied.value == stage for supplied in chained.supplied),
                result=_result_word(worst.result) if worst else _unopposed(stage, has_stage_verdict, is_unchecked),
                rule=worst.rule if worst else "",
                clause=worst.clause if worst else "",
                since=_since(eligibilities, worst.rule) if worst else "",
                reason=worst.reason if worst else "",
            )


def _unopposed(stage: str, has_stage_verdict: bool, is_unchecked: bool) -> Literal["pass", "undecided", "no rule"]:
    if not stage:
        return "pass"
    return "undecided" if has_stage_verdict else "no rule" if is_unchecked else "pass"


def _result_word(result: Result) -> Literal["pass", "unproven", "fail"]:
    names: dict[Result, Literal["pass", "unproven", "fail"]] = {
        Result.PASS: "pass", Result.UNPROVEN: "unproven", Result.FAIL: "fail",
    }  # fmt: skip
    return names[result]


def _since(eligibilities: Eligibilities, rule: str) -> str:
    problem = eligibilities.problem
    position = next(i for i, other in enumerate(problem.rules) if other.id == rule)
    periods = [p for p in problem.case.horizon.periods if problem.law.in_force(position, p.span)]
    return periods[0].label if periods else ""


class Landed(Record):
    """Undiscounted money per kilogram bought from an offer in one plan, in the case's currency. The figures sum to `total`."""

    kilograms: Number
    """Kilograms bought: the divisor of the money."""
    price: Number
    """Money at list prices. For an offer with several outputs, its part of the production cost by mass."""
    discounts: Number
    """Cost of price schedules of this offer alone. Negative for a discount."""
    charges: Number
    """Tariffs and other charges of rules."""
    freight: Number
    one_off: Number
    """One-off cost, fixed costs of ordering from this offer alone, and quantities paid for and not taken."""
    total: Number


def landed(verified: VerifiedPlan, offer: str, material: str) -> Landed | None:
    """Return the cost of a kilogram, without schedules and terms of a supplier or facility. None if the plan buys none."""
    problem = verified.problem
    of_offer = [line for line in verified.lines if line.arc.chained.offer.id == offer]
    lines = [line for line in of_offer if line.material == material]
    kilograms = sum((line.quantity for line in lines), Decimal(0))
    if not kilograms:
        return None
    all_kg = sum((line.quantity for line in of_offer), Decimal(0))
    position = lines[0].arc.offer
    only_this = (position,)
    discounts = -sum((s.discount for s in verified.settlements if s.span.offers == only_this), Decimal(0))
    once = problem.offers[position].onboarding
    once += sum((p.span.fixed for p in verified.costing.placed if p.span.offers == only_this), Decimal(0))
    once += sum((u.due for u in verified.costing.untaken if u.commitment.offer == position), Decimal(0))
    figures = {
        "price": sum((line.price for line in lines), Decimal(0)) / kilograms,
        "discounts": discounts / all_kg,
        "charges": sum((line.charges for line in lines), Decimal(0)) / kilograms,
        "freight": sum((line.freight for line in lines), Decimal(0)) / kilograms,
        "one_off": once / all_kg,
    }
    parts = {name: exact(figure) for name, figure in figures.items()}
    return Landed(kilograms=kilograms, total=exact(sum(parts.values(), Decimal(0))), **parts)


def bought(verified: VerifiedPlan, offer: str, material: str, places: Collection[str]) -> Decimal:
    entries = verified.plan.purchases
    kilograms = (
        entry.quantity
        for entry in entries
        if (entry.offer, entry.material) == (offer, material) and entry.place in places
    )
    return sum(kilograms, Decimal(0))


USED_FROM: Decimal = MinSuppliers.model_fields["least_share"].default
"""Share of a material's demand from which on an offer counts as used."""
Role = Literal["must", "may", "never", "not proved"]


class UsageShare(Record):
    """Purchases from an offer for the places that demand its material, as a share of the demand, in plans within the allowed extra cost.
    Purchases that exceed all demand after their arrival don't count.
    """

    min: Number
    """Smallest share in a plan that was found."""
    min_bound: Number
    """Proved lower bound of the share."""
    max: Number
    """Largest share in a plan that was found."""
    max_bound: Number
    """Proved upper bound of the share."""
    role: Role
    """Role: `must` if every plan uses it, `never` if no plan does, `may` if some do."""


_NOTHING = PlanRise(cash=Decimal(0), spent=Decimal(0), penalty=Decimal(0), short_kg={})


@dataclass(frozen=True, slots=True)
class CheapestUse:
    """The cheapest plan that uses an offer."""

    kilograms: Decimal
    rise: Difference | None
    """None if the time limit ended the search."""
    verified: VerifiedPlan | None
    """None if the time limit ended the search."""
    adds: PlanRise = _NOTHING


class UsageRange:
    """Search for the cost and range of using offers."""

    def __init__(self, session: Session, eligibilities: Eligibilities) -> None:
        self.session = session
        self.eligibilities = eligibilities
        self.questions = 0
        """Number of questions asked so far."""

    def cheapest_use(self, material: str, name: str) -> CheapestUse | None:
        """Return the cheapest plan that uses an offer. None if there is none, or rules conflict."""
        session, eligibilities, resolution = self.session, self.eligibilities, self.session.problem.case.resolution
        position, eligibility = self._position(name), self._eligibility(material, name)
        if eligibility is None or session.part_of(material).plan.infeasible:
            return None
        places, max_kg = eligibilities.places[material], eligibilities.max_supply_kg(position, material)
        limits = [
            USED_FROM * eligibilities.demand_kg[material],
            eligibility.reachable,
            *([] if max_kg is None else [max_kg]),
        ]
        min_kg = _round_down(min(limits), resolution)
        while min_kg >= resolution:
            if bought(session.verified, name, material, places) >= min_kg:
                return CheapestUse(min_kg, self._in_recommended_plan(material), session.verified)
            if session.stopped:
                return CheapestUse(min_kg, None, None)
            self.questions += 1
            pin = Pin(id=f"use of {name}", offer=name, material=material, places=tuple(places), at_least=min_kg)
            try:
                answer = session.what_if(rules=[pin])
            except NoPlanError:
                return CheapestUse(min_kg, None, None)
            if not any(part.plan.infeasible for part in answer.after):
                rise = self._never_negative(difference(answer))
                return CheapestUse(min_kg, rise, answer.after[0].verified, plan_rise(session, answer))
            self.questions += 1
            try:
                extreme = session.extreme(material, _purchases_of(name, places), None, largest=True, output=material)
            except NoPlanError:
                return CheapestUse(min_kg, None, None)
            feasible_kg = _round_down(bought(extreme.part.verified, name, material, places), resolution)
            min_kg = feasible_kg if feasible_kg < min_kg else min_kg - resolution
        return None

    def usage_share(self, material: str, name: str, within: Decimal) -> UsageShare | None:
        """Return the smallest and largest share in plans that cost at most `within` of the spend more. None if rules conflict."""
        session = self.session
        demand_kg = self.eligibilities.demand_kg[material]
        places = self.eligibilities.places[material]
        if session.part_of(material).plan.infeasible:
            return None
        eligibility = self._eligibility(material, name)
        max_kg = eligibility.reachable if eligibility is not None else Decimal(0)
        plan_kg = bought(session.verified, name, material, places)
        least = least_bound = Decimal(0)
        counts = _purchases_of(name, places)
        if plan_kg:
            self.questions += 1
            try:
                smallest = session.extreme(material, counts, within, largest=False, output=material)
                least, least_bound = smallest.value, max(smallest.bound, Decimal(0))
            except NoPlanError:  # the recommended plan is a plan within the limit
                least = plan_kg
        self.questions += 1
        try:
            largest = session.extreme(material, counts, within, largest=True, output=material)
            most, most_bound = largest.value, largest.bound
        except NoPlanError:
            most, most_bound = plan_kg, max_kg
        return UsageShare(
            min=exact(min(least, max_kg) / demand_kg),
            min_bound=exact(min(least_bound, max_kg) / demand_kg),
            max=exact(min(most, max_kg) / demand_kg),
            max_bound=exact(min(most_bound, max_kg) / demand_kg),
            role=_role((least, least_bound), (most, most_bound), session.problem.case.resolution),
        )

    def _position(self, name: str) -> int:
        return next(i for i, facts in enumerate(self.session.problem.offers) if facts.offer.id == name)

    def _eligibility(self, material: str, name: str) -> Eligibility | None:
        return self.eligibilities.by_offer.get((self._position(name), material))

    def _never_negative(self, difference: Difference) -> Difference:
        # An additional rule can't make the plan cheaper.
        ranked = bool(self.session.problem.objectives)
        is_raised = difference.low is not None and difference.low < 0 and not ranked and not difference.proved
        return difference.but(low=Decimal(0)) if is_raised else difference

    def _in_recommended_plan(self, material: str) -> Difference:
        # A cheaper plan without the offer may exist, if the plan isn't proved.
        plan = self.session.part_of(material).plan
        gap = Decimal(0) if plan.status is PlanStatus.OPTIMAL else max(Decimal(0), plan.objective - plan.bound)
        return between(Decimal(0), Decimal(0), gap, plan.objective)


NOT_AT_ALL = UsageShare(min=Decimal(0), min_bound=Decimal(0), max=Decimal(0), max_bound=Decimal(0), role="never")


def _role(smallest: tuple[Decimal, Decimal], largest: tuple[Decimal, Decimal], resolution: Decimal) -> Role:
    if smallest[1] >= resolution:
        return "must"
    if largest[1] < resolution:
        return "never"
    return "may" if smallest[0] < resolution and largest[0] >= resolution else "not proved"


def _purchases_of(name: str, places: Sequence[str]) -> Callable[[OfferFacts, str, int], float]:
    return lambda facts, place, _period: float(facts.offer.id == name and place in places)


def _round_down(kilograms: Decimal, resolution: Decimal) -> Decimal:
    return (kilograms / resolution).to_integral_value(ROUND_FLOOR) * resolution
