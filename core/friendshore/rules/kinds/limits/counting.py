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
from ..shared import Countries, Covering, EndUses, InMoney, PerKilogram, as_pairs, country_list, listed

Per = Literal["period", "year", "horizon"]
GroupBy = Literal["element", "material", "all"]
STRETCH: dict[Per, str] = {"period": "in every period", "year": "in every year", "horizon": "over the plan"}


def end_use_filter(end_uses: frozenset[str], surely: bool) -> ForUses | None:
    return ForUses(end_uses, surely) if end_uses else None


class Bounded(Protocol):
    """A rule with bounds that may apply to some end uses."""

    @property
    def exactly(self) -> Decimal | None: ...
    @property
    def at_least(self) -> Decimal | None: ...
    @property
    def at_most(self) -> Decimal | None: ...
    @property
    def end_uses(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class RowBounds:
    """Bounds of a row, and the purchases that it counts."""

    name: str
    """Suffix of the label, which distinguishes two rows."""
    at_least: Decimal | None
    at_most: Decimal | None
    for_uses: ForUses | None


def row_bounds(rule: Bounded) -> Iterator[RowBounds]:
    """Yield the bounds of each row of a rule. With end uses, each bound has its own row, since a purchase for several uses counts only for a maximum."""
    at_least = rule.exactly if rule.exactly is not None else rule.at_least
    at_most = rule.exactly if rule.exactly is not None else rule.at_most
    if not rule.end_uses:
        yield RowBounds("", at_least, at_most, None)
        return
    both = at_least is not None and at_most is not None
    if at_least is not None:
        yield RowBounds(" at least" if both else "", at_least, None, end_use_filter(rule.end_uses, surely=True))
    if at_most is not None:
        yield RowBounds(" at most" if both else "", None, at_most, end_use_filter(rule.end_uses, surely=False))


class Described(Protocol):
    """A rule with a sentence and a penalty."""

    @property
    def penalty(self) -> Decimal | None: ...
    def sentence(self) -> str: ...


def row_of(
    rule: Described,
    label: str,
    terms: tuple[Term, ...],
    at_least: Decimal | None = None,
    at_most: Decimal | None = None,
    reads: frozenset[str] | None = None,
) -> Row:
    return Row(label, terms, at_least, at_most, rule.sentence(), rule.penalty, reads)


def check_bounds(rule: Bounded) -> None:
    if (rule.exactly is None) == ((rule.at_least, rule.at_most) == (None, None)):
        raise ValueError("give either `exactly`, or at least one of `at_least` and `at_most`")
    if rule.at_least is not None and rule.at_most is not None and rule.at_least > rule.at_most:
        raise ValueError("`at_least` is greater than `at_most`")


def bounds_text(rule: Bounded) -> str:
    bounds = (("exactly", rule.exactly), ("at least", rule.at_least), ("at most", rule.at_most))
    return " and ".join(f"{word} {bound:,f} kg" for word, bound in bounds if bound is not None)


class Grouped(Covering, InMoney):
    """A limit on groups of materials, over periods of time."""

    per: Per = "year"
    """Time: every period, every calendar year, or the whole plan."""
    group_by: Literal["", "element", "material", "all"] = ""
    """Rows: one for every element, for every material, or for everything that the rule covers. Empty means by element if a stage is named, else by
    material. All together count in kilograms of their own basis, or with a stage in contained element."""
    penalty: PerKilogram | None = Field(default=None, gt=0)
    """Money per kilogram of violation, a number or like `5 USD/kg`. None means that it must be satisfied."""

    def time_text(self) -> str:
        return STRETCH[self.per] + (", by order date" if self.dated_by == "order" else "")

    @property
    def grouping(self) -> GroupBy:
        return self.group_by or "material"

    @property
    def in_element(self) -> bool:
        """True if a kilogram counts by its content of the element."""
        return self.grouping == "element"

    def group(self, material: Material) -> str:
        """Return the group of a material. Empty if the rule doesn't cover it."""
        if not self.covers(material):
            return ""
        return {"element": material.element, "material": material.id, "all": "all"}[self.grouping]

    def contained(self, material: Material) -> Decimal:
        """Return the weight of a kilogram. Raises `InputError` if it counts by contained element, and its content is unknown."""
        if not self.in_element:
            return Decimal(1)
        if material.content is None:
            raise InputError(
                f"rule `{self.id}` counts contained {material.element}, but the content of {material.id} is unknown",
                column="materials.content",
                expected=f"kilograms of {material.element} per kilogram",
                fix="add `content` to the material, or list other `materials` in the rule",
                code="FS309",
            )
        return material.content

    def grouping_text(self) -> str:
        if self.grouping == "all":
            return "all together, in contained element" if self.in_element else "all together"
        return "in contained element, element by element" if self.grouping == "element" else "material by material"


By = Literal["country", "bloc", "supplier", "parent", "facility"]
Count = Callable[[Chained, Place], Decimal]
Belongs = Callable[[Chained], bool]
_ZERO = Decimal(0)
NOUN: dict[By, str] = {
    "country": "country", "bloc": "bloc", "supplier": "supplier", "parent": "parent company", "facility": "site"
}  # fmt: skip
NOUNS: dict[By, str] = {
    "country": "countries", "bloc": "blocs", "supplier": "suppliers", "parent": "parent companies", "facility": "sites"
}  # fmt: skip


def _blocs_in_json(blocs: tuple[tuple[str, frozenset[str]], ...]) -> dict[str, list[str]]:
    return {name: sorted(members) for name, members in blocs}


Blocs = Annotated[
    tuple[tuple[str, Countries], ...],
    BeforeValidator(as_pairs),
    PlainSerializer(_blocs_in_json, return_type=dict[str, list[str]], when_used="json"),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}),
]


