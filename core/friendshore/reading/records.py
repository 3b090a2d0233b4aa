"""Creation of records from plain data or parsed entries of files, with a diagnostic for every error."""

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
from ..domain.suggest import did_you_mean, nearest
from ..domain.written import record_in
from ..errors import Diagnostic, InputError
from .fields import Layout

M = TypeVar("M", bound=BaseModel)

_MAX_SHOWN = 60

_ERROR_TYPES = {
    "true or false": "bool_parsing bool_type",
    "a date like 2027-01-31": "date_from_datetime_parsing date_parsing date_type",
    "a table": "dict_type model_type",
    "a list": "frozen_set_type list_type tuple_type",
    "a whole number": "int_parsing int_type",
    "text": "string_type",
    "one entry or more": "too_short",
}
_EXPECTED = {kind: expected for expected, kinds in _ERROR_TYPES.items() for kind in kinds.split()}


def record(model: type[M], data: Mapping[str, object], file: str = "", row: int | None = None) -> M:
    """Return data as a record, or raise an InputError with all errors, placed by `file` and `row`."""
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        raise InputError(validation_diagnostics(model, error, file, row)) from error


def validation_diagnostics(
    model: type[BaseModel], error: ValidationError, file: str = "", row: int | None = None
) -> list[Diagnostic]:
    details = error.errors(include_url=False)
    return [p for d in details if not _is_consequence(model, d, details) for p in _diagnostics(model, d, file, row)]


def _diagnostics(model: type[BaseModel], detail: ErrorDetails, file: str, row: int | None) -> list[Diagnostic]:
    error = detail.get("ctx", {}).get("error")
    if not isinstance(error, FaultsError):
        return [_diagnostic(model, detail, file, row)]
    return fault_diagnostics(error.faults, detail["input"], file, row, detail["loc"])


def fault_diagnostics(
    faults: Iterable[Fault],
    data: object,
    file: str = "",
    row: int | None = None,
    place: tuple[str | int, ...] = (),
) -> list[Diagnostic]:
    """Return the diagnostics of faults in a record or its data at a path within `file` and `row`."""
    return [
        Diagnostic(
            fault.message,
            file,
            row,
            path_of((*place, *fault.place)),
            _shown_at(data, fault.place),
            fault.expected,
            fault.fix,
            fault.code,
        )
        for fault in faults
    ]


def _shown_at(data: object, place: Sequence[str | int]) -> str:
    """Return the value of a field for a message. Empty for the record as a whole."""
    value: object = data if place else None
    for step in place:
        if isinstance(step, int):
            value = value[step] if isinstance(value, Sequence) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else getattr(value, step, None)
    return "" if value in (None, "", (), frozenset()) else shown(value)


