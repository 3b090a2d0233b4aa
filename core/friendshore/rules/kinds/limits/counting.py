"""Quantities that limits count: by group of materials, and by country, bloc, company, or site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal, Protocol, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from ....domain.base import grouped
from ....domain.facts import ChainEntry, Material, Place
from ....domain.stages import Stage, covers_stage
from ....domain.use import Chained
from ....errors import InputError
from ...base import DemandLine, Facts, Names
from ...rows import Row
from ...terms import ForUses, Term
from ..shared import Countries, Covering, EndUses, InMoney, PerKilogram, as_pairs, lands, listed

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
    """Refuse bounds that say nothing, or say it twice.

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
        """True if a kilogram counts by the element in it."""
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


By = Literal["country", "bloc", "supplier", "parent", "facility"]
Count = Callable[[Chained, Place], Decimal]
Belongs = Callable[[Chained], bool]
"""Whether purchases from an offer belong to what is added up."""
_NOTHING = Decimal(0)
NOUN: dict[By, str] = {
    "country": "country", "bloc": "bloc", "supplier": "supplier", "parent": "parent company", "facility": "site"
}  # fmt: skip
"""One of those who are counted, in words."""
NOUNS: dict[By, str] = {
    "country": "countries", "bloc": "blocs", "supplier": "suppliers", "parent": "parent companies", "facility": "sites"
}  # fmt: skip
"""Several of them."""


def _blocs_in_json(blocs: tuple[tuple[str, frozenset[str]], ...]) -> dict[str, list[str]]:
    return {name: sorted(members) for name, members in blocs}


Blocs = Annotated[
    tuple[tuple[str, Countries], ...],
    BeforeValidator(as_pairs),
    PlainSerializer(_blocs_in_json, return_type=dict[str, list[str]], when_used="json"),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}),
]
"""Name of a bloc -> its countries; written as a table."""


