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
        """Return the name of the material, with a word if only one plan has demand for it."""
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
    undoes: tuple[Change, ...]
    """Changes of the first plan that end with it."""
    does: tuple[Change, ...]
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
    least_moved: bool
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


_LISTS = (
    "demands", "stocks", "orders", "incumbents", "licences", "waivers", "stores", "carryovers", "objectives", "overlaps", "rules",
    "scenarios",
)  # fmt: skip
"""Fields of a case that are compared item by item, are part of other facts, or don't affect a plan alone."""
_UNTOLD = ("source", "catalog", "id")
"""Fields with a record's origin or name, which are no facts of their own."""
_LONG = 60
"""Length from which on a value is cut."""


def differing(one: Inputs, other: Inputs) -> list[FactLine]:
    """Return every fact that differs, by kind. A fact that only one case has is empty in the other."""
    found = list(_fields("case", "", one.case, other.case, skipped={*_LISTS, "folder", "frozen"}))
    for kind, named in _NAMED.items():
        found += _records(kind, named(one), named(other))
    return found


_Named = Iterable[tuple[str, BaseModel]]


def _in_case(field: str, name: Callable[[Any], str]) -> Callable[[Inputs], _Named]:
    return lambda inputs: [(name(row), row) for row in getattr(inputs.case, field)]


def _in_catalogs(field: str, name: Callable[[Any], str]) -> Callable[[Inputs], _Named]:
    return lambda inputs: [(name(row), row) for catalog in inputs.catalogs for row in getattr(catalog, field)]


def _id(row: Any) -> str:
    return str(row.id)


_NAMED: Mapping[str, Callable[[Inputs], _Named]] = {
    "demand": lambda inputs: [(demand_name(demand, inputs.case), demand) for demand in inputs.case.demands],
    "stock": lambda inputs: zip(inputs.case.stock_names, inputs.case.stocks, strict=True),
    "order": lambda inputs: zip(inputs.case.order_names, inputs.case.orders, strict=True),
    "incumbent": _in_case("incumbents", lambda incumbent: incumbent.offer),
    "licence": _in_case("licences", lambda licence: licence.id or f"{licence.rule} {licence.exporter}"),
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
"""Kind of fact -> its records by name."""
_OWN_KINDS = {("offer", "price"): "price", ("offer", "quotes"): "price", ("facility", "capacity"): "capacity"}
"""Kind of record and field -> kind under which a difference of the field is listed."""


def _dates(store: StoreSpec) -> str:
    return f" {Span(start=store.start, end=store.end)}" if store.start or store.end else ""


def _records(kind: str, one: _Named, other: _Named) -> Iterator[FactLine]:
    """Yield records that only one case has, and fields that differ. If several records share a name, the later ones are numbered."""
    counts = Counter[str]()
    for name, was, now in sorted(paired(one, other), key=itemgetter(0)):
        counts[name] += 1
        label = name if counts[name] == 1 else f"{name} #{counts[name]}"
        if was is not None and now is not None:
            yield from _fields(kind, label, was, now)
        else:
            yield FactLine(kind=kind, name=label, before=_presence(was), after=_presence(now))


def _fields(
    kind: str, name: str, was: BaseModel, now: BaseModel, skipped: Collection[str] = frozenset()
) -> Iterator[FactLine]:
    if was is now:
        return
    if type(was) is not type(now):
        yield FactLine(kind=kind, name=name, before=type(was).__name__, after=type(now).__name__)
        return
    for field in type(was).model_fields:
        if field in _UNTOLD or field in skipped:
            continue
        before, after = told_apart(getattr(was, field), getattr(now, field))
        if before != after:
            own = _OWN_KINDS.get((kind, field), kind)
            label = name if own != kind else f"{name} {field}".strip()
            yield FactLine(kind=own, name=label, before=before or "not stated", after=after or "not stated")


def _presence(row: BaseModel | None) -> str:
    """Return a few words about a record that only one case has. Empty for the other case."""
    match row:
        case None:
            return ""
        case Offer(price=price):
            return f"offered, at {_cut(_text(price))}" if price is not None else "offered"
        case Facility(capacity=steps):
            return f"in it, capacity {_cut(_text(steps))}" if steps else "in it"
    return "in it"


def told_apart(one: object, other: object) -> tuple[str, str]:
    """Return two values in a few words each, from their first difference on. Equal values have equal words."""
    texts = (_text(one), _text(other))
    if texts[0] == texts[1] or max(map(len, texts)) <= _LONG:
        return texts
    same = next(i for i, (a, b) in enumerate(zip_longest(*texts)) if a != b)
    start = texts[0].rfind(" ", 0, same) + 1 if same > _LONG // 2 else 0
    return _cut(texts[0], start), _cut(texts[1], start)


def _cut(text: str, start: int = 0) -> str:
    rest = ("…" if start else "") + text[start:]
    return rest if len(rest) <= _LONG else rest[: _LONG - 1] + "…"


def _text(value: object) -> str:
    if value is None or value in ((), ""):
        return ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, BaseModel):
        told = {
            name: getattr(value, name) for name in value.model_fields_set if name not in ("source", "id", "catalog")
        }
        return " ".join(f"{name} {_text(told[name])}" for name in sorted(told) if _text(told[name]))
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, value)))
    if isinstance(value, tuple):
        return "; ".join(map(_text, value))
    if isinstance(value, dict):
        return ", ".join(f"{_text(key)} {_text(each)}" for key, each in sorted(value.items(), key=str))
    return str(value)