def _is_consequence(model: type[BaseModel], detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Return True if a list is too short only because of errors in its entries, or if another key misspells a missing one."""
    place = detail["loc"]
    if detail["type"] == "missing":
        names = _names_at(model, place[:-1])
        extra = [d["loc"] for d in details if d["type"] == "extra_forbidden" and d["loc"][:-1] == place[:-1]]
        return any(nearest(str(other[-1]), names) == place[-1] for other in extra)
    has_bad_entries = any(other["loc"][: len(place)] == place and len(other["loc"]) > len(place) for other in details)
    return detail["type"] == "too_short" and has_bad_entries


def _diagnostic(model: type[BaseModel], detail: ErrorDetails, file: str, row: int | None) -> Diagnostic:
    place, kind, value = detail["loc"], detail["type"], detail["input"]
    column, found = path_of(place), shown(value)
    if kind == "extra_forbidden":
        names = _names_at(model, place[:-1])
        expected = "one of " + ", ".join(names) if names else ""
        fix = did_you_mean(str(place[-1]), names) or "delete it"
        return Diagnostic("unknown key", file, row, column, expected=expected, fix=fix, code="FS001")
    if kind == "missing":
        return Diagnostic("a required key is missing", file, row, column, fix=f"add `{place[-1]}`", code="FS002")
    context = detail.get("ctx", {})
    if kind in ("enum", "literal_error"):
        words = context.get("expected", "")
        options = [word.strip(" '") for word in words.replace(" or ", ",").split(",")]
        message, fix = "isn't one of the accepted words", did_you_mean(str(value), options)
        return Diagnostic(message, file, row, column, found, words, fix, "FS003")
    error = context.get("error")
    if isinstance(error, UnreadableError):
        return Diagnostic("cannot be read", file, row, column, found, error.expected, error.fix, error.code)
    if kind == "value_error":
        return Diagnostic(str(context["error"]), file, row, column, found if column else "", code="FS012")
    expected = _EXPECTED.get(kind) or detail["msg"].removeprefix("Input should be ")
    fix = "write `[` and `]` around it" if expected == "a list" and isinstance(value, str | dict | BaseModel) else ""
    return Diagnostic("cannot be read", file, row, column, found, expected, fix, "FS011")


def path_of(place: Sequence[str | int]) -> str:
    """Return a path as text, such as `phases[2].from`. List entries are numbered from 1."""
    path = ""
    for step in place:
        if isinstance(step, int):
            path += f"[{step + 1}]"
        else:
            path += f".{step}" if path else step
    return path


def shown(value: object) -> str:
    """Return a value for a message."""
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
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"


def _names_at(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    record_type: type[BaseModel] | None = model
    for step in place:
        if record_type is None or isinstance(step, int):
            continue
        field = next((f for name, f in record_type.model_fields.items() if step in (name, f.alias)), None)
        record_type = record_in(field.annotation) if field else None
    return [field.alias or name for name, field in record_type.model_fields.items()] if record_type else []


class RecordChecker:
    """Validates records by creating them again. A record that was copied with other values, or built without validation, was never validated."""

    def __init__(self) -> None:
        self.problems: list[Diagnostic] = []
        self.invalid: set[int] = set()
        """Records with problems, by `id`."""
        # Results by `id` of the input, which is kept too, so that its id stays in use.
        self._checked: dict[int, tuple[BaseModel, BaseModel]] = {}

    def record(self, record: M, file: str, place: tuple[str | int, ...] = ()) -> M:
        """Return the validated record, or the record itself if it is invalid. `place` is its path within `file`."""
        checked = self._checked.get(id(record))
        if checked is not None:
            return typing.cast(M, checked[1])
        before = len(self.problems)
        fields = record.__dict__  # fields that aren't set have valid defaults
        data = {
            name: value if type(value := fields[name]) in _PLAIN else self._value(value, file, place, name)
            for name in record.model_fields_set
        }
        valid = record
        try:
            valid = type(record).model_validate(data)
        except ValidationError as error:
            self._report(type(record), data, error, file, place)
        except (TypeError, AttributeError):
            if not self.invalid:  # an invalid record inside may make the validation of this one fail
                raise
        if len(self.problems) > before:
            self.invalid |= {id(record), id(valid)}
        self._checked[id(record)] = (record, valid)
        return valid

    def _report(
        self,
        model: type[BaseModel],
        data: Mapping[str, object],
        error: ValidationError,
        file: str,
        place: tuple[str | int, ...],
    ) -> None:
        bad = {str(detail["loc"][0]) for detail in error.errors(include_url=False) if detail["loc"]}
        problems = validation_diagnostics(model, error, file)
        if bad and issubclass(model, CheckedRecord):
            with suppress(TypeError):  # valid fields may still have the wrong type, which validation would convert
                faults = model.faults({name: value for name, value in data.items() if name not in bad})
                problems += fault_diagnostics([fault for fault in faults if fault.is_certain(bad)], data, file)
        for problem in problems:
            parent, column = path_of(place), problem.column
            path = f"{parent}.{column}" if parent and column else parent or column
            self.problems.append(replace(problem, column=path))

    def _value(self, value: object, file: str, place: tuple[str | int, ...], name: str) -> object:
        if isinstance(value, BaseModel):
            return self.record(value, file, (*place, name))
        if isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            return tuple(
                self.record(entry, file, (*place, name, position)) if isinstance(entry, BaseModel) else entry
                for position, entry in enumerate(value)
            )
        return value


# Types of values that contain no record.
_PLAIN = frozenset({str, int, bool, Decimal, date, type(None), frozenset})


_NOTHING: Mapping[str, Any] = MappingProxyType({})


def faults_in(error: ValidationError) -> tuple[Fault, ...]:
    """Return the contradictions between fields of the record. Empty for any other error."""
    (first, *_) = error.errors(include_url=False)
    cause = first.get("ctx", {}).get("error")
    return cause.faults if isinstance(cause, FaultsError) and not first["loc"] else ()


class Entry:
    """Parsed values of a row of a table, by column, or of a table of a TOML file, by key."""

    __slots__ = ("bad", "values")

    values: dict[str, Any]
    """Blank and unreadable values are absent. A table inside is an `Entry`, and a list of tables is a list of them."""
    bad: frozenset[str]
    """Columns that can't be read, or are required but missing."""

    @property
    def layout(self) -> Layout:
        raise NotImplementedError

    @property
    def others(self) -> dict[str, Any]:
        """Values under names outside the layout, as they are, if the layout keeps them."""
        raise NotImplementedError

    def problem(self, column: str, message: str, expected: str = "", fix: str = "", code: str = "") -> None:
        """Report an error. `column` may be empty for the entry as a whole."""
        raise NotImplementedError

    def with_shared_values(self, record: M) -> M:
        """Return a new record, which may share values with records of other entries."""
        return record

    def record_from(
        self, model: type[M], fields: Mapping[str, object], within: Mapping[str, Sequence[Entry]] = _NOTHING
    ) -> M | None:
        """Return the record, or report all errors and return None. `within` contains the entries of the records in its lists, by field."""
        columns = self.layout.columns(model)
        if self.bad:
            unread = {field for field, column in columns.items() if column in self.bad} | self.bad
            if issubclass(model, CheckedRecord):
                self.report((fault for fault in model.faults(fields) if fault.is_certain(unread)), columns, within)
            return None
        try:
            return self.with_shared_values(model(**fields))
        except ValidationError as error:
            faults = faults_in(error)
            self.report(faults, columns, within)
            for p in validation_diagnostics(model, error) if not faults else ():
                self.problem(columns.get(p.column, p.column), p.message, p.expected, p.fix, p.code)
            return None

    def record(self, model: type[M], currency: str = "", **more: Any) -> M | None:
        """Return this entry's record, or report its errors and return None. `currency` is required of prices without their own. `more` are further fields."""
        fields = self.layout.attributes(model, self.values)
        return self.record_from(model, {**fields, **self._substance_and_chain(model, currency), **more})

    def _substance_and_chain(self, model: type[BaseModel], currency: str) -> dict[str, Any]:
        """Return these if the record has fields for them. Report amounts with a wrong substance or currency."""
        fields: dict[str, Any] = {}
        if "substance" in model.model_fields:
            fields["substance"] = self._substance()
        for column, amount in self._amounts():
            field = self.layout.of(model).get(column)
            if field is not None and amount.substance and "substance" not in model.model_fields:
                expected = "kilograms as moved, like `300 kg`" if isinstance(amount, Mass) else "money per mass alone"
                self.problem(column, "a substance isn't allowed here", expected, "delete the substance", "FS065")
            is_foreign = isinstance(amount, UnitPrice) and currency not in ("", amount.currency)
            if is_foreign and field is not None and not field.currency:
                message = f"isn't in {currency}, the case's currency"
                self.problem(column, message, f"an amount in {currency}", "convert the amount", "FS066")
        if "chain" in model.model_fields:
            from ..domain.facts import ChainEntry  # not needed to read a run

            fields["chain"] = tuple(filter(None, [part.record(ChainEntry) for part in self.parts("chain")]))
        return fields

    def _amounts(self) -> Iterator[tuple[str, Mass | UnitPrice]]:
        for name in self.layout.names:
            value = self.values.get(name)
            for amount in value if type(value) is tuple else (value,):
                if isinstance(amount, Mass | UnitPrice):
                    yield name, amount

    def _substance(self) -> str:
        """Return the single substance of the masses and prices. Empty for the material's basis."""
        columns: dict[str, str] = {}
        for column, amount in self._amounts():
            if not isinstance(amount, Mass) or amount.kg:
                columns.setdefault(amount.substance or "", column)
        substances = sorted(name for name in columns if name)
        if substances and len(columns) > 1:
            odd, other = columns.get("", columns[substances[-1]]), columns[substances[0]]
            odd_substance = "no substance" if "" in columns else substances[-1]
            self.problem(
                odd,
                f"the amounts have different substances ({odd_substance} in `{odd}`, {substances[0]} in `{other}`)",
                f"the same substance in `{odd}` and `{other}`",
                f"write {substances[0]} in both, or no substance in either",
                "FS064",
            )
        return substances[0] if substances else ""

    def report(
        self,
        faults: Iterable[Fault],
        columns: Mapping[str, str] = _NOTHING,
        within: Mapping[str, Sequence[Entry]] = _NOTHING,
    ) -> None:
        """Report faults. `columns` has other names of fields, and `within` the entries of the records in lists, by field."""
        for fault in faults:
            if fault.entry is None or fault.entry[0] not in within:
                column = columns.get(fault.field, fault.field)
                self.problem(column, fault.message, fault.expected, fault.fix, fault.code)
            else:
                entry = within[fault.entry[0]][fault.entry[1]]
                column = entry.layout.column(fault.field)
                entry.problem(column, fault.message, fault.expected, fault.fix, fault.code)

    def parts(self, name: str) -> list[Entry]:
        tables = self.values.get(name, [])
        return tables if isinstance(tables, list) else []
