"""Charges of rules that cannot be asked again: taken as the run records them, as far as its figures agree with one another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal

from ..domain.run import Run, RunPurchase
from ..errors import Diagnostic

_ROUNDING = Decimal("1e-9")
"""Share by which sums of figures of 15 digits may differ."""


def taken_as_recorded(run: Run, left_out: Collection[str]) -> Iterator[str]:
    """The charges that rest on the run's word, rule by rule.

    Args:
        run: the run as it is told.
        left_out: rules that were not asked.
    """
    for rule in run.rules:
        if rule.id in left_out and rule.charges:
            yield f"what rule {rule.id} charges: {rule.charges.normalize():,f} {run.currency}, since it could not be asked again"


def unlike_recorded(run: Run, derived: Iterable[RunPurchase], left_out: Collection[str]) -> Iterator[Diagnostic]:
    """Where the charges that a run records do not agree with one another, or with what the rules that can be asked charge.

    Args:
        run: the run as it is told.
        derived: its purchases as the facts give them, without what the rules left out charge.
        left_out: rules that were not asked.
    """
    file = "run.json"
    known: dict[tuple[str, ...], list[Decimal]] = {}
    for purchase in derived:
        known.setdefault(_key(purchase), []).append(purchase.charges)
    added = Decimal(0)
    for number, purchase in enumerate(run.purchases, 1):
        parts = purchase.price + purchase.charges + purchase.freight
        if _differ(purchase.cost, parts):
            message = f"purchase {purchase.offer}: its cost is not its price, charges and freight"
            yield Diagnostic(message, file, None, f"purchases[{number}].cost", f"{purchase.cost}", f"{parts}")
        others = known.get(_key(purchase))
        if others:
            added += purchase.charges - others.pop(0)
    stated = sum((rule.charges for rule in run.rules if rule.id in left_out), Decimal(0))
    if _differ(added, stated, sum((purchase.charges for purchase in run.purchases), Decimal(0))):
        message = (
            "what purchases are charged beyond the rules that can be asked is not what the others are said to charge"
        )
        yield Diagnostic(message, file, None, "rules", f"{stated}", f"{added}")


def _key(purchase: RunPurchase) -> tuple[str, ...]:
    return purchase.offer, purchase.material, purchase.place, purchase.ordered, purchase.requirement


def _differ(one: Decimal, other: Decimal, size: Decimal = Decimal(0)) -> bool:
    return abs(one - other) > _ROUNDING * max(abs(one), abs(other), abs(size), Decimal(1))
