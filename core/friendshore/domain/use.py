"""What a rule judges: a move of an offer, and the final use it serves; and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from .base import Record, exact, is_truth
from .facts import ChainEntry, Facility, Material, Offer, Place
from .stages import Stage


def _fact(value: object) -> bool | Decimal | str:
    return bool(value) if is_truth(value) else value if isinstance(value, str) else exact(value)


def _fact_in_json(value: bool | Decimal | str) -> bool | float | str:
    return float(value) if isinstance(value, Decimal) else value


Fact = Annotated[
    bool | Decimal | str,
    PlainValidator(_fact),
    PlainSerializer(_fact_in_json, when_used="json"),
    WithJsonSchema({"type": ["boolean", "number", "string"]}),
]
"""One stated fact of an item: `cots = true`, `tungsten_share = 0.6`."""


PROGRAM = "programme"
"""Fact of a demand that names its program."""


class Use(Record):
    """The final demand as a rule sees it. Dates are kept apart: the caller knows on which a rule applies."""

    material: Material
    """The good demanded in the end."""
    end_use: str
    """`defense` or `civil`, or a word of the case's own."""
    place: Place
    """Where it is wanted."""
    buyer: str = ""
    """Who buys, where a rule names buyers."""
    facts: tuple[tuple[str, Fact], ...] = ()
    """What the case states of the item, sorted by name; what is not stated is unknown."""

    @property
    def stated(self) -> Mapping[str, Fact]:
        """The facts by name."""
        return dict(self.facts)


class Chained(Record):
    """An offer as a rule sees it: what it delivers, from where, and which stages it performs or leaves open."""

    offer: Offer
    material: Material
    """The output that is moved."""
    facility: Facility
    performed: tuple[ChainEntry, ...]
    """The stages it performs itself; an entry whose evidence the case does not accept is marked incomplete."""
    missing: frozenset[Stage] = frozenset()
    """Stages its material must have that neither it nor its inputs cover."""
    supplied: frozenset[Stage] = frozenset()
    """Stages that its inputs cover, by the materials they are."""
    source: bool = True
    """Whether it has no inputs, so that its stages are the whole chain of what it delivers."""

    def entries(self, stage: Stage) -> tuple[ChainEntry, ...]:
        """The entries of one stage. Where scrap was collected is no answer to where its metal was mined."""
        return tuple(
            e.but(countries=frozenset(), complete=False) if e.unmined else e
            for e in self.performed
            if e.main_stage is stage
        )

    @property
    def recycled(self) -> bool:
        """True if its feed, or a part of it, is recycled."""
        return any(e.recycled for e in self.performed)

    @cached_property
    def last_countries(self) -> tuple[frozenset[str], bool]:
        """Where the last stage it performs may have happened, and whether that list is complete."""
        if not self.performed:
            return frozenset(), False
        last = max(e.main_stage.rank for e in self.performed)
        entries = [e for e in self.performed if e.main_stage.rank == last]
        countries = frozenset().union(*(e.countries for e in entries))
        return countries, all(e.complete and e.countries for e in entries)

    @cached_property
    def origin_contradicted(self) -> bool:
        """True if it states a customs origin where it does nothing, and says where its last stage is done.

        Goods originate where they were last changed in substance (19 CFR 134.1(b)): a statement of another country proves nothing. What is made of
        inputs may originate where these do.
        """
        stated = self.offer.customs_origin
        known = bool(stated and self.source and self.last_countries[0])
        return known and not any(stated in entry.countries for entry in self.performed)

    @cached_property
    def origins(self) -> tuple[frozenset[str], bool]:
        """Possible customs origins and whether the list is complete: the last stage's, unless the offer says; both, where its stages contradict it."""
        countries, complete = self.last_countries
        if self.offer.customs_origin:
            contradicted = self.origin_contradicted
            return frozenset(
                {self.offer.customs_origin, *(countries if contradicted else ())}
            ), complete or not contradicted
        return (countries, complete) if countries else (frozenset({self.facility.country}), False)


class Move(Record):
    """One material bought from an offer for one place."""

    origin: Place
    """The facility's place."""
    to: Place

    @property
    def crosses(self) -> bool:
        """True if it crosses a border."""
        return self.origin.country != self.to.country


class Result(StrEnum):
    """What a rule finds, from best to worst."""

    PASS = "pass"
    UNPROVEN = "unproven"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        """Position from best to worst."""
        return _RANKS[self]


_RANKS = {result: rank for rank, result in enumerate(Result)}


class Verdict(Record):
    """A rule's answer for one move and use, with what decided it."""

    result: Result
    rule: str = ""
    """Id of the rule that decided."""
    stage: str = ""
    """Stage that decided, for a rule of origin."""
    countries: tuple[str, ...] = ()
    """Countries that decided, sorted."""
    clause: str = ""
    """Citation of the clause that decided."""
    reason: str = ""
    """One sentence."""
    offer: str = ""
    """Offer that it is about, if that isn't the one that was judged: of an order, one of its inputs."""
    licence: bool = False
    """Unproven only for want of an export licence: the case may record or assume one."""

    @property
    def passes(self) -> bool:
        """True if it passed."""
        return self.result is Result.PASS


PASS = Verdict.model_construct(
    result=Result.PASS
)  # not checked: what checks verdicts is made when a rule first gives one
"""The verdict of a rule that does not bear on a move, or finds nothing against it."""
