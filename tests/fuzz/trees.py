"""Random mutations of nested tables and lists, as in TOML and JSON."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from . import nasty

Place = tuple[Any, Any]
"""Container of a value, and its key or position."""


def places(data: Any) -> Iterator[Place]:
    """Yield the place of every value, including tables and lists."""
    entries: Any = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in list(entries):
        yield data, key
        if isinstance(value, dict | list):
            yield from places(value)


def mutate(data: dict[str, Any], rng: Random, times: int) -> None:
    """Mutate a table in place at random places, and sometimes nest a value deeply."""
    for _ in range(times):
        all_places = list(places(data))
        if not all_places:
            return
        _change(*rng.choice(all_places), rng, all_places)
    if rng.random() < 0.02:
        _nest(*rng.choice(list(places(data)) or [({"a": 1}, "a")]), rng)


def _change(holder: Any, key: Any, rng: Random, all_places: list[Place]) -> None:
    """Mutate one value. Changes that keep the data readable are more frequent, since they reach more code."""
    ways = ("tweak", "borrow", "remove", "repeat", "rename", "retype", "borrow any", "many")
    way = rng.choices(ways, (6, 6, 3, 2, 2, 2, 1, 1))[0]
    value = holder[key]
    if way == "borrow":  # a value from elsewhere of the same type keeps names known and goes deeper than noise does
        holder[key] = copy.deepcopy(rng.choice([h[k] for h, k in all_places if type(h[k]) is type(value)]))
    elif way == "borrow any":
        other, there = rng.choice(all_places)
        holder[key] = copy.deepcopy(other[there])
    elif way == "remove":
        del holder[key]
    elif way == "retype":
        text = nasty.text(rng)
        holder[key] = rng.choice(
            (text, nasty.number(rng), True, [], {}, [value], [[]], [text] * 3, {"a": value}, str(value))
        )
    elif way == "repeat" and isinstance(holder, list):
        holder.insert(rng.randint(0, len(holder)), copy.deepcopy(value))
    elif way == "repeat":
        holder[nasty.text(rng)] = copy.deepcopy(value)
    elif way == "rename" and isinstance(holder, list):
        rng.shuffle(holder)
    elif way == "rename":
        keys = [k for h, k in all_places if isinstance(h, dict)]
        holder[rng.choice((key + "s", key[:-1], key.upper(), nasty.text(rng), rng.choice(keys)))] = holder.pop(key)
    elif way == "many" and isinstance(value, list) and value:
        holder[key] = [copy.deepcopy(rng.choice(value)) for _ in range(rng.choice((50, 300)))]
    else:
        holder[key] = other_value(value, rng)


def other_value(value: Any, rng: Random) -> Any:
    """Return another value, usually of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return rng.choice((value * 1000, value / 3 if value else 1, -value, value + 1, 0, nasty.number(rng)))
    if isinstance(value, date):
        try:
            return value + timedelta(days=rng.choice((1, -1, 31, 365, -3650, 10**6)))
        except OverflowError:
            return value
    if isinstance(value, str) and value[:1].isdigit() and rng.random() < 0.6:
        return nasty.near(value, rng)
    if isinstance(value, str):
        return rng.choice(
            (nasty.text(rng), nasty.quantity(rng), value + rng.choice(nasty.TEXTS), value[:-1], value * 2)
        )
    return value


def _nest(holder: Any, key: Any, rng: Random) -> None:
    value = holder[key]
    for _ in range(rng.choice((3, 50, 450))):
        value = [value] if rng.random() < 0.5 else {"a": value}
    holder[key] = value
