"""What a session answers: plans of parts of a case, and what changes do to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from ..domain.base import exact
from ..domain.change import Change
from ..domain.plan import Cost, Infeasible, Plan, PlanStatus, Purchase
from ..problem.parts import Members
from ..program.matrix import Mask
from ..rules.base import Rule
from ..verify import VerifiedPlan

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True, eq=False)
class PartPlan:
    """The verified plan of some parts of a case."""

    members: Members
    """Materials of these parts."""
    verified: VerifiedPlan

    @property
    def plan(self) -> Plan:
        """The plan, with its bound."""
        return self.verified.plan


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What some changes do to a plan."""

    changes: tuple[Change, ...]
    imposed: tuple[Rule, ...]
    """Rules that hold in addition to those of the case."""
    before: tuple[PartPlan, ...]
    """The parts that the changes touch, as they were."""
    after: tuple[PartPlan, ...]
    """The same parts after the changes, each with its own proof."""
    cost: Cost
    """Of the whole case after the changes."""
    rise: Cost
    """What that is more than before, line by line."""
    levels: tuple[Decimal, ...]
    """What each objective that the case ranks comes to after the changes, in the whole case."""
    infeasible: tuple[Infeasible, ...]
    """What cannot be planned after the changes, in the whole case; its costs are then those of the rest."""
    solved: int
    """Components that had to be solved for it."""
    reused: int
    """Components of the touched parts whose answer was known."""

    @property
    def rise_between(self) -> tuple[Decimal, Decimal]:
        """What the least objective surely rises by, at least and at most: one number where both plans are proved cheapest.

        Where the case ranks objectives, nothing is sure of cost unless every level is proved: a better plan in a level before it
        may cost more or less.
        """
        ranked = any(part.plan.levels for part in (*self.before, *self.after))
        if ranked and any(p.plan.status is not PlanStatus.OPTIMAL for p in (*self.before, *self.after)):
            return Decimal("-Infinity"), Decimal("Infinity")
        low = sum((a.plan.bound - b.plan.objective for b, a in self._pairs), Decimal(0))
        high = sum((a.plan.objective - b.plan.bound for b, a in self._pairs), Decimal(0))
        return exact(low), exact(high)

    def to_frame(self) -> pandas.DataFrame:
        """What is bought before and after in the parts that the changes touch, one row a material, offer and place of delivery.

        Columns `material`, `offer`, `place`; `before_kg`, `after_kg` and `change_kg`, kilograms over the plan; `before_cost`, `after_cost`
        and `change_cost`, price, charges and freight in the case's currency, not discounted.
        """
        import pandas

        before, after = _bought(self.before), _bought(self.after)
        nothing = (Decimal(0), Decimal(0))
        rows = []
        for key in sorted({*before, *after}):
            (kg, cost), (kg_after, cost_after) = before.get(key, nothing), after.get(key, nothing)
            figures = (kg, kg_after, kg_after - kg, cost, cost_after, cost_after - cost)
            rows.append((*key, *map(float, figures)))
        names = [f"{when}_{what}" for what in ("kg", "cost") for when in ("before", "after", "change")]
        return pandas.DataFrame(rows, columns=["material", "offer", "place", *names])

    @property
    def _pairs(self) -> list[tuple[PartPlan, PartPlan]]:
        return list(zip(self.before, self.after, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """What hangs together with a material."""

    materials: frozenset[str]
    """Demanded materials, itself included."""
    spent: Decimal
    """Present value of the money that it spends in the cheapest plan, without penalties."""
    columns: Mask
    """Columns of the program of its part."""


@dataclass(frozen=True, slots=True, eq=False)
class Extreme:
    """How small or large a sum over purchases can be in a plan that costs little more than the cheapest."""

    value: Decimal
    """What it comes to in the plan found, before rounding."""
    bound: Decimal
    """No plan that costs no more comes to less (or, of the largest, to more)."""
    part: PartPlan
    """That plan."""


def _bought(parts: Iterable[PartPlan]) -> dict[tuple[str, str, str], tuple[Decimal, Decimal]]:
    """Material, offer and place -> kilograms and money over the plan."""
    found: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    for line in (line for part in parts for line in part.verified.lines):
        entry = line.item.entry
        if isinstance(entry, Purchase):
            key = (entry.material, entry.offer, entry.place)
            kilograms, money = found.get(key, (Decimal(0), Decimal(0)))
            found[key] = kilograms + entry.quantity, money + line.total
    return found
