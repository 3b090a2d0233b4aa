"""Catena-X files: material demand by week and single-level bills of materials as demand, and capacity groups as capacities."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from math import ceil, floor
from pathlib import Path
from typing import Annotated

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from friendshore.domain.base import Record
from friendshore.domain.values import EndUse, IdentOrBlank, Kilograms, SiteOrBlank
from friendshore.domain.written import Written
from friendshore.errors import FriendshoreError, InputError, all_of, attempt
from friendshore.readers import Cell, Reader, ReadRequest, RecordRow, TableRows, read_record_rows
from friendshore.reading.records import record
from friendshore.reading.textfile import read_object

PARTS = "parts.csv"
_KILOGRAMS = {
    "unit:kilogram": Decimal(1),
    "unit:gram": Decimal("0.001"),
    "unit:tonneMetricTon": Decimal(1000),
    "unit:pound": Decimal("0.45359237"),
}
_WEEKS_PER_YEAR = 52
_MAX_LEVELS = 100
_FIX = "ask the partner to correct the file"


Amount = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Day = Annotated[date, BeforeValidator(lambda value: str(value)[:10]), Field(lt=date(9000, 1, 1))]
PartNumber = Annotated[str, BeforeValidator(lambda value: str(value).removeprefix("urn:uuid:").casefold())]


class PartRow(Record):
    """A part of the partner's files, and what friendshore should know about it."""

    number: Annotated[PartNumber, Written("MNR-7307")]
    """Number or global asset id of the part in the files."""
    material: Annotated[IdentOrBlank, Written("ndfeb-magnet")] = ""
    """Material of a catalog. Blank means none that is planned."""
    content: Annotated[Kilograms | None, Written("12 g")] = None
    """Mass of the material in a piece. Blank if the files state masses."""
    end_use: Annotated[EndUse, Written("civil")] = "civil"
    """End use of the demand."""
    place: Annotated[SiteOrBlank, Written("DE")] = ""
    """Place of delivery. Blank means the case's."""


class _CatenaModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class _Child(_CatenaModel):
    global_asset_id: PartNumber
    amount: Annotated[Amount, Field(validation_alias=AliasPath("quantity", "value"))]
    unit: Annotated[str, Field(validation_alias=AliasPath("quantity", "unit"))]
    start: Annotated[Day, Field(validation_alias=AliasPath("validityPeriod", "validFrom"))] = date.min
    end: Annotated[Day, Field(validation_alias=AliasPath("validityPeriod", "validTo"))] = date.max


class _Bill(_CatenaModel):
    global_asset_id: PartNumber
    child_items: tuple[_Child, ...]


class _Week(_CatenaModel):
    point_in_time: Day
    demand: Amount


class _Series(_CatenaModel):
    demands: tuple[_Week, ...] = ()


class _MaterialDemand(_CatenaModel):
    unit_of_measure: str
    material_number_customer: PartNumber = ""
    material_global_asset_id: PartNumber = ""
    material_demand_is_inactive: bool = False
    demand_series: tuple[_Series, ...]


class _WeeklyCapacity(_CatenaModel):
    point_in_time: Day
    actual_capacity: Amount
    agreed_capacity: Amount | None = None


class _LinkedSeries(_CatenaModel):
    load_factor: Amount = Decimal(1)
    material_number_customer: str = ""
    material_number_supplier: str = ""


class _CapacityGroup(_CatenaModel):
    unit_of_measure: str
    capacity_group_is_inactive: bool = False
    linked_demand_series: tuple[_LinkedSeries, ...] = ()
    capacities: tuple[_WeeklyCapacity, ...]


class CatenaReader(Reader):
    """Demand from a folder of Catena-X files, with a row per part and month."""

    name = "catena-x"
    example = "example/partner"

    def demand(self, request: ReadRequest) -> TableRows:
        file, rows = read_record_rows(request.path / PARTS, PartRow, "Parts of Catena-X files, and their materials.")
        demand, errors = _PartDemand(rows), list[FriendshoreError]()
        for path in sorted(request.path.glob("*.json")):
            attempt(partial(demand.read, path), errors)
        for week in demand.weekly if not errors else ():
            attempt(partial(demand.add, *week), errors)
        if not demand.weekly and not errors:
            message, expected = "the folder has no week-based material demand", "a file `*.json` with it"
            errors.append(InputError(message, str(request.path), expected=expected, code="FS992"))
        for row in [row for row in rows if demand.parts[row.record.number] is not row]:
            message, fix = "a later row has the same part", "delete one of the rows"
            errors.append(InputError(message, file, row.line, "number", row.record.number, fix=fix, code="FS994"))
        if errors:
            raise all_of(problem for error in errors for problem in error.problems)
        return TableRows.of(demand.records(), file)


