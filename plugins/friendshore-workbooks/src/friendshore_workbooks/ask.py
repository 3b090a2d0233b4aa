"""Ranking of unknowns by the maximum saving of an answer: perfect information at its best (Raiffa and Schlaifer, Applied Statistical Decision Theory, 1961)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from friendshore.domain.base import exact, totals
from friendshore.domain.change import Change
from friendshore.errors import InputError, NoPlanError
from friendshore.explain.break_even import break_even_price
from friendshore.explain.pieces import answer_concurrently
from friendshore.explain.results import CENT, Difference, QuestionCounter, difference, shortage
from friendshore.problem.parts import impact
from friendshore.recommend import PlanSource, session_of
from friendshore.session import Answer, PartPlan, Session
from friendshore.solve import Progress
from friendshore.verify.amounts import pool_use

from .unknown_drafts import (
    Doubts,
    Draft,
    SufficientCapacity,
    TrialAnswer,
    assumed_licenses,
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
NO_DIFFERENCE = Difference(value=Decimal(0), low=Decimal(0), high=Decimal(0), proved=True)


def ask(
    source: PlanSource,
    *,
    spread: Decimal = SPREAD,
    by: By = "money",
    progress: Progress | None = None,
) -> Unknowns:
    """Return all unknowns of the case, ranked by the maximum saving of an answer. Each is tried alone, with a new plan for each answer.

    Penalties for shortage and costs of holding stay those of the case. `spread` is from 0 to below 1. `progress` is called with the number of
    finished unknowns, of all unknowns, and seconds.
    """
    session = session_of(source)
    if not 0 <= spread < 1:
        raise InputError(
            "the spread is out of range",
            column="spread",
            found=str(spread),
            expected="0 or more, below 1",
            code="FS012",
        )
    counted = QuestionCounter(session)
    doubts, sufficient_capacity = Doubts(session, spread), SufficientCapacity(session.problem)
    drafts = [
        *capacities(doubts, sufficient_capacity),
        *quantities(doubts),
        *prices(doubts, sufficient_capacity),
        *lead_times(doubts),
        *conversions(doubts),
    ]
    drafts = [draft for draft in (*drafts, *origins(doubts), *assumed_licenses(doubts), *rules(doubts)) if draft.trials]
    doubts.unasked.extend(duties(doubts))
    groups = _independent_groups(session, drafts)
    answers = answer_concurrently(
        session, [[drafts[i] for i in group] for group in groups], lambda: _UnknownEvaluator(session), progress
    )
    unknowns = [unknown for group in answers for unknown in group if unknown is not None]
    counted.questions = sum(not trial.same for draft in drafts for trial in draft.trials)
    plan = session.verified.plan
    return Unknowns(
        case=session.problem.case.name,
        currency=session.problem.case.currency,
        objective=session.verified.cost.objective,
        cash=session.verified.cost.nominal,
        short=len(plan.short_by_demand),
        spread=spread,
        by=by,
        unknowns=_ranked(unknowns, by),
        not_tried=tuple(sorted(set(doubts.unasked), key=lambda unasked: (unasked.subject, unasked.why))),
        stopped=len(drafts) - len(unknowns),
        effort=counted.effort,
    )


def _independent_groups(session: Session, drafts: Sequence[Draft]) -> list[list[int]]:
    """Return groups of positions of drafts that affect a common part of the case, the largest group first."""
    groups: list[tuple[set[str], list[int]]] = []
    for position, draft in enumerate(drafts):
        members = {
            name for trial in draft.trials for hit in impact(session.parts, trial.changes) for name in hit.members
        }
        overlapping = [group for group in groups if group[0] & members]
        groups = [group for group in groups if not group[0] & members]
        merged = sorted({position, *(i for group in overlapping for i in group[1])})
        groups.append((members.union(*(group[0] for group in overlapping)), merged))
    return sorted((group for _, group in groups), key=lambda group: (-len(group), group))


@dataclass(frozen=True, slots=True)
class _UnknownEvaluator:
    session: Session

    def __call__(self, draft: Draft) -> Unknown | None:
        if self.session.stopped:
            return None
        try:
            return self._evaluated(draft)
        except NoPlanError:  # the time left was too short for even one plan
            return None

    def _evaluated(self, draft: Draft) -> Unknown:
        possibilities = self._possibilities(draft)
        best_at = _position_of_extreme(possibilities, lambda rise: -rise)
        worst_at = _position_of_extreme(possibilities, lambda rise: rise)
        best, worst = (None if position is None else possibilities[position] for position in (best_at, worst_at))
        added_kg = Decimal(0) if best is None or best.short_kg is None else best.short_kg
        return Unknown(
            kind=draft.kind,
            subject=draft.subject,
            material=draft.material,
            question=draft.question,
            addressee=draft.whom,
            country=draft.country,
            known=draft.known,
            assumption=draft.taken,
            possibilities=possibilities,
            saving=NO_DIFFERENCE if best is None or best.rise is None else _saving(best.rise),
            best=best_at,
            added_cost=NO_DIFFERENCE if worst is None or worst.rise is None else worst.rise,
            worst=worst_at,
            saved_kg=exact(max(-added_kg, Decimal(0))),
            conflict=any(possibility.conflict for possibility in possibilities),
            resolves=any(possibility.resolved for possibility in possibilities),
            at_price=self._at_price(draft) if draft.unpriced else None,
        )

    def _possibilities(self, draft: Draft) -> tuple[Possibility, ...]:
        possibilities: list[Possibility] = []
        for trial in draft.trials:
            possibility = self._possibility(draft, trial)
            if not (trial.further and _have_same_figures(possibility, possibilities[-1])):
                possibilities.append(possibility)
        return tuple(possibilities)

    def _possibility(self, draft: Draft, trial: TrialAnswer) -> Possibility:
        if trial.same:
            zero = Decimal(0)
            answered = {"answer": trial.answer, "changes": list(trial.changes)}
            return Possibility.model_validate(
                {**answered, "rise": NO_DIFFERENCE, "cash": zero, "spent": zero, "short_kg": zero}
            )
        try:
            answer = self.session.what_if(*trial.changes)
        except InputError as error:  # for example, a recipe whose output contains more than its inputs
            return Possibility(
                answer=trial.answer, changes=list(trial.changes), impossible=str(error.problems[0].message)
            )
        before = {rule for part in answer.before for each in part.plan.infeasible for rule in each.rules}
        after = {rule for part in answer.after for each in part.plan.infeasible for rule in each.rules}
        rise = difference(answer)
        if before or after:  # the part with the conflict is left out, so no bound holds
            rise = rise.but(low=None, high=None, proved=False)
        return Possibility(
            answer=trial.answer,
            changes=list(trial.changes),
            bound=trial.bound and not (draft.never_full and _is_used_up(answer, draft.never_full)),
            rise=rise,
            cash=answer.rise_shown.nominal,
            spent=answer.rise_shown.total,
            short_kg=self._added_shortage(answer),
            conflict=tuple(sorted(after - before)),
            resolved=tuple(sorted(before - after)),
            buys=self._purchase_changes(answer),
        )

    def _added_shortage(self, answer: Answer) -> Decimal:
        before, after = shortage(answer, after=False), shortage(answer)
        increases = [after.get(name, Decimal(0)) - before.get(name, Decimal(0)) for name in {*before, *after}]
        return exact(sum((kg for kg in increases if abs(kg) > self._slack), Decimal(0)))

    def _purchase_changes(self, answer: Answer) -> tuple[BoughtMore, ...]:
        before, after = _kilograms_bought(answer.before), _kilograms_bought(answer.after)
        increases = {key: after.get(key, Decimal(0)) - before.get(key, Decimal(0)) for key in {*before, *after}}
        significant = sorted(
            ((kg, key) for key, kg in increases.items() if abs(kg) > self._slack), key=lambda e: (-abs(e[0]), e[1])
        )
        return tuple(
            BoughtMore(material=material, offer=offer, kilograms=exact(kg)) for kg, (material, offer) in significant
        )

    @property
    def _slack(self) -> Decimal:
        case = self.session.problem.case
        return case.resolution * case.horizon.count

    def _at_price(self, draft: Draft) -> AtPrice:
        other_changes = [change for change in draft.trials[0].changes if not change.price]
        similar = _cheapest_similar(self.session, draft.unpriced)
        saves = None
        if similar is not None:
            priced = self.session.what_if(*other_changes, Change(price=f"offer:{draft.unpriced}", amount=similar))
            saves = _saving(difference(priced))
        break_even = break_even_price(
            self.session, draft.unpriced, (*other_changes, Change(price=f"offer:{draft.unpriced}", amount=Decimal(1)))
        )
        return AtPrice(cheapest_price=similar, saving=saves, break_even=break_even.price, proved=break_even.proved)


def _cheapest_similar(session: Session, name: str) -> Decimal | None:
    """Return the lowest price of a usable offer of the same material. None if there is none, or if the offer has several goods."""
    offer = session.problem.merged.offers[name]
    if len(offer.outputs) > 1:
        return None
    material = offer.outputs[0].material
    similar = [f for f in session.problem.offers if f.has_one_output and f.offer.outputs[0].material == material]
    return min((price for facts in similar for price in facts.price if price > 0), default=None)


def _is_used_up(answer: Answer, facility: str) -> bool:
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


def _kilograms_bought(parts: Sequence[PartPlan]) -> dict[tuple[str, str], Decimal]:
    bought = (entry for part in parts for entry in part.plan.purchases)
    return dict(totals(((entry.material, entry.offer), entry.quantity) for entry in bought))


def _have_same_figures(first: Possibility, second: Possibility) -> bool:
    if first.rise is None or second.rise is None:
        return first.impossible == second.impossible
    same = abs(first.rise.value - second.rise.value) < CENT
    return same and (first.conflict, first.resolved) == (second.conflict, second.resolved)


def _position_of_extreme(possibilities: Sequence[Possibility], weigh: Callable[[Decimal], Decimal]) -> int | None:
    """Return the position of the answer with the largest rise after `weigh`, of at least a cent. Answers that change conflicts come first."""
    candidates: list[tuple[bool, Decimal, int]] = []
    seeks_worst = weigh(Decimal(1)) > 0
    for position, possibility in enumerate(possibilities):
        if possibility.rise is None:
            continue
        decisive = bool(possibility.conflict if seeks_worst else possibility.resolved)
        opposite = bool(possibility.resolved if seeks_worst else possibility.conflict)
        if decisive or (weigh(possibility.rise.value) >= CENT and not opposite):
            candidates.append((decisive, weigh(possibility.rise.value), -position))
    return -max(candidates)[2] if candidates else None


def _saving(rise: Difference) -> Difference:
    if rise.low is None or rise.high is None:
        return rise.but(value=exact(-rise.value))
    return Difference(value=exact(-rise.value), low=exact(-rise.high), high=exact(-rise.low), proved=rise.proved)


_ORDER = list(UnknownKind)


def _ranked(unknowns: Sequence[Unknown], by: By) -> tuple[Unknown, ...]:
    def rank_key(unknown: Unknown) -> tuple[bool, Decimal, Decimal, bool, Decimal, int, str]:
        saved, kg, lost = (
            value.quantize(CENT) for value in (unknown.saving.value, unknown.saved_kg, unknown.added_cost.value)
        )
        first, second = (saved, kg) if by == "money" else (kg, saved)
        return (
            not unknown.resolves,
            -first,
            -second,
            not unknown.conflict,
            -lost,
            _ORDER.index(unknown.kind),
            unknown.subject,
        )

    ranked = sorted(unknowns, key=lambda unknown: (*rank_key(unknown), unknown.question))
    tied = [*(_second_may_save_more(unknown, next_unknown) for unknown, next_unknown in pairwise(ranked)), False]
    return tuple(
        unknown.but(rank=rank, tied=is_tied)
        for rank, (unknown, is_tied) in enumerate(zip(ranked, tied, strict=False), 1)
    )


def _second_may_save_more(first: Unknown, second: Unknown) -> bool:
    if first.saving.proved and second.saving.proved:
        return False
    low, high = first.saving.low, second.saving.high
    return low is None or high is None or low < high
