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
    LicenceSpec,
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
from .keys import About, demand, made, overlap

R = TypeVar("R")

CASE_FILE = "case.toml"
_LISTS: Mapping[str, type[BaseModel]] = {
    "stocks": StockSpec,
    "orders": OrderSpec,
    "incumbents": IncumbentSpec,
    "licences": LicenceSpec,
    "waivers": WaiverSpec,
    "stores": StoreSpec,
    "carryovers": CarryoverSpec,
    "objectives": Level,
}
"""Fields of a case with lists of tables that need no special reader: `stocks` from [[stock]]."""


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
        return _of_data(source, Path(folder))
    path = Path(source)
    file = path / CASE_FILE if path.is_dir() else path
    found: list[Diagnostic] = []
    if path.is_dir() and not file.is_file() and (path / "run.json").is_file():
        message = "this is a run, made by `plan --out`, and no case"
        fix = "name the case that it was planned from; `report`, `verify` and the questions about a plan take the run itself"
        raise InputError(
            message,
            str(path),
            expected="a case file, a folder that holds `case.toml`, or the workbook of a case",
            fix=fix,
        )
    if not file.exists():  # what is there and no file, such as a pipe, is told by the reader
        other = non_file_diagnostic(file)
        if other is not None:
            raise InputError(other)
        raise InputError("there is no such case", file=str(file), expected="a case file", fix="check the path")
    toml = read_case_file(file, found)
    if toml is None:
        raise all_of(found)
    case = _assemble(read_section(toml, keys.FILE, toml.data), file.parent, found)
    if found or case is None:
        raise all_of(toml.told(found))
    return case.but(file=file)


def _of_data(source: str | Mapping[str, object], folder: Path) -> Case:
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


def _assemble(top: TomlTable, folder: Path, found: list[Diagnostic]) -> Case | None:
    head, use = top.part("case"), top.part("use")
    about = _about(head)
    wanted = [*top.parts("demand"), *_demand_table(use, folder, found)]
    entries = _Entries(top, wanted)
    parts: dict[str, object] = {
        "accept": _accept(top.part("accept")),
        "assume": _assume(top.part("assume"), about),
        "concern": made(top.part("concern"), Concern, about),
        "demands": entries.made("demands", lambda entry: demand(entry, about)),
        "overlaps": entries.made("overlaps", lambda entry: overlap(entry, about)),
        **{field: entries.made(field, partial(made, record=record, about=about)) for field, record in _LISTS.items()},
        "rules": entries.kept("rules", _rules(top.parts("rule"))),
        "scenarios": entries.made("scenarios", scenario),
    }
    parts["settings"] = _settings(top.part("plugin"))
    if head.values.get("resolution", Mass(Decimal(0), None)).substance:
        head.problem("resolution", "a plain mass above zero is needed", "a mass like `1 g`")
    parts |= head.layout.stated(Case, head.values)
    entries.tell(Case.faults({**parts, "horizon": about.horizon}), head)
    if found or about.horizon is None:
        return None
    if reader_in(use.values.get("demand", "")) is not None:
        parts["demand_from"] = use.values["demand"]
    return Case(horizon=about.horizon, folder=folder, **use.layout.stated(Case, use.values), **parts)


class _Entries:
    """Tables of a case's lists, and their records."""

    def __init__(self, top: Entry, demands: list[Entry]) -> None:
        lists = ("overlaps", "rules", "scenarios", *_LISTS)
        self._tables = {field: top.parts(field.removesuffix("s")) for field in lists} | {"demands": demands}
        self._kept: dict[str, list[Entry]] = {}
        """Tables with a record, so that errors of a record can name its table."""

    def made(self, field: str, make: Callable[[Entry], R | None]) -> tuple[R, ...]:
        """Return the records of a list's tables."""
        return self.kept(field, [make(entry) for entry in self._tables[field]])

    def kept(self, field: str, records: Sequence[R | None]) -> tuple[R, ...]:
        """Return the records, without tables that have none."""
        pairs = [(e, r) for e, r in zip(self._tables[field], records, strict=True) if r is not None]
        self._kept[field] = [entry for entry, _ in pairs]
        return tuple(record for _, record in pairs)

    def tell(self, faults: Iterable[Fault], head: Entry) -> None:
        """Record errors of the case as a whole at their places."""
        for fault in faults:
            entry = self._kept[fault.entry[0]][fault.entry[1]] if fault.entry else head
            stands = fault.field in entry.values or fault.field in head.values
            entry.problem(fault.field if stands else "", fault.message, fault.expected, fault.fix)