class Counting(Grouped):
    """What limits on shares and numbers of suppliers have in common.

    Without a stage a purchase counts in kilograms of its material, where it is bought. With a stage it counts in kilograms
    of contained element, where that stage was performed, and only purchases from offers that perform it.
    """

    by: By = "country"
    """Who is counted: countries, blocs of countries, companies that run the site, their parents, or sites."""
    blocs: Blocs = ()
    """With `by = "bloc"`: the countries of each bloc. A country in none is a bloc of its own."""
    stage: Stage | None = None
    """The stage at which countries are counted; none: the country of the site."""
    places: Countries = frozenset()
    """Countries whose demand it is about; none: all. A purchase that may end elsewhere too counts for a cap, not for a floor."""
    end_uses: EndUses = frozenset()
    """End uses whose demand it is about, like `["defense"]`; none: all. A purchase counts for the use that its compliance class ends in;
    one for several uses at once counts for a cap, not for a floor."""
    each_place: bool = False
    """Whether every place of delivery is counted on its own."""
    at: Annotated[tuple[str, ...], Names("place")] = ()
    """Only purchases that are delivered at these places, countries or sites, and what is demanded there; none: everywhere."""
    suppliers: tuple[str, ...] = ()
    """Only purchases from these companies are counted; none: from all."""
    parents: tuple[str, ...] = ()
    """Only purchases from companies that these own; none: from all."""
    facilities: Annotated[tuple[str, ...], Names("facility")] = ()
    """Only purchases from these sites, by id; none: from all."""
    offers: Annotated[tuple[str, ...], Names("offer")] = ()
    """Only purchases from these offers, by id; none: from all."""
    inputs: Annotated[tuple[str, ...], Names("material")] = ()
    """Only purchases from offers that take one of these materials, by id; none: from all."""

    @model_validator(mode="after")
    def _blocs_are_apart(self) -> Self:
        if (self.by == "bloc") != bool(self.blocs):
            raise ValueError('`by = "bloc"` and `blocs` go together: name the countries of each bloc')
        seen: dict[str, str] = {}
        for name, members in self.blocs:
            for country in sorted(members):
                if country in seen:
                    raise ValueError(f"{country} is in the bloc `{seen[country]}` and in `{name}`")
                seen[country] = name
        return self

    @property
    def grouping(self) -> GroupBy:
        return self.group_by or ("element" if self.stage is not None else "material")

    @property
    def in_element(self) -> bool:
        return self.grouping == "element" or (self.grouping == "all" and self.stage is not None)

    def groups(self, facts: Facts) -> list[tuple[str, Facts]]:
        """All groups with a demand, in order, each with what there is to ask about its materials.

        Where the rule selects materials, also those that are only bought on the way to what is demanded.
        """
        members = grouped((self.group(material), material.id) for material in facts.materials)
        demanded = {self.group(d.use.material) for d in facts.demands if self.is_here(d)}
        groups = demanded | (members.keys() if self.selects else set())
        return [(name, facts.about(members[name])) for name in sorted(groups) if name]

    @property
    def counted_end_uses(self) -> frozenset[str]:
        return self.end_uses

    def is_here(self, demand: DemandLine) -> bool:
        """Return True if a demand is one that the limit is about."""
        used = not self.end_uses or demand.use.end_use in self.end_uses
        here = self.is_at(demand.use.place)
        return here and used and (not self.places or demand.use.place.country in self.places)

    def is_at(self, place: Place) -> bool:
        """Return True if what is delivered at a place is counted."""
        return not self.at or place.id in self.at

    def demanded(self, facts: Facts, group: str, periods: Sequence[int], at: str = "") -> Decimal:
        """What is demanded of a group over some periods; of one place only, if `at` names it."""

        def counts(demand: DemandLine) -> Decimal:
            use = demand.use
            wanted = self.is_here(demand) and self.group(use.material) == group and at in ("", use.place.id)
            return self.contained(use.material) if wanted else Decimal(0)

        return facts.demanded(counts, periods)

    def reads(self, facts: Facts) -> frozenset[str]:
        """The materials on whose facts a row about `facts` depends: what ends where depends on makers further down, which join
        their materials in any case.
        """
        return frozenset(material.id for material in facts.materials)

    def at_each(self, facts: Facts) -> list[str]:
        """The places that are counted on their own; one empty name if all are counted together."""
        return [place.id for place in facts.places if self.is_at(place)] if self.each_place else [""]

    def takes_part(self, offer: Chained) -> bool:
        """Return True if a purchase from an offer is one that the limit counts at all."""
        if self.stage is None:
            return True
        return bool(offer.entries(self.stage)) or self.stage in offer.missing

    def selected(self, offer: Chained) -> bool:
        """Return True if an offer is one of those that the limit counts purchases from."""
        if not self.narrowed:
            return True
        facility = offer.facility
        named = (
            (self.suppliers, facility.supplier),
            (self.parents, facility.owner),
            (self.facilities, facility.id),
            (self.offers, offer.offer.id),
        )
        takes = not self.inputs or any(line.material in self.inputs for line in offer.offer.inputs)
        return takes and all(not names or name in names for names, name in named)

    @property
    def narrowed(self) -> bool:
        """True if it counts purchases from some offers only."""
        return bool(self.suppliers or self.parents or self.facilities or self.offers or self.inputs)

    def counted(self, facts: Facts, group: str, surely: bool, at: str = "") -> Count:
        """What every purchase of a group counts, whoever it comes from, `at` a place of delivery or any.

        Counted `surely`, only purchases count that cannot end in other places than the limit is about.
        """
        groups: dict[str, str] = {}
        contained: dict[str, Decimal] = {}

        def count(offer: Chained, place: Place) -> Decimal:
            here = at in ("", place.id) and self.is_at(place)
            name = offer.material.id
            if name not in groups:
                groups[name] = self.group(offer.material)
            if not here or groups[name] != group or not self.takes_part(offer):
                return _NOTHING
            if not self.ends_here(facts, offer, place, surely):
                return _NOTHING
            if name not in contained:
                contained[name] = self.contained(offer.material)
            return contained[name]

        return count

    def ends_here(self, facts: Facts, offer: Chained, place: Place, surely: bool) -> bool:
        """Return True if a purchase may (or surely does) end in a place that the limit is about."""
        if not self.places:
            return True
        ends = facts.ends(offer, place)
        return bool(ends) and ends <= self.places if surely else bool(ends & self.places)

    def may_be(self, offer: Chained) -> tuple[frozenset[str], bool]:
        """Everyone that a purchase may count for, and whether that is all."""
        if self.by not in ("country", "bloc"):
            facility = offer.facility
            names = {"supplier": facility.supplier, "parent": facility.owner, "facility": facility.id}
            return frozenset({names[self.by]}), True
        if self.stage is None:
            return frozenset({self.bloc_of(offer.facility.country)}), True
        entries = self.done(offer, self.stage)
        countries = frozenset(self.bloc_of(country) for entry in entries for country in entry.countries)
        known = bool(entries) and all(entry.complete and entry.countries for entry in entries)
        words = [entry.stage for entry in entries]
        return countries, known and (self.stage in offer.supplied or covers_stage(self.stage, words, begun=True))

    def done(self, offer: Chained, stage: Stage) -> Sequence[ChainEntry]:
        """What an offer does of a stage, with the countries that it counts for."""
        return offer.entries(stage)

    def bloc_of(self, country: str) -> str:
        """What a country counts for: the bloc that holds it, else itself."""
        return next((name for name, members in self.blocs if country in members), country)

    def members(self, facts: Facts, group: str) -> list[Chained]:
        """The offers of a group that the limit counts."""
        return [
            offer
            for offer in facts.offers
            if self.group(offer.material) == group and self.takes_part(offer) and self.selected(offer)
        ]

    def everyone(self, facts: Facts, group: str) -> list[str]:
        """All that purchases of a group may count for, in order."""
        return sorted(frozenset().union(*(self.may_be(offer)[0] for offer in self.members(facts, group))))

    def where_and_when(self) -> str:
        """Where it is counted and over which time, in words."""
        at = f", at {listed(self.at, 'or')}" if self.at else ""
        return f"{at}, {self.stretch()}{', at each place' if self.each_place else ''}"

    def from_whom(self) -> str:
        """Whose purchases are counted, in words: ` from …`; empty: everyone's."""
        names = listed((*self.suppliers, *self.parents, *self.facilities, *self.offers), "or")
        sold = f" from {names}" if names else ""
        made = f" made of {listed(self.inputs, 'or')}" if self.inputs else ""
        return sold + made


