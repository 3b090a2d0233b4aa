"""Tests of rules by planning: changed cases with a known effect, and plans that a rule should allow or refuse."""

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

from .generated_cases import GeneratedCase, another_offer

RecordType = TypeVar("RecordType", bound=Record)

TOLERANCE = 2e-6
"""Maximum relative difference between plans of equal cost: twice the gap at which a plan counts as cheapest."""

FIXES = {
    "more-rules": "only prohibit, charge, or limit; never allow more or pay the buyer",
    "more-offers": "judge each offer by itself, not by the number of offers or by comparison with others",
    "wider": "let more days, more countries, or a longer list only prohibit more",
    "rows-of-tables": "sort offers, demands, and places by id",
    "names": "don't depend on ids; choose by properties, and break ties consistently",
    "halves": "count by facility, company, or country, not by offer",
}


@dataclass(frozen=True, slots=True)
class PlanOutcome:
    """Result of a case."""

    objective: float
    """Infinite if the rules conflict."""
    plan_json: str
    failed_verdicts: frozenset[tuple[str, str, str, str]]
    """Offer, end use, rule, and verdict wherever a rule doesn't let the offer pass."""
    has_counts: bool
    """True if a rule counts the number of used offers, suppliers, or the like."""
    has_soft_limits: bool


def plan_outcome(generated: GeneratedCase, rules: Sequence[Rule]) -> PlanOutcome:
    """Plan and verify a generated case. Raises InputError if a rule refers to something that the case lacks."""
    session = Session.open(Inputs(generated.case, (generated.catalog,), tuple(rules)), Limits(workers=1))
    plan, problem = session.verified.plan, session.problem
    failed_verdicts = {
        (problem.network.arcs[arc].chained.offer.id, judgement.use.end_use, problem.rules[number].id, verdict.result)
        for judgement in problem.judgements.values()
        for verdicts_by_rule in (judgement.chain, judgement.trade)
        for number, verdicts in verdicts_by_rule.items()
        for arc, verdict in verdicts.items()
    }
    has_counts = any(isinstance(term, UsedTerm) for _, row in problem.limit_rows for term in row.all_terms)
    has_soft_limits = any(row.penalty is not None for _, row in problem.limit_rows)
    objective = math.inf if plan.status is PlanStatus.INFEASIBLE else float(plan.objective)
    return PlanOutcome(objective, plan.model_dump_json(), frozenset(failed_verdicts), has_counts, has_soft_limits)


def is_below(objective: float, other: float) -> bool:
    if not math.isfinite(objective) or not math.isfinite(other):
        return math.isfinite(objective) and not math.isfinite(other)
    return objective < other - TOLERANCE * max(1.0, abs(other))


