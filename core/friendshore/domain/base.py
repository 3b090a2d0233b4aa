"""Base classes and number types of all records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from .written import meanings

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

DIGITS = 15
"""Significant digits of stored numbers: the most that a double, and so JSON, keeps exactly."""

MAGNITUDE = 100
"""Largest power of ten, positive or negative, of a stored number. Written out, a larger one would fill a disk."""
WRITTEN_DIGITS = 28
"""Maximum number of significant digits in a stated number, equal to the precision of computed decimals."""
SMALLEST, LARGEST = Decimal("1e-15"), Decimal("1e18")
"""Range of the size of stated numbers other than 0. Every quantity has a narrower range of its own."""

_ROUND = Context(prec=DIGITS)
_TRUTHS = ("bool", "bool_")
"""Type names of Python and numpy booleans. Comparing names avoids importing numpy."""


class Record(BaseModel):
    """A frozen record without unknown fields. The docstring of a field is its description in the schema."""

    # What checks a record is made when the first one is: no command needs more than a part of all kinds.
    # A field that files call otherwise is written by that name, and read by either.
    model_config = ConfigDict(
        frozen=True, extra="forbid", defer_build=True, populate_by_name=True, serialize_by_alias=True
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed, and without the cached properties of the original."""
        copied = super().model_copy(update=update, deep=deep)
        if update and len(copied.__dict__) > len(self.__pydantic_fields__):
            for name in copied.__dict__.keys() - self.__pydantic_fields__.keys():
                del copied.__dict__[name]
        return copied

    def but(self, **fields: object) -> Self:
        """Return a copy with some fields replaced, without validation."""
        return self.model_copy(update=fields)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        texts = meanings(cls)
        for name, field in cls.model_fields.items():
            stated = properties.get(field.alias or name, properties.get(name))
            if stated is not None and not field.description and texts.get(name):
                stated["description"] = texts[name]
        return schema


K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R", bound=BaseModel)


class SharedValues:
    """Storage of values that many records share: names of set fields, equal lists, and equal sets of words.

    In a large catalog, copies of these would take more memory than the facts.
    """

    def __init__(self) -> None:
        self._names: dict[frozenset[str], set[str]] = {}
        self._held: dict[tuple[object, ...], object] = {}
        self._all: dict[type[BaseModel], set[str]] = {}

    def made(self, kind: type[R], fields: dict[str, object]) -> R:
        """Return a record of valid values, with its fields in order, without checking or copying them."""
        if kind not in self._all:
            self._all[kind] = set(fields)
        record = kind.__new__(kind)
        object.__setattr__(record, "__dict__", fields)
        object.__setattr__(record, "__pydantic_fields_set__", self._all[kind])
        object.__setattr__(record, "__pydantic_extra__", None)
        object.__setattr__(record, "__pydantic_private__", None)
        return record

    def record(self, record: R) -> R:
        """Return a new record with shared values."""
        names = record.model_fields_set
        object.__setattr__(record, "__pydantic_fields_set__", self._names.setdefault(frozenset(names), names))
        fields = record.__dict__
        for name, value in fields.items():
            if type(value) is tuple and value:
                # Entries are told apart by `id`, which is safe: they live as long as the list that is kept.
                fields[name] = self._held.setdefault((name, *map(id, value)), value)
            elif type(value) is frozenset:
                fields[name] = self._held.setdefault((name, value), value)
        return record


class Tables(Record):
    """A record that contains whole tables. Its representation shows the number of entries of each table."""

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        for name, value in super().__repr_args__():
            if not isinstance(value, (tuple, list, dict, frozenset)):
                yield name, value
            elif value:
                yield name, _Count(len(value))


class _Count(int):
    """Number of entries of a table, in its representation."""

    def __repr__(self) -> str:
        return f"<{int(self):,}>"


