"""Differences between two versions of the same data: their values, and the entries of their lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from operator import eq
from typing import NamedTuple, TypeGuard, TypeVar

from .base import grouped

K = TypeVar("K")
A = TypeVar("A")
B = TypeVar("B")

Steps = tuple[str | int, ...]


class ValueDifference(NamedTuple):
    """A value that differs between two versions of the same data. None if absent."""

    path: Steps
    before: object
    after: object


def differences(
    before: object,
    after: object,
    *,
    depth: int = -1,
    equal: Callable[[object, object], bool] = eq,
    path: Steps = (),
) -> Iterator[ValueDifference]:
    """Yield each value that differs between two versions of mappings, lists, and values at `path`. Lists of the same length are compared entry by
    entry, but a list of words is one value. Use `paired` for lists whose entries have names. Data more than `depth` levels down are compared as one
    value, unless it is below 0.
    """
    if before is after or before == after:
        return
    if depth and isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**after, **before}:
            values = before.get(key), after.get(key)
            yield from differences(*values, depth=depth - 1, equal=equal, path=(*path, key))
    elif depth and _has_entries(before) and _has_entries(after) and len(before) == len(after):
        for number, values in enumerate(zip(before, after, strict=True)):
            yield from differences(*values, depth=depth - 1, equal=equal, path=(*path, number))
    elif not equal(before, after):
        yield ValueDifference(path, before, after)


def _has_entries(value: object) -> TypeGuard[Sequence[object]]:
    """Return True for a list of anything but words."""
    return isinstance(value, list | tuple) and not all(isinstance(entry, str) for entry in value)


def paired(before: Iterable[tuple[K, A]], after: Iterable[tuple[K, B]]) -> Iterator[tuple[K, A | None, B | None]]:
    """Yield the entries of two lists with the same name in pairs, in order. An entry without a partner is paired with None."""
    old, new = grouped(before), grouped(after)
    for name in {**new, **old}:
        for pair in zip_longest(old.get(name, ()), new.get(name, ())):
            yield name, *pair
