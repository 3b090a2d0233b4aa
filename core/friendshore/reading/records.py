"""Records made of plain data or of parsed entries of files, with every complaint in a planner's words."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..domain.base import CheckedRecord, Fault, FaultsError, UnreadableError
from ..domain.quantities import Mass, UnitPrice
from ..domain.suggest import did_you_mean
from ..domain.written import record_in
from ..errors import Diagnostic, InputError
from .fields import Layout

M = TypeVar("M", bound=BaseModel)

_LONGEST = 60

_COMPLAINTS = {
    "true or false": "bool_parsing bool_type",
    "a date like 2027-01-31": "date_from_datetime_parsing date_parsing date_type",
    "a table": "dict_type model_type",
    "a list": "frozen_set_type list_type tuple_type",
    "a whole number": "int_parsing int_type",
    "text": "string_type",
    "one entry or more": "too_short",
}
_EXPECTED = {kind: expected for expected, kinds in _COMPLAINTS.items() for kind in kinds.split()}
"""Type of a pydantic error -> expected value."""


def record(model: type[M], data: Mapping[str, object], file: str = "", row: int | None = None) -> M:
    """`data`, read from a file or given in memory, as a record; `file` and `row` say where they stand, for messages.

    Raises:
        InputError: with everything that is wrong.
    """
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        raise InputError(complaints(model, error, file, row)) from error


def complaints(
    model: type[BaseModel], error: ValidationError, file: str = "", row: int | None = None
) -> list[Diagnostic]:
    """Return the diagnostics of a pydantic error. `file` and `row` give the place."""
    details = error.errors(include_url=False)
    return [p for d in details if not _follows(d, details) for p in _problems(model, d, file, row)]


def _problems(model: type[BaseModel], detail: ErrorDetails, file: str, row: int | None) -> list[Diagnostic]:
    """Return one diagnostic for an error, or one for each fault of fields that contradict each other."""
    error = detail.get("ctx", {}).get("error")
    if not isinstance(error, FaultsError):
        return [_problem(model, detail, file, row)]
    return fault_diagnostics(error.faults, detail["input"], file, row, detail["loc"])


def fault_diagnostics(
    faults: Iterable[Fault],
    given: object,
    file: str = "",
    row: int | None = None,
    place: tuple[str | int, ...] = (),
) -> list[Diagnostic]:
    """Return the diagnostics of faults in a record or its data. `place` is its path within `file` and `row`."""
    return [
        Diagnostic(
            fault.message,
            file,
            row,
            path_of((*place, *fault.place)),
            _held(given, fault.place),
            fault.expected,
            fault.fix,
            fault.code,
        )
        for fault in faults
    ]


def _held(given: object, place: Sequence[str | int]) -> str:
    """Return the given value of a field, for a message. Empty for the record as a whole."""
    value: object = given if place else None
    for step in place:
        if isinstance(step, int):
            value = value[step] if isinstance(value, Sequence) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else getattr(value, step, None)
    return "" if value in (None, "", (), frozenset()) else shown(value)


def _follows(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Return True if a list is only too short because its entries are wrong, which is said already."""
    place = detail["loc"]
    within = any(other["loc"][: len(place)] == place and len(other["loc"]) > len(place) for other in details)
    return detail["type"] == "too_short" and within


def _problem(model: type[BaseModel], detail: ErrorDetails, file: str, row: int | None) -> Diagnostic:
    place, kind, given = detail["loc"], detail["type"], detail["input"]
    column, found = path_of(place), shown(given)
    if kind == "extra_forbidden":
        names = _names_at(model, place[:-1])
        expected = "one of " + ", ".join(names) if names else ""
        fix = did_you_mean(str(place[-1]), names) or "delete it"
        return Diagnostic("no such key", file, row, column, expected=expected, fix=fix, code="FS001")
    if kind == "missing":
        return Diagnostic("a needed key is missing", file, row, column, fix=f"add `{place[-1]}`", code="FS002")
    context = detail.get("ctx", {})
    if kind in ("enum", "literal_error"):
        words = context.get("expected", "")
        options = [word.strip(" '") for word in words.replace(" or ", ",").split(",")]
        message, fix = "is not one of the words known here", did_you_mean(str(given), options)
        return Diagnostic(message, file, row, column, found, words, fix, "FS003")
    error = context.get("error")
    if isinstance(error, UnreadableError):
        return Diagnostic("cannot be read", file, row, column, found, error.expected, error.fix, error.code)
    if kind == "value_error":
        return Diagnostic(str(context["error"]), file, row, column, found if column else "", code="FS012")
    expected = _EXPECTED.get(kind) or detail["msg"].removeprefix("Input should be ")
    fix = (
        "put it in a list, with `[` and `]` around it"
        if expected == "a list" and isinstance(given, str | dict | BaseModel)
        else ""
    )
    return Diagnostic("cannot be read", file, row, column, found, expected, fix, "FS011")


