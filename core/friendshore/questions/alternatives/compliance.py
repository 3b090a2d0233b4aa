"""What there is to know of one offer: what the rules in force find of it, stage by stage, and what a kilogram of it costs where it is wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Literal

from ...domain.base import Number, Record, exact
from ...domain.stages import Stage
from ...domain.use import Result, Use, Verdict
from ...explain.eligibility import Eligibilities
from ...problem.case_checks import origin_rules_of
from ...verify import VerifiedPlan


class StageCheck(Record):
    """One stage of an offer for one use, or the move itself."""

    end_use: str
    """The end use; of an input also the good that it ends in."""
    stage: str
    """A stage that the material's chain must have; empty: the move, which export controls and exclusions judge."""
    countries: list[str]
    """Where the offer may have performed it; none where nobody says, or its inputs bring it."""
    from_inputs: bool
    """Whether it is done before, on what the offer takes in."""
    result: Literal["pass", "unproven", "fail", "undecided", "no rule"]
    """`undecided`: no rule finds against it, but one that already did at another stage need not have looked at this one. `no rule`: no rule
    of origin in force is about this use, so that nothing is found for or against it."""
    rule: str = ""
    """The rule that decided, if one finds against it."""
    clause: str = ""
    since: str = ""
    """First period of the plan in which that rule is in force."""
    reason: str = ""


def checks(standings: Eligibilities, offer: int, material: str) -> Iterator[StageCheck]:
    """Every stage of what an offer delivers, and the move, for every use, in the order of uses and stages."""
    problem = standings.problem
    facts = problem.offers[offer]
    chained = next(one for one in facts.chained if one.material.id == material)
    for use in standings.uses[material]:
        against = _against(standings, facts.offer.id, material, use)
        decided = any(verdict.stage for verdict in against)
        spans = [period.span for period in problem.case.horizon.periods]
        unasked = not origin_rules_of(use, spans, problem.law)
        for stage in [stage.value for stage in chained.material.stages] + [""]:
            here = [verdict for verdict in against if verdict.stage == stage]
            worst = max(here, key=lambda verdict: verdict.result.rank, default=None)
            entries = chained.entries(Stage(stage)) if stage else ()
            yield StageCheck(
                end_use=use.end_use if use.material.id == material else f"{use.material.id} for {use.end_use}",
                stage=stage,
                countries=sorted(frozenset().union(*(entry.countries for entry in entries))),
                from_inputs=not entries and any(supplied.value == stage for supplied in chained.supplied),
                result=_told(worst.result) if worst else _unopposed(stage, decided, unasked),
                rule=worst.rule if worst else "",
                clause=worst.clause if worst else "",
                since=_since(standings, worst.rule) if worst else "",
                reason=worst.reason if worst else "",
            )


def _unopposed(stage: str, decided: bool, unasked: bool) -> Literal["pass", "undecided", "no rule"]:
    """Return what is known of a stage, or of the move, that no rule finds against."""
    if not stage:
        return "pass"
    return "undecided" if decided else "no rule" if unasked else "pass"


def _told(result: Result) -> Literal["pass", "unproven", "fail"]:
    told: dict[Result, Literal["pass", "unproven", "fail"]] = {
        Result.PASS: "pass", Result.UNPROVEN: "unproven", Result.FAIL: "fail",
    }  # fmt: skip
    return told[result]


def _against(standings: Eligibilities, offer: str, material: str, use: Use) -> list[Verdict]:
    out = standings.out.get(offer, [])
    return [kept.verdict for kept in out if kept.use == use and kept.arc.chained.material.id == material]


def _since(standings: Eligibilities, rule: str) -> str:
    problem = standings.problem
    position = next(i for i, one in enumerate(problem.rules) if one.id == rule)
    periods = [p for p in problem.case.horizon.periods if problem.law.in_force(position, p.span)]
    return periods[0].label if periods else ""


class Landed(Record):
    """Undiscounted money per kilogram bought of an offer in one plan, in the case's currency; figures add up to `total`."""

    kilograms: Number
    """What the plan buys of it: what the money is divided by."""
    price: Number
    """At list prices; of an offer with several outputs its part of what making them costs, by mass."""
    discounts: Number
    """What price schedules of this offer alone add (negative: take off)."""
    charges: Number
    """Tariffs and other charges of rules."""
    freight: Number
    once: Number
    """One-off cost, fixed costs of ordering from this offer alone, and what is paid for and not taken."""
    total: Number


def landed(verified: VerifiedPlan, offer: str, material: str) -> Landed | None:
    """The cost of a kilogram of an offer in a plan; None if the plan buys none.

    Money that an offer with several outputs costs as a whole is spread over the kilograms of all of them. What a supplier's or a
    facility's schedules and terms come to belongs to no single offer and is left out.
    """
    problem = verified.problem
    of_offer = [line for line in verified.lines if line.item.arc.chained.offer.id == offer]
    lines = [line for line in of_offer if line.item.entry.material == material]
    kilograms = sum((line.item.entry.quantity for line in lines), Decimal(0))
    if not kilograms:
        return None
    everything = sum((line.item.entry.quantity for line in of_offer), Decimal(0))
    position = lines[0].item.arc.offer
    own = (position,)
    discounts = -sum((s.off for s in verified.settled if s.span.offers == own), Decimal(0))
    once = problem.offers[position].onboarding
    once += sum((p.span.fixed for p in verified.costing.placed if p.span.offers == own), Decimal(0))
    once += sum((u.due for u in verified.costing.untaken if u.commitment.offer == position), Decimal(0))
    figures = {
        "price": sum((line.price for line in lines), Decimal(0)) / kilograms,
        "discounts": discounts / everything,
        "charges": sum((line.charges for line in lines), Decimal(0)) / kilograms,
        "freight": sum((line.freight for line in lines), Decimal(0)) / kilograms,
        "once": once / everything,
    }
    parts = {name: exact(figure) for name, figure in figures.items()}
    return Landed(kilograms=kilograms, total=exact(sum(parts.values(), Decimal(0))), **parts)


def bought(verified: VerifiedPlan, offer: str, material: str, places: Collection[str]) -> Decimal:
    """Kilograms of a material that a plan buys of an offer for some places."""
    entries = verified.plan.purchases
    own = (e.quantity for e in entries if (e.offer, e.material) == (offer, material) and e.place in places)
    return sum(own, Decimal(0))
