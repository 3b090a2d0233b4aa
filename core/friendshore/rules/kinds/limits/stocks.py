"""What must be, or may be, in stock: cover in days of demand, and kilograms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ....domain.base import Number, as_decimal, grouped
from ....domain.facts import Material, Place
from ...base import DemandLine, Facts, Names
from ...rows import Row, Term, lacking
from ..shared import Covering, EndUses, InMoney, Kilograms, PerKilogram, WeightTable, for_use, listed
from .grouped import ends, in_words, must_bound, row_of


class Cover(Covering, InMoney):
    """Stock for so many days of demand, at the end of every period.

    Stock counts if it may be delivered to the demand that it covers: if it was bought for the compliance class of the coming
    deliveries, or for one at least as strict. What lies unused in lots is set aside for nobody and does not count, nor does
    what could be delivered under a waiver only.
    """

    watches_stock: ClassVar[bool] = True

    model_config = {"json_schema_extra": {"examples": [{"days": 30}]}}

    kind: Literal["cover"] = "cover"
    days: Number = Field(gt=0)
    """Days of demand after the end of the period, each period's spread evenly over its days; beyond the plan the last
    period's rate."""
    places: Annotated[tuple[str, ...], Names("place")] = ()
    """Places whose demand is covered; none: all."""
    end_uses: EndUses = frozenset()
    """End uses that are covered; none: all."""
    penalty: PerKilogram | None = Field(default=None, gt=0)
    """Money per kilogram, a number or like `5 USD/kg`, by which it may be missed in a period; none: it must hold."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        """For every material and place with a demand, and every period, a row for each set of demands on the same stock.

        A soft rule has one row instead, for the worst of these sets: what is missing is priced once.
        """
        covered = (demand for demand in facts.demands if self._is_covered(demand))
        shelves = grouped(((demand.use.material.id, demand.use.place.id), demand) for demand in covered)
        for (material, place), demands in sorted(shelves.items()):
            for label, periods in facts.spans("period"):
                wanted = [entry for demand in demands for entry in self._coming(facts, demand, periods[0])]
                found = facts.usable(wanted, periods[0])
                yield from self._rows(f"{material} {place}", label, found)

    def _rows(self, what: str, label: str, found: Iterable[tuple[str, Term, Decimal]]) -> Iterator[Row]:
        sets = list(found)
        if self.penalty is None or len(sets) < 2:
            for name, term, quantity in sets:
                yield row_of(self, f"{what} {name} {label}", (term,), at_least=quantity)
        else:
            missing = lacking(*((quantity, term) for _, term, quantity in sets))
            yield row_of(self, f"{what} {label}", (missing,), at_most=Decimal(0))

    def _is_covered(self, demand: DemandLine) -> bool:
        use = demand.use
        here = not self.places or use.place.id in self.places
        return here and self.covers(use.material) and (not self.end_uses or use.end_use in self.end_uses)

    def _coming(self, facts: Facts, demand: DemandLine, period: int) -> Iterator[tuple[DemandLine, int, Decimal]]:
        """What a demand wants on the days after a period, with the period of the delivery."""
        left = Fraction(self.days)
        periods = facts.horizon.periods
        last = len(periods) - 1
        for t in range(period + 1, last + 1):
            part = min(left, Fraction(periods[t].days))
            yield from self._part(demand, t, part / periods[t].days)
            left -= part
        yield from self._part(demand, last, left / periods[last].days)

    @staticmethod
    def _part(demand: DemandLine, period: int, share: Fraction) -> Iterator[tuple[DemandLine, int, Decimal]]:
        quantity = Fraction(demand.quantity[period]) * share
        if quantity:
            yield demand, period, as_decimal(quantity)

    def sentence(self) -> str:
        where = f" at {listed(self.places, 'or')}" if self.places else ""
        return f"Stock of {self.subject()}{for_use(self.end_uses)}{where} must cover {self.days.normalize():f} days of demand at the end of every period."


class StockLevel(Covering, InMoney):
    """Kilograms in stock at the end of every period, or of the plan: no less, no more, or exactly so much.

    All that is there counts, whoever it is set aside for, what lies unused in lots too; with `end_uses`, what is set aside for these.
    """

    model_config = {"json_schema_extra": {"examples": [{"at_least": "5 kg"}]}}

    kind: Literal["stock-level"] = "stock-level"
    exactly: Kilograms | None = None
    """So much."""
    at_least: Kilograms | None = None
    """No less than so much."""
    at_most: Kilograms | None = None
    """No more than so much."""
    when: Literal["every-period", "end"] = "every-period"
    """At the end of every period, or of the last one alone."""
    places: Annotated[tuple[str, ...], Names("place")] = ()
    """Places where it lies; none: all."""
    end_uses: EndUses = frozenset()
    """End uses that it is set aside for; none: whoever it is for. What lies unused in lots is set aside for nobody; what is kept for
    several uses at once counts where it may be too much, and not where it may be too little."""
    together: bool = False
    """Whether all these materials and places are counted in one row; false: each material at each place in its own."""
    weights: Annotated[WeightTable, Names("material")] = ()
    """What a kilogram of a material counts, like the room it takes: `{ oxide = 1, metal = 0.4 }`; 1 where it is not named."""
    penalty: PerKilogram | None = Field(default=None, gt=0)
    """Money per kilogram, a number or like `5 USD/kg`, by which it may be missed at the end of a period; none: it must hold."""

    @model_validator(mode="after")
    def _says_how_much(self) -> StockLevel:
        must_bound(self)
        return self

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for every period and material at a place, or for all of them together."""
        last = len(facts.horizon.periods) - 1
        for name, part, place in self._heaps(facts):
            for label, periods in facts.spans("period"):
                for end in ends(self) if self.when == "every-period" or periods == (last,) else ():
                    stock = part.stock(self._count(place), periods, end.for_uses)
                    reads = frozenset(material.id for material in part.materials)
                    yield row_of(self, f"{name} {label}{end.name}", (stock,), end.at_least, end.at_most, reads)

    @property
    def counted_end_uses(self) -> frozenset[str]:
        return self.end_uses

    def _heaps(self, facts: Facts) -> Iterator[tuple[str, Facts, str]]:
        """What is counted in one row: a name, the facts about its materials, and the place if it is one."""
        materials = [material.id for material in facts.materials if self.covers(material)]
        if self.together:
            yield "together", facts.about(materials), ""
            return
        for material in materials:
            part = facts.about([material])
            for place in part.places:
                if not self.places or place.id in self.places:
                    yield f"{material} {place.id}", part, place.id

    def _count(self, at: str) -> Callable[[Material, Place], Decimal]:
        weights = dict(self.weights)

        def count(material: Material, place: Place) -> Decimal:
            here = place.id == at if at else not self.places or place.id in self.places
            return weights.get(material.id, Decimal(1)) if here and self.covers(material) else Decimal(0)

        return count

    def sentence(self) -> str:
        much = in_words(self)
        where = f" at {listed(self.places, 'or')}" if self.places else ""
        when = "at the end of every period" if self.when == "every-period" else "at the end of the plan"
        weighed = f", {listed(f'{name} times {weight:f}' for name, weight in self.weights)}" if self.weights else ""
        return f"Of {self.subject()}{for_use(self.end_uses)}{where}, {much}{' together' if self.together else ''} must lie in stock {when}{weighed}."
