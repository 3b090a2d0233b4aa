"""Who else could deliver: every offer of a demanded material beside today's and the recommended mix, ranked by what using it costs.

An offer is *used* from the share of a material's demand on from which a supplier counts (5 %, as in `min-suppliers`), or from all
that it can give if that is less. What using it costs is found by imposing just that and planning again; its largest and
smallest share in plans that cost little more than the cheapest by planning for these. (Such near-optimal intervals are known as
modelling to generate alternatives: Brill, Chang, Hopkins, Management Science 28, 1982, 221-235.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import zip_longest
from typing import ClassVar

from ...domain.base import Number, Record, exact, totals
from ...domain.facts import Facility, Offer
from ...domain.suggest import did_you_mean
from ...domain.use import Chained
from ...errors import A_SESSION, Diagnostic, InputError, takes
from ...explain.break_even import BreakEven, break_even_price
from ...explain.eligibility import Eligibilities, Obstacle, gives, least_confidence, no_room, obstacles, references
from ...explain.pieces import ask_apart
from ...explain.prices import OfferPrice, OfferPrices
from ...explain.results import Counted, Difference, Effort, QuestionResult, names_of
from ...problem.offers import Lead, OfferFacts
from ...session import Session
from ...solve import Progress
from .compliance import Landed, StageCheck, bought, checks, landed
from .usage_range import NOT_AT_ALL, USED_FROM, UsageRange, UsageShare

WITHIN = Decimal("0.01")
"""Share of the money spent by which plans may cost more whose shares are reported."""


class Alternative(Record):
    """One offer of a demanded material."""

    material: str
    offer: str
    facility: str
    """Its name; its id where it has none."""
    facility_id: str = ""
    supplier: str
    country: str
    rank: int | None
    """From 1: by what using it costs; None: it cannot be used."""
    level_with_next: bool = False
    """Whether what is proved leaves open which of this offer and the next is the cheaper one to use."""
    today_kg: Number
    """What today's rate comes to over the plan."""
    plan_kg: Number
    """What the recommended plan buys of it for the places where the material is wanted."""
    plan_share: Number
    """The same as a share of the material's demand."""
    uses_kg: Number
    """Kilograms over the plan from which it counts as used; 0: it cannot be."""
    in_time: bool
    """False: no plan that uses it was found in the time given, and `rise` and `landed` are unknown."""
    rise: Difference | None
    """By how much the objective of the cheapest plan that uses it is above the recommended plan's: present value, penalties included. None: there is none."""
    cash: Number | None = None
    """Cash that this plan spends more, without penalties and not discounted. None: there is none."""
    spent: Number | None = None
    """Present value of the same."""
    penalty: Number | None = None
    """By how much its penalties for shortage and missed limits are higher."""
    short_kg: dict[str, Number] = {}
    """Material -> kilograms that it is short of more, or (negative) less."""
    share: UsageShare | None
    """None: rules conflict in this part of the case."""
    made_from: list[str]
    """Materials that it takes in: `landed` is then a fee, and these come on top."""
    landed: Landed | None
    """Cost of a kilogram in the cheapest plan that uses it, without inputs."""
    full_price: OfferPrice | None = None
    """Cost of a kilogram with all inputs. None: it can't be bought, or has no admissible input."""
    could_give_kg: Number | None
    """Kilograms over the plan by its own limits and its facility's capacity; None: no limit is stated, or it is a lead."""
    could_give_share: Number | None
    """The same as a share of the material's demand."""
    first_delivery: str
    """Period in which something could lawfully be delivered first; empty: none."""
    lead_months: Number | None
    """From order to delivery."""
    qualification_months: Number | None
    """Before it may first be ordered; 0 for who delivers today."""
    confidence: str
    """Least among its capacity, price and chain; empty for a lead."""
    references: list[str]
    checks: list[StageCheck]
    """Stage by stage and use by use, what the rules in force find."""
    obstacles: list[Obstacle]
    """What keeps it out of some use, or of all."""


