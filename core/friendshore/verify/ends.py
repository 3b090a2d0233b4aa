"""Does everything end in a use that it was bought, made and held for? Where limits count by end use, the rest rests on it."""

from __future__ import annotations

from ..domain.plan import Transfer
from .ledger import PlanEntries


def check_ends(ledger: PlanEntries) -> None:
    """Deliveries, and what is lent from one compliance class to another, stay within the end uses of the class they come from."""
    problem = ledger.problem
    counted = frozenset[str]().union(*(rule.counted_end_uses for rule in problem.rules))
    if not counted:
        return
    ends = {each.label: each.ends for each in problem.compliance_classes}
    for delivery, number in ledger.deliveries:
        use = problem.demands[number].use.end_use
        if (use if use in counted else "") not in ends.get(delivery.requirement, frozenset()):
            ledger.find(
                f"`{delivery.demand}` is served by what was bought for other end uses",
                found=f"{delivery.quantity} kg of {delivery.requirement}, which is {_told(ends, delivery.requirement)}",
                expected=f"what is for {use}",
            )
    for transfer, _ in ledger.transfers:
        if not ends.get(transfer.to_requirement, frozenset()) <= ends.get(transfer.from_requirement, frozenset()):
            ledger.find(
                f"what is made by `{transfer.offer}` is lent to other end uses than it is made for",
                found=f"{transfer.quantity} kg of {transfer.material}, {_lent(ends, transfer)}",
            )


def _lent(ends: dict[str, frozenset[str]], transfer: Transfer) -> str:
    return f"made {_told(ends, transfer.from_requirement)}, lent to what is {_told(ends, transfer.to_requirement)}"


def _told(ends: dict[str, frozenset[str]], label: str) -> str:
    return (
        f"for {' and '.join(sorted(use or 'another use' for use in ends.get(label, frozenset()))) or 'no use at all'}"
    )
