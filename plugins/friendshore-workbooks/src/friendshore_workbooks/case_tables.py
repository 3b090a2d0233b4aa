"""A case as tables of texts with keys and editable cells, and the workbook that is written from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import cast

from friendshore.case import keys
from friendshore.case.formats import read_case_file
from friendshore.catalog import columns
from friendshore.catalog.convert import Texts, texts_of
from friendshore.catalog.sheets import Sheet, workbook
from friendshore.catalog.tables import HEAD_SHEET, sheet_name
from friendshore.domain.case import CAPACITY_COUNTS
from friendshore.domain.facts import Status
from friendshore.domain.naming import Names
from friendshore.domain.values import countries
from friendshore.errors import Diagnostic, InputError
from friendshore.plugins.isolated import CatalogRef
from friendshore.problem.demands import demand_name
from friendshore.readers import reader_in
from friendshore.reading import kinds as k
from friendshore.reading.csvfile import read_table
from friendshore.reading.fields import Field, Layout
from friendshore.reading.kinds import Kind, cell_text
from friendshore.reading.tomlfile import toml_line, toml_text
from friendshore.recommend.gather import Gathered
from friendshore.rules.amend import figure_of
from friendshore.rules.base import PhaseStatus, Rule
from friendshore.rules.keys import SCENARIO

from .case_book import BASELINE, CALLED, CASE, FORMAT, HEAD, OFFER_TABLES, ROW, case_pieces, plain

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseTable:
    """A table, which becomes a sheet of the workbook."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    fields: Mapping[str, Field]
    key: tuple[str, ...]
    origins: tuple[tuple[str, int], ...] = ()
    """Catalog and row number there of each row, for a table of catalogs."""

    def text(self, row: int, column: str) -> str:
        return self.rows[row][self.columns.index(column)] if column in self.columns else ""

    def row_name(self, row: int) -> str:
        return ", ".join(filter(None, (self.text(row, column) for column in self.key)))


@dataclass(frozen=True, slots=True)
class CaseTables:
    """A whole case as tables of texts."""

    gathered: Gathered
    tables: Mapping[str, CaseTable]
    catalogs: Mapping[str, tuple[CatalogRef, Texts]]
    data: Mapping[str, object]


_CATALOG_TABLES: Mapping[str, str] = {
    "sources": "id", "materials": "id", "factors": "element compound", "prices": "id date", "rates": "currency to from",
    "facilities": "id", "capacity": "facility from material", "owners": "facility owner", "offers": "id", "recipe": "offer role material",
    "chain": "offer stage element", "lanes": "offer to from", "quotes": "offer from", "tiers": "of id materials kind per from least",
    "terms": "of id materials places per from", "aliases": "of old",
}  # fmt: skip
"""Tables of catalogs, and the columns that identify their rows within a catalog."""
_CASE_TABLES: Mapping[str, tuple[Layout, str, str]] = {
    "demand": (keys.DEMAND, "id material end_use place from", "place per_year quantity from until shortage_price why"),
    "stock": (keys.STOCK, "id material place", "id material quantity countries why"),
    "order": (keys.ORDER, "id offer arrives", ""),
    "incumbent": (keys.INCUMBENT, "offer", ""),
    "license": (keys.LICENSE, "id rule exporter from", "rule exporter quantity from until why"),
    "waiver": (keys.WAIVER, "id rule demand from", "rule demand quantity from until why"),
    "store": (keys.STORE, "material place from", ""),
    "carryover": (keys.CARRYOVER, "rule row", ""),
    "objective": (keys.OBJECTIVE, "minimize of by per", ""),
    "overlap": (keys.OVERLAP, "facilities", ""),
}
"""Lists of the case: layout, key, and columns that are present even if empty."""


_ALWAYS_SHOWN: Mapping[str, str] = {"offers": "price until", "capacity": "from per_year status"}