def path_of(place: Sequence[str | int]) -> str:
    """`phases[2].from` for the `from` of the second phase: entries of lists count from one."""
    path = ""
    for step in place:
        if isinstance(step, int):
            path += f"[{step + 1}]"
        else:
            path += f".{step}" if path else step
    return path


def shown(value: object) -> str:
    """A value as a message shows it: as it would be written in a file, cut where it is long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple):
        text = "[" + ", ".join(map(shown, value)) + "]"
    else:
        text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _names_at(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """Keys known at a place within `model`, as they are written in files; empty where they are not known."""
    here: type[BaseModel] | None = model
    for step in place:
        if here is None or isinstance(step, int):
            continue
        field = next((f for name, f in here.model_fields.items() if step in (name, f.alias)), None)
        here = record_in(field.annotation) if field else None
    return [field.alias or name for name, field in here.model_fields.items()] if here else []


class RecordChecker:
    """Makes records again from what they hold, and so finds all that is wrong with them: a frozen record that was copied with other
    values, or built without looking at them, has never been looked at.
    """

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []
        self.wrong: set[int] = set()
        """Records, by `id`, in which something is wrong."""
        self._made: dict[int, tuple[BaseModel, BaseModel]] = {}
        """Results for shared objects, by `id()`: the given object, kept so that its id stays in use, and its record."""

    def record(self, given: M, file: str, place: tuple[str | int, ...] = ()) -> M:
        """The record, made again; as it is, with what is wrong put to `found`, if it cannot be made. `place` is where it stands in `file`."""
        known = self._made.get(id(given))
        if known is not None:
            return typing.cast(M, known[1])
        before = len(self.found)
        held = given.__dict__  # a field that nobody has set is at its default, and right
        data = {
            name: value if type(value := held[name]) in _PLAIN else self._value(value, file, place, name)
            for name in given.model_fields_set
        }
        made = given
        try:
            made = type(given).model_validate(data)
        except ValidationError as error:
            self._tell(type(given), data, error, file, place)
        except (TypeError, AttributeError):
            if not self.wrong:  # what is wrong within, and told, may keep the whole from being looked at
                raise
        if len(self.found) > before:
            self.wrong |= {id(given), id(made)}
        self._made[id(given)] = (given, made)
        return made

    def _tell(
        self,
        model: type[BaseModel],
        data: Mapping[str, object],
        error: ValidationError,
        file: str,
        place: tuple[str | int, ...],
    ) -> None:
        """Report invalid values, and contradictions between valid ones."""
        bad = {detail["loc"][0] for detail in error.errors(include_url=False) if detail["loc"]}
        found = complaints(model, error, file)
        if bad and issubclass(model, CheckedRecord):
            unread = {str(name) for name in bad}
            with suppress(TypeError):  # values that validation would have made into others
                fitting = model.faults({name: value for name, value in data.items() if name not in unread})
                told = [fault for fault in fitting if fault.known(unread)]
                found += fault_diagnostics(told, data, file)
        for problem in found:
            before, column = path_of(place), problem.column
            path = f"{before}.{column}" if before and column else before or column
            self.found.append(replace(problem, column=path))

    def _value(self, value: object, file: str, place: tuple[str | int, ...], name: str) -> object:
        if isinstance(value, BaseModel):
            return self.record(value, file, (*place, name))
        if isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            return tuple(
                self.record(one, file, (*place, name, position)) if isinstance(one, BaseModel) else one
                for position, one in enumerate(value)
            )
        return value


_PLAIN = frozenset({str, int, bool, Decimal, date, type(None), frozenset})
"""Types of values that hold no record."""


_NOTHING: Mapping[str, Any] = MappingProxyType({})


def faults_in(error: ValidationError) -> tuple[Fault, ...]:
    """Return the faults of a record whose fields don't fit one another."""
    (first, *_) = error.errors(include_url=False)
    cause = first.get("ctx", {}).get("error")
    return cause.faults if isinstance(cause, FaultsError) and not first["loc"] else ()


