"""Reading of a case file, with the errors of all of its files at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from ..catalog.tables import read_rows
from ..domain.base import Fault
from ..domain.case import (
    Accept,
    Assume,
    CarryoverSpec,
    Case,
    Concern,
    IncumbentSpec,
    Level,
    LicenseSpec,
    OfferAssumption,
    OrderSpec,
    StockSpec,
    StoreSpec,
    WaiverSpec,
)
from ..domain.facts import Price
from ..domain.quantities import Mass
from ..domain.suggest import did_you_mean
from ..domain.time import Horizon
from ..errors import Diagnostic, InputError, all_of
from ..readers import TableRows, reader_in
from ..reading.csvfile import Table, read_table
from ..reading.kinds import plain_table
from ..reading.records import Entry
from ..reading.textfile import non_file_diagnostic
from ..reading.tomlfile import Key, TomlFile, TomlTable, is_text, read_section, toml_of
from ..rules.keys import scenario
from . import keys
from .formats import read_case_file
from .keys import CaseContext, demand, overlap, table_record

R = TypeVar("R")

CASE_FILE = "case.toml"
_LISTS: Mapping[str, type[BaseModel]] = {
    "stocks": StockSpec,
    "orders": OrderSpec,
    "incumbents": IncumbentSpec,
    "licenses": LicenseSpec,
    "waivers": WaiverSpec,
    "stores": StoreSpec,
    "carryovers": CarryoverSpec,
    "objectives": Level,
}
"""Fields of a case with lists of tables that need no special reader, such as `stocks` from [[stock]]."""


def load_case(source: Path | str | Mapping[str, object], *, folder: Path | str = "") -> Case:
    """Read a case from a file, a text, or a dict.

    Masses are kilograms of the material's basis. Where the case names another substance (`5 t WO3`), the record keeps
    it in `substance`: a case by itself knows no materials, so the problem converts by the factors of the catalogs.

    Args:
        source: The case file, the folder with its `case.toml`, or the workbook of a case. Or the content of a case file: TOML text, JSON text, or a dict.
        folder: Folder of a case that isn't a file, from which the paths in it start. Empty means the current folder.

    Raises:
        InputError: With all errors of the case and of its table of demands.
    """
    if isinstance(source, Mapping) or is_text(source):
        return _case_from_data(source, Path(folder))
    path = Path(source)
    file = path / CASE_FILE if path.is_dir() else path
    problems: list[Diagnostic] = []
    if path.is_dir() and not file.is_file() and (path / "run.json").is_file():
        message = "this is a run, written by `plan --out`, not a case"
        fix = "name the case that was planned. Only `report`, `verify`, and questions about a plan take a run"
        expected = "a case file, a folder with `case.toml`, or the workbook of a case"
        raise InputError(message, str(path), expected=expected, fix=fix, code="FS200")
    if not file.exists():  # the reader rejects other things, such as pipes
        unusual = non_file_diagnostic(file)
        if unusual is not None:
            raise InputError(unusual)
        raise InputError("no such case", str(file), expected="a case file", fix="check the path", code="FS200")
    toml = read_case_file(file, problems)
    if toml is None:
        raise all_of(problems)
    case = _assemble(read_section(toml, keys.FILE, toml.data), file.parent, problems)
    if problems or case is None:
        raise all_of(toml.printable(problems))
    return case.but(file=file)


def _case_from_data(source: str | Mapping[str, object], folder: Path) -> Case:
    """Return the case in a text or a dict."""
    problems: list[Diagnostic] = []
    toml = toml_of(source, "case", problems)
    case = None
    if toml is not None:
        data = {"schema": 1, **toml.data}
        case = _assemble(read_section(toml, keys.FILE, data), folder, problems)
    if problems or case is None:
        raise all_of(problems)
    return case


def _assemble(top: TomlTable, folder: Path, problems: list[Diagnostic]) -> Case | None:
    head, use, accept = top.part("case"), top.part("use"), top.part("accept")
    case_facts = _case_facts(head)
    entries = _Entries(top, [*top.parts("demand"), *_demand_table(use, folder, problems)])
    parts: dict[str, object] = {
        "accept": Accept(**accept.layout.attributes(Accept, accept.values), capacity=accept.part("capacity").values),
        "assume": _assume(top.part("assume"), case_facts),
        "concern": table_record(top.part("concern"), Concern, case_facts),
        "demands": entries.records("demands", lambda entry: demand(entry, case_facts)),
        "overlaps": entries.records("overlaps", lambda entry: overlap(entry, case_facts)),
        **{
            field: entries.records(field, partial(table_record, record=record, case_facts=case_facts))
            for field, record in _LISTS.items()
        },
        "rules": entries.with_records("rules", _rules(top.parts("rule"))),
        "scenarios": entries.records("scenarios", scenario),
    }
    parts["settings"] = _settings(top.part("plugin"))
    if head.values.get("resolution", Mass(Decimal(0), None)).substance:
        message, fix = "the resolution can't name a substance", "write a mass like `1 g`"
        head.problem("resolution", message, "a mass like `1 g`", fix, "FS012")
    parts |= head.layout.attributes(Case, head.values)
    entries.report(Case.faults({**parts, "horizon": case_facts.horizon}), head)
    if problems or case_facts.horizon is None:
        return None
    if reader_in(use.values.get("demand", "")) is not None:
        parts["demand_from"] = use.values["demand"]
    return Case(horizon=case_facts.horizon, folder=folder, **use.layout.attributes(Case, use.values), **parts)


class _Entries:
    def __init__(self, top: Entry, demands: list[Entry]) -> None:
        lists = ("overlaps", "rules", "scenarios", *_LISTS)
        self._tables = {field: top.parts(field.removesuffix("s")) for field in lists} | {"demands": demands}
        self._valid_tables: dict[str, list[Entry]] = {}
        """Tables with a record, in the order of the records."""

    def records(self, field: str, read: Callable[[Entry], R | None]) -> tuple[R, ...]:
        return self.with_records(field, [read(entry) for entry in self._tables[field]])

    def with_records(self, field: str, records: Sequence[R | None]) -> tuple[R, ...]:
        """Return the records of a list's tables. None marks an invalid table."""
        pairs = [(e, r) for e, r in zip(self._tables[field], records, strict=True) if r is not None]
        self._valid_tables[field] = [entry for entry, _ in pairs]
        return tuple(record for _, record in pairs)

    def report(self, faults: Iterable[Fault], head: Entry) -> None:
        for fault in faults:
            entry = self._valid_tables[fault.entry[0]][fault.entry[1]] if fault.entry else head
            is_present = fault.field in entry.values or fault.field in head.values
            entry.problem(fault.field if is_present else "", fault.message, fault.expected, fault.fix, fault.code)


