"""The search for what to find out next, ranked by the maximum saving of an answer.

Each unknown is tried alone, with a new plan for each answer. This is the value of perfect information about one thing at its best, not its
expected value (Raiffa and Schlaifer, Applied Statistical Decision Theory, 1961): no answer has a known probability. If no answer can beat the one
that was tried, the saving is a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from friendshore.domain.base import exact, totals
from friendshore.domain.change import Change
from friendshore.errors import A_SESSION, InputError, NoPlanError, takes
from friendshore.explain.break_even import break_even_price
from friendshore.explain.pieces import ask_apart
from friendshore.explain.results import CENT, Counted, Difference, difference, shortage
from friendshore.problem.parts import impact
from friendshore.session import Answer, PartPlan, Session
from friendshore.solve import Progress
from friendshore.verify.amounts import pool_use

from .drafts import (
    Doubts,
    Draft,
    EnoughCapacity,
    Try,
    assumed_licences,
    capacities,
    conversions,
    duties,
    lead_times,
    origins,
    prices,
    quantities,
    rules,
)
from .unknowns import AtPrice, BoughtMore, By, Possibility, Unknown, UnknownKind, Unknowns

SPREAD = Decimal("0.25")
"""Share by which a figure without a stated range is varied down and up."""
NO_DIFFERENCE = Difference(value=Decimal(0), low=Decimal(0), high=Decimal(0), proved=True)


@takes(Session, A_SESSION)
def ask(
    session: Session,
    *,
    spread: Decimal = SPREAD,
    by: By = "money",
    progress: Progress | None = None,
) -> Unknowns:
    """Return all unknowns of the case, ranked by the maximum saving of an answer.

    Penalties for shortage and costs of holding stay those of the case. Each unknown is tried alone, with the plan's assumptions for the others.

    Args:
        session: A solved case.
        spread: Share by which a figure without a stated range is varied down and up, from 0 to below 1.
        by: Measure of the ranking: money saved, or kilograms no longer short.
        progress: Called with the number of finished unknowns, of all unknowns, and seconds.

    Raises:
        InputError: For a spread out of its range.
        SolverError: If a solver fails.
        VerificationError: If a plan fails verification.
        PluginError: If a plugin's rule raises.
    """
    if not 0 <= spread < 1:
        raise InputError(
            "a figure cannot be so much less", column="spread", found=str(spread), expected="0 or more, below 1"
        )
    counted = Counted(session)
    doubts, enough = Doubts(session, spread), EnoughCapacity(session.problem)
    drafts = [
        *capacities(doubts, enough),
        *quantities(doubts),
        *prices(doubts, enough),
        *lead_times(doubts),
        *conversions(doubts),
    ]
    drafts = [one for one in (*drafts, *origins(doubts), *assumed_licences(doubts), *rules(doubts)) if one.tries]
    doubts.unasked.extend(duties(doubts))
    groups = _apart(session, drafts)
    answers = ask_apart(session, [[drafts[i] for i in group] for group in groups], lambda: _Asking(session), progress)
    found = [one for group in answers for one in group if one is not None]
    counted.questions = sum(not one.same for draft in drafts for one in draft.tries)
    plan = session.verified.plan
    return Unknowns(
        case=session.problem.case.name,
        currency=session.problem.case.currency,
        objective=session.verified.cost.objective,
        cash=session.verified.cost.nominal,
        short=len(plan.short_by_demand),
        spread=spread,
        by=by,
        unknowns=_ranked(found, by),
        unasked=tuple(sorted(set(doubts.unasked), key=lambda one: (one.subject, one.why))),
        stopped=len(drafts) - len(found),
        effort=counted.effort,
    )


def _apart(session: Session, drafts: Sequence[Draft]) -> list[list[int]]:
    """Return groups of positions of unknowns that affect a common part of the case, the largest group first."""
    groups: list[tuple[set[str], list[int]]] = []
    for position, draft in enumerate(drafts):
        members = {name for one in draft.tries for hit in impact(session.parts, one.changes) for name in hit.members}
        meeting = [group for group in groups if group[0] & members]
        groups = [group for group in groups if not group[0] & members]
        together = sorted({position, *(i for group in meeting for i in group[1])})
        groups.append((members.union(*(group[0] for group in meeting)), together))
    return sorted((group for _, group in groups), key=lambda group: (-len(group), group))


@dataclass(frozen=True, slots=True)
class _Asking:
    """Evaluation of one unknown after the other."""

    session: Session

    def __call__(self, draft: Draft) -> Unknown | None:
        """Return the unknown with the plan for each answer. None once the user or the time limit ended the search."""
        if self.session.stopped:
            return None
        try:
            return self._asked(draft)
        except NoPlanError:  # not even one plan in what was left of the time
            return None

    def _asked(self, draft: Draft) -> Unknown:
        tried = self._all(draft)
        better = _extreme(tried, lambda rise: -rise)
        worse = _extreme(tried, lambda rise: rise)
        best, worst = (None if at is None else tried[at] for at in (better, worse))
        lost = Decimal(0) if best is None or best.short_kg is None else best.short_kg
        return Unknown(
            kind=draft.kind,
            subject=draft.subject,
            material=draft.material,
            question=draft.question,
            whom=draft.whom,
            country=draft.country,
            known=draft.known,
            taken=draft.taken,
            possibilities=tried,
            saves=NO_DIFFERENCE if best is None or best.rise is None else _turned(best.rise),
            best=better,
            loses=NO_DIFFERENCE if worst is None or worst.rise is None else worst.rise,
            worst=worse,
            saved_kg=exact(max(-lost, Decimal(0))),
            conflict=any(one.conflict for one in tried),
            resolves=any(one.resolved for one in tried),
            at_price=self._at_price(draft) if draft.unpriced else None,
        )

    def _all(self, draft: Draft) -> tuple[Possibility, ...]:
        found: list[Possibility] = []
        for one in draft.tries:
            tried = self._tried(draft, one)
            if not (one.further and _alike(tried, found[-1])):
                found.append(tried)
        return tuple(found)

    def _tried(self, draft: Draft, one: Try) -> Possibility:
        """Return the plan for one answer."""
        if one.same:
            nothing = Decimal(0)
            told = {"answer": one.answer, "changes": list(one.changes)}
            return Possibility.model_validate(
                {**told, "rise": NO_DIFFERENCE, "cash": nothing, "spent": nothing, "short_kg": nothing}
            )
        try:
            answer = self.session.what_if(*one.changes)
        except InputError as error:  # recipes that make something of nothing, say
            return Possibility(answer=one.answer, changes=list(one.changes), impossible=str(error.problems[0].message))
        before = {rule for part in answer.before for each in part.plan.infeasible for rule in each.rules}
        after = {rule for part in answer.after for each in part.plan.infeasible for rule in each.rules}
        rise = difference(answer)
        if before or after:  # of the rest alone, which proves nothing
            rise = rise.but(low=None, high=None, proved=False)
        return Possibility(
            answer=one.answer,
            changes=list(one.changes),
            bound=one.bound and not (draft.never_full and _full(answer, draft.never_full)),
            rise=rise,
            cash=answer.rise.nominal,
            spent=answer.rise.total,
            short_kg=self._short(answer),
            conflict=tuple(sorted(after - before)),
            resolved=tuple(sorted(before - after)),
            buys=self._buys(answer),
        )

    def _short(self, answer: Answer) -> Decimal:
        """Return the additional shortage in kilograms, without rounding."""
        before, after = shortage(answer, after=False), shortage(answer)
        more = [after.get(name, Decimal(0)) - before.get(name, Decimal(0)) for name in {*before, *after}]
        return exact(sum((kg for kg in more if abs(kg) > self._slack), Decimal(0)))

    def _buys(self, answer: Answer) -> tuple[BoughtMore, ...]:
        before, after = _bought(answer.before), _bought(answer.after)
        found = {key: after.get(key, Decimal(0)) - before.get(key, Decimal(0)) for key in {*before, *after}}
        kept = sorted(
            ((kg, key) for key, kg in found.items() if abs(kg) > self._slack), key=lambda e: (-abs(e[0]), e[1])
        )
        return tuple(BoughtMore(material=material, offer=offer, kilograms=exact(kg)) for kg, (material, offer) in kept)

    @property
    def _slack(self) -> Decimal:
        case = self.session.problem.case
        return case.resolution * case.horizon.count

    def _at_price(self, draft: Draft) -> AtPrice:
        """Return the results at known prices of the same goods, and the price from which nothing is saved."""
        others = [change for change in draft.tries[0].changes if not change.price]
        known = _cheapest(self.session, draft.unpriced)
        saves = None
        if known is not None:
            priced = self.session.what_if(*others, Change(price=f"offer:{draft.unpriced}", amount=known))
            saves = _turned(difference(priced))
        even = break_even_price(
            self.session, draft.unpriced, (*others, Change(price=f"offer:{draft.unpriced}", amount=Decimal(1)))
        )
        return AtPrice(known=known, saves=saves, break_even=even.price, proved=even.proved)


def _cheapest(session: Session, name: str) -> Decimal | None:
    """Return the cheapest price of a usable offer of the same single material. None if there is none, or if several goods share a price."""
    offer = session.problem.merged.offers[name]
    if len(offer.outputs) > 1:
        return None
    material = offer.outputs[0].material
    alike = [f for f in session.problem.offers if f.single and f.offer.outputs[0].material == material]
    return min((price for facts in alike for price in facts.price if price > 0), default=None)


def _full(answer: Answer, facility: str) -> bool:
    """Return True if a plan uses a capacity in full in some period, so that more of it might save more."""
    for part in answer.after:
        problem = part.verified.problem
        used, pieces, _ = (
            pool_use(part.verified.ledger, part.verified.costing.placed) if problem.pools else ((), (), ())
        )
        for number, pool in enumerate(problem.pools):
            if pool.facility == facility:
                slack = float(problem.case.resolution) * (pieces[number] + 1) + 1e-9 * used[number]
                return bool((used[number] >= problem.capacity[number] - slack).any())
    return False


def _bought(parts: Sequence[PartPlan]) -> dict[tuple[str, str], Decimal]:
    bought = (entry for part in parts for entry in part.plan.purchases)
    return dict(totals(((entry.material, entry.offer), entry.quantity) for entry in bought))


def _alike(one: Possibility, other: Possibility) -> bool:
    """Return True if two answers give the same plan figures, to a cent."""
    if one.rise is None or other.rise is None:
        return one.impossible == other.impossible
    same = abs(one.rise.value - other.rise.value) < CENT
    return same and (one.conflict, one.resolved) == (other.conflict, other.resolved)


def _extreme(tried: Sequence[Possibility], weigh: Callable[[Decimal], Decimal]) -> int | None:
    """Return the answer with the largest weighted rise of at least a cent. None if there is none.

    An answer that creates or resolves a conflict of rules precedes all others.
    """
    found: list[tuple[bool, Decimal, int]] = []
    worse = weigh(Decimal(1)) > 0
    for position, one in enumerate(tried):
        if one.rise is None:
            continue
        beyond = bool(one.conflict if worse else one.resolved)
        opposite = bool(one.resolved if worse else one.conflict)
        if beyond or (weigh(one.rise.value) >= CENT and not opposite):
            found.append((beyond, weigh(one.rise.value), -position))
    return -max(found)[2] if found else None


def _turned(rise: Difference) -> Difference:
    """Return a rise as a saving."""
    if rise.low is None or rise.high is None:
        return rise.but(value=exact(-rise.value))
    return Difference(value=exact(-rise.value), low=exact(-rise.high), high=exact(-rise.low), proved=rise.proved)


_ORDER = list(UnknownKind)


def _ranked(found: Sequence[Unknown], by: By) -> tuple[Unknown, ...]:
    """Return unknowns in order: those that resolve conflicts of rules, then by saving, then by possible loss, then by kind and id."""

    def weight(one: Unknown) -> tuple[bool, Decimal, Decimal, bool, Decimal, int, str]:
        saved, kg, lost = (value.quantize(CENT) for value in (one.saves.value, one.saved_kg, one.loses.value))
        first, second = (saved, kg) if by == "money" else (kg, saved)
        return not one.resolves, -first, -second, not one.conflict, -lost, _ORDER.index(one.kind), one.subject

    ranked = sorted(found, key=lambda one: (*weight(one), one.question))
    tied = [*(_may_swap(one, other) for one, other in pairwise(ranked)), False]
    return tuple(one.but(rank=at, tied=tie) for at, (one, tie) in enumerate(zip(ranked, tied, strict=False), 1))


def _may_swap(one: Unknown, other: Unknown) -> bool:
    """Return True if the true saving of the second may be larger than that of the first."""
    if one.saves.proved and other.saves.proved:
        return False
    low, high = one.saves.low, other.saves.high
    return low is None or high is None or low < high