class Entry:
    """Parsed values of a row of a table, by column, or of a table of a TOML file, by key."""

    __slots__ = ("bad", "values")

    values: dict[str, Any]
    """A value that is blank or can't be read is absent. A table within is an `Entry`, a list of tables a list of them."""
    bad: frozenset[str]
    """Columns that can't be read, or are missing though needed."""

    @property
    def layout(self) -> Layout:
        """Return the columns or keys."""
        raise NotImplementedError

    @property
    def others(self) -> dict[str, Any]:
        """Return the values under other names, as they are, where the layout keeps them."""
        raise NotImplementedError

    def problem(self, column: str, message: str, expected: str = "", fix: str = "", code: str = "") -> None:
        """Report a mistake. `column` may be empty for the entry as a whole."""
        raise NotImplementedError

    def shared(self, record: M) -> M:
        """Return a new record, which may share values with records of other entries."""
        return record

    def made(
        self, model: type[M], given: Mapping[str, object], within: Mapping[str, Sequence[Entry]] = _NOTHING
    ) -> M | None:
        """Return the record of these fields, those that can be read. Report what is wrong and return None if they make no record.

        `within`: entries of the records in its lists, by field.
        """
        columns = self.layout.columns(model)
        if self.bad:
            unread = {field for field, column in columns.items() if column in self.bad} | self.bad
            if issubclass(model, CheckedRecord):
                self.tell((fault for fault in model.faults(given) if fault.known(unread)), columns, within)
            return None
        try:
            return self.shared(model(**given))
        except ValidationError as error:
            faults = faults_in(error)
            self.tell(faults, columns, within)
            for told in complaints(model, error) if not faults else ():
                self.problem(columns.get(told.column, told.column), told.message, told.expected, told.fix, told.code)
            return None

    def record(self, model: type[M], currency: str = "", **more: Any) -> M | None:
        """Return the record of this entry, or None after recording its errors.

        Args:
            model: Type of the record.
            currency: Required currency of prices if the record has no field for it. Empty allows any.
            more: Fields that the entry doesn't contain directly.
        """
        return self.made(model, {**self.layout.stated(model, self.values), **self._of_what(model, currency), **more})

    def _of_what(self, model: type[BaseModel], currency: str) -> dict[str, Any]:
        """Return the substance of its amounts and its chain, if the record has fields for these. Report amounts with a wrong substance or currency."""
        found: dict[str, Any] = {}
        if "substance" in model.model_fields:
            found["substance"] = self._substance()
        for column, amount in self._amounts():
            field = self.layout.of(model).get(column)
            if field is not None and amount.substance and "substance" not in model.model_fields:
                said = "kilograms as moved, like `300 kg`" if isinstance(amount, Mass) else "money per mass alone"
                self.problem(column, "a substance cannot be named here", said, "leave the substance out")
            apart = isinstance(amount, UnitPrice) and currency not in ("", amount.currency)
            if apart and field is not None and not field.currency:
                self.problem(column, f"the case is in {currency}", f"an amount in {currency}", "convert the amount")
        if "chain" in model.model_fields:
            from ..domain.facts import ChainEntry  # a run is read without the records of facts

            found["chain"] = tuple(filter(None, [part.record(ChainEntry) for part in self.parts("chain")]))
        return found

    def _amounts(self) -> Iterator[tuple[str, Mass | UnitPrice]]:
        """Every mass, and every price by mass, with its key."""
        for name in self.layout.names:
            value = self.values.get(name)
            for one in value if type(value) is tuple else (value,):
                if isinstance(one, Mass | UnitPrice):
                    yield name, one

    def _substance(self) -> str:
        """The one substance that the masses and prices of an entry are of; empty for the material's basis."""
        named: dict[str, str] = {}
        for column, amount in self._amounts():
            if not isinstance(amount, Mass) or amount.kg:
                named.setdefault(amount.substance or "", column)
        substances = sorted(name for name in named if name)
        if substances and len(named) > 1:
            odd, other = named.get("", named[substances[-1]]), named[substances[0]]
            own = "no substance" if "" in named else substances[-1]
            self.problem(
                odd,
                f"amounts of one entry are of different substances: `{odd}` names {own}, `{other}` names {substances[0]}",
                f"the same substance in `{odd}` and `{other}`",
                f"name {substances[0]} in both, or no substance in either",
            )
        return substances[0] if substances else ""

    def tell(
        self,
        faults: Iterable[Fault],
        columns: Mapping[str, str] = _NOTHING,
        within: Mapping[str, Sequence[Entry]] = _NOTHING,
    ) -> None:
        """Report what doesn't fit, by fields of a record.

        Args:
            faults: Faults of the record, or of records in it.
            columns: Columns by fields, where they have other names.
            within: Entries of the records in its lists, by field.
        """
        for fault in faults:
            if fault.entry is None or fault.entry[0] not in within:
                column = columns.get(fault.field, fault.field)
                self.problem(column, fault.message, fault.expected, fault.fix, fault.code)
            else:
                entry = within[fault.entry[0]][fault.entry[1]]
                column = entry.layout.column(fault.field)
                entry.problem(column, fault.message, fault.expected, fault.fix, fault.code)

    def parts(self, name: str) -> list[Entry]:
        """Return the list of tables `name` within."""
        found = self.values.get(name, [])
        return found if isinstance(found, list) else []
