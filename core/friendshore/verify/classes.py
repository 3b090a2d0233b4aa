"""Does every kilogram keep to its compliance class? Classes are labels that a plan gives its entries; what they stand for follows from the facts.

Verdicts on purchases come from deliveries, whatever the labels say. Limits by end use, stock that is kept for some uses, and readers of a run go
by the labels: so each delivery must be one that its class serves.
"""

from __future__ import annotations

from ..domain.plan import Transfer
from .ledger import PlanEntries


def check_classes(ledger: PlanEntries) -> None:
    """Find deliveries that their compliance class does not serve, and entries of classes that the case does not have."""
    outlets = {
        each.label: {(outlet.demand, outlet.period, frozenset(outlet.waivers)) for outlet in each.outlets}
        for each in ledger.problem.compliance_classes
    }
    plan = ledger.plan
    used = {*ledger.columns.labels, *(stock.requirement for stock in plan.stocks)}
    used |= {make.requirement for make in plan.makes} - {""}
    used |= {label for one in plan.transfers for label in (one.from_requirement, one.to_requirement)}
    used |= {delivery.requirement for delivery in plan.deliveries}
    for label in sorted(used - outlets.keys()):
        ledger.find("the plan names a compliance class that its facts do not give", found=label)
    for delivery, number in ledger.deliveries:
        served = outlets.get(delivery.requirement)
        if served is not None and (number, delivery.period, frozenset(delivery.waivers)) not in served:
            period = ledger.problem.case.horizon.label(delivery.period)
            under = f" under {' and '.join(delivery.waivers)}" if delivery.waivers else ""
            ledger.find(
                f"`{delivery.demand}` is served in {period}{under} from compliance class {delivery.requirement}, which does not serve it",
                found=f"{delivery.quantity} kg",
            )


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


def check_free(ledger: PlanEntries) -> None:
    """Find what a rule taints, asked again, in compliance classes that are free of it, and loans to them of what isn't."""
    rules = {rule.id: rule for rule in ledger.problem.rules if rule.keeps_apart}
    free_of = {each.label: each.free_of for each in ledger.problem.compliance_classes if each.free_of}
    for item in ledger.bought if free_of else ():
        for name in sorted(free_of.get(item.entry.requirement, ())):
            if name not in rules or rules[name].taints(item.arc.chained):
                ledger.find(f"{item} is bought for a compliance class that is free of what rule `{name}` taints")
    for transfer, _ in ledger.transfers if free_of else ():
        free = frozenset[str]()
        if not free_of.get(transfer.to_requirement, free) <= free_of.get(transfer.from_requirement, free):
            ledger.find(
                f"what is made by `{transfer.offer}` is lent to a compliance class that is free of what a rule taints",
                found=f"{transfer.quantity} kg of {transfer.material}, from {transfer.from_requirement} to {transfer.to_requirement}",
            )


def _lent(ends: dict[str, frozenset[str]], transfer: Transfer) -> str:
    return f"made {_told(ends, transfer.from_requirement)}, lent to what is {_told(ends, transfer.to_requirement)}"


def _told(ends: dict[str, frozenset[str]], label: str) -> str:
    return (
        f"for {' and '.join(sorted(use or 'another use' for use in ends.get(label, frozenset()))) or 'no use at all'}"
    )
