"""Records of one kind by column, for tables of a plan with hundreds of thousands of rows."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import TypeVar, get_args, overload

from pydantic import BaseModel

from .base import SharedValues

R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")

# Rows that are converted to columns at once.
_ROWS = 2_000
# Maximum digits of a number whose digits certainly fit in 64 bits.
_MAX_DIGITS = 18


class RecordTable(Sequence[R]):
    """Valid records by column, made when one of them is first read. As records they take five times the memory."""

    def __init__(self, kind: type[R], rows: Iterable[Mapping[str, object]]) -> None:
        """`rows` are the fields of each record."""
        self.kind, self._count = kind, 0
        self._records: list[R] = []
        self._columns = {name: _column_of(field.annotation) for name, field in kind.model_fields.items()}
        rows_left = iter(rows)
        while block := list(islice(rows_left, _ROWS)):
            self._count += len(block)
            for name, column in self._columns.items():
                column.extend([row[name] for row in block])

    def mapped(self, name: str, convert: Callable[[object], T]) -> Iterator[T]:
        """Return the results of a function for all values of a field. It is called once for values that are stored once."""
        return self._columns[name].mapped(convert)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, position: int) -> R: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[R, ...]: ...
    def __getitem__(self, position: int | slice) -> R | tuple[R, ...]:
        return tuple(self._made()[position]) if isinstance(position, slice) else self._made()[position]

    def __iter__(self) -> Iterator[R]:
        return iter(self._made())

    def _made(self) -> list[R]:
        if not self._records:
            make_record, names = SharedValues().unchecked_record, tuple(self._columns)
            rows = zip(*(self.mapped(name, _same) for name in names), strict=True)
            self._records = [make_record(self.kind, dict(zip(names, values, strict=True))) for values in rows]
        return self._records

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and self._made() == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def _same(value: object) -> object:
    return value


class _Words:
    """Column of values, with equal ones stored once. Lists and dictionaries are equal if they are the same object."""

    def __init__(self) -> None:
        self._distinct: list[object] = []
        self._position = dict[object, int]()
        self._positions = array("i")

    def extend(self, values: Sequence[object]) -> None:
        keys = values if type(values[0]) not in (list, dict) else list(map(id, values))
        for key, value in zip(keys, values, strict=True):
            if key not in self._position:  # `_distinct` keeps the object, so that no other gets its identity
                self._position[key] = len(self._distinct)
                self._distinct.append(value)
        self._positions.extend(map(self._position.__getitem__, keys))

    def mapped(self, convert: Callable[[object], T]) -> Iterator[T]:
        return map(list(map(convert, self._distinct)).__getitem__, self._positions)


class _Numbers:
    """Column of decimals, as whole numbers and their decimal places."""

    def __init__(self) -> None:
        self._digits, self._places = array("q"), array("b")
        self._others: dict[int, object] = {}
        """Values that the arrays can't store, by position, such as None."""

    def extend(self, values: Sequence[object]) -> None:
        for value in values:
            whole, _, fraction = str(value).partition(".")
            digits = whole + fraction
            if len(digits) > _MAX_DIGITS or not digits.lstrip("-").isdecimal() or digits.startswith("-0"):
                self._others[len(self._digits)] = value
                digits, fraction = "0", ""
            self._digits.append(int(digits))
            self._places.append(len(fraction))

    def mapped(self, convert: Callable[[object], T]) -> Iterator[T]:
        @lru_cache  # Some columns have few numbers, such as 0 only.
        def converted(digits: int, places: int) -> T:
            return convert(Decimal(digits).scaleb(-places))

        results = map(converted, self._digits, self._places)
        if not self._others:
            return results
        return (
            convert(self._others[number]) if number in self._others else result for number, result in enumerate(results)
        )


def _column_of(annotation: object) -> _Words | _Numbers:
    return _Numbers() if _allows_decimals(annotation) else _Words()


def _allows_decimals(annotation: object) -> bool:
    return annotation is Decimal or any(map(_allows_decimals, get_args(annotation)))