class Counting(Grouped):
    """Common part of limits on shares and on numbers of suppliers. Without a stage, a purchase counts in kilograms of its material, by its seller's
    site. With a stage, it counts in kilograms of contained element, by the place of that stage, and only offers that perform the stage count.
    """

    by: By = "country"
    """Counted entities: countries, blocs of countries, companies that operate the site, their parents, or sites."""
    blocs: Blocs = ()
    """With `by = "bloc"`: the countries of each bloc. A country in none is a bloc of its own."""
    stage: Stage | None = None
    """Stage whose countries count. None means the country of the site."""
    places: Countries = frozenset()
    """Countries whose demand counts. Empty means all. A purchase that may also end elsewhere counts for a maximum, but not for a minimum."""
    end_uses: EndUses = frozenset()
    """End uses whose demand counts, like `["defense"]`. Empty means all. A purchase counts for the use of its compliance class; one for several uses
    counts for a maximum, but not for a minimum."""
    each_place: bool = False
    """True to count every place of delivery separately."""
    at: Annotated[tuple[str, ...], Names("place")] = ()
    """Places of delivery, as countries or sites: only their purchases and demand count. Empty means all."""
    suppliers: tuple[str, ...] = ()
    """Companies whose sales count. Empty means all."""
    parents: tuple[str, ...] = ()
    """Parent companies whose subsidiaries' sales count. Empty means all."""
    facilities: Annotated[tuple[str, ...], Names("facility")] = ()
    """Sites whose sales count, by id. Empty means all."""
    offers: Annotated[tuple[str, ...], Names("offer")] = ()
    """Offers that count, by id. Empty means all."""
    inputs: Annotated[tuple[str, ...], Names("material")] = ()
    """Only offers with one of these inputs count, by material id. Empty means all."""

    @model_validator(mode="after")
    def _check_blocs(self) -> Self:
        if (self.by == "bloc") != bool(self.blocs):
            raise ValueError('`by = "bloc"` and `blocs` require each other. List the countries of each bloc in `blocs`')
        bloc_by_country: dict[str, str] = {}
        for name, members in self.blocs:
            for country in sorted(members):
                if country in bloc_by_country:
                    raise ValueError(f"{country} is in two blocs, `{bloc_by_country[country]}` and `{name}`")
                bloc_by_country[country] = name
        return self

    @property
    def grouping(self) -> GroupBy:
        return self.group_by or ("element" if self.stage is not None else "material")

    @property
    def in_element(self) -> bool:
        return self.grouping == "element" or (self.grouping == "all" and self.stage is not None)

    def groups(self, facts: Facts) -> list[tuple[str, Facts]]:
        """Return all groups with a demand, in order, each with the facts about its materials. A rule that selects materials includes pure inputs."""
        members = grouped((self.group(material), material.id) for material in facts.materials)
        demanded = {self.group(d.use.material) for d in facts.demands if self.is_here(d)}
        groups = demanded | (members.keys() if self.selects else set())
        return [(name, facts.about(members[name])) for name in sorted(groups) if name]

    @property
    def counted_end_uses(self) -> frozenset[str]:
        return self.end_uses

    def is_here(self, demand: DemandLine) -> bool:
        has_end_use = not self.end_uses or demand.use.end_use in self.end_uses
        is_delivered_here = self.is_at(demand.use.place)
        return is_delivered_here and has_end_use and (not self.places or demand.use.place.country in self.places)

    def is_at(self, place: Place) -> bool:
        return not self.at or place.id in self.at

    def demanded(self, facts: Facts, group: str, periods: Sequence[int], at: str = "") -> Decimal:
        def counts(demand: DemandLine) -> Decimal:
            use = demand.use
            is_counted = self.is_here(demand) and self.group(use.material) == group and at in ("", use.place.id)
            return self.contained(use.material) if is_counted else Decimal(0)

        return facts.demanded(counts, periods)

    def reads(self, facts: Facts) -> frozenset[str]:
        """Return the materials whose facts a row depends on. Makers further down need no mention, since the plan links their materials anyway."""
        return frozenset(material.id for material in facts.materials)

    def separate_places(self, facts: Facts) -> list[str]:
        """Return the places that count separately, or one empty name if all count together."""
        return [place.id for place in facts.places if self.is_at(place)] if self.each_place else [""]

    def takes_part(self, offer: Chained) -> bool:
        if self.stage is None:
            return True
        return bool(offer.entries(self.stage)) or self.stage in offer.missing

    def selected(self, offer: Chained) -> bool:
        if not self.selects_sellers:
            return True
        facility = offer.facility
        filters = (
            (self.suppliers, facility.supplier),
            (self.parents, facility.owner),
            (self.facilities, facility.id),
            (self.offers, offer.offer.id),
        )
        has_input = not self.inputs or any(line.material in self.inputs for line in offer.offer.inputs)
        return has_input and all(not names or value in names for names, value in filters)

    @property
    def selects_sellers(self) -> bool:
        return bool(self.suppliers or self.parents or self.facilities or self.offers or self.inputs)

    def counted(self, facts: Facts, group: str, surely: bool, at: str = "") -> Count:
        """Return the weight of a group's purchases at place `at` (empty means all). With `surely`, those that may end at other places don't count."""
        groups: dict[str, str] = {}
        contained: dict[str, Decimal] = {}

        def count(offer: Chained, place: Place) -> Decimal:
            is_here = at in ("", place.id) and self.is_at(place)
            name = offer.material.id
            if name not in groups:
                groups[name] = self.group(offer.material)
            if not is_here or groups[name] != group or not self.takes_part(offer):
                return _ZERO
            if not self.ends_here(facts, offer, place, surely):
                return _ZERO
            if name not in contained:
                contained[name] = self.contained(offer.material)
            return contained[name]

        return count

    def ends_here(self, facts: Facts, offer: Chained, place: Place, surely: bool) -> bool:
        if not self.places:
            return True
        ends = facts.ends(offer, place)
        return bool(ends) and ends <= self.places if surely else bool(ends & self.places)

    def possible_entities(self, offer: Chained) -> tuple[frozenset[str], bool]:
        """Return all entities that a purchase may count for, and whether the list is complete."""
        if self.by not in ("country", "bloc"):
            facility = offer.facility
            names = {"supplier": facility.supplier, "parent": facility.owner, "facility": facility.id}
            return frozenset({names[self.by]}), True
        if self.stage is None:
            return frozenset({self.bloc_of(offer.facility.country)}), True
        entries = self.stage_entries(offer, self.stage)
        countries = frozenset(self.bloc_of(country) for entry in entries for country in entry.countries)
        is_complete = bool(entries) and all(entry.complete and entry.countries for entry in entries)
        steps = [entry.stage for entry in entries]
        return countries, is_complete and (self.stage in offer.supplied or covers_stage(self.stage, steps, begun=True))

    def stage_entries(self, offer: Chained, stage: Stage) -> Sequence[ChainEntry]:
        return offer.entries(stage)

    def bloc_of(self, country: str) -> str:
        return next((name for name, members in self.blocs if country in members), country)

    def members(self, facts: Facts, group: str) -> list[Chained]:
        return [
            offer
            for offer in facts.offers
            if self.group(offer.material) == group and self.takes_part(offer) and self.selected(offer)
        ]

    def entities(self, facts: Facts, group: str) -> list[str]:
        return sorted(frozenset().union(*(self.possible_entities(offer)[0] for offer in self.members(facts, group))))

    def place_and_time_text(self) -> str:
        at = f", at {listed(self.at, 'or')}" if self.at else ""
        return f"{at}, {self.time_text()}{', at each place' if self.each_place else ''}"

    def sellers_text(self) -> str:
        names = listed((*self.suppliers, *self.parents, *self.facilities, *self.offers), "or")
        sold = f" from {names}" if names else ""
        made = f" made of {listed(self.inputs, 'or')}" if self.inputs else ""
        return sold + made