class MaterialMix(Record):
    """A demanded material."""

    material: str
    basis: str
    wanted_kg: Number
    short_kg: Number
    today_kg: Number
    """What is bought today, at today's rate over the plan."""
    allowed: Number | None
    """Money by which plans may cost more whose shares are reported, as present value; None: rules conflict."""
    with_materials: list[str]
    """What else hangs together with it, and shares that money."""
    for_makers: bool
    """Whether nobody demands it, and it is what the plan buys for makers."""
    next_offer: str = ""
    """Of the offers that can be used and of which the plan buys nothing for those who want it, the one that adds least; empty: there is none."""
    next_price: BreakEven | None = None
    """Up to which price that one is worth buying; None: there is none, the plan buys it for something else, or a limit ended the search before."""


class Alternatives(QuestionResult):
    """Every offer of some demanded materials."""

    TABLES: ClassVar[tuple[str, ...]] = ("offers", "materials")
    TOLD_BY: ClassVar[str] = "friendshore.questions.alternatives.screen:alternatives_screen"

    case: str
    currency: str
    within: Number
    """Share of the money spent by which plans may cost more whose shares are reported."""
    used_from: Number
    """Share of the demand from which an offer counts as used."""
    ranked_objectives: bool
    """Whether the case ranks objectives: plans then keep those before cost."""
    materials: list[MaterialMix]
    offers: list[Alternative]
    """By material, those that can be used first, in order of rank."""
    effort: Effort


@takes(Session, A_SESSION)
def alternatives(
    session: Session,
    materials: Sequence[str] = (),
    *,
    inputs: bool = False,
    within: Decimal = WITHIN,
    progress: Progress | None = None,
) -> Alternatives:
    """Every offer of the demanded materials, or of those named.

    Of what the plan buys for makers, demand is what it buys of it.

    Args:
        session: a solved case.
        materials: demanded materials, or such as the plan buys for makers; none: all that are demanded.
        inputs: where none is named, those bought for makers as well.
        within: share of the money spent (present value, without penalties) by which plans may cost more whose shares are reported.
        progress: told offers done, offers in all, and seconds.

    Raises:
        InputError: if a material is neither demanded nor bought for makers, or `within` is negative.
        SolverError: if a solver breaks down.
        VerificationError: if a plan does not hold.
        PluginError: if a plugin's rule raises.
    """
    materials = [session.inputs.name_of_today("material", name) for name in materials]
    made_of = _inputs(session)
    looked_at = {name: kg for name, kg in made_of.items() if inputs or name in materials}
    standings = Eligibilities(session.problem, looked_at)
    prices = OfferPrices(session.verified)
    wanted = list(standings.wanted)
    unknown = [name for name in materials if name not in wanted]
    if unknown or within < 0:
        known = [*wanted, *(name for name in made_of if name not in wanted)]
        raise InputError([_not_wanted(name, known) for name in unknown] or [_negative(within)])
    counted = Counted(session)
    named = [name for name in wanted if name in materials] if materials else wanted
    made: list[_Asking] = []

    def asking() -> Callable[[tuple[str, str]], Alternative]:
        made.append(_Asking(session, standings, UsageRange(session, standings), within, prices))
        return made[-1].alternative

    by_part: dict[int, list[tuple[str, str]]] = {}
    about = _Asking(session, standings, UsageRange(session, standings), within, prices)
    for name in named:
        part = by_part.setdefault(session.parts.of_material[name], [])
        part += [(name, offer) for offer in about.offers(name)]
    answers = ask_apart(session, list(by_part.values()), asking, progress)
    found = [one for group in answers for one in group]
    offers = {name: _ranked([one for one in found if one.material == name]) for name in named}
    mixes = [_with_next(session, about.mix(name), offers[name]) for name in named]
    solved = [mix.next_price.solves + 1 for mix in mixes if mix.next_price is not None]
    counted.questions = sum(one.using.questions for one in made) + sum(solved)
    return Alternatives(
        case=session.problem.case.name,
        currency=session.problem.case.currency,
        within=within,
        used_from=USED_FROM,
        ranked_objectives=bool(session.problem.objectives),
        names=names_of(session.problem, (one.offer for one in found)),
        materials=mixes,
        offers=[one for some in offers.values() for one in some],
        effort=counted.effort,
    )