class _PartDemand:
    """Kilograms by part, year, and month."""

    def __init__(self, rows: list[RecordRow[PartRow]]) -> None:
        self.parts = {row.record.number: row for row in rows}
        self.bills: dict[str, tuple[_Child, ...]] = {}
        self.weekly: list[tuple[str, str, Decimal, str, date]] = []
        """File, part, amount, unit, and first day of each weekly demand."""
        self.kilograms: dict[tuple[str, int, int], Decimal] = {}

    def read(self, path: Path) -> None:
        """Read a demand or a bill of materials. Raise InputError if the file is neither."""
        data = read_object(path, _FIX)
        if "childItems" in data:
            bill = record(_Bill, data, str(path))
            self.bills[bill.global_asset_id] = bill.child_items
        elif "demandSeries" in data:
            stated = record(_MaterialDemand, data, str(path))
            number = stated.material_number_customer
            number = number if number in self.parts else stated.material_global_asset_id or number
            weeks = [] if stated.material_demand_is_inactive else [w for s in stated.demand_series for w in s.demands]
            self.weekly += [(str(path), number, w.demand, stated.unit_of_measure, w.point_in_time) for w in weeks]
        else:
            expected = "a week-based material demand, or a single-level bill of materials as planned"
            raise InputError("is of an unknown kind", str(path), expected=expected, fix=_FIX, code="FS991")

    def add(self, file: str, number: str, amount: Decimal, unit: str, day: date, above: tuple[str, ...] = ()) -> None:
        """Add the materials in an amount of a part. Raise InputError if the part or its content isn't known."""
        row, shown = self.parts.get(number), f"`{number[:80]}`"
        if number in above or len(above) > _MAX_LEVELS:
            message = "a part contains itself, or too many levels"
            raise InputError(message, file, None, "childItems", shown, fix=_FIX, code="FS995")
        if row is None and number in self.bills:
            for child in self.bills[number]:
                if child.start <= day <= child.end:
                    self.add(file, child.global_asset_id, amount * child.amount, child.unit, day, (*above, number))
        elif row is None:
            fix = f"add it to {PARTS}, with a blank material if it has none that is planned"
            raise InputError("a part isn't in the table of parts", file, None, "", shown, fix=fix, code="FS994")
        elif row.record.material:
            content = row.record.content if unit == "unit:piece" else _KILOGRAMS.get(unit)
            if content is None:
                message, fix = f"the mass in a `{unit[:40]}` isn't known", f"write `content` into {PARTS}"
                raise InputError(message, file, None, "", shown, fix=fix, code="FS994")
            key = number, day.year, day.month
            self.kilograms[key] = self.kilograms.get(key, Decimal(0)) + amount * content

    def records(self) -> Iterator[dict[str, Cell]]:
        for (part, year, month), kilograms in sorted(self.kilograms.items()):
            row, days = self.parts[part], monthrange(year, month)[1]
            yield {
                "id": f"part-{row.line}/{year}-{month:02}",
                "material": row.record.material,
                "end_use": row.record.end_use,
                "place": row.record.place,
                "per_year": f"{ceil(kilograms * 1000 * 365 / days)} g/year",
                "from": f"{year}-{month:02}-01",
                "until": f"{year}-{month:02}-{days}",
                "why": "Catena-X material demand",
            }


def capacity_rates(data: Mapping[str, object], file: str, product: str) -> dict[date, str]:
    """Return the yearly rates of a capacity group from each day on, at 52 weeks a year. A week without a figure has no capacity.

    Raises:
        InputError: If a figure can't be read, or the group is inactive, isn't for the product, or doesn't state masses.
    """
    group = record(_CapacityGroup, data, file)
    if group.unit_of_measure not in _KILOGRAMS or group.capacity_group_is_inactive:
        message, expected = "isn't an active capacity in a unit of mass", ", ".join(_KILOGRAMS)
        raise InputError(message, file, None, "unitOfMeasure", f"`{group.unit_of_measure}`", expected, _FIX, "FS993")
    series = group.linked_demand_series
    linked = [s for s in series if not product or product in (s.material_number_customer, s.material_number_supplier)]
    loads = {entry.load_factor for entry in linked} or ({Decimal(0)} if product else {Decimal(1)})
    if len(loads) > 1 or Decimal(0) in loads:
        message, expected = "the product's load isn't known", "one linked product with a load factor"
        raise InputError(message, file, None, "linkedDemandSeries", f"`{product}`", expected, _FIX, "FS993")
    scale = _KILOGRAMS[group.unit_of_measure] * _WEEKS_PER_YEAR * 1000 / min(loads)
    rates = {week.point_in_time + timedelta(days=7): Decimal(0) for week in group.capacities}
    for week in group.capacities:
        # The agreed capacity may exceed the actual one, and the maximum requires extra shifts.
        stated = week.actual_capacity if week.agreed_capacity is None else week.agreed_capacity
        rates[week.point_in_time] = min(week.actual_capacity, stated) * scale
    return {day: f"{floor(rate)} g/year" for day, rate in sorted(rates.items())}