class ByCountries(Counting):
    """A limit that may apply to some countries only."""

    countries: Countries = frozenset()
    """Countries to which it applies. Empty means all."""
    except_countries: Countries = frozenset()
    """Countries to which it doesn't apply."""

    def about(self, names: Iterable[str]) -> list[str]:
        """Return the names to which it applies. A bloc is included if one of its countries is named and not all are excepted."""
        members = dict(self.blocs)
        return [name for name in names if self._is_about(members.get(name, frozenset({name})))]

    def _is_about(self, members: frozenset[str]) -> bool:
        listed_here = not self.countries or self.by not in ("country", "bloc") or bool(members & self.countries)
        return listed_here and not members <= self.except_countries

    def named_entities(self) -> frozenset[str]:
        """Return the entities of the named countries. Empty if it names none."""
        if self.by not in ("country", "bloc"):
            return frozenset()
        return frozenset(self.bloc_of(country) for country in self.countries)

    def countries_text(self) -> str:
        named = f" of {country_list(self.countries, 'or')}" if self.countries else ""
        other = f" other than {country_list(self.except_countries, 'or')}" if self.except_countries else ""
        return named + other

    def sets_by_entity(self, facts: Facts, group: str) -> list[tuple[str, Belongs]]:
        """Return the offers that may count for each entity, by name: all named or present, and "unknown" if an incomplete list may hide one."""
        named = self.named_entities()
        entities_by_offer = {id(offer): self.possible_entities(offer) for offer in self.members(facts, group)}
        names = self.about(sorted(named.union(*(entities for entities, _ in entities_by_offer.values()))))
        has_hidden = not named and not all(complete for _, complete in entities_by_offer.values())
        unknown = [("unknown", self.may_count_for(frozenset(), entities_by_offer))] if has_hidden else []
        return [(name, self.may_count_for(frozenset({name}), entities_by_offer)) for name in names] + unknown

    def may_count_for(
        self, entities: frozenset[str], entities_by_offer: dict[int, tuple[frozenset[str], bool]]
    ) -> Belongs:
        """Return a test for offers that may count for one of `entities`, unless they surely count for others. `entities_by_offer` caches `possible_entities`."""

        def belongs(offer: Chained) -> bool:
            if id(offer) not in entities_by_offer:
                entities_by_offer[id(offer)] = self.possible_entities(offer)
            names, complete = entities_by_offer[id(offer)]
            return not complete or not names.isdisjoint(entities)

        return belongs
