"""Price schedules: rows that belong together become the tiers of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Any

from ..domain.base import exact
from ..domain.facts import Material, Offer, Price
from ..domain.quantities import Mass, Money, UnitPrice
from ..domain.tiers import PriceSchedule, Tier
from ..reading.csvfile import Row, Table
from . import columns
from .state import Reading, pick
from .subjects import one_material, read_subject

_SCHEDULE = ("of", "id", "materials", "kind", "per", "from", "until")
"""Columns by which rows belong to one schedule."""


def read_tiers(reading: Reading) -> tuple[PriceSchedule, ...]:
    """The price schedules of the catalog."""
    table = reading.table(columns.TIERS)
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in table.rows:
        row.values.setdefault("of", "offer")
    for row in table.unique(*_SCHEDULE, "least"):
        groups.setdefault(tuple(row.values.get(column) for column in _SCHEDULE), []).append(row)
    made = []
    for rows in groups.values():
        schedule = _Reader(reading, table, rows).schedule()
        if schedule is not None:
            made.append((schedule, rows[0]))
    alike: dict[tuple[str, str], list[tuple[PriceSchedule, Row]]] = {}
    for schedule, row in made:
        alike.setdefault((schedule.of, schedule.id), []).append((schedule, row))
    pairs = (pair for group in alike.values() for pair in combinations(group, 2))
    for (first, first_row), (second, row) in pairs:
        if first.overlaps(second):
            table.problem(
                row,
                "id",
                f"the schedule that begins in line {first_row.line} bears on the same purchases",
                expected="one schedule for a purchase of the same offer, facility or supplier",
                fix="delete one, or keep their materials or dates apart",
            )
    return tuple(sorted((schedule for schedule, _ in made), key=lambda schedule: schedule.order))


def with_list_prices(offers: Sequence[Offer], schedules: Sequence[PriceSchedule]) -> tuple[Offer, ...]:
    """Offers whose price stands only in their price list: the first tier's is what they cost before any is reached."""
    first = {
        schedule.id: Price(amount=schedule.tiers[0].price, currency=schedule.currency, source=schedule.source)
        for schedule in reversed(schedules)
        if schedule.of == "offer" and schedule.tiers[0].price is not None
    }
    return tuple(
        offer.model_copy(update={"price": first[offer.id]})
        if offer.price is None and not offer.quotes and offer.id in first
        else offer
        for offer in offers
    )


class _Reader:
    """Reads the rows of one schedule."""

    def __init__(self, reading: Reading, table: Table, rows: list[Row]) -> None:
        self.reading, self.table = reading, table
        self.rows = sorted(rows, key=_begins)
        self.values = self.rows[0].values
        self.unread = False
        """Whether a figure cannot be converted, for a reason that has been told."""

    def schedule(self) -> PriceSchedule | None:
        """The schedule; None with problems recorded if a row has a mistake."""
        before = len(self.reading.found)
        source = {self.reading.source(self.table, row) for row in self.rows}
        materials = read_subject(self.reading, self.table, self.rows[0])
        measure = self._measure()
        tiers = [self._tier(row, materials, measure) for row in self.rows]
        for row, tier, above in zip(self.rows, tiers, tiers[1:], strict=False):
            if tier.least >= above.least and not self.unread:
                self.table.problem(row, "least", "the schedule's tiers are not apart", fix="give all in one substance")
        currency = self._currency()
        if self.unread or len(self.reading.found) > before or any(row.bad for row in self.rows):
            return None
        return PriceSchedule(
            **pick(self.rows[0], of="of", id="id", kind="kind", per="per", start="from", end="until"),
            materials=frozenset(self.values.get("materials", ())),
            measure=measure,
            currency=currency,
            tiers=tuple(tiers),
            source=min(source),
        )

    def _measure(self) -> str:
        """What thresholds are in: a bare 0 goes with either."""
        kinds = {type(row.values.get("least")): row for row in self.rows if "least" in row.values and _begins(row)}
        if len(kinds) > 1:
            self.table.problem(
                kinds[Money],
                "least",
                "some tiers of the schedule begin at a mass, others at an amount of money",
                expected="all of one kind",
            )
        first = self.rows[0]
        if "least" in first.values and _begins(first):
            self.table.problem(
                first, "least", "the first tier of the schedule does not begin at 0", fix="add a row with `least` 0"
            )
        return "money" if Money in kinds else "quantity"

    def _tier(self, row: Row, materials: list[Material], measure: str) -> Tier:
        values = row.values
        price = self._price(row, materials)
        if price is not None and "discount" in values:
            self.table.problem(row, "discount", "a price and a discount are both given", expected="one of the two")
        if price is not None and measure == "money":
            self.table.problem(
                row,
                "price",
                "a tier that begins at an amount of money cannot name a price for units",
                expected="a discount, or thresholds that are masses",
            )
        lump = values.get("lump")
        share: Decimal | None = values.get("discount")
        return Tier(
            least=self._least(row, materials),
            price=price,
            discount=share if price is None else None,
            lump=lump.amount if lump else Decimal(0),
        )

    def _least(self, row: Row, materials: list[Material]) -> Decimal:
        least: Mass | Money | None = row.values.get("least")
        if isinstance(least, Mass) and least.substance is not None:
            one = one_material(self.table, row, "least", materials)
            kg = self.reading.kg(self.table, row, "least", one)
            self.unread |= kg is None
            return kg or Decimal(0)
        return _begins(row)

    def _price(self, row: Row, materials: list[Material]) -> Decimal | None:
        price: UnitPrice | None = row.values.get("price")
        if price is not None and price.substance is not None:
            one = one_material(self.table, row, "price", materials)
            price = self.reading.unit_price(self.table, row, "price", one)
        return None if price is None else exact(price.amount)

    def _currency(self) -> str:
        """The one currency of all figures of the schedule; empty where there is no money in it."""
        found: dict[str, tuple[Row, str]] = {}
        for row, column in self._moneys():
            found.setdefault(row.values[column].currency, (row, column))
        if len(found) > 1:
            row, column = list(found.values())[1]
            self.table.problem(
                row,
                column,
                "the schedule names several currencies",
                expected=f"one currency, like {next(iter(found))} above",
            )
        return next(iter(found), "")

    def _moneys(self) -> Iterator[tuple[Row, str]]:
        for row in self.rows:
            for column in ("least", "price", "lump"):
                if isinstance(row.values.get(column), Money | UnitPrice):
                    yield row, column


def _begins(row: Row) -> Decimal:
    """Where a tier begins, in kilograms or money; 0 where that cannot be read."""
    least = row.values.get("least")
    if isinstance(least, Money):
        return exact(least.amount)
    return exact(least.kg) if isinstance(least, Mass) else Decimal(0)