Given = Mapping[str, Any]
"""Readable fields by name, of a record that is to be created."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A contradiction between fields that are valid by themselves."""

    field: str
    """Field where the fault is reported. Empty means the record as a whole."""
    message: str
    expected: str = ""
    fix: str = ""
    depends_on: tuple[str, ...] = ()
    """Other fields that it depends on. If one of them can't be read, the fault is unknown."""
    entry: tuple[str, int] | None = None
    """List that contains the record with `field`, and the record's position from 0. None if `field` is a field of this record."""
    code: str = ""
    """Code of the diagnostic, such as `FS020`."""

    @property
    def place(self) -> tuple[str | int, ...]:
        """Path to the field, from the record on."""
        return (*(self.entry or ()), *((self.field,) if self.field else ()))

    def known(self, unread: Collection[str]) -> bool:
        """Return True if all fields that it depends on could be read."""
        own = self.depends_on if self.entry else (self.field, *self.depends_on)
        return not any(name in unread for name in own)


class FaultsError(ValueError):
    """Error for a record whose fields contradict one another."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{f.field}: {f.message}" if f.field else f.message for f in self.faults))


class CheckedRecord(Record):
    """A record with checks across its fields."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Yield the contradictions between some fields. A missing field has its default, or couldn't be read."""
        del given
        return iter(())

    @model_validator(mode="wrap")
    @classmethod
    def _fits(cls, given: object, make: ModelWrapValidatorHandler[Self]) -> Self:
        made = make(given)
        if made is not given:  # a record that stands in another was looked at when it was made
            found = list(cls.faults(made.__dict__))
            if found:
                raise FaultsError(found)
        return made


class UnreadableError(ValueError):
    """Error for a value of the wrong form, with the expected form, an optional fix, and the code of its diagnostic."""

    def __init__(self, expected: str, fix: str = "", code: str = "FS011") -> None:
        super().__init__(f"expected {expected}; {fix}" if fix else f"expected {expected}")
        self.expected = expected
        self.fix = fix
        self.code = code


def date_order_faults(given: Given, first: str = "start", last: str = "end") -> Iterator[Fault]:
    """Yield a fault if the last day is before the first."""
    start, end = given.get(first), given.get(last)
    if isinstance(start, date) and isinstance(end, date) and start > end:
        word = "from" if first == "start" else first
        yield Fault(last, f"is before `{word}` ({start})", "a later day", "exchange or mend the dates", (first,))


def outside(given: Given, value: str, low: str, high: str) -> Iterator[Fault]:
    """Yield the faults of a range: only one end is given, or the value is missing or outside."""
    least, figure, most = (given.get(name) for name in (low, value, high))
    if least is None and most is None:
        return
    if least is None or most is None:
        missing, there = (low, high) if least is None else (high, low)
        fix = "give the other, or delete it"
        yield Fault(there, "one end of a range alone", "both ends, or none", fix, depends_on=(missing,))
    elif figure is None:
        expected, fix = "the figure that it is of", "state it, or delete the range"
        yield Fault(low, "a range beside no figure", expected, fix, depends_on=(value,))
    elif not least <= figure <= most:
        message, end = (
            f"{figure:f} does not lie within its range, {least:f} to {most:f}",
            low if figure < least else high,
        )
        yield Fault(end, message, "low ≤ figure ≤ high", "mend one of the three", depends_on=(value,))


