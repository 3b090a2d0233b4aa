"""What a limit counts, and by whom: materials in groups, purchases by country, company or site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Literal

from pydantic import Field

from ....domain.base import Number
from ....domain.facts import ChainEntry, Material, Place
from ....domain.stages import Stage
from ....domain.use import Chained
from ....errors import InputError, Problem
from ...base import DemandLine, Facts, Rule
from ..shared import Countries, Covering

By = Literal["country", "supplier", "parent", "facility"]
Per = Literal["period", "year", "horizon"]
Count = Callable[[Chained, Place], Decimal]


class Counting(Covering, Rule):
    """What limits on shares and numbers of suppliers have in common.

    Without a stage a purchase counts in kilograms of its material, where it is bought. With a stage it counts in kilograms
    of contained element, where that stage was performed, and only purchases from offers that perform it.
    """

    by: By = "country"
    """Who is counted: countries, companies that run the site, their parents, or sites."""
    stage: Stage | None = None
    """The stage at which countries are counted; none: the country of the site."""
    per: Per = "year"
    """Over which stretch it holds: every period, every calendar year, or the whole plan."""
    group_by: Literal["", "element", "material"] = ""
    """One row for every element or every material; empty: by element if a stage is named, else by material."""
    places: Countries = frozenset()
    """Countries whose demand it is about; none: all. A purchase that may end elsewhere too counts for a cap, not for a floor."""
    penalty: Number | None = Field(default=None, gt=0)
    """Money per kilogram by which it may be missed; none: it must hold."""

    @property
    def grouping(self) -> Literal["element", "material"]:
        """How materials are put together."""
        if self.group_by:
            return self.group_by
        return "element" if self.stage is not None else "material"

    def group(self, material: Material) -> str:
        """The group that a material belongs to; empty: none."""
        if not self.covers(material):
            return ""
        return material.element if self.grouping == "element" else material.id

    def contained(self, material: Material) -> Decimal:
        """What a kilogram of a material counts.

        Raises:
            InputError: if it is to be counted in contained element, and nobody knows how much it contains.
        """
        if self.grouping == "material":
            return Decimal(1)
        if material.content is None:
            raise InputError(
                Problem(
                    f"rule `{self.id}` counts contained {material.element}, and {material.id} has no known content",
                    column="materials.content",
                    expected=f"kilograms of {material.element} per kilogram",
                    fix="give the material its `content`, or name in the rule the `materials` it is about",
                )
            )
        return material.content

    def groups(self, facts: Facts) -> list[tuple[str, Facts]]:
        """All groups with a demand, in order, each with what there is to ask about its materials."""
        members: dict[str, list[str]] = {}
        for material in facts.materials:
            members.setdefault(self.group(material), []).append(material.id)
        demanded = {self.group(d.use.material) for d in facts.demands if self.is_here(d)}
        return [(name, facts.about(members[name])) for name in sorted(demanded) if name]

    def is_here(self, demand: DemandLine) -> bool:
        """Whether a demand is one that the limit is about."""
        return not self.places or demand.use.place.country in self.places

    def demanded(self, facts: Facts, group: str, periods: Sequence[int]) -> Decimal:
        """What is demanded of a group over some periods."""

        def counts(demand: DemandLine) -> Decimal:
            material = demand.use.material
            return self.contained(material) if self.is_here(demand) and self.group(material) == group else Decimal(0)

        return facts.demanded(counts, periods)

    def takes_part(self, offer: Chained) -> bool:
        """Whether a purchase from an offer is one that the limit counts at all."""
        if self.stage is None:
            return True
        return bool(offer.entries(self.stage)) or self.stage in offer.missing

    def counted(self, facts: Facts, group: str, surely: bool) -> Count:
        """What every purchase of a group counts, whoever it comes from.

        Args:
            surely: whether only purchases count that cannot end in other places than the limit is about.
        """

        def count(offer: Chained, place: Place) -> Decimal:
            if self.group(offer.material) != group or not self.takes_part(offer):
                return Decimal(0)
            return self.contained(offer.material) if self.ends_here(facts, offer, place, surely) else Decimal(0)

        return count

    def ends_here(self, facts: Facts, offer: Chained, place: Place, surely: bool) -> bool:
        """Whether a purchase may (or surely does) end in a place that the limit is about."""
        if not self.places:
            return True
        ends = facts.ends(offer, place)
        return bool(ends) and ends <= self.places if surely else bool(ends & self.places)

    def may_be(self, offer: Chained) -> tuple[frozenset[str], bool]:
        """Everyone that a purchase may count for, and whether that is all."""
        if self.by != "country":
            facility = offer.facility
            names = {"supplier": facility.supplier, "parent": facility.owner, "facility": facility.id}
            return frozenset({names[self.by]}), True
        if self.stage is None:
            return frozenset({offer.facility.country}), True
        entries = offer.entries(self.stage)
        countries = frozenset(country for entry in entries for country in entry.countries)
        return countries, bool(entries) and all(_known(entry) for entry in entries)

    def everyone(self, facts: Facts, group: str) -> list[str]:
        """All that purchases of a group may count for, in order."""
        found: set[str] = set()
        for offer in facts.offers:
            if self.group(offer.material) == group and self.takes_part(offer):
                found |= self.may_be(offer)[0]
        return sorted(found)


def read_by(facts: Facts) -> frozenset[str]:
    """What a row reads that is made of the answers to some questions: the materials they are about."""
    return frozenset(material.id for material in facts.materials)


def _known(entry: ChainEntry) -> bool:
    return entry.complete and bool(entry.countries)


class ByCountries(Counting):
    """A limit that may be about some countries only."""

    countries: Countries = frozenset()
    """Countries it is about; none: all."""
    except_countries: Countries = frozenset()
    """Countries it is not about."""

    def about(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that it is about."""
        return [
            name
            for name in names
            if (not self.countries or self.by != "country" or name in self.countries)
            and name not in self.except_countries
        ]
