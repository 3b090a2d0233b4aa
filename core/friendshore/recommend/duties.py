"""Duties that a plan leaves out or charges at the highest rate: no tariff line, no origin, or inputs that the buyer supplies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from ..domain.base import as_decimal, exact, grouped
from ..domain.facts import Material
from ..domain.run import RunAssumption, RunPurchase
from ..errors import Diagnostic
from ..problem import Problem
from ..problem.network import Arc
from ..rules.base import Selector
from ..rules.kinds import Tariff
from ..rules.verdicts import is_origin_unknown
from ..verify import VerifiedPlan

NO_DUTY = "no duty charged"
"""Subject of the assumptions about goods for which no rule in use states a duty: they stand above the mix."""
MOST_DUTY = "highest duty charged"
"""Subject of the assumptions about goods whose customs origin is not known: they stand there too."""
DUTY_ON_FEE = "duty on the fee alone"
"""Subject of the assumptions about makers whose duty leaves out the value of their inputs."""


def describe_duties(verified: VerifiedPlan) -> list[RunAssumption]:
    """Return what the duties on the purchases of a plan take as given."""
    problem = verified.problem
    arcs = list({item.arc.index: item.arc for item in verified.ledger.bought if item.arc.offer >= 0}.values())
    texts = [(NO_DUTY, text) for text in goods_without_duty(problem, arcs).values()]
    texts += [(MOST_DUTY, text) for text in offers_of_unknown_origin(problem, arcs).values()]
    found = [RunAssumption(subject=subject, text=text) for subject, text in texts]
    return found + [
        RunAssumption(subject=arc.chained.offer.id, text=_presumed(arc)) for arc in _without_stages(problem, arcs)
    ]


def duties_on_inputs(verified: VerifiedPlan, inputs: Sequence[Fraction]) -> list[Decimal]:
    """Return the duty that each purchase from a maker leaves out, because tariffs count the price of processing alone.

    Customs adds the value of the inputs that the buyer supplies: what they cost, with what it costs to bring them to the maker.

    Args:
        verified: The plan.
        inputs: Cash of the inputs of each purchase.
    """
    charges = verified.costing.charges
    tariffs = {rule.id for rule in charges.rules if isinstance(rule, Tariff)}
    found = []
    for line, cash in zip(verified.lines, inputs, strict=True):
        arc, entry, t = line.item.arc, line.item.entry, line.item.ordered
        more = Decimal(0)
        if cash and entry.quantity and tariffs:
            value = charges.value(arc, t)
            whole = value + as_decimal(cash / Fraction(entry.quantity))
            for use in verified.costing.uses(arc, entry.requirement):
                now, then = (charges.parts_at(arc, use, t, worth) for worth in (value, whole))
                more = max(more, _sum(then.get(rule, Decimal(0)) - now.get(rule, Decimal(0)) for rule in tariffs))
        found.append(exact(more * entry.quantity))
    return found


def describe_duties_on_inputs(bought: Iterable[RunPurchase], currency: str) -> list[RunAssumption]:
    """Return the offers whose duty leaves out the value of the inputs, each with what is left out."""
    left_out = grouped((purchase.offer, purchase) for purchase in bought if purchase.duty_on_inputs)
    return [
        RunAssumption(
            subject=DUTY_ON_FEE,
            text=f"{offer}: customs adds the value of the inputs that the buyer supplies, {_sum(p.inputs_cost for p in purchases):,.0f} {currency} in "
            f"this plan. The duty would be {_sum(p.duty_on_inputs for p in purchases):,.0f} {currency} higher than charged here",
        )
        for offer, purchases in sorted(left_out.items())
    ]


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def goods_without_duty(problem: Problem, arcs: Iterable[Arc]) -> dict[str, str]:
    """Return the materials that enter a customs territory without a duty that any rule states for them, each with the assumption."""
    tariffs = _tariffs(problem)
    entering = grouped((arc.chained.material.id, arc) for arc in arcs)
    found = {}
    for name, moves in sorted(entering.items()):
        material = moves[0].chained.material
        crossed = [[rule for rule in tariffs if _enters(arc, rule)] for arc in moves]
        if any(rules and not any(_states_duty(rule, material) for rule in rules) for rules in crossed):
            line = (
                f"no rule in use names its tariff line, {material.hs}"
                if material.hs
                else "it has no tariff line (`hs`)"
            )
            found[name] = f"{name}: {line}. It is charged no such duty, which does not mean that none is due"
    return found


def suggest_duties(problem: Problem) -> Iterator[Diagnostic]:
    """Yield a suggestion for each material that may enter a customs territory without a duty."""
    offered = [arc for arc in problem.network.arcs if arc.offer >= 0]
    for name, text in goods_without_duty(problem, offered).items():
        line = problem.merged.materials[name].hs
        first = "check the line" if line else "give its line in `hs` of materials.csv"
        fix = f"{first}; add a pack, or a [[rule]] of kind `tariff`, that names the line"
        yield Diagnostic(text, column="materials.hs", found=line, fix=fix)


def offers_of_unknown_origin(problem: Problem, arcs: Iterable[Arc]) -> dict[str, str]:
    """Return the offers of unknown origin that enter a customs territory, each with the assumption."""
    charging = [rule for rule in problem.rules if "charge" in rule.verbs]
    found = {}
    for arc in arcs:
        if is_origin_unknown(arc.chained) and any(
            not isinstance(rule, Tariff) or _enters(arc, rule) for rule in charging
        ):
            offer = arc.chained.offer.id
            named = "/".join(sorted(arc.chained.last_countries[0]))
            known = f"it may be {named} or elsewhere" if named else "nobody states it"
            found[offer] = (
                f"{offer}: its customs origin is not known ({known}). It is charged the most that goods of any country pay"
            )
    return dict(sorted(found.items()))


def _without_stages(problem: Problem, arcs: Iterable[Arc]) -> Iterator[Arc]:
    """Yield one move of each offer that records no stage and no customs origin, and enters a customs territory."""
    tariffs, seen = _tariffs(problem), set[str]()
    for arc in arcs:
        offer = arc.chained.offer
        silent = not arc.chained.performed and not offer.customs_origin and offer.id not in seen
        if silent and any(_enters(arc, rule) for rule in tariffs):
            seen.add(offer.id)
            yield arc


def _presumed(arc: Arc) -> str:
    country = arc.chained.facility.country
    return f"no stage is recorded, so its customs origin is taken to be {country}, where its facility is"


def _tariffs(problem: Problem) -> list[Tariff]:
    """Return the tariffs that hold on some day of the plan."""
    span, statuses = problem.case.horizon.span, problem.law.statuses
    return [rule for rule in problem.rules if isinstance(rule, Tariff) and rule.applies(span, statuses)]


def _enters(arc: Arc, rule: Tariff) -> bool:
    return arc.move.origin.country not in rule.territory and arc.move.to.country in rule.territory


def _states_duty(rule: Tariff, material: Material) -> bool:
    """Return True if a tariff covers a material by its line or name, or covers all goods; a tag or an element alone is no tariff line."""
    return any(
        (part.hs or part.materials or not rule.selects) and Selector.covers(part, material)
        for part in (rule, *rule.also)
    )