class Dated(CheckedRecord):
    """A record with a first and a last day, `start` and `end`."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        return date_order_faults(given)


def is_boolean(value: object) -> bool:
    """Return True if a value is a Python or numpy boolean."""
    return isinstance(value, bool) or type(value).__name__ in _TRUTHS


def exact(value: object) -> Decimal:
    """Return a value as a decimal of at most 15 significant digits.

    Raises:
        ValueError: If it isn't a finite number.
    """
    if is_boolean(value):
        raise ValueError("a number is expected, not true or false")
    try:
        if isinstance(value, Decimal):
            number = value
        elif type(value) is int:
            number = Decimal(value)  # whatever its length, which `str` bounds
        else:
            # `float.__repr__`: numpy's doubles are floats that write themselves as `np.float64(0.1)`.
            number = Decimal(float.__repr__(value) if isinstance(value, float) else str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    if number.adjusted() > MAGNITUDE:
        raise ValueError(f"a number of more than {MAGNITUDE} digits before the point is no figure")
    return _ROUND.plus(number)


def as_decimal(value: Fraction) -> Decimal:
    """Return a fraction as a stored number."""
    return exact(Decimal(value.numerator) / Decimal(value.denominator))


def stated(value: str | int) -> Decimal:
    """Return an integer, or a number in text, as `exact` does.

    Raises:
        UnreadableError: If it isn't a number, is outside the range of stated numbers, or has too many digits.
    """
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise beyond() from None
    if (
        not number.is_finite()
        or not is_in_range(number)
        or (isinstance(value, str) and _digits_of(value) > WRITTEN_DIGITS)
    ):
        raise beyond()
    return _ROUND.plus(number)


def totals(amounts: Iterable[tuple[K, Decimal]]) -> dict[K, Decimal]:
    """Return the sum of the amounts of each key, in order of first occurrence."""
    found: dict[K, Decimal] = {}
    for key, amount in amounts:
        found[key] = found.get(key, Decimal(0)) + amount
    return found


def grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Return the values of each key, in order of first occurrence."""
    found: dict[K, list[V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


class Groups:
    """Disjoint groups of names that are joined step by step."""

    def __init__(self, names: Iterable[str]) -> None:
        self._up = {name: name for name in sorted(set(names))}

    def __contains__(self, name: object) -> bool:
        return name in self._up

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._up)

    def first(self, name: str) -> str:
        """Return the alphabetically first name in the group of a name."""
        while self._up[name] != name:
            self._up[name] = self._up[self._up[name]]
            name = self._up[name]
        return name

    def join(self, names: Iterable[str]) -> None:
        """Merge all groups that contain one of some names."""
        first, *others = sorted({self.first(name) for name in names}) or [""]
        for other in others:
            self._up[other] = first

    def all(self) -> tuple[frozenset[str], ...]:
        """Return all groups, sorted by their first name."""
        return tuple(map(frozenset, grouped((self.first(name), name) for name in self._up).values()))


def is_in_range(number: Decimal) -> bool:
    """Return True if a number is 0 or in the range of stated numbers."""
    return not number or SMALLEST <= number.copy_abs() <= LARGEST


def beyond() -> UnreadableError:
    """Return the error for a number outside the range of stated numbers."""
    return UnreadableError(
        f"0, or a number between 1e-15 and 1e18 in size, of no more than {WRITTEN_DIGITS} significant digits",
        "check the figure, and round it",
    )


def _digits_of(text: str) -> int:
    if len(text) <= WRITTEN_DIGITS:
        return 0
    digits = "".join(filter(str.isdigit, text.casefold().partition("e")[0]))
    return len(digits.strip("0"))


rounded = _ROUND.plus
"""Function that rounds a finite decimal to 15 significant digits, without the checks of `exact`."""


def without_trailing_zeros(value: object) -> Decimal:
    """Return a number without trailing zeros, so that 5000 and 5000.0 from JSON look alike in text."""
    number = exact(value)
    if abs(number.adjusted()) > MAGNITUDE:
        raise ValueError(f"a number of more than {MAGNITUDE} digits before the point, or zeros behind it, is no figure")
    text = str(number)
    if "E" not in text and not (text[-1] == "0" and "." in text):
        return number
    return Decimal(f"{_ROUND.normalize(number):f}")


def _as_float(number: Decimal) -> float:
    return float(number)  # `float` itself has its signature in a text, which pydantic would take apart for every field


Number = Annotated[
    Decimal,
    BeforeValidator(without_trailing_zeros),
    PlainSerializer(_as_float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number"}),
]
"""A decimal in Python, a plain number in JSON. Both have the same 15 digits."""


def _sorted(words: frozenset[str]) -> list[str]:
    return sorted(words)


Words = Annotated[frozenset[str], PlainSerializer(_sorted, return_type=list[str], when_used="json")]
"""A set of words, sorted in JSON, so that equal facts give equal bytes."""