def _case_facts(head: Entry) -> CaseContext:
    values = head.values
    currency = "" if "currency" in head.bad else values.get("currency", "USD")
    horizon = None
    if {"start", "periods", "period"} <= values.keys():
        stated = {"start": values["start"], "count": values["periods"], "length": values["period"]}
        faults = list(Horizon.faults(stated))
        head.report(faults, {"count": "periods", "length": "period"})
        horizon = None if faults else Horizon(**stated)
    return CaseContext(currency, values.get("place", ""), horizon)


def _demand_table(use: Entry, folder: Path, problems: list[Diagnostic]) -> list[Entry]:
    name = use.values.get("demand")
    if name is None or reader_in(name) is not None:  # `gather` asks the plugin's reader
        return []
    file = folder / name
    if not file.is_file():
        unusual = non_file_diagnostic(file)
        if unusual is not None:
            problems.append(unusual)
            return []
        fix = did_you_mean(name, [p.name for p in folder.glob("*.csv")])
        use.problem("demand", "no such file beside the case", "a CSV file", fix, "FS201")
        return []
    return [*read_table(file, keys.DEMAND, problems).rows]


def with_demands(case: Case, rows: TableRows, default_file: str) -> tuple[Case, Table]:
    """Return the case with additional demands from a reader, and their table. `default_file` is for messages."""
    problems: list[Diagnostic] = []
    table = read_rows(rows, keys.DEMAND, default_file, problems)
    case_facts = CaseContext(case.currency, case.place, case.horizon)
    pairs = [(row, demand(row, case_facts)) for row in table.rows]
    valid_rows = [row for row, record in pairs if record is not None]
    demands = tuple(record for _, record in pairs if record is not None)
    extended = case.but(demands=(*case.demands, *demands))
    for fault in Case.faults({name: getattr(extended, name) for name in Case.model_fields}):
        number = fault.entry[1] - len(case.demands) if fault.entry and fault.entry[0] == "demands" else -1
        if number >= 0:
            valid_rows[number].report([fault])
    if problems:
        raise all_of(problems)
    return extended, table