CATALOG = Field("catalog", k.IDENT, "Catalog of the row.", "world", required=True)
COUNTRIES = Field(
    "countries",
    k.kind_of(countries),
    "For a stock that you add: countries where all its stages were performed, separated by `;`.",
    "US",
)
ON = k.word_kind("yes, no, or partly", {word: word for word in ("yes", "no", "partly")})
_NUMBER_OR_TEXT = Kind("text", k.TEXT.read, also=({"type": "number"},))
RULE = Layout(
    "rule",
    "Rules that the case uses, both its own and those of rule packs, and the bills of the packs.",
    (
        Field("id", k.IDENT, "Name of the rule or bill.", "cn-gallium-license"),
        Field("kind", k.TEXT, "Kind of rule, or `bill`.", "exclude"),
        Field("pack", k.TEXT, "Rule pack that contains it. Blank for a rule of the case.", "us-tariffs"),
        Field("title", k.TEXT, "Title in one line.", "No purchases from Iran"),
        Field("citation", k.TEXT, "Clause of the law.", "10 U.S.C. 4872"),
        Field("phases", k.TEXT, "Dates when it applies, and how certain they are.", "enacted from 2027-01-01"),
        Field("on", ON, "`yes` if it applies, `partly` if some of its phases do.", "yes"),
        Field("from", k.DATE, "Blank. With a date, the rule applies no earlier.", "2028-01-01"),
        Field("until", k.DATE, "Blank. With a date, the rule applies no later.", "2028-12-31"),
        Field(
            "limit",
            k.TEXT,
            "Figure of a limit: the amount of a budget, or the share, mass, or number of another limit.",
            "60%",
        ),
        Field(
            "loosen",
            k.NON_NEGATIVE,
            "Blank. With a number, the bounds of a limit are relaxed by it, in the limit's own unit.",
            "1000",
        ),
    ),
)
SETTINGS = Layout(
    "settings",
    "Sections of the case file that aren't lists.",
    (
        Field("section", k.TEXT, "Section of the case file.", "accept.capacity"),
        Field("key", k.TEXT, "Key in it.", "announced"),
        Field(
            "value",
            _NUMBER_OR_TEXT,
            "Value of the key. Keys that the case doesn't set are listed only if they can be edited.",
            "0.5",
        ),
        Field("meaning", k.TEXT, "Meaning of the key."),
    ),
)
_SCENARIOS = Layout(
    "scenario",
    "Scenarios of the case and of its rule packs.",
    (
        *(replace(field, inside=None) for field in SCENARIO.fields if field.name != "change"),
        Field("changes", k.TEXT, "Its changes, in order.", "disable tariff-145"),
    ),
)
_HEADS = Layout(HEAD_SHEET, "Catalogs that the case uses.", tuple(f for f in columns.HEAD.fields if f.name != "schema"))


def case_tables(gathered: Gathered) -> CaseTables:
    """Return the tables of a case that was read from a file. Raise an `InputError` if it was made in memory."""
    file = gathered.case.file
    if file is None:
        fix = "write the case to a file, and load the file"
        raise InputError("a case made in memory has no workbook", gathered.case.name, fix=fix, code="FS909")
    problems: list[Diagnostic] = []
    toml = read_case_file(file, problems)
    if toml is None:
        raise InputError(problems)
    catalogs = _catalogs(gathered)
    tables: list[CaseTable] = [_demands(gathered, toml.data, problems)]
    tables += [_case_list(name, toml.data) for name in _CASE_TABLES if name != "demand"]
    tables += [_rules(gathered), _scenarios(gathered), _settings(toml.data)]
    tables.append(_heads(catalogs))
    tables += [_of_catalogs(layout, catalogs, gathered) for layout in columns.TABLES]
    if problems:
        raise InputError(problems)
    always = ("demand", "stock", "license", "waiver", "rule", "settings")
    return CaseTables(
        gathered, {table.name: table for table in tables if table.rows or table.name in always}, catalogs, toml.data
    )


def _catalogs(gathered: Gathered) -> dict[str, tuple[CatalogRef, Texts]]:
    catalogs = {}
    for catalog in gathered.read:
        ref = gathered.find(gathered.named.get(catalog.name, catalog.name))
        catalogs[catalog.name] = (ref, texts_of(ref.place, ref.columns))
    return catalogs


def toml_cell(value: object) -> str:
    text = cell_text(value)
    if text is not None:
        return plain(text) if isinstance(value, str) else text
    if isinstance(value, list | tuple) and not any(isinstance(item, dict | list) for item in value):
        return plain(";".join(map(toml_cell, value)))
    return plain(toml_line(value))


def _table(
    name: str, fields: Iterable[Field], key: str, records: Sequence[Mapping[str, str]], always: str = ""
) -> CaseTable:
    fields_by_name = {field.name: field for field in fields}
    filled = {column for record in records for column, text in record.items() if text}
    fields_by_name |= {
        column: Field(column, k.TEXT, "A fact of the item.") for column in sorted(filled - fields_by_name.keys())
    }
    kept_columns = {*filled, *always.split(), *key.split()}
    shown = tuple(column for column in fields_by_name if column in kept_columns)
    rows = tuple(tuple(record.get(column, "") for column in shown) for record in records)
    return CaseTable(name, shown, rows, fields_by_name, tuple(key.split()))


