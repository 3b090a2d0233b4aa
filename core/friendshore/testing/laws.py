"""What no rule may do to a plan: laws that are tried by changing a made-up case, planning it again and comparing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import TypeVar

from ..domain.base import Record
from ..domain.facts import Offer
from ..domain.plan import PlanStatus
from ..problem.inputs import Inputs
from ..rules.base import Phase, PhaseStatus, Rule
from ..rules.terms import UsedTerm
from ..session import Session
from ..solve import Limits
from .worlds import World, more_offers

R = TypeVar("R", bound=Record)

RELATIVE = 2e-6
"""Two plans cost the same if they differ by no more than this share: twice the gap at which a plan is taken as cheapest."""

FIXES = {
    "more-rules": "let it only forbid, charge or bound: nothing that it says may widen what a plan may do, or pay for it",
    "more-offers": "let what an offer may do rest on that offer, not on how many there are or how it compares with others",
    "wider": "let more days or countries, or a longer list, only take away",
    "rows-of-tables": "go through offers, demands and places sorted by id",
    "names": "let nothing rest on ids: choose by what a thing is, and break ties for good",
    "halves": "count by facility, company or country, not by offer",
}
"""What to do where a law does not hold, by the name of its check."""


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What a case comes to."""

    objective: float
    """Infinite if its rules cannot hold together."""
    text: str
    """The plan, to the byte."""
    against: frozenset[tuple[str, str, str, str]]
    """Offer, end use, rule and verdict, where a rule does not let it pass."""
    counted: bool
    """Whether a rule counts how many are used."""
    priced: bool
    """Whether a limit may be missed at a price."""


def planned(world: World, rules: Sequence[Rule]) -> TrialOutcome:
    """Plans and verifies a made-up case.

    Raises:
        InputError: if a rule names something that the case has not.
        PluginError: if a rule raises.
        VerificationError: if a rule says something else when the plan is checked.
    """
    session = Session.open(Inputs(world.case, (world.catalog,), tuple(rules)), Limits(workers=1))
    plan, problem = session.verified.plan, session.problem
    against = {
        (problem.network.arcs[arc].chained.offer.id, judgement.use.end_use, problem.rules[number].id, verdict.result)
        for judgement in problem.judgements.values()
        for found in (judgement.chain, judgement.trade)
        for number, verdicts in found.items()
        for arc, verdict in verdicts.items()
    }
    counted = any(isinstance(term, UsedTerm) for _, row in problem.limit_rows for term in row.asked)
    priced = any(row.penalty is not None for _, row in problem.limit_rows)
    objective = math.inf if plan.status is PlanStatus.INFEASIBLE else float(plan.objective)
    return TrialOutcome(objective, plan.model_dump_json(), frozenset(against), counted, priced)


def less(one: float, other: float) -> bool:
    """Whether one objective is surely below another."""
    if not math.isfinite(one) or not math.isfinite(other):
        return math.isfinite(one) and not math.isfinite(other)
    return one < other - RELATIVE * max(1.0, abs(other))


def always(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The same rules on all days; limits as they are, whose stretches of time would be others."""

    def status(rule: Rule) -> PhaseStatus:
        held = [phase.status for phase in rule.phases]
        return PhaseStatus.ENACTED if PhaseStatus.ENACTED in held else held[0]

    return tuple(
        rule
        if "rows" in rule.verbs or not rule.phases
        else rule.model_copy(update={"phases": (Phase(status=status(rule)),)})
        for rule in rules
    )


def shuffled(world: World) -> World:
    """The same facts, their rows in another order."""
    dice = Random(world.seed)

    def mixed(record: R, *names: str) -> R:
        return record.model_copy(
            update={name: tuple(dice.sample(getattr(record, name), len(getattr(record, name)))) for name in names}
        )

    return replace(
        world,
        catalog=mixed(world.catalog, "materials", "facilities", "offers", "sources", "schedules", "terms"),
        case=mixed(world.case, "demands", "stocks", "orders"),
    )


def renamed(world: World) -> tuple[World, dict[str, str]]:
    """The same case with plants, offers and demands named anew, so that they sort in another order; and the way back."""
    olds = sorted(world.names)
    news = [f"n{number:02d}" for number in range(len(olds))]
    Random(world.seed).shuffle(news)
    names = dict(zip(olds, news, strict=True))
    facilities = tuple(f.model_copy(update={"id": names[f.id]}) for f in world.catalog.facilities)
    offers = tuple(
        o.model_copy(update={"id": names[o.id], "facility": names[o.facility]}) for o in world.catalog.offers
    )
    demands = tuple(d.model_copy(update={"id": names[d.id]}) for d in world.case.demands)
    incumbents = tuple(i.model_copy(update={"offer": names[i.offer]}) for i in world.case.incumbents)
    orders = tuple(o.model_copy(update={"offer": names[o.offer]}) for o in world.case.orders)
    schedules = tuple(s.model_copy(update={"id": names[s.id]}) for s in world.catalog.schedules)
    terms = tuple(t.model_copy(update={"id": names[t.id]}) for t in world.catalog.terms)
    told = {"facilities": facilities, "offers": offers, "schedules": schedules, "terms": terms}
    other = replace(
        world,
        catalog=world.catalog.model_copy(update=told),
        case=world.case.model_copy(update={"demands": demands, "incumbents": incumbents, "orders": orders}),
    )
    return other, {new: old for old, new in names.items()}


def halved(world: World) -> World:
    """The same case with offers split in two of the same plant, which share its capacity; all but those that cost or bind as a whole."""
    bound = {bond.id for bonds in (world.catalog.schedules, world.catalog.terms) for bond in bonds}
    halves: list[Offer] = []
    for offer in world.catalog.offers:
        halves.append(offer)
        if not (offer.onboarding or offer.take_or_pay or offer.id in bound):
            halves.append(offer.model_copy(update={"id": f"{offer.id}-b"}))
    return world.with_offers(halves)


def with_one_more(world: World, rules: Sequence[Rule]) -> World:
    """The same case with one more offer."""
    return world.with_offers((*world.catalog.offers, more_offers(world, rules)))


def money(amount: float) -> str:
    """An objective in words."""
    return f"{Decimal(amount):,.2f}" if math.isfinite(amount) else "no plan at all"


def back(against: frozenset[tuple[str, str, str, str]], names: dict[str, str]) -> frozenset[tuple[object, ...]]:
    """Verdicts on renamed offers, under their old names."""
    return frozenset((names.get(offer, offer), *rest) for offer, *rest in against)
