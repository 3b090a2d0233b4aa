"""Data of tables and lists, bent by lot: what TOML and JSON hold."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, MutableMapping, MutableSequence
from datetime import date, timedelta
from random import Random
from typing import Any

from . import nasty

Holder = MutableMapping[str, Any] | MutableSequence[Any]
Place = tuple[Any, Any]
"""What holds a value, and under which key or number."""


def places(data: Any) -> Iterator[Place]:
    """Every value below a table or list, tables and lists included."""
    entries: Any = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in list(entries):
        yield data, key
        if isinstance(value, dict | list):
            yield from places(value)


def bend(data: dict[str, Any], lot: Random, times: int) -> None:
    """Changes a table in place, at so many places drawn by lot, and now and then nests one value deeply."""
    for _ in range(times):
        found = list(places(data))
        if not found:
            return
        lot.choice(CHANGES)(*lot.choice(found), lot, found)
    if lot.random() < 0.02:
        _nest(*lot.choice(list(places(data)) or [({"a": 1}, "a")]), lot)


def other_value(value: Any, lot: Random) -> Any:
    """Another value of the same type, or nearly."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return lot.choice((value * 1000, value / 3 if value else 1, -value, value + 1, 0, nasty.number(lot)))
    if isinstance(value, date):
        try:
            return value + timedelta(days=lot.choice((1, -1, 31, 365, -3650, 10**6)))
        except OverflowError:
            return value
    if isinstance(value, str) and value[:1].isdigit() and lot.random() < 0.6:
        return nasty.near(value, lot)
    if isinstance(value, str):
        return lot.choice(
            (nasty.text(lot), nasty.quantity(lot), value + lot.choice(nasty.TEXTS), value[:-1], value * 2)
        )
    return value


def _tweak(holder: Any, key: Any, lot: Random, found: list[Place]) -> None:
    holder[key] = other_value(holder[key], lot)


def _remove(holder: Any, key: Any, lot: Random, found: list[Place]) -> None:
    del holder[key]


def _borrow(holder: Any, key: Any, lot: Random, found: list[Place]) -> None:
    """A value from elsewhere of the same type keeps names known and goes deeper than noise does."""
    values = [h[k] for h, k in found if type(h[k]) is type(holder[key])]
    holder[key] = copy.deepcopy(lot.choice(values))


def _borrow_any(holder: Any, key: Any, lot: Random, found: list[Place]) -> None:
    other, there = lot.choice(found)
    holder[key] = copy.deepcopy(other[there])


def _retype(holder: Any, key: Any, lot: Random, found: list[Place]) -> None:
    holder[key] = lot.choice((
        nasty.text(lot), nasty.number(lot), True, [], {}, [holder[key]], [[]], [nasty.text(lot)] * 3, {"a": holder[key]},
        str(holder[key]),
    ))  # fmt: skip


def _repeat(holder: Any, key: Any, lot: Random, found: list[Place]) -> None:
    if isinstance(holder, list):
        holder.insert(lot.randint(0, len(holder)), copy.deepcopy(holder[key]))
    else:
        holder[nasty.text(lot)] = copy.deepcopy(holder[key])


def _rename(holder: Any, key: Any, lot: Random, found: list[Place]) -> None:
    if isinstance(holder, dict):
        keys = [k for h, k in found if isinstance(h, dict)]
        holder[lot.choice((key + "s", key[:-1], key.upper(), nasty.text(lot), lot.choice(keys)))] = holder.pop(key)
    else:
        lot.shuffle(holder)


def _nest(holder: Any, key: Any, lot: Random) -> None:
    value = holder[key]
    for _ in range(lot.choice((3, 50, 450))):
        value = [value] if lot.random() < 0.5 else {"a": value}
    holder[key] = value


def _many(holder: Any, key: Any, lot: Random, found: list[Place]) -> None:
    if isinstance(holder[key], list) and holder[key]:
        holder[key] = [copy.deepcopy(lot.choice(holder[key])) for _ in range(lot.choice((50, 300)))]
    else:
        _tweak(holder, key, lot, found)


Change = Callable[[Any, Any, Random, list[Place]], None]
CHANGES: tuple[Change, ...] = (
    *(_tweak,) * 6,
    *(_borrow,) * 6,
    *(_remove,) * 3,
    *(_repeat,) * 2,
    *(_rename,) * 2,
    *(_retype,) * 2,
    _borrow_any,
    _many,
)
"""The ways to bend a value; those that leave the data readable come up more often, since they reach further."""
