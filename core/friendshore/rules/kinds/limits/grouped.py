"""Materials in groups: what a limit adds up in one row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from pydantic import Field

from ....domain.facts import Material
from ....errors import InputError
from ...rows import Row
from ...terms import ForUses, Term
from ..shared import Covering, InMoney, PerKilogram

Per = Literal["period", "year", "horizon"]
GroupBy = Literal["element", "material", "all"]
STRETCH: dict[Per, str] = {"period": "in every period", "year": "in every year", "horizon": "over the plan"}
"""Over which time a rule holds, in words."""


def only(end_uses: frozenset[str], surely: bool) -> ForUses | None:
    """What counts of purchases for some end uses; None: all of them, if none is named."""
    return ForUses(end_uses, surely) if end_uses else None


class Bounded(Protocol):
    """A rule with bounds on what may be told apart by end use."""

    @property
    def exactly(self) -> Decimal | None: ...
    @property
    def at_least(self) -> Decimal | None: ...
    @property
    def at_most(self) -> Decimal | None: ...
    @property
    def end_uses(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class End:
    """A row's bounds, and what it counts."""

    name: str
    """What tells it from the other one of two rows."""
    at_least: Decimal | None
    at_most: Decimal | None
    for_uses: ForUses | None


def ends(rule: Bounded) -> Iterator[End]:
    """The bounds of a rule in one row; with end uses in one row each, since what may be for several uses counts for the most alone."""
    least = rule.exactly if rule.exactly is not None else rule.at_least
    most = rule.exactly if rule.exactly is not None else rule.at_most
    if not rule.end_uses:
        yield End("", least, most, None)
        return
    both = least is not None and most is not None
    if least is not None:
        yield End(" at least" if both else "", least, None, only(rule.end_uses, surely=True))
    if most is not None:
        yield End(" at most" if both else "", None, most, only(rule.end_uses, surely=False))


class Told(Protocol):
    """A rule as its rows tell it."""

    @property
    def penalty(self) -> Decimal | None: ...
    def sentence(self) -> str: ...


def row_of(
    rule: Told,
    label: str,
    terms: tuple[Term, ...],
    at_least: Decimal | None = None,
    at_most: Decimal | None = None,
    reads: frozenset[str] | None = None,
) -> Row:
    """A row of a rule: told in the rule's sentence, and missed at its price."""
    return Row(label, terms, at_least, at_most, rule.sentence(), rule.penalty, reads)


def must_bound(rule: Bounded) -> None:
    """Refuses bounds that say nothing, or say it twice.

    Raises:
        ValueError: with what is to be given.
    """
    if (rule.exactly is None) == ((rule.at_least, rule.at_most) == (None, None)):
        raise ValueError("give either `exactly`, or `at_least` or `at_most` or both")
    if rule.at_least is not None and rule.at_most is not None and rule.at_least > rule.at_most:
        raise ValueError("`at_least` is more than `at_most`")


def in_words(rule: Bounded) -> str:
    """The bounds of a rule in kilograms."""
    told = (("exactly", rule.exactly), ("at least", rule.at_least), ("at most", rule.at_most))
    return " and ".join(f"{word} {bound:,f} kg" for word, bound in told if bound is not None)


class Grouped(Covering, InMoney):
    """A limit on materials in groups, over stretches of time."""

    per: Per = "year"
    """Over which stretch it holds: every period, every calendar year, or the whole plan."""
    group_by: Literal["", "element", "material", "all"] = ""
    """One row for every element, for every material, or one for all that the rule covers; empty: by element if a stage is
    named, else by material. All together count in kilograms of their own basis, or with a stage in contained element."""
    penalty: PerKilogram | None = Field(default=None, gt=0)
    """Money per kilogram, a number or like `5 USD/kg`, by which it may be missed; none: it must hold."""

    def stretch(self) -> str:
        """Over which time it holds, in words."""
        return STRETCH[self.per] + (", by day of order" if self.dated_by == "order" else "")

    @property
    def grouping(self) -> GroupBy:
        """How materials are put together."""
        return self.group_by or "material"

    @property
    def in_element(self) -> bool:
        """Whether a kilogram counts by the element in it."""
        return self.grouping == "element"

    def group(self, material: Material) -> str:
        """The group that a material belongs to; empty: none."""
        if not self.covers(material):
            return ""
        return {"element": material.element, "material": material.id, "all": "all"}[self.grouping]

    def contained(self, material: Material) -> Decimal:
        """What a kilogram of a material counts.

        Raises:
            InputError: if it is to be counted in contained element, and nobody knows how much it contains.
        """
        if not self.in_element:
            return Decimal(1)
        if material.content is None:
            raise InputError(
                f"rule `{self.id}` counts contained {material.element}, and {material.id} has no known content",
                column="materials.content",
                expected=f"kilograms of {material.element} per kilogram",
                fix="give the material its `content`, or name in the rule the `materials` it is about",
            )
        return material.content

    def by_group(self) -> str:
        """What is counted together, in words."""
        if self.grouping == "all":
            return "all together, in contained element" if self.in_element else "all together"
        return "in contained element, element by element" if self.grouping == "element" else "material by material"
