"""Input and output of rules: a move of an offer, its final use, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from .base import Record, exact, is_boolean
from .facts import ChainEntry, Facility, Material, Offer, Place
from .stages import Stage


def _fact(value: object) -> bool | Decimal | str:
    return bool(value) if is_boolean(value) else value if isinstance(value, str) else exact(value)


def _fact_in_json(value: bool | Decimal | str) -> bool | float | str:
    return float(value) if isinstance(value, Decimal) else value


Fact = Annotated[
    bool | Decimal | str,
    PlainValidator(_fact),
    PlainSerializer(_fact_in_json, when_used="json"),
    WithJsonSchema({"type": ["boolean", "number", "string"]}),
]
"""A stated fact of an item: `cots = true`, `tungsten_share = 0.6`."""


PROGRAM = "program"
"""Fact of a demand that names its program."""


class Use(Record):
    """The final demand, as rules see it. It has no dates: the caller knows when a rule applies."""

    material: Material
    """The demanded good."""
    end_use: str
    """`defense`, `civil`, or another word of the case."""
    place: Place
    """Place of the demand."""
    buyer: str = ""
    """Buyer, for rules that name buyers."""
    facts: tuple[tuple[str, Fact], ...] = ()
    """Facts of the item, sorted by name. Missing facts are unknown."""

    @property
    def stated(self) -> Mapping[str, Fact]:
        return dict(self.facts)


_TERMS = (
    "price", "quotes", "start", "end", "min_order", "max_order", "lot", "max_lots", "max_per_year", "total", "onboarding", "onboarding_currency",
    "qualification", "take_or_pay", "take_or_pay_share", "lead_time", "capacity_use", "lanes",
)  # fmt: skip
"""Fields of an offer that say nothing about its goods."""


class Chained(Record):
    """An offer, as rules see it: its output, its origin, and the stages that it performs or leaves open."""

    offer: Offer
    material: Material
    """The output that is moved."""
    facility: Facility
    performed: tuple[ChainEntry, ...]
    """Stages that it performs. An entry with evidence that the case doesn't accept is marked incomplete."""
    missing: frozenset[Stage] = frozenset()
    """Stages that its material must have and that neither it nor its inputs cover."""
    supplied: frozenset[Stage] = frozenset()
    """Stages that its inputs cover, by their materials."""
    source: bool = True
    """True if it has no inputs, so that its stages are the whole chain of its good."""

    @cached_property
    def stage_entries(self) -> tuple[ChainEntry, ...]:
        """The stages that it performs, without those of other elements, which don't prove a stage of the good."""
        return tuple(entry for entry in self.performed if not entry.element)

    def entries(self, stage: Stage) -> tuple[ChainEntry, ...]:
        """Return the entries of a stage. The collection of scrap doesn't say where its metal was mined."""
        return tuple(
            e.but(countries=frozenset(), complete=False) if e.unmined else e
            for e in self.stage_entries
            if e.main_stage is stage
        )

    def without_terms(self) -> Chained:
        """Return it without prices, terms, lanes, lead times, and capacities: what is left is what it is, who makes it, and where."""
        offer = self.offer.but(**{name: Offer.model_fields[name].get_default() for name in _TERMS})
        return self.but(offer=offer, facility=self.facility.but(capacity=()))

    @property
    def recycled(self) -> bool:
        return any(e.recycled for e in self.stage_entries)

    @cached_property
    def last_countries(self) -> tuple[frozenset[str], bool]:
        """Possible countries of its last recorded stage, and True if the list is complete and no later stage is missing."""
        if not self.stage_entries:
            return frozenset(), False
        last = max(e.main_stage.rank for e in self.stage_entries)
        entries = [e for e in self.stage_entries if e.main_stage.rank == last]
        countries = frozenset().union(*(e.countries for e in entries))
        is_last = all(stage.rank < last for stage in self.missing)
        return countries, is_last and all(e.complete and e.countries for e in entries)

    @cached_property
    def origin_contradicted(self) -> bool:
        """True if its stated customs origin is none of its last stage's (19 CFR 134.1(b)). Goods made from inputs may originate where the inputs do."""
        origin = self.offer.customs_origin
        is_checkable = bool(origin and self.source and self.last_countries[0])
        return is_checkable and not any(origin in entry.countries for entry in self.stage_entries)

    @cached_property
    def origins(self) -> tuple[frozenset[str], bool]:
        """Possible customs origins, and True if the list is complete: those of the last stage, unless the offer states one. Both if its stages contradict it."""
        countries, complete = self.last_countries
        if self.offer.customs_origin:
            if self.origin_contradicted:
                return frozenset({self.offer.customs_origin, *countries}), complete
            return frozenset({self.offer.customs_origin}), True
        return (countries, complete) if countries else (frozenset({self.facility.country}), False)


class Move(Record):
    """A purchase of one material from an offer for a place."""

    origin: Place
    """Place of the facility."""
    to: Place

    @property
    def crosses(self) -> bool:
        return self.origin.country != self.to.country


class Result(StrEnum):
    """Result of a rule, from best to worst."""

    PASS = "pass"
    UNPROVEN = "unproven"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {result: rank for rank, result in enumerate(Result)}


class Verdict(Record):
    """Verdict of a rule on a move for a use, with its reason."""

    result: Result
    rule: str = ""
    """Id of the deciding rule."""
    stage: str = ""
    """Deciding stage, for a rule of origin."""
    countries: tuple[str, ...] = ()
    """Deciding countries, sorted."""
    clause: str = ""
    """Deciding clause."""
    reason: str = ""
    """One sentence."""
    offer: str = ""
    """Offer, if other than the one that was judged: an input of an order."""
    license: bool = False
    """True if it is unproven only because an export license is missing, which the case may record or assume."""

    @property
    def passes(self) -> bool:
        return self.result is Result.PASS


# Not validated, so that the validator of verdicts is built only when a rule gives one.
PASS = Verdict.model_construct(result=Result.PASS)
"""Verdict of a rule that doesn't apply to a move, or finds nothing against it."""
