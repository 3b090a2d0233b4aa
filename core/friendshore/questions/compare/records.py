"""A comparison of two plans, as records."""

from __future__ import annotations

from typing import ClassVar

from ...domain.base import Number, Record
from ...domain.change import Change
from ...domain.plan import Cost
from ...explain.results import Difference, Effort, QuestionResult


class MixLine(Record):
    """What both plans buy of one material from one offer for one place."""

    offer: str
    facility: str
    material: str
    place: str
    before_kg: Number
    after_kg: Number
    moved_kg: Number
    """Kilograms bought more and less, added up over periods of delivery; what comes earlier or later is moved twice."""


class MaterialLine(Record):
    """One material in both plans."""

    material: str
    before_kg: Number
    """Bought."""
    after_kg: Number
    moved_kg: Number
    """Over all offers, places and periods of delivery."""
    short_before_kg: Number
    short_after_kg: Number


class Step(Record):
    """One change on the way from one plan to the other."""

    title: str
    undoes: tuple[Change, ...]
    """Changes of the first that end with it."""
    does: tuple[Change, ...]
    """Changes of the second that begin with it."""
    difference: Difference
    """What it raises the objective by."""
    rise: Cost
    """The same of the two plans found, line by line."""
    materials: tuple[MaterialLine, ...]
    """What it moves or makes short; all else stays as it is."""
    mix: tuple[MixLine, ...]
    conflict: tuple[str, ...]
    """Rules that cannot hold together after it."""


class FactLine(Record):
    """A fact in which two cases differ."""

    kind: str
    """`case`, `demand`, `rule`, `offer`, `price`, `capacity` and so on."""
    name: str
    before: str
    """What it says in the first; empty: it is not there."""
    after: str


class Comparison(QuestionResult):
    """Two plans side by side, and what lies between them."""

    TABLES: ClassVar[tuple[str, ...]] = ("materials", "mix", "steps", "facts")

    before: str
    """What the first is."""
    after: str
    currency: str
    cost_before: Cost
    cost_after: Cost
    difference: Difference
    """What the second plan's objective is above the first's."""
    materials: tuple[MaterialLine, ...]
    """Every material that either plan buys or is short of."""
    mix: tuple[MixLine, ...]
    """Every offer that either plan buys from."""
    moved_kg: dict[str, Number] | None
    """Material -> kilograms bought more and less; None: the two plans have other periods, which cannot be set against each other."""
    least_moved: bool
    """Whether it is proved that no other plan that costs no more moves fewer kilograms."""
    steps: tuple[Step, ...]
    """From the first to the second, one change at a time; none where two cases or runs are compared."""
    facts: tuple[FactLine, ...]
    """What differs in the facts of two cases or runs."""
    conflict_before: tuple[str, ...]
    """Rules that cannot hold together; what they touch is not planned, nor in the figures."""
    conflict_after: tuple[str, ...]
    ranked: bool
    """Whether a case ranks objectives: cost is then what the ranked plan costs."""
    effort: Effort
