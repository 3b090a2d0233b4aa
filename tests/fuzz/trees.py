"""Data of tables and lists, bent by lot: what TOML and JSON hold."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from . import nasty

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
        _change(*lot.choice(found), lot, found)
    if lot.random() < 0.02:
        _nest(*lot.choice(list(places(data)) or [({"a": 1}, "a")]), lot)


def _change(holder: Any, key: Any, lot: Random, found: list[Place]) -> None:
    """Bends one value. What leaves the data readable comes up more often, since it reaches further."""
    ways = ("tweak", "borrow", "remove", "repeat", "rename", "retype", "borrow any", "many")
    way = lot.choices(ways, (6, 6, 3, 2, 2, 2, 1, 1))[0]
    value = holder[key]
    if way == "borrow":  # a value from elsewhere of the same type keeps names known and goes deeper than noise does
        holder[key] = copy.deepcopy(lot.choice([h[k] for h, k in found if type(h[k]) is type(value)]))
    elif way == "borrow any":
        other, there = lot.choice(found)
        holder[key] = copy.deepcopy(other[there])
    elif way == "remove":
        del holder[key]
    elif way == "retype":
        text = nasty.text(lot)
        holder[key] = lot.choice(
            (text, nasty.number(lot), True, [], {}, [value], [[]], [text] * 3, {"a": value}, str(value))
        )
    elif way == "repeat" and isinstance(holder, list):
        holder.insert(lot.randint(0, len(holder)), copy.deepcopy(value))
    elif way == "repeat":
        holder[nasty.text(lot)] = copy.deepcopy(value)
    elif way == "rename" and isinstance(holder, list):
        lot.shuffle(holder)
    elif way == "rename":
        keys = [k for h, k in found if isinstance(h, dict)]
        holder[lot.choice((key + "s", key[:-1], key.upper(), nasty.text(lot), lot.choice(keys)))] = holder.pop(key)
    elif way == "many" and isinstance(value, list) and value:
        holder[key] = [copy.deepcopy(lot.choice(value)) for _ in range(lot.choice((50, 300)))]
    else:
        holder[key] = other_value(value, lot)


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


def _nest(holder: Any, key: Any, lot: Random) -> None:
    value = holder[key]
    for _ in range(lot.choice((3, 50, 450))):
        value = [value] if lot.random() < 0.5 else {"a": value}
    holder[key] = value
