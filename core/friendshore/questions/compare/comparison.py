"""Comparison of two plans as records, and named differences between the facts of two cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from itertools import zip_longest
from operator import itemgetter
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from ...domain.base import Number, Record
from ...domain.case import StoreSpec
from ...domain.change import Change
from ...domain.differences import paired
from ...domain.facts import Facility, Offer
from ...domain.plan import Cost
from ...domain.time import Span
from ...explain.results import Difference, Effort, QuestionResult
from ...problem.demands import demand_name
from ...problem.inputs import Inputs


class MixLine(Record):
    """Purchases of one material from one offer for one place in both plans."""

    offer: str
    facility: str
    material: str
    place: str
    before_kg: Number
    after_kg: Number
    moved_kg: Number
    """Kilograms bought more and less, summed over periods of delivery. A change of date counts twice."""


class MaterialLine(Record):
    """One material in both plans."""

    material: str
    before_kg: Number
    """Kilograms bought."""
    after_kg: Number
    moved_kg: Number
    """Kilograms bought more and less, over all offers, places, and periods of delivery."""
    short_before_kg: Number
    short_after_kg: Number
    wanted: Literal["both", "new", "removed"] = "both"
    """Plans with demand: `new` if only the second, `removed` if only the first."""

    def title(self, name: str) -> str:
        return name if self.wanted == "both" else f"{name} ({self.wanted})"


class DependenceLine(Record):
    """Cash for purchases of one material in both plans, and the part that is or may be of concern."""

    material: str = ""
    """Material. Empty for all."""
    paid_before: Number
    paid_after: Number
    concern_before: Number
    """Cash that is or may be of concern, by the first case's countries of concern."""
    concern_after: Number
    share_before: Number
    share_after: Number


class Step(Record):
    """A change on the way from one plan to the other."""

    title: str
    ended_changes: tuple[Change, ...]
    """Changes of the first plan that end with it."""
    started_changes: tuple[Change, ...]
    """Changes of the second plan that begin with it."""
    difference: Difference
    """Rise of the objective."""
    rise: Cost
    """Rise of each cost between the two plans found."""
    materials: tuple[MaterialLine, ...]
    """Materials that it moves or makes short. All others are unchanged."""
    mix: tuple[MixLine, ...]
    conflict: tuple[str, ...]
    """Rules that conflict after it."""


class FactLine(Record):
    """A fact that differs between two cases."""

    kind: str
    """Kind, such as `case`, `demand`, `rule`, `offer`, `price`, or `capacity`."""
    name: str
    before: str
    """Value in the first case. Empty if it doesn't exist there."""
    after: str


class Comparison(QuestionResult):
    """Two plans side by side, and the steps between them."""

    TABLES: ClassVar[tuple[str, ...]] = ("materials", "mix", "dependence", "steps", "facts")
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore.questions.compare.comparison_document:comparison_document"

    before: str
    """Name of the first plan."""
    after: str
    currency: str
    cost_before: Cost
    cost_after: Cost
    difference: Difference
    """Rise of the objective from the first plan to the second."""
    materials: tuple[MaterialLine, ...]
    """Every material with purchases or a shortage in either plan."""
    mix: tuple[MixLine, ...]
    """Every offer with purchases in either plan."""
    dependence: tuple[DependenceLine, ...] = ()
    """All purchases, then every material that either plan buys."""
    moved_kg: dict[str, Number] | None
    """Material -> kilograms bought more and less. None if the plans have different periods, which can't be compared."""
    min_moved_proved: bool
    """True if it is proved that no other plan of at most this cost moves fewer kilograms."""
    steps: tuple[Step, ...]
    """Steps from the first plan to the second, one change at a time. Empty if two cases or runs are compared."""
    facts: tuple[FactLine, ...]
    """Differences between the facts of two cases or runs."""
    conflict_before: tuple[str, ...]
    """Conflicting rules. Affected materials aren't planned and are missing from the figures."""
    conflict_after: tuple[str, ...]
    ranked: bool
    """True if a case ranks objectives. Cost is then that of the ranked plan."""
    decided_before: date | None = None
    """Date before which both plans keep the orders of the case's own plan. None if both are free from the start."""
    foreseen: date | None = None
    """First day after the first period on which a change takes effect, known to the plans from the start. None if there is none."""
    effort: Effort


_COMPARED_ELSEWHERE = (
    "demands", "stocks", "orders", "incumbents", "licenses", "waivers", "stores", "carryovers", "objectives", "overlaps", "rules",
    "scenarios",
)  # fmt: skip
_NOT_COMPARED = ("source", "catalog", "id")
_MAX_LENGTH = 60


def differing(first: Inputs, second: Inputs) -> list[FactLine]:
    lines = list(_fields("case", "", first.case, second.case, skipped={*_COMPARED_ELSEWHERE, "folder", "frozen"}))
    for kind, named in _RECORDS_BY_KIND.items():
        lines += _records(kind, named(first), named(second))
    return lines


_Named = Iterable[tuple[str, BaseModel]]


def _in_case(field: str, name: Callable[[Any], str]) -> Callable[[Inputs], _Named]:
    return lambda inputs: [(name(row), row) for row in getattr(inputs.case, field)]