def _records_in(data: Mapping[str, object], section: str) -> list[dict[str, str]]:
    tables = data.get(section, [])
    assert isinstance(tables, list)  # the case was read
    return [{key: toml_cell(value) for key, value in cast(dict[str, object], table).items()} for table in tables]


def _case_list(name: str, data: Mapping[str, object]) -> CaseTable:
    layout, key, always = _CASE_TABLES[name]
    fields = (*layout.fields, COUNTRIES) if name == "stock" else layout.fields
    return _table(name, fields, key, _records_in(data, name), always)


def _demands(gathered: Gathered, data: Mapping[str, object], problems: list[Diagnostic]) -> CaseTable:
    layout, key, always = _CASE_TABLES["demand"]
    records = _records_in(data, "demand")
    use = data.get("use", {})
    name = str(use.get("demand", "")) if isinstance(use, dict) else ""
    if name and reader_in(name) is None:
        table = read_table((gathered.case.folder or Path()) / name, layout, problems)
        places = {**table.columns, **table.others}
        records += [{column: plain(row.cells[at]) for column, at in places.items()} for row in table.rows]
    elif name:
        rows = gathered.registry.read(name, "demand", gathered.case.folder).rows.tables["demand"]
        records += [dict(zip(rows.columns, map(toml_cell, cells), strict=True)) for _, cells in rows.rows]
    return _table("demand", layout.fields, key, records, always)


def _rules(gathered: Gathered) -> CaseTable:
    records = [
        {
            "id": rule.id,
            "kind": rule.kind,
            "pack": gathered.pack_of.get(rule.id, ""),
            "title": rule.title,
            "citation": rule.citation,
            "phases": "; ".join(_phase_text(phase.status, phase.start, phase.end) for phase in rule.phases),
            "on": _applies(rule),
            "limit": figure_text(rule),
        }
        for rule in sorted(gathered.rules, key=lambda rule: (gathered.pack_of.get(rule.id, ""), rule.id))
    ]
    packs = {bill.id: pack.id for pack, _ in gathered.packs for bill in pack.bills}
    records += [
        {
            "id": bill.id,
            "kind": "bill",
            "pack": packs[bill.id],
            "title": bill.title,
            "citation": bill.citation,
            "phases": str(bill.status),
            "on": "no",
        }
        for bill in gathered.bills
    ]
    plain_records = [{column: plain(text) for column, text in record.items()} for record in records]
    return _table("rule", RULE.fields, "id", plain_records, "on from until limit loosen")


def figure_text(rule: Rule) -> str:
    name = figure_of(rule)
    if not name:
        return ""
    figure = getattr(rule, name)
    if name == "share":
        return f"{(figure * 100).normalize():f}%"
    return f"{Decimal(figure).normalize():f}" + (" kg" if name in ("exactly", "at_least", "at_most") else "")


def _phase_text(status: PhaseStatus, start: date | None, end: date | None) -> str:
    dates = [f"{word} {day}" for word, day in (("from", start), ("until", end)) if day is not None]
    return " ".join([str(status), *dates])


def _applies(rule: Rule) -> str:
    enacted = [phase.status is PhaseStatus.ENACTED for phase in rule.phases]
    return "yes" if enacted and all(enacted) else "partly" if any(enacted) else "no"


def _scenarios(gathered: Gathered) -> CaseTable:
    records = [
        {
            "name": scenario.name,
            "title": plain(scenario.title),
            "inherits": ";".join(scenario.inherits),
            "changes": plain("\n".join(change.text for change in scenario.change)),
        }
        for scenario in gathered.case.scenarios
    ]
    return _table("scenario", _SCENARIOS.fields, "name", records)


_SECTIONS = (keys.CASE, keys.USE, keys.ACCEPT, keys.ACCEPT_CAPACITY, keys.ASSUME, keys.ASSUME_LICENSE, keys.CONCERN)