def in_force_always(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return the rules in force on all days. Limits stay unchanged, because their time ranges would differ."""

    def status(rule: Rule) -> PhaseStatus:
        statuses = [phase.status for phase in rule.phases]
        return PhaseStatus.ENACTED if PhaseStatus.ENACTED in statuses else statuses[0]

    return tuple(
        rule if "rows" in rule.verbs or not rule.phases else rule.but(phases=(Phase(status=status(rule)),))
        for rule in rules
    )


def shuffled(generated: GeneratedCase) -> GeneratedCase:
    rng = Random(generated.seed)

    def with_shuffled(record: RecordType, *names: str) -> RecordType:
        return record.but(
            **{name: tuple(rng.sample(getattr(record, name), len(getattr(record, name)))) for name in names}
        )

    return replace(
        generated,
        catalog=with_shuffled(generated.catalog, "materials", "facilities", "offers", "sources", "schedules", "terms"),
        case=with_shuffled(generated.case, "demands", "stocks", "orders"),
    )


def renamed(generated: GeneratedCase) -> tuple[GeneratedCase, dict[str, str]]:
    """Return the case with plants, offers, and demands renamed so that they sort differently, and the old names by new name."""
    old_names = sorted(generated.names)
    new_names = [f"n{number:02d}" for number in range(len(old_names))]
    Random(generated.seed).shuffle(new_names)
    names = dict(zip(old_names, new_names, strict=True))
    facilities = tuple(f.but(id=names[f.id]) for f in generated.catalog.facilities)
    offers = tuple(o.but(id=names[o.id], facility=names[o.facility]) for o in generated.catalog.offers)
    demands = tuple(d.but(id=names[d.id]) for d in generated.case.demands)
    incumbents = tuple(i.but(offer=names[i.offer]) for i in generated.case.incumbents)
    orders = tuple(o.but(offer=names[o.offer]) for o in generated.case.orders)
    stocks = tuple(s.but(offer=names.get(s.offer, "")) for s in generated.case.stocks)
    schedules = tuple(s.but(id=names[s.id]) for s in generated.catalog.schedules)
    terms = tuple(t.but(id=names[t.id]) for t in generated.catalog.terms)
    catalog_fields = {"facilities": facilities, "offers": offers, "schedules": schedules, "terms": terms}
    changed = replace(
        generated,
        catalog=generated.catalog.but(**catalog_fields),
        case=generated.case.but(demands=demands, incumbents=incumbents, orders=orders, stocks=stocks),
    )
    return changed, {new: old for old, new in names.items()}


def halved(generated: GeneratedCase) -> GeneratedCase:
    """Return the case with each offer split into two of one plant that share its capacity. Offers with fixed costs or commitments stay whole."""
    ids_with_terms = {
        record.id for records in (generated.catalog.schedules, generated.catalog.terms) for record in records
    }
    offers: list[Offer] = []
    for offer in generated.catalog.offers:
        offers.append(offer)
        if not (offer.onboarding or offer.take_or_pay or offer.id in ids_with_terms):
            offers.append(offer.but(id=f"{offer.id}-b"))
    return generated.with_offers(offers)


def with_one_more_offer(generated: GeneratedCase, rules: Sequence[Rule]) -> GeneratedCase:
    return generated.with_offers((*generated.catalog.offers, another_offer(generated, rules)))


def money_text(amount: float) -> str:
    return f"{Decimal(amount):,.2f}" if math.isfinite(amount) else "no plan at all"


def under_old_names(
    verdicts: frozenset[tuple[str, str, str, str]], names: dict[str, str]
) -> frozenset[tuple[object, ...]]:
    return frozenset((names.get(offer, offer), *rest) for offer, *rest in verdicts)


@dataclass(frozen=True, slots=True)
class Example:
    """A plan, given by its purchases, and the expected result under the rule."""

    case: Case | Path
    """The case, or its file or folder."""
    bought: Mapping[str, str]
    """Offer -> purchases over the whole plan, like `{"au-metal": "50 kg"}`. The rest of the plan is open."""
    allowed: bool
    catalogs: Sequence[Catalog] = ()
    """Catalogs in memory, besides those that the case names."""
    why: str = ""


def example_problems(example: Example, rules: Sequence[Rule]) -> Iterator[Diagnostic]:
    """Yield the errors of an example. It is planned with its purchases fixed, with and without the rules."""
    case = load_case(example.case) if isinstance(example.case, Path) else example.case
    registry = None if case.catalogs or case.packs else Registry.of()
    inputs = gather(case, registry, example.catalogs).inputs
    pins = tuple(
        Pin.model_validate({"id": f"example-{offer}", "offer": offer, "exactly": amount})
        for offer, amount in example.bought.items()
    )

    def is_possible(extra_rules: Sequence[Rule]) -> bool:
        pinned_inputs = replace(inputs, rules=(*inputs.rules, *pins, *extra_rules))
        plan = Session.open(pinned_inputs, Limits(workers=1)).verified.plan
        return plan.status is not PlanStatus.INFEASIBLE

    description = example.why or ", ".join(f"{amount} of {offer}" for offer, amount in example.bought.items())
    if not is_possible(()):
        fix = "buy no more than the offers can deliver and the demands can use"
        message = f"the example `{description}` can't be planned even without the rule"
        yield Diagnostic(message, f"case {case.name}", fix=fix, code="FS957")
    elif is_possible(rules) != example.allowed:
        expected, found = ("allowed", "refused") if example.allowed else ("refused", "allowed")
        message = f"the example `{description}` is {found}"
        yield Diagnostic(message, f"case {case.name}", found=found, expected=expected, code="FS957")
