"""Tests of rules by planning: laws, tested by changing a generated case and planning it again; and plans that a rule should allow or refuse."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TypeVar

from friendshore.case import load_case
from friendshore.domain.base import Record
from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog, Offer
from friendshore.domain.plan import PlanStatus
from friendshore.errors import Diagnostic
from friendshore.plugins import Registry
from friendshore.problem.inputs import Inputs
from friendshore.recommend import gather
from friendshore.rules.base import Phase, PhaseStatus, Rule
from friendshore.rules.kinds.limits import Pin
from friendshore.rules.terms import UsedTerm
from friendshore.session import Session
from friendshore.solve import Limits

from .worlds import World, more_offers

R = TypeVar("R", bound=Record)

RELATIVE = 2e-6
"""Maximum relative difference between plans of equal cost: twice the gap at which a plan counts as cheapest."""

FIXES = {
    "more-rules": "let it only forbid, charge or bound: nothing that it says may widen what a plan may do, or pay for it",
    "more-offers": "let what an offer may do rest on that offer, not on how many there are or how it compares with others",
    "wider": "let more days or countries, or a longer list, only take away",
    "rows-of-tables": "go through offers, demands and places sorted by id",
    "names": "let nothing rest on ids: choose by what a thing is, and break ties for good",
    "halves": "count by facility, company or country, not by offer",
}
"""Name of a law's check -> fix if the law is broken."""


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """Result of a case."""

    objective: float
    """Infinite if the rules conflict."""
    text: str
    """The plan, byte for byte."""
    against: frozenset[tuple[str, str, str, str]]
    """Offer, end use, rule, and verdict wherever a rule doesn't let the offer pass."""
    counted: bool
    """True if a rule counts the number of used offers, suppliers, or the like."""
    priced: bool
    """True if a limit may be violated for a penalty."""


def planned(world: World, rules: Sequence[Rule]) -> TrialOutcome:
    """Plan and verify a generated case.

    Raises:
        InputError: If a rule refers to something that the case doesn't have.
        PluginError: If a rule raises.
        VerificationError: If a rule answers differently when the plan is verified.
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
    """Return True if one objective is definitely below another."""
    if not math.isfinite(one) or not math.isfinite(other):
        return math.isfinite(one) and not math.isfinite(other)
    return one < other - RELATIVE * max(1.0, abs(other))


def always(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return the rules in force on all days. Limits stay unchanged, because their time ranges would differ."""

    def status(rule: Rule) -> PhaseStatus:
        held = [phase.status for phase in rule.phases]
        return PhaseStatus.ENACTED if PhaseStatus.ENACTED in held else held[0]

    return tuple(
        rule if "rows" in rule.verbs or not rule.phases else rule.but(phases=(Phase(status=status(rule)),))
        for rule in rules
    )


def shuffled(world: World) -> World:
    """Return the facts with their rows in another order."""
    dice = Random(world.seed)

    def mixed(record: R, *names: str) -> R:
        return record.but(
            **{name: tuple(dice.sample(getattr(record, name), len(getattr(record, name)))) for name in names}
        )

    return replace(
        world,
        catalog=mixed(world.catalog, "materials", "facilities", "offers", "sources", "schedules", "terms"),
        case=mixed(world.case, "demands", "stocks", "orders"),
    )