def _in_catalogs(field: str, name: Callable[[Any], str]) -> Callable[[Inputs], _Named]:
    return lambda inputs: [(name(row), row) for catalog in inputs.catalogs for row in getattr(catalog, field)]


def _id(row: Any) -> str:
    return str(row.id)


_RECORDS_BY_KIND: Mapping[str, Callable[[Inputs], _Named]] = {
    "demand": lambda inputs: [(demand_name(demand, inputs.case), demand) for demand in inputs.case.demands],
    "stock": lambda inputs: zip(inputs.case.stock_names, inputs.case.stocks, strict=True),
    "order": lambda inputs: zip(inputs.case.order_names, inputs.case.orders, strict=True),
    "incumbent": _in_case("incumbents", lambda incumbent: incumbent.offer),
    "license": _in_case("licenses", lambda license: license.id or f"{license.rule} {license.exporter}"),
    "waiver": _in_case("waivers", lambda waiver: waiver.id or f"{waiver.rule} {waiver.demand}"),
    "store": _in_case("stores", lambda s: f"{s.material} at {s.place or 'the place of the case'}{_dates(s)}"),
    "objective": lambda inputs: [(str(rank), level) for rank, level in enumerate(inputs.case.objectives, 1)],
    "overlap": _in_case("overlaps", lambda overlap: " and ".join(overlap.facilities)),
    "rule": lambda inputs: [(rule.id, rule) for rule in inputs.rules],
    "offer": _in_catalogs("offers", _id),
    "facility": _in_catalogs("facilities", _id),
    "price": _in_catalogs("prices", _id),
    "term": _in_catalogs("terms", lambda terms: terms.name),
    "schedule": _in_catalogs("schedules", lambda schedule: schedule.name),
    "rate": _in_catalogs("rates", lambda rate: rate.currency),
}
_KIND_BY_FIELD = {("offer", "price"): "price", ("offer", "quotes"): "price", ("facility", "capacity"): "capacity"}


def _dates(store: StoreSpec) -> str:
    return f" {Span(start=store.start, end=store.end)}" if store.start or store.end else ""


def _records(kind: str, first: _Named, second: _Named) -> Iterator[FactLine]:
    counts = Counter[str]()
    for name, before, after in sorted(paired(first, second), key=itemgetter(0)):
        counts[name] += 1
        label = name if counts[name] == 1 else f"{name} #{counts[name]}"
        if before is not None and after is not None:
            yield from _fields(kind, label, before, after)
        else:
            yield FactLine(kind=kind, name=label, before=_presence(before), after=_presence(after))


def _fields(
    kind: str, name: str, old: BaseModel, new: BaseModel, skipped: Collection[str] = frozenset()
) -> Iterator[FactLine]:
    if old is new:
        return
    if type(old) is not type(new):
        yield FactLine(kind=kind, name=name, before=type(old).__name__, after=type(new).__name__)
        return
    for field in type(old).model_fields:
        if field in _NOT_COMPARED or field in skipped:
            continue
        before, after = shortened_pair(getattr(old, field), getattr(new, field))
        if before != after:
            shown_kind = _KIND_BY_FIELD.get((kind, field), kind)
            label = name if shown_kind != kind else f"{name} {field}".strip()
            yield FactLine(kind=shown_kind, name=label, before=before or "not stated", after=after or "not stated")


def _presence(row: BaseModel | None) -> str:
    match row:
        case None:
            return ""
        case Offer(price=price):
            return f"offered, at {_cut(_text(price))}" if price is not None else "offered"
        case Facility(capacity=steps):
            return f"present, capacity {_cut(_text(steps))}" if steps else "present"
    return "present"


def shortened_pair(first: object, other: object) -> tuple[str, str]:
    """Return two values, shortened from their first difference on. Equal values have equal texts."""
    texts = (_text(first), _text(other))
    if texts[0] == texts[1] or max(map(len, texts)) <= _MAX_LENGTH:
        return texts
    first_difference = next(i for i, (a, b) in enumerate(zip_longest(*texts)) if a != b)
    start = texts[0].rfind(" ", 0, first_difference) + 1 if first_difference > _MAX_LENGTH // 2 else 0
    return _cut(texts[0], start), _cut(texts[1], start)


def _cut(text: str, start: int = 0) -> str:
    rest = ("…" if start else "") + text[start:]
    return rest if len(rest) <= _MAX_LENGTH else rest[: _MAX_LENGTH - 1] + "…"


def _text(value: object) -> str:
    if value is None or value in ((), ""):
        return ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, BaseModel):
        fields = {
            name: getattr(value, name) for name in value.model_fields_set if name not in ("source", "id", "catalog")
        }
        return " ".join(f"{name} {_text(fields[name])}" for name in sorted(fields) if _text(fields[name]))
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, value)))
    if isinstance(value, tuple):
        return "; ".join(map(_text, value))
    if isinstance(value, dict):
        return ", ".join(f"{_text(key)} {_text(entry)}" for key, entry in sorted(value.items(), key=str))
    return str(value)