def _settings(data: Mapping[str, object]) -> CaseTable:
    records = []
    for layout in _SECTIONS:
        section = layout.name.strip("[]")
        data_of_section = _section(data, section)
        meanings = {field.name: field.meaning for field in layout.fields}
        values = {key: toml_cell(value) for key, value in data_of_section.items() if not isinstance(value, dict)}
        if layout is keys.ACCEPT_CAPACITY:
            values = {status: toml_cell(counts) for status, counts in _editable_shares()} | values
        if section == "accept":
            values.setdefault("proven", "")
        values.pop("offer" if section == "assume" else "", None)
        for key, text in values.items():
            meaning = plain(meanings.get(key, ""))
            records.append({"section": section, "key": key, "value": text, "meaning": meaning})
    for assumption in _records_in(_section(data, "assume"), "offer"):
        section = f"assume.offer {assumption['id']}"
        records += [{"section": section, "key": key, "value": text} for key, text in assumption.items() if key != "id"]
    for name in _section(data, "plugin"):
        for key, value in _section(data, f"plugin.{name}").items():
            records.append({"section": f"plugin.{name}", "key": key, "value": toml_cell(value)})
    return _table("settings", SETTINGS.fields, "section key", records, "value meaning")


def _editable_shares() -> Iterator[tuple[str, Decimal]]:
    for status, share in CAPACITY_COUNTS.items():
        if status not in (Status.SUPERSEDED, Status.EVENT):
            yield status.value, share


def _section(data: Mapping[str, object], name: str) -> dict[str, object]:
    section: object = data
    for part in name.split("."):
        section = section.get(part, {}) if isinstance(section, dict) else {}
    return section if isinstance(section, dict) else {}


def _heads(catalogs: Mapping[str, tuple[CatalogRef, Texts]]) -> CaseTable:
    records = [{key: toml_cell(value) for key, value in texts.head.items()} for _, texts in catalogs.values()]
    return _table(HEAD_SHEET, _HEADS.fields, "name", records)


def _of_catalogs(layout: Layout, catalogs: Mapping[str, tuple[CatalogRef, Texts]], gathered: Gathered) -> CaseTable:
    name = sheet_name(layout)
    records: list[dict[str, str]] = []
    origins: list[tuple[str, int]] = []
    fields = {CATALOG.name: CATALOG}
    for catalog, (ref, texts) in catalogs.items():
        fields |= ref.columns.extended(layout).by_name
        if layout.name not in texts.tables or (name in OFFER_TABLES and catalog not in gathered.named):
            continue
        header, rows = texts.tables[layout.name]
        for number, row in enumerate(rows):
            records.append({CATALOG.name: catalog, **dict(zip(header, map(plain, row), strict=True))})
            origins.append((catalog, number))
    table = _table(name, fields.values(), f"catalog {_CATALOG_TABLES[name]}", records, _ALWAYS_SHOWN.get(name, ""))
    return replace(table, origins=tuple(origins))


_UNIT = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)? (\S.*)")
_MEASURED = (k.MASS, k.MASS_RATE, k.CAPACITY, k.MONEY, k.UNIT_PRICE, k.SIGNED_PRICE, k.DURATION, k.MASS_OR_MONEY)


def units_of(table: CaseTable) -> dict[str, str]:
    """Return the most frequent unit of each column. Cells in other units state theirs. A column with a number without a unit has none."""
    unit_by_column = {}
    for position, column in enumerate(table.columns):
        kind = table.fields[column].kind
        texts = [row[position] for row in table.rows if row[position]]
        if kind in _MEASURED and not any(re.fullmatch(r"[-\d.,]+", text) for text in texts):
            units = [match[1] for text in texts if (match := _UNIT.fullmatch(text))]
            if units:
                unit_by_column[column] = max(sorted(set(units)), key=units.count)
    return unit_by_column