def _assume(entry: TomlTable, case_facts: CaseContext) -> Assume | None:
    offers = [_assumption(offer, case_facts) for offer in entry.parts("offer")]
    license = {name: str(value) for name, value in sorted(entry.part("license").others.items())}
    return table_record(
        entry, Assume, case_facts, license=license, offer=tuple(offer for offer in offers if offer is not None)
    )


def _assumption(entry: Entry, case_facts: CaseContext) -> OfferAssumption | None:
    price_fields = entry.layout.attributes(Price, entry.values)
    price = entry.record_from(Price, price_fields) if price_fields else None
    more = {} if price is None else {"price": price}
    return table_record(entry, OfferAssumption, case_facts, **more) if price or not price_fields else None


def _settings(entry: Entry) -> dict[str, dict[str, object]]:
    """Return the settings of plugins as plain data."""
    for name, value in entry.others.items():
        if not isinstance(value, dict):
            fix = f"write the settings of the plugin below `[plugin.{name}]`"
            entry.problem(name, "the settings of a plugin must be a table", f"[plugin.{name}]", fix, "FS011")
    return {name: plain_table(value) for name, value in entry.others.items() if isinstance(value, dict)}


def _rules(entries: list[Entry]) -> list[dict[str, object]]:
    """Return rules as plain data. The default id is the kind and a number."""
    stated_ids = {entry.values["id"] for entry in entries if "id" in entry.values}
    numbers: dict[str, int] = {}
    rules = []
    for entry in entries:
        kind = entry.values.get("kind", "")
        name = entry.values.get("id")
        while name is None or (name in stated_ids and "id" not in entry.values):
            numbers[kind] = numbers.get(kind, 0) + 1
            name = f"{kind}-{numbers[kind]}"
        rules.append({"kind": kind, "id": name, **plain_table(entry.others)})
    return rules


# Records don't contain lines, so the words of a file are read again to locate an error.
@dataclass(frozen=True, slots=True)
class Mention:
    """A word in a case file or in its demand table."""

    section: str
    """Names of the tables that contain it, like `scenario.change`."""
    column: str
    word: str
    file: str
    row: int | None


def mentions(file: Path) -> list[Mention]:
    """Return all words of a case file and of its demand table, in order. Empty if the file can't be read."""
    problems: list[Diagnostic] = []
    toml = read_case_file(file, problems) if file.is_file() else None
    if toml is None:
        return []
    words = list(_words(toml, toml.data, ()))
    use = toml.data.get("use")
    name = use.get("demand") if isinstance(use, dict) else None
    if isinstance(name, str) and (file.parent / name).is_file():
        table = read_table(file.parent / name, keys.DEMAND, problems)
        words += words_of(table)
    return words


def words_of(table: Table) -> list[Mention]:
    return [
        Mention("demand", column, row.cells[position], table.file, row.line)
        for row in table.rows
        for column, position in table.columns.items()
        if row.cells[position]
    ]


def _words(toml: TomlFile, value: object, at: Key) -> Iterator[Mention]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _words(toml, inner, (*at, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _words(toml, inner, (*at, number))
    elif isinstance(value, str | date):
        names = [part for part in at if isinstance(part, str)]
        yield Mention(".".join(names[:-1]), names[-1], str(value).strip(), *toml.place(at))
