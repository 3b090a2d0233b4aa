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
# Comparing names of types avoids importing numpy.
_BOOLEAN_TYPES = ("bool", "bool_")


class Record(BaseModel):
    """A frozen record without unknown fields. The docstring of a field is its description in the schema."""

    # Validators are built with the first record of a class, because no command needs all classes.
    # A field with another name in files is written by that name, and read by either.
    model_config = ConfigDict(
        frozen=True, extra="forbid", defer_build=True, populate_by_name=True, serialize_by_alias=True
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Let Python see all field names first, so that they are shared by the records that `_compact_record` makes.

        Otherwise, pydantic's own records, whose fields it sets all at once, use up the space for shared names.
        """
        super().__pydantic_init_subclass__(**kwargs)
        _compact_record(cls, dict.fromkeys(cls.model_fields), set())

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy without the cached properties of the original."""
        copied = super().model_copy(update=update, deep=deep)
        if update and len(copied.__dict__) > len(self.__pydantic_fields__):
            for name in copied.__dict__.keys() - self.__pydantic_fields__.keys():
                del copied.__dict__[name]
        return copied

    def but(self, **fields: object) -> Self:
        """Return a copy with some fields replaced, not validated."""
        return self.model_copy(update=fields)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        texts = meanings(cls)
        for name, field in cls.model_fields.items():
            property_ = properties.get(field.alias or name, properties.get(name))
            if property_ is not None and not field.description and texts.get(name):
                property_["description"] = texts[name]
        return schema


K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R", bound=BaseModel)


class SharedValues:
    """Storage of values that many records share. In a large catalog, copies of these would take more memory than the facts."""

    def __init__(self) -> None:
        self._field_sets: dict[frozenset[str], set[str]] = {}
        self._values: dict[tuple[object, ...], object] = {}
        self._fields_by_kind: dict[type[BaseModel], set[str]] = {}

    def unchecked_record(self, kind: type[R], fields: dict[str, object]) -> R:
        """Return a record of valid values, with its fields in order, without checking or copying them."""
        if kind not in self._fields_by_kind:
            self._fields_by_kind[kind] = set(fields)
        return _compact_record(kind, fields, self._fields_by_kind[kind])

    def record(self, record: R) -> R:
        """Return a copy of a new record in which equal values are shared with other records."""
        names = record.model_fields_set
        fields = record.__dict__
        for name, value in fields.items():
            if type(value) is tuple and value:
                # `id` identifies the entries safely, since they live as long as the stored list.
                fields[name] = self._values.setdefault((name, *map(id, value)), value)
            elif type(value) is frozenset:
                fields[name] = self._values.setdefault((name, value), value)
        return _compact_record(type(record), fields, self._field_sets.setdefault(frozenset(names), names))


def _compact_record(kind: type[R], fields: Mapping[str, object], names: set[str]) -> R:
    """Return a record of valid values. Its fields take a third of the memory that pydantic's take, because Python shares their names if they are set one by one."""
    record, set_field = kind.__new__(kind), object.__setattr__
    for name, value in fields.items():
        set_field(record, name, value)
    set_field(record, "__pydantic_fields_set__", names)
    set_field(record, "__pydantic_extra__", None)
    set_field(record, "__pydantic_private__", None)
    return record


class Tables(Record):
    """A record that contains whole tables. Its representation shows the number of entries of each table."""

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        for name, value in super().__repr_args__():
            if isinstance(value, str) or not isinstance(value, Collection):
                yield name, value
            elif value:
                yield name, _Count(len(value))


class _Count(int):
    def __repr__(self) -> str:
        return f"<{int(self):,}>"


FieldValues = Mapping[str, Any]
"""Fields of a record to create, by name, without those that can't be read."""


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
        return (*(self.entry or ()), *((self.field,) if self.field else ()))

    def is_certain(self, unread: Collection[str]) -> bool:
        """Return True if it depends on none of the unread fields."""
        fields = self.depends_on if self.entry else (self.field, *self.depends_on)
        return not any(name in unread for name in fields)


class FaultsError(ValueError):
    """Error for a record with contradictory fields."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        texts = (f"{f.code} {f.message}".strip() for f in self.faults)
        super().__init__(
            "; ".join(f"{f.field}: {t}" if f.field else t for f, t in zip(self.faults, texts, strict=True))
        )


class CheckedRecord(Record):
    """A record with checks across its fields."""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        """Yield the contradictions between some fields. A missing field has its default, or couldn't be read."""
        del values
        return iter(())

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, data: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        record = validate(data)
        if record is not data:  # a record inside another was checked when it was created
            faults = list(cls.faults(record.__dict__))
            if faults:
                raise FaultsError(faults)
        return record


class UnreadableError(ValueError):
    """Error for a value of the wrong form."""

    def __init__(self, expected: str, fix: str = "", code: str = "FS011") -> None:
        super().__init__(f"expected {expected}; {fix}" if fix else f"expected {expected}")
        self.expected = expected
        self.fix = fix
        self.code = code


def date_order_faults(values: FieldValues, first: str = "start", last: str = "end") -> Iterator[Fault]:
    start, end = values.get(first), values.get(last)
    if isinstance(start, date) and isinstance(end, date) and start > end:
        key = "from" if first == "start" else first
        fix = "swap or correct the dates"
        yield Fault(last, f"is before `{key}` ({start})", f"{start} or later", fix, (first,), code="FS020")


def range_faults(values: FieldValues, value: str, low: str, high: str) -> Iterator[Fault]:
    """Yield the faults of a range: one end is missing, or the value is missing or outside."""
    minimum, number, maximum = (values.get(name) for name in (low, value, high))
    if minimum is None and maximum is None:
        return
    if minimum is None or maximum is None:
        missing, stated = (low, high) if minimum is None else (high, low)
        message, fix = "the range has only one end", "add the other end, or delete this one"
        yield Fault(stated, message, "both ends, or none", fix, depends_on=(missing,), code="FS022")
    elif number is None:
        message, fix = "the range has no value", "add the value, or delete the range"
        yield Fault(low, message, "a value within the range", fix, depends_on=(value,), code="FS022")
    elif not minimum <= number <= maximum:
        message = f"the range from {minimum:f} to {maximum:f} doesn't include the value {number:f}"
        end, fix = low if number < minimum else high, "correct the value or the range"
        yield Fault(end, message, "low ≤ value ≤ high", fix, depends_on=(value,), code="FS023")


class Dated(CheckedRecord):
    """A record with a first and a last day, `start` and `end`."""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        return date_order_faults(values)


def is_boolean(value: object) -> bool:
    return isinstance(value, bool) or type(value).__name__ in _BOOLEAN_TYPES


def exact(value: object) -> Decimal:
    """Return a value as a decimal of at most 15 significant digits, or raise ValueError if it isn't a finite number."""
    if is_boolean(value):
        raise ValueError("expected a number, not true or false")
    try:
        if isinstance(value, Decimal):
            number = value
        elif type(value) is int:
            number = Decimal(value)  # `str` would refuse thousands of digits
        else:
            # `float.__repr__`, because the `repr` of a numpy float is `np.float64(0.1)`.
            number = Decimal(float.__repr__(value) if isinstance(value, float) else str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    if number.adjusted() > MAGNITUDE:
        raise ValueError(f"the number has more than {MAGNITUDE} digits before the decimal point")
    return _ROUND.plus(number)


def as_decimal(value: Fraction) -> Decimal:
    return exact(Decimal(value.numerator) / Decimal(value.denominator))


def stated_number(value: str | int) -> Decimal:
    """Return an integer, or a number in text, like `exact`. Raise UnreadableError if it is out of range or has too many digits."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise out_of_range_error() from None
    if (
        not number.is_finite()
        or not is_in_range(number)
        or (isinstance(value, str) and _significant_digits(value) > WRITTEN_DIGITS)
    ):
        raise out_of_range_error()
    return _ROUND.plus(number)


def totals(amounts: Iterable[tuple[K, Decimal]]) -> dict[K, Decimal]:
    """Return the sum of the amounts of each key, in order of first occurrence."""
    sums: dict[K, Decimal] = {}
    for key, amount in amounts:
        sums[key] = sums.get(key, Decimal(0)) + amount
    return sums


def grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Return the values of each key, in order of first occurrence."""
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


class Groups:
    """Disjoint groups of names, joined step by step (union-find)."""

    def __init__(self, names: Iterable[str]) -> None:
        self._parents = {name: name for name in sorted(set(names))}

    def __contains__(self, name: object) -> bool:
        return name in self._parents

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._parents)

    def first(self, name: str) -> str:
        """Return the alphabetically first name in the group of a name."""
        while self._parents[name] != name:
            self._parents[name] = self._parents[self._parents[name]]
            name = self._parents[name]
        return name

    def join(self, names: Iterable[str]) -> None:
        first, *others = sorted({self.first(name) for name in names}) or [""]
        for other in others:
            self._parents[other] = first

    def all(self) -> tuple[frozenset[str], ...]:
        """Return all groups, sorted by their first name."""
        return tuple(map(frozenset, grouped((self.first(name), name) for name in self._parents).values()))


def is_in_range(number: Decimal) -> bool:
    return not number or SMALLEST <= number.copy_abs() <= LARGEST


def out_of_range_error() -> UnreadableError:
    return UnreadableError(
        f"0, or a number between 1e-15 and 1e18 in size, with at most {WRITTEN_DIGITS} significant digits",
        "check the number, and round it",
        code="FS013",
    )


def _significant_digits(text: str) -> int:
    """Return the number of significant digits, or 0 for a text too short to have too many."""
    if len(text) <= WRITTEN_DIGITS:
        return 0
    digits = "".join(filter(str.isdigit, text.casefold().partition("e")[0]))
    return len(digits.strip("0"))


rounded = _ROUND.plus


def without_trailing_zeros(value: object) -> Decimal:
    """Return a number without trailing zeros, so that 5000 and 5000.0 from JSON look alike in text."""
    number = exact(value)
    if abs(number.adjusted()) > MAGNITUDE:
        raise ValueError(f"the number has more than {MAGNITUDE} digits before the point, or zeros after it")
    text = str(number)
    if "E" not in text and not (text[-1] == "0" and "." in text):
        return number
    return Decimal(f"{_ROUND.normalize(number):f}")


def _as_float(number: Decimal) -> float:
    return float(number)  # pydantic would parse the signature of `float` itself for every field


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