CELLS: Mapping[str, Mapping[str, str]] = {
    "demand": {
        "per_year": "the scenario changes the yearly demand.",
        "quantity": "the scenario changes the demand of each period.",
        "quantities": "the scenario changes the demand of each period.",
        "shortage_price": "the scenario changes the penalty per kilogram of shortage.",
        "why": "together with one of these: the scenario states the reason.",
    },
    "rule": {
        "on": "`no` switches the rule off. `yes` switches on a bill, or a rule that is pending or unknown.",
        "from": "the rule applies no earlier than this day.",
        "until": "the rule applies no later than this day.",
        "limit": "the scenario changes the budget, share, mass, or number of the limit.",
        "loosen": "the bounds of a limit are relaxed by this number.",
    },
    "order": {"quantity": "the scenario changes the quantity that arrives."},
    "settings": {
        "value": "in `accept.capacity`: the share with which capacity of this status counts. In `accept`, `proven`: added offers count as proved."
    },
    "offers": {
        "price": "the scenario states the price, which replaces a benchmark or quotes.",
        "premium": "the scenario multiplies the price.",
        "until": "an earlier day: the offer is removed from the next day on.",
        "min_order": "if cleared: the minimum order is removed.",
        "max_order": "if cleared together with max_lots, max_per_year, and total: the maximum order is removed.",
        "max_lots": "if cleared together with lot, or with max_order, max_per_year, and total: the maximum is removed.",
        "max_per_year": "if cleared together with max_order, max_lots, and total: the maximum order is removed.",
        "total": "if cleared together with max_order, max_lots, and max_per_year: the maximum order is removed.",
        "lot": "if cleared together with max_lots: lots are removed.",
        "onboarding": "if cleared: the one-off cost is removed.",
        "qualification": "if cleared: the qualification time is removed.",
        "from": "if cleared together with until: the dates of orders are removed.",
        "lead_time": "the scenario multiplies the lead time on every lane. 0 lifts it.",
        "take_or_pay": "if cleared together with take_or_pay_share: take-or-pay is removed.",
        "take_or_pay_share": "if cleared together with take_or_pay: take-or-pay is removed.",
    },
    "capacity": {
        "per_year": "the scenario states the capacity, from the row's day to the next row's.",
        "status": "the scenario states the status, from the row's day to the next row's.",
        "from": "later by whole months: the scenario delays the capacity. Earlier: the scenario states the capacity from that day on.",
    },
    "prices": {"price": "the scenario states the benchmark price on the edited dates, or multiplies it."},
    "recipe": {"per_unit": "the scenario multiplies the quantity of the material per unit."},
    "quotes": {"price": "if all quotes of an offer change by one factor: the scenario multiplies its price."},
    "terms": {
        "fixed": "if cleared: the fixed cost is removed.",
        "least": "if cleared: the minimum is removed.",
        "most": "if cleared: the maximum is removed.",
        "setup_use": "if cleared: the set-up is removed.",
    },
}
"""Sheet -> column -> effect of an edit."""

ROWS_ADDED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "demand": (
        (
            "id",
            "material",
            "end_use",
            "place",
            "buyer",
            "per_year",
            "quantity",
            "quantities",
            "from",
            "until",
            "shortage_price",
            "why",
        ),
        "the scenario adds a demand.",
    ),
    "license": (("rule", "exporter", "quantity", "from", "until", "why"), "the scenario grants a license."),
    "waiver": (("rule", "demand", "quantity", "from", "until", "why"), "the scenario waives a rule."),
    "stock": (
        ("material", "quantity", "countries", "why"),
        "the scenario adds stock at the case's place from the start.",
    ),
    "capacity": (
        ("catalog", "facility", "from", "per_year", "status", "source"),
        "the scenario states a capacity from that day on, even if the facility has none.",
    ),
}
"""Sheet -> columns that a new row may fill, and its effect."""

ROWS_DELETED: Mapping[str, str] = {
    "demand": "the scenario removes the demand.",
    "offers": "the scenario removes the offer. Its rows in other sheets can stay.",
    "facilities": "the scenario removes all its offers. Their rows in other sheets can stay.",
    "tiers": "if all rows of an offer, facility, or supplier are deleted: its tiered prices are removed.",
}

DELETED_WITH: Mapping[str, str] = {
    "capacity": "facility", "recipe": "offer", "chain": "offer", "lanes": "offer", "quotes": "offer", "tiers": "id", "terms": "id",
    "offers": "facility", "owners": "facility",
}  # fmt: skip
"""Sheet -> column with an offer or facility. If that is deleted, the row can be deleted too."""


def editable(sheet: str) -> str:
    options = [f"in `{sheet}`, the columns {', '.join(CELLS[sheet])}"] if sheet in CELLS else []
    if sheet in ROWS_ADDED:
        options.append(f"rows can be added to `{sheet}`")
    if sheet in ROWS_DELETED:
        options.append(f"rows of `{sheet}` can be deleted")
    other_sheets = ", ".join(dict.fromkeys((*CELLS, *ROWS_ADDED)))
    return "; ".join(options) or f"nothing in `{sheet}`, only cells in {other_sheets}"


