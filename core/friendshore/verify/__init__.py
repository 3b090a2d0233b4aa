"""Verification of a plan against the facts, by code that knows neither solver nor program."""

# The verifier itself derives every sum of kilograms and money in decimals, every verdict, and the value of every limit row. It checks
# orders, lots, licenses, and waivers. It asks the rules for verdicts purchase by purchase, and ignores the program's grouping of uses.
#
# It shares the problem with the program: usable offers and their moves, prices, capacities, demands, freight, charges, and discount
# factors by period, penalties, holding costs, order terms, price schedules, and limit rows. Rules of plugins are asked for their rows
# again, and a difference is an error. When a run is checked, `second_derivation` derives the figures that the plan uses a second time from the
# records.
#
# The verifier doesn't check that there is no cheaper plan (see `friendshore_proof`), or that the facts are true. Only `verify` makes a
# `VerifiedPlan`. Explanations and reports accept nothing else.
# ruff: noqa: I001 - what the package offers is imported as itself, once, the names of a module together

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ..domain.change import Change
from ..domain.runtime import without_gc
from ..domain.plan import OPTIMAL_GAP, OPTIMAL_MONEY, Cost, Plan, PlanStatus
from ..errors import Diagnostic, VerificationError
from ..problem import Problem
from ..problem.law import Charges
from ..problem.problem import Objective
from ..rules.base import Rule
from ..rules.rows import single_rows
from .amounts import Amounts
from .arrivals import check_arrivals
from .limits import check_share_caps
from .compliance import check_classes, check_end_uses, check_tainted_goods
from .plan_entries import Bought as Bought
from .compliance import Ruling as Ruling, Compliance, check_law
from .plan_entries import PlanEntries as PlanEntries
from .limits import LevelReading as LevelReading, value_and_rounding, read_levels
from .limits import Readings, LimitReading as LimitReading, read_limits
from .money import Costing, Line as Line
from .money import Settlement as Settlement, check_terms, placed_orders

_SEAL = object()


@dataclass(frozen=True, slots=True, eq=False)
class VerifiedPlan:
    """A verified plan with its exact cost and the proof of every figure."""

    problem: Problem
    plan: Plan
    cost: Cost
    costing: Costing
    settlements: tuple[Settlement, ...]
    """Settlement of every price schedule, for each span with purchases."""
    compliance: Compliance
    readings: Readings
    """Value of every row of every limit rule."""
    levels: tuple[LevelReading, ...]
    """Value of every ranked objective."""
    ledger: PlanEntries
    largest_miss: Decimal
    """Largest violation of a row through rounding, in kilograms."""
    rounding: Decimal
    """Maximum change of the objective through rounding to the resolution, in money."""
    seal: object

    @property
    def rulings(self) -> tuple[Ruling, ...]:
        return self.compliance.rulings

    @property
    def charged(self) -> Mapping[str, Decimal]:
        return self.costing.charged_by_rule

    @property
    def lines(self) -> tuple[Line, ...]:
        return self.costing.lines

    def __repr__(self) -> str:
        return f"<VerifiedPlan of {self.problem.case.name}: {self.plan.status.value}, cost {self.cost.total:,.2f}>"

    def __reduce__(self) -> tuple[Callable[[Problem, Plan], VerifiedPlan], tuple[Problem, Plan]]:
        # A stored object proves nothing, so it is verified again when it is loaded.
        return verify, (self.problem, self.plan)

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise TypeError("only verify() makes a VerifiedPlan")


def verify(problem: Problem, plan: Plan) -> VerifiedPlan:
    verified, findings = examine(problem, plan)
    if verified is None:
        raise VerificationError(findings)
    return verified


@without_gc()
def examine(problem: Problem, plan: Plan, *, all_rules: bool = True) -> tuple[VerifiedPlan | None, list[Diagnostic]]:
    """Return the verified plan, or everything that failed verification. Without `all_rules`, the objective and the classes aren't checked."""
    ledger = PlanEntries.of(problem, plan)
    placed = placed_orders(ledger)
    amounts = Amounts(ledger, placed)
    amounts.check()
    check_arrivals(ledger, amounts.reserved)
    check_terms(ledger, placed)
    check_end_uses(ledger)
    check_tainted_goods(ledger)
    check_share_caps(ledger)
    if all_rules:
        check_classes(ledger)
    compliance = check_law(ledger)
    costing = Costing(ledger, placed)
    readings, penalties = read_limits(ledger, amounts, costing)
    cost = costing.cost(penalties.money)
    rounding = _max_rounding(ledger, costing) + penalties.rounding
    levels = read_levels(ledger, readings.values, cost, rounding)
    if (plan.status is PlanStatus.INFEASIBLE) != bool(plan.infeasible):
        ledger.report(
            "FS634",
            f"the plan is called {plan.status}, and names {len(plan.infeasible)} conflicts of rules",
            expected="conflicts if it is infeasible, otherwise none",
        )
    if all_rules:
        _check_objective(ledger, cost, rounding)
    if ledger.findings:
        return None, ledger.findings
    verified = VerifiedPlan(
        problem=problem,
        plan=plan,
        cost=cost,
        costing=costing,
        settlements=tuple(costing.settlements),
        compliance=compliance,
        readings=readings,
        levels=tuple(levels),
        ledger=ledger,
        largest_miss=ledger.largest_miss,
        rounding=rounding,
        seal=_SEAL,
    )
    return verified, []


def level_value(objective: Objective, verified: VerifiedPlan) -> Decimal:
    return value_and_rounding(objective, verified.ledger, verified.readings.values, verified.cost)[0]