def unused(offers: Iterable[Alternative]) -> list[Alternative]:
    """Those that can be used and of which the plan buys nothing, in order of rank."""
    return [one for one in offers if (one.rank is not None or not one.in_time) and not one.plan_kg]


def costs_nothing(one: Alternative) -> bool:
    """Return True if using it is shown to add nothing: no cash, shortage, or penalty."""
    small = one.rise is not None and one.rise.proved and abs(one.rise.value) < 1
    return small and not one.short_kg and abs(one.cash or Decimal(0)) < 1


def _with_next(session: Session, mix: MaterialMix, offers: Sequence[Alternative]) -> MaterialMix:
    """The same with the offer that comes next, and its break-even price."""
    others = unused(offers)
    if not others:
        return mix
    offer = others[0].offer
    elsewhere = any(one.offer == offer for one in session.verified.plan.purchases)
    price = None if elsewhere or session.stopped else break_even_price(session, offer, ())
    return mix.but(next_offer=offer, next_price=price)


def _inputs(session: Session) -> dict[str, Decimal]:
    """What the plan buys that nobody demands: for makers, with its kilograms."""
    demanded = {demand.use.material.id for demand in session.problem.demands}
    bought = (entry for entry in session.verified.plan.purchases if entry.material not in demanded)
    return dict(sorted(totals((entry.material, entry.quantity) for entry in bought).items()))


def _not_wanted(name: str, wanted: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        f"the case wants no `{name}`, and the plan buys none to make anything of",
        found=name,
        expected="one of " + ", ".join(wanted),
        fix=did_you_mean(name, wanted),
    )


def _negative(within: Decimal) -> Diagnostic:
    return Diagnostic("no plan is cheaper than the cheapest", found=str(within), expected="a share from 0 on")


def _ranked(offers: Sequence[Alternative]) -> list[Alternative]:
    """Offers that can be used by what that costs, then the others; with their ranks."""
    usable = sorted(
        (one for one in offers if one.rise is not None),
        key=lambda one: (one.rise.value if one.rise is not None else Decimal(0), -one.plan_kg, one.offer),
    )
    found = [
        one.but(rank=rank, level_with_next=_overlap(one.rise, after.rise if after else None))
        for rank, (one, after) in enumerate(zip_longest(usable, usable[1:]), 1)
    ]
    return found + sorted((one for one in offers if one.rise is None), key=lambda one: (-one.today_kg, one.offer))


def _overlap(one: Difference | None, after: Difference | None) -> bool:
    """Whether the next may be as cheap, for all that is proved."""
    if one is None or after is None or (one.proved and after.proved and one.value != after.value):
        return False
    return one.high is None or after.low is None or after.low <= one.high