def case_workbook(case: CaseTables, file: str) -> bytes:
    """Return the workbook of a case. The same facts give the same bytes."""
    lists = _lists(case)
    sheets = [_sheet(table, lists) for table in case.tables.values()]
    return workbook(file, [_readme(case), *sheets, _baseline(case, sheets)], lists)


def _sheet(table: CaseTable, lists: Mapping[str, Sequence[str]]) -> Sheet:
    inputs = CELLS.get(table.name, {})
    return Sheet(
        table.name,
        table.columns,
        table.rows,
        table.fields,
        units=units_of(table),
        typed=True,
        inputs={column: effect for column, effect in inputs.items() if column in table.columns},
        choices={column: sort for column in table.columns if (sort := _sort_of_ids(table.fields[column])) in lists},
    )


_SORT_BY_COLUMN: Mapping[str, str] = {
    "facility": "facility", "offer": "offer", "material": "material", "benchmark": "benchmark", "rule": "rule",
    "within": "facility", "source": "source", "price_source": "source", "catalog": "catalog",
}  # fmt: skip
"""Kinds of ids in columns of these names, in any table."""


def _sort_of_ids(field: Field) -> str:
    """Return the sort of ids in a column. Empty if they can't be listed or the table defines them."""
    if field.name in _SORT_BY_COLUMN:
        return _SORT_BY_COLUMN[field.name]
    record = field.record
    info = getattr(record, "model_fields", {}).get(field.attribute)
    marks = [mark.kind for mark in info.metadata if isinstance(mark, Names)] if info is not None else []
    return marks[0] if marks and info is not None and info.annotation is str else ""


def _lists(case: CaseTables) -> dict[str, Sequence[str]]:
    gathered = case.gathered
    catalogs = gathered.read
    return {
        "material": sorted({record.id for catalog in catalogs for record in catalog.materials}),
        "facility": sorted({record.id for catalog in catalogs for record in catalog.facilities}),
        "offer": sorted({record.id for catalog in catalogs for record in catalog.offers}),
        "benchmark": sorted({record.id for catalog in catalogs for record in catalog.prices}),
        "source": sorted({record.id.rpartition(":")[2] for catalog in catalogs for record in catalog.sources}),
        "demand": sorted({demand_name(demand, gathered.case) for demand in gathered.case.demands}),
        "rule": sorted(rule.id for rule in gathered.rules),
        "catalog": sorted(catalog.name for catalog in catalogs),
    }


def _readme(case: CaseTables) -> Sheet:
    name = case.gathered.case.name
    lines: list[tuple[str, str, str]] = [
        (f"Case {name}, written by friendshore", "", ""),
        ("Edit the colored cells, save the file, and read the edits back as a scenario of the case:", "", ""),
        ("friendshore case from-xlsx FILE CASE --scenario NAME", "", ""),
        (
            "Or plan the workbook itself: friendshore plan FILE. Then every cell counts, except in the sheets `rule` and `scenario`.",
            "",
            "",
        ),
        (
            "As a scenario, edits in other cells are rejected, and reported with their cell. A number without a unit has the unit of its column head.",
            "",
            "",
        ),
        ("For your own notes, add sheets named `notes`, or with a name that starts with `_`.", "", ""),
        ("", "", ""),
    ]
    for sheet, cells in CELLS.items():
        if sheet in case.tables:
            lines += [
                (sheet, column, effect) for column, effect in cells.items() if column in case.tables[sheet].columns
            ]
    lines += [(sheet, "new row", effect) for sheet, (_, effect) in ROWS_ADDED.items() if sheet in case.tables]
    lines += [(sheet, "row deleted", effect) for sheet, effect in ROWS_DELETED.items() if sheet in case.tables]
    return Sheet("readme", ("sheet", "cell", "effect of an edit"), lines, {})


def _baseline(case: CaseTables, sheets: Sequence[Sheet]) -> Sheet:
    rows: list[tuple[str, ...]] = [(FORMAT, "case", case.gathered.case.name)]
    rows += [(CASE, piece) for piece in case_pieces(toml_text(case.data))]
    rows += [
        (CALLED, name, name_in_case) for name, name_in_case in case.gathered.named.items() if name in case.catalogs
    ]
    for sheet in sheets:
        rows.append((sheet.name, HEAD, *map(sheet.head, sheet.header)))
        rows += [(sheet.name, ROW, *row) for row in sheet.rows]
    width = max(map(len, rows))
    padded = [row + ("",) * (width - len(row)) for row in rows]
    return Sheet(BASELINE, padded[0], padded[1:], {}, hidden=True)