def renamed(world: World) -> tuple[World, dict[str, str]]:
    """Return the case with plants, offers, and demands renamed so that they sort differently, and the old names."""
    olds = sorted(world.names)
    news = [f"n{number:02d}" for number in range(len(olds))]
    Random(world.seed).shuffle(news)
    names = dict(zip(olds, news, strict=True))
    facilities = tuple(f.but(id=names[f.id]) for f in world.catalog.facilities)
    offers = tuple(o.but(id=names[o.id], facility=names[o.facility]) for o in world.catalog.offers)
    demands = tuple(d.but(id=names[d.id]) for d in world.case.demands)
    incumbents = tuple(i.but(offer=names[i.offer]) for i in world.case.incumbents)
    orders = tuple(o.but(offer=names[o.offer]) for o in world.case.orders)
    stocks = tuple(s.but(offer=names.get(s.offer, "")) for s in world.case.stocks)
    schedules = tuple(s.but(id=names[s.id]) for s in world.catalog.schedules)
    terms = tuple(t.but(id=names[t.id]) for t in world.catalog.terms)
    told = {"facilities": facilities, "offers": offers, "schedules": schedules, "terms": terms}
    other = replace(
        world,
        catalog=world.catalog.but(**told),
        case=world.case.but(demands=demands, incumbents=incumbents, orders=orders, stocks=stocks),
    )
    return other, {new: old for old, new in names.items()}


def halved(world: World) -> World:
    """Return the case with each offer split into two of one plant that share its capacity. Offers with fixed costs or obligations stay whole."""
    bound = {bond.id for bonds in (world.catalog.schedules, world.catalog.terms) for bond in bonds}
    halves: list[Offer] = []
    for offer in world.catalog.offers:
        halves.append(offer)
        if not (offer.onboarding or offer.take_or_pay or offer.id in bound):
            halves.append(offer.but(id=f"{offer.id}-b"))
    return world.with_offers(halves)


def with_one_more(world: World, rules: Sequence[Rule]) -> World:
    """Return the case with one more offer."""
    return world.with_offers((*world.catalog.offers, more_offers(world, rules)))


def money(amount: float) -> str:
    """Return an objective in words."""
    return f"{Decimal(amount):,.2f}" if math.isfinite(amount) else "no plan at all"


def back(against: frozenset[tuple[str, str, str, str]], names: dict[str, str]) -> frozenset[tuple[object, ...]]:
    """Return verdicts on renamed offers, under their old names."""
    return frozenset((names.get(offer, offer), *rest) for offer, *rest in against)


@dataclass(frozen=True, slots=True)
class Example:
    """A plan, given by its purchases, and the expected result under the rule."""

    case: Case | Path
    """The case, or its file or folder."""
    bought: Mapping[str, str]
    """Offer -> purchases over the whole plan, like `{"au-metal": "50 kg"}`. The rest of the plan is open."""
    allowed: bool
    """True if the rule allows it."""
    catalogs: Sequence[Catalog] = ()
    """Catalogs in memory, besides those that the case names."""
    why: str = ""
    """Purpose of the example."""


def example_problems(example: Example, rules: Sequence[Rule]) -> Iterator[Diagnostic]:
    """Yield the errors of an example, planned with its purchases fixed, under the rules and without them.

    Raises:
        InputError: If the case can't be read, or doesn't have such an offer.
        PluginError: If a rule raises.
    """
    case = load_case(example.case) if isinstance(example.case, Path) else example.case
    registry = None if case.catalogs or case.packs else Registry.of()
    inputs = gather(case, registry, example.catalogs).inputs
    pins = tuple(
        Pin.model_validate({"id": f"example-{offer}", "offer": offer, "exactly": amount})
        for offer, amount in example.bought.items()
    )

    def possible(held: Sequence[Rule]) -> bool:
        asked = replace(inputs, rules=(*inputs.rules, *pins, *held))
        plan = Session.open(asked, Limits(workers=1)).verified.plan
        return plan.status is not PlanStatus.INFEASIBLE

    what = example.why or ", ".join(f"{amount} of {offer}" for offer, amount in example.bought.items())
    if not possible(()):
        fix = "buy no more than the offers can deliver and the demands can use"
        yield Diagnostic(f"the example `{what}` cannot be planned even without the rule", f"case {case.name}", fix=fix)
    elif possible(rules) != example.allowed:
        said, found = ("allowed", "refused") if example.allowed else ("refused", "allowed")
        yield Diagnostic(f"the example `{what}` is {found}", f"case {case.name}", found=found, expected=said)