@dataclass(slots=True, eq=False)
class _Asking:
    """The questions about one offer after the other."""

    session: Session
    standings: Eligibilities
    using: UsageRange
    within: Decimal
    prices: OfferPrices
    _of_offer: dict[str, Lead | OfferFacts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problem = self.session.problem
        self._of_offer = {facts.offer.id: facts for facts in problem.offers}
        self._of_offer |= {lead.offer.id: lead for lead in problem.leads}

    def offers(self, material: str) -> list[str]:
        """All that deliver a material: offers that count, leads, and what is bought from today."""
        positions = [offer for offer, name in self.standings.arcs if name == material]
        problem = self.session.problem
        found = {problem.offers[position].offer.id for position in positions}
        found |= {lead.offer.id for lead in problem.leads if gives(lead.offer, material)}
        found |= {line.offer for line in problem.facts.incumbents if line.material.id == material}
        return sorted(found)

    def mix(self, material: str) -> MaterialMix:
        """What is wanted, short and bought today of a material."""
        problem, verified = self.session.problem, self.session.verified
        of = {demand.id: demand.use.material.id for demand in problem.demands}
        together = self.session.together(material)
        conflict = bool(self.session.part_of(material).plan.infeasible)
        return MaterialMix(
            material=material,
            basis=problem.merged.materials[material].basis,
            wanted_kg=self.standings.wanted[material],
            short_kg=sum((s.quantity for s in verified.plan.shorts if of[s.demand] == material), Decimal(0)),
            today_kg=sum((self._today(material, name) for name in self.offers(material)), Decimal(0)),
            allowed=None if conflict else exact(self.within * abs(together.spent)),
            with_materials=sorted(together.materials - {material}),
            for_makers=material in self.standings.inputs,
        )

    def alternative(self, asked: tuple[str, str]) -> Alternative:
        """One offer of a material, with all that is asked about it."""
        material, name = asked
        problem, verified = self.session.problem, self.session.verified
        known = self._of_offer.get(name)
        offer = known.offer if known is not None else problem.merged.offers[name]
        facility = problem.merged.facilities[offer.facility]
        position = next((i for i, facts in enumerate(problem.offers) if facts is known), None)
        standing = self.standings.standing.get((position, material)) if position is not None else None
        could = self.standings.could_give(position, material) if position is not None else None
        places = self.standings.places[material]
        wanted, plan_kg = self.standings.wanted[material], bought(verified, name, material, places)
        use = self.using.use(material, name) if standing else None
        adds = use.adds if use is not None and use.rise is not None else None
        chained = self._chained(position, material)
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
            plan_share=exact(plan_kg / wanted) if wanted else Decimal(0),
            uses_kg=use.kilograms if use else Decimal(0),
            rise=use.rise if use else None,
            cash=adds.cash if adds else None,
            spent=adds.spent if adds else None,
            penalty=adds.penalty if adds else None,
            short_kg=adds.short_kg if adds else {},
            in_time=use is None or use.rise is not None,
            share=self.using.share(material, name, self.within) if standing else NOT_AT_ALL,
            made_from=sorted(line.material for line in offer.inputs),
            landed=landed(use.verified, name, material) if use and use.verified is not None else None,
            full_price=self.prices.of(name, material) if standing else None,
            could_give_kg=could,
            could_give_share=exact(could / wanted) if could is not None and wanted else None,
            first_delivery=problem.case.horizon.label(standing.first)
            if standing and standing.first is not None
            else "",
            lead_months=self._lead_months(position, material),
            qualification_months=self._qualification(offer),
            confidence=least_confidence(problem, chained).value if chained is not None else "",
            references=references(problem.merged, offer, facility),
            checks=list(checks(self.standings, position, material)) if position is not None else [],
            obstacles=self._obstacles(offer, facility, known, in_use=use is not None),
        )

    def _obstacles(
        self, offer: Offer, facility: Facility, known: Lead | OfferFacts | None, *, in_use: bool
    ) -> list[Obstacle]:
        if known is None:
            text = f"it is bought today, and nothing that the case wants is made by {facility.id} any more"
            return [Obstacle(kind="figure", text=text)]
        found = obstacles(self.standings, offer, known if isinstance(known, Lead) else None)
        return found if found or in_use else [no_room(self.standings, offer)]

    def _chained(self, position: int | None, material: str) -> Chained | None:
        if position is None:
            return None
        of = self.session.problem.offers[position].chained
        return next((chained for chained in of if chained.material.id == material), None)

    def _today(self, material: str, name: str) -> Decimal:
        lines = [i for i in self.session.problem.facts.incumbents if (i.offer, i.material.id) == (name, material)]
        return sum((quantity for line in lines for quantity in line.quantity), Decimal(0))

    def _lead_months(self, position: int | None, material: str) -> Decimal | None:
        if position is None:
            return None
        months = self.session.problem.case.horizon.length.months
        return min(
            (Decimal(min(arc.lags) * months) for arc in self.standings.arcs.get((position, material), ())),
            default=None,
        )

    def _qualification(self, offer: Offer) -> Decimal | None:
        today = any(line.offer == offer.id for line in self.session.problem.facts.incumbents)
        return Decimal(0) if today else offer.qualification
