"""Is the plan what it says? Derived again from the facts, by code that knows neither solver nor program.

Its own: every sum of kilograms and money, in decimals; every verdict, asked of the rules themselves again, purchase by purchase, and never taken
from how the program groups uses; what limit rules' rows come to on the plan; which orders, lots, licences and waivers hold.

Shared with the program: the problem, which resolves the facts. That is which offers count, the ways they may move, prices, capacities, quantities
wanted, freight, charges and discount by period, what a shortage and holding cost, spans of terms and price schedules, and the rows of limit rules,
which program and verifier read each in its own way. Rules of plugins are asked for their rows a second time here; a difference is an error. What of it a plan uses of prices, capacities,
quantities, lead times, freight, charges and discount is derived a second way, from the records, by `again`, when a run is checked.

Not here: whether a cheaper plan exists (`friendshore_proof`), and whether the facts are true.

Only `verify` makes a `VerifiedPlan`; explanations and reports accept nothing else.

A plan that a loss does not touch need not be searched again (`reused`): what buys nothing of what is lost is still the cheapest without it. Who
loses an offer from a day on loses plans, and wins none: the same rows, and fewer moves. A plan that is the cheapest before and is
still one after is the cheapest after, with the same bound. That it still is one is verified on the facts after. Where an offer
binds to take or pay, a loss may cancel what is due, and nothing is said.
"""
# ruff: noqa: I001 - what the package offers is imported as itself, once, the names of a module together

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ..domain.change import Change
from ..domain.runtime import uncollected
from ..domain.plan import OPTIMAL_GAP, OPTIMAL_MONEY, Cost, Plan, PlanStatus
from ..errors import Diagnostic, VerificationError
from ..problem import Problem
from ..problem.law import Charges
from ..problem.problem import Objective
from ..rules.base import Rule
from ..rules.rows import one_by_one
from .amounts import Amounts
from .arrivals import check_arrivals
from .limits import check_caps
from .compliance import check_classes, check_ends, check_free
from .plan_entries import Bought as Bought
from .compliance import Judged as Judged, Judging, check_law
from .plan_entries import PlanEntries as PlanEntries
from .limits import LevelReading as LevelReading, measured, read_levels
from .limits import Readings, RowReading as RowReading, read_limits
from .money import Costing, Line as Line
from .money import Settled as Settled, check_terms, placed_orders

_SEAL = object()


@dataclass(frozen=True, slots=True, eq=False)
class VerifiedPlan:
    """A plan that holds, with its exact cost and the proof of every figure."""

    problem: Problem
    plan: Plan
    cost: Cost
    costing: Costing
    """All its money."""
    settled: tuple[Settled, ...]
    """Every price schedule over every span in which something is bought under it."""
    judging: Judging
    readings: Readings
    """Every row of every limit rule, with its value."""
    levels: tuple[LevelReading, ...]
    """Every ranked objective, with its value."""
    ledger: PlanEntries
    largest_miss: Decimal
    """Kilograms by which the worst row misses through rounding."""
    rounding: Decimal
    """Money by which rounding to the resolution may have moved what the plan comes to."""
    seal: object

    @property
    def judged(self) -> tuple[Judged, ...]:
        """Every verdict that bears on the plan."""
        return self.judging.verdicts

    @property
    def charged(self) -> Mapping[str, Decimal]:
        """Undiscounted money that each rule adds."""
        return self.costing.charged_by_rule

    @property
    def lines(self) -> tuple[Line, ...]:
        """Cost of every purchase."""
        return self.costing.lines

    def __repr__(self) -> str:
        return f"<VerifiedPlan of {self.problem.case.name}: {self.plan.status.value}, cost {self.cost.total:,.2f}>"

    def __reduce__(self) -> tuple[Callable[[Problem, Plan], VerifiedPlan], tuple[Problem, Plan]]:
        # What was stored proves nothing: it is verified again where it is read back.
        return verify, (self.problem, self.plan)

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise TypeError("only verify() makes a VerifiedPlan")


def verify(problem: Problem, plan: Plan) -> VerifiedPlan:
    """Checks everything that a plan says against the facts.

    Raises:
        VerificationError: with all that failed verification.
    """
    verified, findings = examine(problem, plan)
    if verified is None:
        raise VerificationError(findings)
    return verified


@uncollected()
def examine(problem: Problem, plan: Plan, *, all_rules: bool = True) -> tuple[VerifiedPlan | None, list[Diagnostic]]:
    """The verified plan, or all that failed verification.

    If not `all_rules` that the plan was made under are there, some may charge: its objective is then not what its purchases cost. Nor are
    its compliance classes those of the facts that are left.
    """
    ledger = PlanEntries.of(problem, plan)
    placed = placed_orders(ledger)
    amounts = Amounts(ledger, placed)
    amounts.check()
    check_arrivals(ledger, amounts.reserved)
    check_terms(ledger, placed)
    check_ends(ledger)
    check_free(ledger)
    check_caps(ledger)
    if all_rules:
        check_classes(ledger)
    judging = check_law(ledger)
    costing = Costing(ledger, placed)
    readings, penalties = read_limits(ledger, amounts, costing)
    cost = costing.cost(penalties)
    rounding = _rounding(ledger, costing)
    levels = read_levels(ledger, readings.values, cost, rounding)
    if (plan.status is PlanStatus.INFEASIBLE) != bool(plan.infeasible):
        ledger.find(
            f"the plan is called {plan.status}, and names {len(plan.infeasible)} conflicts of rules",
            expected="conflicts where it is infeasible, and nowhere else",
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
        settled=tuple(costing.settled),
        judging=judging,
        readings=readings,
        levels=tuple(levels),
        ledger=ledger,
        largest_miss=ledger.largest_miss,
        rounding=rounding,
        seal=_SEAL,
    )
    return verified, []


