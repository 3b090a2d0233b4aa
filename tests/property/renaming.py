"""The same case with every thing named anew."""

from __future__ import annotations

from random import Random
from typing import Any

from friendshore.domain.base import Record

from .strategies import Tiny

FIELDS = {"facility", "material", "offer", "within", "exporter", "offers", "facilities", "demand", "materials"}
"""Fields of cases, catalogs and rules that name something of the kinds below."""


def renamed(tiny: Tiny, order: Random, demands: bool = True) -> tuple[Tiny, dict[str, str]]:
    """The case with new names that sort in another order, of its demands too unless they are to keep theirs; and the way back."""
    catalog, case = tiny.catalog, tiny.case
    olds = [x.id for group in (catalog.materials, catalog.facilities, catalog.offers) for x in group]
    olds += [demand.id for demand in case.demands] if demands else []
    news = [f"n{number:02d}" for number in range(len(olds))]
    order.shuffle(news)
    names = dict(zip(olds, news, strict=True))
    rules = tuple(_record(rule, names, named=False) for rule in tiny.rules)
    return Tiny(_record(case, names), _record(catalog, names), rules), {new: old for old, new in names.items()}


def _record(record: Any, names: dict[str, str], named: bool = True) -> Any:
    update: dict[str, Any] = {}
    for field in type(record).model_fields:
        value = getattr(record, field)
        if field in FIELDS or (field == "id" and named):
            update[field] = _name(value, names)
        elif isinstance(value, Record):
            update[field] = _record(value, names)
        elif isinstance(value, tuple) and value and all(isinstance(x, Record) for x in value):
            update[field] = tuple(_record(x, names) for x in value)
    return record.model_copy(update=update)


def _name(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, frozenset):
        return frozenset(names.get(x, x) for x in value)
    if isinstance(value, tuple) and all(isinstance(x, str) for x in value):
        return tuple(names.get(x, x) for x in value)
    return tuple(_record(x, names) for x in value) if isinstance(value, tuple) else value