def _about(head: Entry) -> About:
    """Return the facts of the case that other sections depend on."""
    values = head.values
    currency = "" if "currency" in head.bad else values.get("currency", "USD")
    horizon = None
    if {"start", "periods", "period"} <= values.keys():
        stated = {"start": values["start"], "count": values["periods"], "length": values["period"]}
        faults = list(Horizon.faults(stated))
        head.tell(faults, {"count": "periods", "length": "period"})
        horizon = None if faults else Horizon(**stated)
    return About(currency, values.get("place", ""), horizon)


def _demand_table(use: Entry, folder: Path, found: list[Diagnostic]) -> list[Entry]:
    name = use.values.get("demand")
    if name is None or reader_in(name) is not None:  # what a reader reads is asked for where plugins are known
        return []
    file = folder / name
    if not file.is_file():
        other = non_file_diagnostic(file)
        if other is not None:
            found.append(other)
            return []
        near = did_you_mean(name, [p.name for p in folder.glob("*.csv")])
        use.problem("demand", "there is no such file beside the case", "a CSV file", near)
        return []
    table = read_table(file, keys.DEMAND, found)
    return [*table.rows]


def with_demands(case: Case, rows: TableRows, called: str) -> tuple[Case, Table]:
    """Return the case with more demands from a reader, and their table.

    Args:
        case: The case.
        rows: The reader's rows.
        called: Name of the table if the reader names no file.

    Raises:
        InputError: With all errors in the rows.
    """
    found: list[Diagnostic] = []
    table = read_rows(rows, keys.DEMAND, called, found)
    about = About(case.currency, case.place, case.horizon)
    pairs = [(row, demand(row, about)) for row in table.rows]
    kept = [row for row, record in pairs if record is not None]
    more = tuple(record for _, record in pairs if record is not None)
    both = case.but(demands=(*case.demands, *more))
    for fault in Case.faults({name: getattr(both, name) for name in Case.model_fields}):
        number = fault.entry[1] - len(case.demands) if fault.entry and fault.entry[0] == "demands" else -1
        if number >= 0:
            kept[number].tell([fault])
    if found:
        raise all_of(found)
    return both, table


def _accept(entry: TomlTable) -> Accept:
    return Accept(**entry.layout.stated(Accept, entry.values), capacity=entry.part("capacity").values)


def _assume(entry: TomlTable, about: About) -> Assume | None:
    offers = [_assumption(offer, about) for offer in entry.parts("offer")]
    licence = {name: str(value) for name, value in sorted(entry.part("licence").others.items())}
    return made(entry, Assume, about, licence=licence, offer=tuple(offer for offer in offers if offer is not None))


def _assumption(entry: Entry, about: About) -> OfferAssumption | None:
    given_price = entry.layout.stated(Price, entry.values)
    price = entry.made(Price, given_price) if given_price else None
    more = {} if price is None else {"price": price}
    return made(entry, OfferAssumption, about, **more) if price or not given_price else None


def _settings(entry: Entry) -> dict[str, dict[str, object]]:
    """Return the settings of plugins as plain data."""
    for name, value in entry.others.items():
        if not isinstance(value, dict):
            entry.problem(
                name, "a table is needed", f"[plugin.{name}]", "write the settings of a plugin under its name"
            )
    return {name: plain_table(value) for name, value in entry.others.items() if isinstance(value, dict)}


def _rules(entries: list[Entry]) -> list[dict[str, object]]:
    """Return rules as plain data. A rule without an id is named by kind and number."""
    taken = {entry.values["id"] for entry in entries if "id" in entry.values}
    numbers: dict[str, int] = {}
    rules = []
    for entry in entries:
        kind = entry.values.get("kind", "")
        name = entry.values.get("id")
        while name is None or (name in taken and "id" not in entry.values):
            numbers[kind] = numbers.get(kind, 0) + 1
            name = f"{kind}-{numbers[kind]}"
        rules.append({"kind": kind, "id": name, **plain_table(entry.others)})
    return rules


# Records contain no lines, so the words of a file are read again after an error.
@dataclass(frozen=True, slots=True)
class Mention:
    """A word in a case file or in its demand table."""

    section: str
    """Tables that contain it, like `scenario.change`."""
    column: str
    """Key or column."""
    word: str
    file: str
    row: int | None


def mentions(file: Path) -> list[Mention]:
    """Return all words of a case file and of its demand table, in order. Empty if it can't be read."""
    found: list[Diagnostic] = []
    toml = read_case_file(file, found) if file.is_file() else None
    if toml is None:
        return []
    words = list(_words(toml, toml.data, ()))
    use = toml.data.get("use")
    name = use.get("demand") if isinstance(use, dict) else None
    if isinstance(name, str) and (file.parent / name).is_file():
        table = read_table(file.parent / name, keys.DEMAND, found)
        words += words_of(table)
    return words


def words_of(table: Table) -> list[Mention]:
    """Return all words of a demand table, in order."""
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