def level_value(objective: Objective, verified: VerifiedPlan) -> Decimal:
    """What a level comes to on a plan, whether or not the plan was made for it."""
    return measured(objective, verified.ledger, verified.readings.values, verified.cost)[0]


def _rounding(ledger: PlanEntries, costing: Costing) -> Decimal:
    """By how much rounding to the resolution may have moved the plan's money."""
    plan, problem = ledger.plan, ledger.problem
    dearest = max(problem.shortage_price, default=Decimal(0))
    per_kg = problem.moves.dearest
    per_kg += max((settled.rate for settled in costing.settled), default=Decimal(0))
    per_kg += max((commitment.rate for commitment in problem.commitments), default=Decimal(0))
    per_kg += max((abs(problem.offers[offer].price[make.period]) for make, offer in ledger.makes), default=Decimal(0))
    parts = (plan.purchases, plan.makes, plan.lots, plan.deliveries, plan.shorts, plan.stocks)
    return problem.case.resolution / 2 * sum(map(len, parts)) * (dearest + per_kg)


def _check_objective(ledger: PlanEntries, cost: Cost, rounding: Decimal) -> None:
    """The solver's objective must be the plan's, but for rounding and the solver's own tolerance.

    A search that ends before it is done may leave on what nothing uses, such as the onboarding of an offer that nothing is
    bought from: the plan may then cost less than the solver says, by no more than the bound leaves open.
    """
    plan = ledger.plan
    allowed = rounding + Decimal("1e-6") * max(abs(cost.objective), Decimal(1))
    if plan.infeasible:
        return  # what conflicting rules leave unplanned has no objective of the solver's
    open_still = max(plan.objective - plan.bound, Decimal(0))
    if not -allowed - open_still <= cost.objective - plan.objective <= allowed:
        ledger.find(
            "the plan's objective is not what its purchases and shortages cost",
            found=f"{plan.objective}",
            expected=f"{cost.objective}",
        )
    if plan.bound > cost.objective + allowed:
        ledger.find(
            "the bound lies above the plan's own cost", found=f"{plan.bound}", expected=f"at most {cost.objective}"
        )
    _check_status(ledger, cost, allowed)


def _check_status(ledger: PlanEntries, cost: Cost, allowed: Decimal) -> None:
    """A plan is optimal only where its bounds, those of ranked objectives too, leave no more open than that word allows."""
    plan = ledger.plan
    if plan.status is not PlanStatus.OPTIMAL:
        return
    stated = [("the bound", cost.objective, plan.bound)]
    stated += [(f"the bound of level {rank}", level.least, level.bound) for rank, level in enumerate(plan.levels, 1)]
    for what, value, bound in stated:
        if value - bound > OPTIMAL_GAP * abs(value) + OPTIMAL_MONEY + allowed:
            least = value - OPTIMAL_GAP * abs(value)
            expected = f"{PlanStatus.FEASIBLE}, or at least {least}"
            ledger.find(f"the plan is called optimal, and {what} leaves more open", found=f"{bound}", expected=expected)


def without_a_loss(changes: tuple[Change, ...]) -> Iterator[tuple[Change, ...]]:
    """The changes without each that takes offers away from a day on; such offers stay known, and what follows from them stays."""
    for number, change in enumerate(changes):
        if change.remove and change.start is not None:
            yield (*changes[:number], *changes[number + 1 :])


def reused(verified: VerifiedPlan, problem: Problem) -> VerifiedPlan | None:
    """The plan that was cheapest before a loss, on facts that are else unchanged; None if it is none any more, or these ask for other rows."""
    if verified.plan.infeasible or _buys_what_is_closed(verified, problem):
        return None
    if _asked(verified.problem) != _asked(problem):
        return None
    return examine(problem, verified.plan)[0]


def _buys_what_is_closed(verified: VerifiedPlan, problem: Problem) -> bool:
    """Return True if the plan orders anything in a period in which it may not be ordered by other facts: what surely fails verification there."""
    most = {facts.offer.id: facts.most for facts in problem.offers}
    columns, offers = verified.ledger.columns, verified.problem.offers
    orders = set(zip(columns.offer.tolist(), columns.ordered.tolist(), strict=True))
    found = ((most.get(offers[offer].offer.id), ordered) for offer, ordered in orders if offer >= 0)
    return any(of_offer is not None and of_offer[ordered] == 0 for of_offer, ordered in found)


def bearing(verified: VerifiedPlan, rules: Sequence[Rule]) -> frozenset[str]:
    """Those of some rules that find against anything in a plan, or charge anything on it; those that limit rows are not asked.

    Beside the others the plan stays what it is: as lawful and as dear.
    """
    kept = verified.problem.kept
    asked = tuple(rules) if kept is None else tuple(map(kept.same, rules))
    ledger = replace(verified.ledger, problem=replace(verified.problem, rules=asked), findings=[])
    judging = Judging(ledger)
    against = judging.forbidding()
    charges = Charges(ledger.problem.network, judging.law, ledger.problem.offers, ledger.answers)
    for item in ledger.bought if charges.rules else ():
        for use in verified.costing.uses(item.arc, item.requirement):
            against |= charges.charging(item.arc, use, item.ordered)
    return frozenset(against)


def _asked(problem: Problem) -> list[tuple[object, ...]]:
    """What every limit rule asks for, and what is to be paid, taken or not."""
    asked: list[tuple[object, ...]] = [
        (rule.id, row.label, row.at_least, row.at_most, row.penalty)
        for rule, rows in problem.limit_rows
        for row in one_by_one(rows)
    ]
    due = ((problem.offers[c.offer].offer.id, c.periods, c.quantity, c.rate) for c in problem.commitments)
    return [*asked, *due]