class ByCountries(Counting):
    """A limit that may be about some countries only."""

    countries: Countries = frozenset()
    """Countries it is about; none: all."""
    except_countries: Countries = frozenset()
    """Countries it is not about."""

    def about(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that it is about: a bloc, if one of its countries is named and not all are excepted."""
        members = dict(self.blocs)
        return [name for name in names if self._is_about(members.get(name, frozenset({name})))]

    def _is_about(self, members: frozenset[str]) -> bool:
        listed_here = not self.countries or self.by not in ("country", "bloc") or bool(members & self.countries)
        return listed_here and not members <= self.except_countries

    def named(self) -> frozenset[str]:
        """Everyone that the countries it is about count for; none: it names none."""
        if self.by not in ("country", "bloc"):
            return frozenset()
        return frozenset(self.bloc_of(country) for country in self.countries)

    def whom(self) -> str:
        """The countries it is about, in words."""
        named = f" of {lands(self.countries, 'or')}" if self.countries else ""
        other = f" other than {lands(self.except_countries, 'or')}" if self.except_countries else ""
        return named + other

    def each_of(self, facts: Facts, group: str) -> list[tuple[str, Belongs]]:
        """What may come from each, under its name: everyone named or found, and whoever an incomplete list may hide."""
        named = self.named()
        known = {id(offer): self.may_be(offer) for offer in self.members(facts, group)}
        names = self.about(sorted(named.union(*(everyone for everyone, _ in known.values()))))
        hidden = not named and not all(complete for _, complete in known.values())
        unknown = [("unknown", self.may_be_of(frozenset(), known))] if hidden else []
        return [(name, self.may_be_of(frozenset({name}), known)) for name in names] + unknown

    def may_be_of(self, wanted: frozenset[str], known: dict[int, tuple[frozenset[str], bool]]) -> Belongs:
        """What may come from one of some, all that is not sure to come from others; `known`: whom offers may count for."""

        def belongs(offer: Chained) -> bool:
            if id(offer) not in known:
                known[id(offer)] = self.may_be(offer)
            names, complete = known[id(offer)]
            return not complete or not names.isdisjoint(wanted)

        return belongs