def _max_rounding(ledger: PlanEntries, costing: Costing) -> Decimal:
    plan, problem = ledger.plan, ledger.problem
    max_shortage_price = max(problem.shortage_price, default=Decimal(0))
    per_kg = problem.moves.max_money
    per_kg += max((settlement.rate for settlement in costing.settlements), default=Decimal(0))
    per_kg += max((commitment.rate for commitment in problem.commitments), default=Decimal(0))
    per_kg += max((abs(problem.offers[offer].price[make.period]) for make, offer in ledger.makes), default=Decimal(0))
    entries = (plan.purchases, plan.makes, plan.lots, plan.deliveries, plan.shorts, plan.stocks)
    return problem.case.resolution / 2 * sum(map(len, entries)) * (max_shortage_price + per_kg)


def _check_objective(ledger: PlanEntries, cost: Cost, rounding: Decimal) -> None:
    plan = ledger.plan
    allowed = rounding + Decimal("1e-6") * max(abs(cost.objective), Decimal(1))
    if plan.infeasible:
        return  # the solver has no objective for materials that conflicting rules leave unplanned
    gap = max(plan.objective - plan.bound, Decimal(0))
    if not -allowed - gap <= cost.objective - plan.objective <= allowed:
        ledger.report(
            "FS634",
            "the plan's objective is not the cost of its purchases and shortages",
            found=f"{plan.objective}",
            expected=f"{cost.objective}",
        )
    if plan.bound > cost.objective + allowed:
        message, expected = "the bound is above the plan's own cost", f"at most {cost.objective}"
        ledger.report("FS634", message, found=f"{plan.bound}", expected=expected)
    _check_status(ledger, cost, allowed)


def _check_status(ledger: PlanEntries, cost: Cost, allowed: Decimal) -> None:
    plan = ledger.plan
    if plan.status is not PlanStatus.OPTIMAL:
        return
    bounds = [("the bound", cost.objective, plan.bound)]
    bounds += [
        (f"the bound of level {rank}", level.best_value, level.bound) for rank, level in enumerate(plan.levels, 1)
    ]
    for bound_name, value, bound in bounds:
        if value - bound > OPTIMAL_GAP * abs(value) + OPTIMAL_MONEY + allowed:
            max_bound = value - OPTIMAL_GAP * abs(value)
            expected = f"{PlanStatus.FEASIBLE}, or at least {max_bound}"
            message = f"the plan is called optimal, but {bound_name} leaves a larger gap"
            ledger.report("FS634", message, found=f"{bound}", expected=expected)


def without_each_loss(changes: tuple[Change, ...]) -> Iterator[tuple[Change, ...]]:
    """Yield the changes without each one that removes offers from some day on. Those offers then stay known, with everything that depends on them."""
    for number, change in enumerate(changes):
        if change.remove and change.start is not None:
            yield (*changes[:number], *changes[number + 1 :])


# If an offer is lost from some day on, a cheapest plan that buys nothing of it remains cheapest, with the same bound: the rows are the same, and
# there are only fewer moves. The plan is then verified on the new facts, without a search. With take-or-pay terms, a loss may cancel an amount
# due, so this doesn't apply.
def reverified(verified: VerifiedPlan, problem: Problem) -> VerifiedPlan | None:
    """Return the plan from before a loss, verified on otherwise unchanged facts. None if it is no longer valid or the rows differ."""
    if verified.plan.infeasible or _orders_without_supply(verified, problem):
        return None
    if _limits_and_commitments(verified.problem) != _limits_and_commitments(problem):
        return None
    return examine(problem, verified.plan)[0]


def _orders_without_supply(verified: VerifiedPlan, problem: Problem) -> bool:
    max_by_offer = {facts.offer.id: facts.max_units for facts in problem.offers}
    columns, offers = verified.ledger.columns, verified.problem.offers
    orders = set(zip(columns.offer.tolist(), columns.ordered.tolist(), strict=True))
    limits = ((max_by_offer.get(offers[offer].offer.id), ordered) for offer, ordered in orders if offer >= 0)
    return any(limit is not None and limit[ordered] == 0 for limit, ordered in limits)


def rules_in_effect(verified: VerifiedPlan, rules: Sequence[Rule]) -> frozenset[str]:
    """Return the rules that prohibit or charge anything in a plan. Without the others, the plan is the same. Limits aren't checked."""
    caches = verified.problem.shared
    rules_to_check = tuple(rules) if caches is None else tuple(map(caches.same, rules))
    ledger = replace(verified.ledger, problem=replace(verified.problem, rules=rules_to_check), findings=[])
    compliance = Compliance(ledger)
    in_effect = compliance.violated_rules()
    charges = Charges(ledger.problem.network, compliance.law, ledger.problem.offers, ledger.answers)
    for item in ledger.bought if charges.rules else ():
        for use in verified.costing.uses(item.arc, item.compliance_class):
            in_effect |= charges.charging(item.arc, use, item.ordered)
    return frozenset(in_effect)


def _limits_and_commitments(problem: Problem) -> list[tuple[object, ...]]:
    bounds: list[tuple[object, ...]] = [
        (rule.id, row.label, row.at_least, row.at_most, row.penalty)
        for rule, rows in problem.limit_rows
        for row in single_rows(rows)
    ]
    commitments = ((problem.offers[c.offer].offer.id, c.periods, c.quantity, c.rate) for c in problem.commitments)
    return [*bounds, *commitments]
