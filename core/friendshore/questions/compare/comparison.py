"""A comparison of two plans, as records; and what differs in the facts of two cases, named."""

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
    """What both plans buy of one material from one offer for one place."""

    offer: str
    facility: str
    material: str
    place: str
    before_kg: Number
    after_kg: Number
    moved_kg: Number
    """Kilograms bought more and less, added up over periods of delivery; what comes earlier or later is moved twice."""


class MaterialLine(Record):
    """One material in both plans."""

    material: str
    before_kg: Number
    """Bought."""
    after_kg: Number
    moved_kg: Number
    """Over all offers, places and periods of delivery."""
    short_before_kg: Number
    short_after_kg: Number
    wanted: Literal["both", "new", "removed"] = "both"
    """`new` if only the second plan is asked for it, `removed` if only the first is."""

    def title(self, name: str) -> str:
        """Return the name of the material, with a word if only one plan is asked for it."""
        return name if self.wanted == "both" else f"{name} ({self.wanted})"


class DependenceLine(Record):
    """Cash for purchases of one material in both plans, and the part that is or may be of concern."""

    material: str = ""
    """Empty: all."""
    paid_before: Number
    paid_after: Number
    concern_before: Number
    """By the countries of concern of the first case."""
    concern_after: Number
    share_before: Number
    share_after: Number


class Step(Record):
    """One change on the way from one plan to the other."""

    title: str
    undoes: tuple[Change, ...]
    """Changes of the first that end with it."""
    does: tuple[Change, ...]
    """Changes of the second that begin with it."""
    difference: Difference
    """What it raises the objective by."""
    rise: Cost
    """The same of the two plans found, line by line."""
    materials: tuple[MaterialLine, ...]
    """What it moves or makes short; all else stays as it is."""
    mix: tuple[MixLine, ...]
    conflict: tuple[str, ...]
    """Rules that cannot hold together after it."""


class FactLine(Record):
    """A fact in which two cases differ."""

    kind: str
    """`case`, `demand`, `rule`, `offer`, `price`, `capacity` and so on."""
    name: str
    before: str
    """What it says in the first; empty: it is not there."""
    after: str


class Comparison(QuestionResult):
    """Two plans side by side, and what lies between them."""

    TABLES: ClassVar[tuple[str, ...]] = ("materials", "mix", "dependence", "steps", "facts")
    TOLD_BY: ClassVar[str] = "friendshore.questions.compare.comparison_document:comparison_document"

    before: str
    """What the first is."""
    after: str
    currency: str
    cost_before: Cost
    cost_after: Cost
    difference: Difference
    """What the second plan's objective is above the first's."""
    materials: tuple[MaterialLine, ...]
    """Every material that either plan buys or is short of."""
    mix: tuple[MixLine, ...]
    """Every offer that either plan buys from."""
    dependence: tuple[DependenceLine, ...] = ()
    """All purchases, then every material that either plan buys."""
    moved_kg: dict[str, Number] | None
    """Material -> kilograms bought more and less; None: the two plans have other periods, which cannot be set against each other."""
    least_moved: bool
    """Whether it is proved that no other plan that costs no more moves fewer kilograms."""
    steps: tuple[Step, ...]
    """From the first to the second, one change at a time; none where two cases or runs are compared."""
    facts: tuple[FactLine, ...]
    """What differs in the facts of two cases or runs."""
    conflict_before: tuple[str, ...]
    """Rules that cannot hold together; what they touch is not planned, nor in the figures."""
    conflict_after: tuple[str, ...]
    ranked: bool
    """Whether a case ranks objectives: cost is then what the ranked plan costs."""
    decided_before: date | None = None
    """Everything that the case's own plan orders before this day stays as it is in both; None: both may plan anew from the start."""
    foreseen: date | None = None
    """First day after the first period on which a change takes effect; the plans know of it from the start. None: there is none."""
    effort: Effort


_LISTS = (
    "demands", "stocks", "orders", "incumbents", "licences", "waivers", "stores", "carryovers", "objectives", "overlaps", "rules",
    "scenarios",
)  # fmt: skip
"""Fields of a case that are told one by one, or by other facts, or that make no plan by themselves."""
_UNTOLD = ("source", "catalog", "id")
"""Fields that say where a record comes from, or that name it: no facts of its own."""
_LONG = 60
"""Characters from which on a value is not told in full."""


def differing(one: Inputs, other: Inputs) -> list[FactLine]:
    """Every fact that is not the same in both, in order of kind; what only one has is empty in the other."""
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
"""Kind of record and field -> another kind as which a difference of the field is listed."""


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
    """Return a few words about a record that only one case has; empty for the other case."""
    match row:
        case None:
            return ""
        case Offer(price=price):
            return f"offered, at {_cut(_text(price))}" if price is not None else "offered"
        case Facility(capacity=steps):
            return f"in it, capacity {_cut(_text(steps))}" if steps else "in it"
    return "in it"


def told_apart(one: object, other: object) -> tuple[str, str]:
    """Two values in a few words each, from where they begin to differ; the same words if they say the same."""
    texts = (_text(one), _text(other))
    if texts[0] == texts[1] or max(map(len, texts)) <= _LONG:
        return texts
    same = next(i for i, (a, b) in enumerate(zip_longest(*texts)) if a != b)
    start = texts[0].rfind(" ", 0, same) + 1 if same > _LONG // 2 else 0
    return _cut(texts[0], start), _cut(texts[1], start)


def _cut(text: str, start: int = 0) -> str:
    """Return the part of a text that fits."""
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
