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
"""Keys and list positions that lead to a value."""


class ValueDifference(NamedTuple):
    """A value that two versions of the same data state differently."""

    path: Steps
    before: object
    """None if absent."""
    after: object
    """None if absent."""


def differences(
    before: object,
    after: object,
    *,
    depth: int = -1,
    equal: Callable[[object, object], bool] = eq,
    path: Steps = (),
) -> Iterator[ValueDifference]:
    """Yield each value that differs.

    Lists of the same length are compared entry by entry, but a list of words is one value. Use `paired` for lists whose entries have names.

    Args:
        before: Mappings, lists, and values.
        after: The other version.
        depth: Number of levels to descend. Deeper data are compared as one value. Below 0 means all levels.
        equal: Comparison of two single values.
        path: Steps that lead to the two values.
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
    """Return True if it is a list of anything but words."""
    return isinstance(value, list | tuple) and not all(isinstance(entry, str) for entry in value)


def paired(before: Iterable[tuple[K, A]], after: Iterable[tuple[K, B]]) -> Iterator[tuple[K, A | None, B | None]]:
    """Yield the entries of two lists in pairs of the same name, each with that name. An entry without a partner is paired with None.

    Entries that share a name are paired in order.
    """
    was, now = grouped(before), grouped(after)
    for name in {**now, **was}:
        for pair in zip_longest(was.get(name, ()), now.get(name, ())):
            yield name, *pair
