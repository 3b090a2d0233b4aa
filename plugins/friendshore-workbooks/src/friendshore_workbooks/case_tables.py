"""A case as tables of texts, and the workbook that is written from them.

The records state the meaning of each column. This module states which tables there are, which columns identify their rows, and which cells a
planner can edit.
"""

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

from .case_book import BASELINE, CALLED, CASE, FORMAT, HEAD, OFFERED, ROW, case_pieces, plain

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseTable:
    """A table: a sheet of the workbook."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    fields: Mapping[str, Field]
    key: tuple[str, ...]
    """Columns that identify rows."""
    origins: tuple[tuple[str, int], ...] = ()
    """Catalog and row number there of each row, for a table of catalogs."""

    def text(self, row: int, column: str) -> str:
        """Return the text of a cell. Empty if there is no such column."""
        return self.rows[row][self.columns.index(column)] if column in self.columns else ""

    def called(self, row: int) -> str:
        """Return the name of a row for messages."""
        return ", ".join(filter(None, (self.text(row, column) for column in self.key)))


@dataclass(frozen=True, slots=True)
class CaseTables:
    """A whole case as tables of texts."""

    gathered: Gathered
    tables: Mapping[str, CaseTable]
    """By the name of the sheet."""
    catalogs: Mapping[str, tuple[CatalogRef, Texts]]
    """Location and texts of each catalog."""
    data: Mapping[str, object]
    """Data of the case file."""


_OF_CATALOGS: Mapping[str, str] = {
    "sources": "id", "materials": "id", "factors": "element compound", "prices": "id date", "rates": "currency to from",
    "facilities": "id", "capacity": "facility from material", "offers": "id", "recipe": "offer role material",
    "chain": "offer stage", "lanes": "offer to from", "quotes": "offer from", "tiers": "of id materials kind per from least",
    "terms": "of id materials places per from", "aliases": "of old",
}  # fmt: skip
"""Tables of catalogs, and the columns that identify their rows within a catalog."""
_OF_THE_CASE: Mapping[str, tuple[Layout, str, str]] = {
    "demand": (keys.DEMAND, "id material end_use place from", "place per_year quantity from until shortage_price why"),
    "stock": (keys.STOCK, "id material place", "id material quantity countries why"),
    "order": (keys.ORDER, "id offer arrives", ""),
    "incumbent": (keys.INCUMBENT, "offer", ""),
    "licence": (keys.LICENCE, "id rule exporter from", "rule exporter quantity from until why"),
    "waiver": (keys.WAIVER, "id rule demand from", "rule demand quantity from until why"),
    "store": (keys.STORE, "material place from", ""),
    "carryover": (keys.CARRYOVER, "rule row", ""),
    "objective": (keys.OBJECTIVE, "minimise of by per", ""),
    "overlap": (keys.OVERLAP, "facilities", ""),
}
"""Lists of the case: their layout, the columns that identify their rows, and columns that are present even if empty."""


_SHOWN: Mapping[str, str] = {"offers": "price until", "capacity": "from per_year status"}
"""Columns of catalogs' tables that are present even if empty."""

CATALOG = Field("catalog", k.IDENT, "Catalog that the row is of.", "world", required=True)
COUNTRIES = Field(
    "countries",
    k.kind_of(countries),
    "Of a stock that you add: where all its stages were performed, set apart by `;`.",
    "US",
)
ON = k.one_value("yes, no or partly", {word: word for word in ("yes", "no", "partly")})
"""Status of a rule: `partly` if only some of its phases apply."""
_NUMBER_OR_TEXT = Kind("text", k.TEXT.read, also=({"type": "number"},))
RULE = Layout(
    "rule",
    "The rules that the case uses, its own and those of rule packs, and the bills of these.",
    (
        Field("id", k.IDENT, "Name of the rule or bill.", "cn-gallium-licence"),
        Field("kind", k.TEXT, "Kind of rule; `bill` of a bill.", "exclude"),
        Field("pack", k.TEXT, "Rule pack that brings it; blank: the case's own.", "us-tariffs"),
        Field("title", k.TEXT, "What it says, in a line.", "No purchases from Iran"),
        Field("citation", k.TEXT, "The clause.", "10 U.S.C. 4872"),
        Field("phases", k.TEXT, "When it holds, and what is known of that.", "enacted from 2027-01-01"),
        Field("on", ON, "Whether it applies.", "yes"),
        Field("from", k.DATE, "Blank. A day: it holds no earlier than that.", "2028-01-01"),
        Field("until", k.DATE, "Blank. A day: it holds no later than that.", "2028-12-31"),
        Field(
            "limit", k.TEXT, "Its figure: the amount of a budget, the share, mass or number of another limit.", "60 %"
        ),
        Field(
            "loosen", k.NON_NEGATIVE, "Blank. By how much the bounds of a limit are relaxed, in its own unit.", "1000"
        ),
    ),
)
SETTINGS = Layout(
    "settings",
    "The sections of the case file that are no lists.",
    (
        Field("section", k.TEXT, "Section of the case file.", "accept.capacity"),
        Field("key", k.TEXT, "Key in it.", "announced"),
        Field("value", _NUMBER_OR_TEXT, "Its value; what is not given stands here only where it can be edited.", "0.5"),
        Field("meaning", k.TEXT, "What it means."),
    ),
)
_SCENARIOS = Layout(
    "scenario",
    "The scenarios of the case and of its rule packs.",
    (
        *(replace(field, inside=None) for field in SCENARIO.fields if field.name != "change"),
        Field("changes", k.TEXT, "What it changes, in order.", "disable tariff-145"),
    ),
)
_HEADS = Layout(HEAD_SHEET, "The catalogs that are used.", tuple(f for f in columns.HEAD.fields if f.name != "schema"))


def case_tables(gathered: Gathered) -> CaseTables:
    """Return the tables of a case that was read from a file.

    Raises:
        InputError: If it was made in memory, or one of its files can no longer be read.
    """
    file = gathered.case.file
    if file is None:
        fix = "write it to a file, and load that"
        raise InputError("the case was made in memory: its tables have no texts", gathered.case.name, fix=fix)
    found: list[Diagnostic] = []
    toml = read_case_file(file, found)
    if toml is None:
        raise InputError(found)
    catalogs = _catalogs(gathered)
    tables: list[CaseTable] = [_demand(gathered, toml.data, found)]
    tables += [_listed(name, toml.data) for name in _OF_THE_CASE if name != "demand"]
    tables += [_rules(gathered), _scenarios(gathered), _settings(toml.data)]
    tables.append(_heads(catalogs))
    tables += [_of_catalogs(layout, catalogs, gathered) for layout in columns.TABLES]
    if found:
        raise InputError(found)
    always = ("demand", "stock", "licence", "waiver", "rule", "settings")
    return CaseTables(
        gathered, {one.name: one for one in tables if one.rows or one.name in always}, catalogs, toml.data
    )


def _catalogs(gathered: Gathered) -> dict[str, tuple[CatalogRef, Texts]]:
    found = {}
    for catalog in gathered.read:
        ref = gathered.find(gathered.named.get(catalog.name, catalog.name))
        found[catalog.name] = (ref, texts_of(ref.place, ref.columns))
    return found


def cell(value: object) -> str:
    """Return a value of a TOML file as the text of a cell."""
    text = cell_text(value)
    if text is not None:
        return plain(text) if isinstance(value, str) else text
    if isinstance(value, list | tuple) and not any(isinstance(one, dict | list) for one in value):
        return plain(";".join(map(cell, value)))
    return plain(toml_line(value))


def _table(
    name: str, fields: Iterable[Field], key: str, records: Sequence[Mapping[str, str]], always: str = ""
) -> CaseTable:
    """Return a table of records, without empty columns other than those of the key and those in `always`."""
    known = {field.name: field for field in fields}
    filled = {column for record in records for column, text in record.items() if text}
    known |= {column: Field(column, k.TEXT, "A fact of the item.") for column in sorted(filled - known.keys())}
    kept = {*filled, *always.split(), *key.split()}
    shown = tuple(column for column in known if column in kept)
    rows = tuple(tuple(record.get(column, "") for column in shown) for record in records)
    return CaseTable(name, shown, rows, known, tuple(key.split()))


def _tables_in(data: Mapping[str, object], section: str) -> list[dict[str, str]]:
    tables = data.get(section, [])
    assert isinstance(tables, list)  # the case was read
    return [{key: cell(value) for key, value in cast(dict[str, object], one).items()} for one in tables]


def _listed(name: str, data: Mapping[str, object]) -> CaseTable:
    layout, key, always = _OF_THE_CASE[name]
    fields = (*layout.fields, COUNTRIES) if name == "stock" else layout.fields
    return _table(name, fields, key, _tables_in(data, name), always)


def _demand(gathered: Gathered, data: Mapping[str, object], found: list[Diagnostic]) -> CaseTable:
    """Return the demands of the case file, of its table of demands, and of a reader, in the order of the case."""
    layout, key, always = _OF_THE_CASE["demand"]
    records = _tables_in(data, "demand")
    use = data.get("use", {})
    name = str(use.get("demand", "")) if isinstance(use, dict) else ""
    if name and reader_in(name) is None:
        table = read_table((gathered.case.folder or Path()) / name, layout, found)
        places = {**table.columns, **table.others}
        records += [{column: plain(row.cells[at]) for column, at in places.items()} for row in table.rows]
    elif name:
        rows = gathered.registry.read(name, "demand", gathered.case.folder).rows.tables["demand"]
        records += [dict(zip(rows.columns, map(cell, cells), strict=True)) for _, cells in rows.rows]
    return _table("demand", layout.fields, key, records, always)


def _rules(gathered: Gathered) -> CaseTable:
    records = [
        {
            "id": rule.id,
            "kind": rule.kind,
            "pack": gathered.pack_of.get(rule.id, ""),
            "title": rule.title,
            "citation": rule.citation,
            "phases": "; ".join(_phase(*one) for one in ((p.status, p.start, p.end) for p in rule.phases)),
            "on": _applies(rule),
            "limit": figure_text(rule),
        }
        for rule in sorted(gathered.rules, key=lambda one: (gathered.pack_of.get(one.id, ""), one.id))
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
    tidied = [{column: plain(text) for column, text in record.items()} for record in records]
    return _table("rule", RULE.fields, "id", tidied, "on from until limit loosen")


def figure_text(rule: Rule) -> str:
    """Return the figure of a limit in the notation of a case file. Empty if it has none or several."""
    name = figure_of(rule)
    if not name:
        return ""
    figure = getattr(rule, name)
    if name == "share":
        return f"{(figure * 100).normalize():f} %"
    return f"{Decimal(figure).normalize():f}" + (" kg" if name in ("exactly", "at_least", "at_most") else "")


def _phase(status: PhaseStatus, start: date | None, end: date | None) -> str:
    dates = [f"{word} {day}" for word, day in (("from", start), ("until", end)) if day is not None]
    return " ".join([str(status), *dates])


def _applies(rule: Rule) -> str:
    """Return `yes`, `partly`, or `no` as a rule applies without a scenario."""
    enacted = [phase.status is PhaseStatus.ENACTED for phase in rule.phases]
    return "yes" if enacted and all(enacted) else "partly" if any(enacted) else "no"


def _scenarios(gathered: Gathered) -> CaseTable:
    records = [
        {
            "name": one.name,
            "title": plain(one.title),
            "inherits": ";".join(one.inherits),
            "changes": plain("\n".join(change.told for change in one.change)),
        }
        for one in gathered.case.scenarios
    ]
    return _table("scenario", _SCENARIOS.fields, "name", records)


_SECTIONS = (keys.CASE, keys.USE, keys.ACCEPT, keys.ACCEPT_CAPACITY, keys.ASSUME, keys.ASSUME_LICENCE, keys.CONCERN)


def _settings(data: Mapping[str, object]) -> CaseTable:
    records = []
    for layout in _SECTIONS:
        section = layout.name.strip("[]")
        given = _section(data, section)
        meanings = {field.name: field.meaning for field in layout.fields}
        values = {key: cell(value) for key, value in given.items() if not isinstance(value, dict)}
        if layout is keys.ACCEPT_CAPACITY:
            values = {status: cell(counts) for status, counts in _counts()} | values
        if section == "accept":
            values.setdefault("proven", "")
        values.pop("offer" if section == "assume" else "", None)
        for key, text in values.items():
            meaning = plain(meanings.get(key, ""))
            records.append({"section": section, "key": key, "value": text, "meaning": meaning})
    for one in _tables_in(_section(data, "assume"), "offer"):
        section = f"assume.offer {one['id']}"
        records += [{"section": section, "key": key, "value": text} for key, text in one.items() if key != "id"]
    for name in _section(data, "plugin"):
        for key, value in _section(data, f"plugin.{name}").items():
            records.append({"section": f"plugin.{name}", "key": key, "value": cell(value)})
    return _table("settings", SETTINGS.fields, "section key", records, "value meaning")


def _counts() -> Iterator[tuple[str, Decimal]]:
    for status, counts in CAPACITY_COUNTS.items():
        if status not in (Status.SUPERSEDED, Status.EVENT):
            yield status.value, counts


def _section(data: Mapping[str, object], name: str) -> dict[str, object]:
    at: object = data
    for part in name.split("."):
        at = at.get(part, {}) if isinstance(at, dict) else {}
    return at if isinstance(at, dict) else {}


def _heads(catalogs: Mapping[str, tuple[CatalogRef, Texts]]) -> CaseTable:
    records = [{key: cell(value) for key, value in texts.head.items()} for _, texts in catalogs.values()]
    return _table(HEAD_SHEET, _HEADS.fields, "name", records)


def _of_catalogs(layout: Layout, catalogs: Mapping[str, tuple[CatalogRef, Texts]], gathered: Gathered) -> CaseTable:
    """Return a table of all catalogs, with the catalog as the first column."""
    name = sheet_name(layout)
    records: list[dict[str, str]] = []
    origins: list[tuple[str, int]] = []
    fields = {CATALOG.name: CATALOG}
    for catalog, (ref, texts) in catalogs.items():
        fields |= ref.columns.extended(layout).by_name
        if layout.name not in texts.tables or (name in OFFERED and catalog not in gathered.named):
            continue
        header, rows = texts.tables[layout.name]
        for number, row in enumerate(rows):
            records.append({CATALOG.name: catalog, **dict(zip(header, map(plain, row), strict=True))})
            origins.append((catalog, number))
    table = _table(name, fields.values(), f"catalog {_OF_CATALOGS[name]}", records, _SHOWN.get(name, ""))
    return replace(table, origins=tuple(origins))


_UNIT = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)? (\S.*)")
_MEASURED = (k.MASS, k.MASS_RATE, k.CAPACITY, k.MONEY, k.UNIT_PRICE, k.SIGNED_PRICE, k.DURATION, k.MASS_OR_MONEY)


def units_of(table: CaseTable) -> dict[str, str]:
    """Return the most frequent unit of each column. Cells in other units state theirs. A column with a number without a unit has none."""
    found = {}
    for position, column in enumerate(table.columns):
        kind = table.fields[column].kind
        texts = [row[position] for row in table.rows if row[position]]
        if kind in _MEASURED and not any(re.fullmatch(r"[-\d.,]+", text) for text in texts):
            units = [match[1] for text in texts if (match := _UNIT.fullmatch(text))]
            if units:
                found[column] = max(sorted(set(units)), key=units.count)
    return found


CELLS: Mapping[str, Mapping[str, str]] = {
    "demand": {
        "per_year": "the scenario states what is wanted a year.",
        "quantity": "the scenario states what is wanted in each period.",
        "quantities": "the scenario states what is wanted in each period.",
        "shortage_price": "the scenario states what a kilogram costs that is short.",
        "why": "with any of these: the reason that the scenario gives.",
    },
    "rule": {
        "on": "`no` switches the rule off, `yes` switches a pending or unknown rule, or a bill, on.",
        "from": "the rule holds no earlier than this day.",
        "until": "the rule holds no later than this day.",
        "limit": "the scenario states the budget, share, mass or number of the limit.",
        "loosen": "the bounds of a limit are relaxed by so much.",
    },
    "order": {"quantity": "the scenario states what the order brings."},
    "settings": {
        "value": "of `accept.capacity`: what a status counts for; of `accept`, `proven`: offers added are taken as proved."
    },
    "offers": {
        "price": "the scenario states the price, in place of a benchmark or quotes.",
        "premium": "the scenario multiplies the price.",
        "until": "an earlier day: the offer is taken away from the next day on.",
        "min_order": "made blank: the least order is relaxed.",
        "max_order": "made blank, with max_lots, max_per_year and total: the most that may be ordered is relaxed.",
        "max_lots": "made blank, with lot, or with max_order, max_per_year and total: relaxed.",
        "max_per_year": "made blank, with max_order, max_lots and total: the most that may be ordered is relaxed.",
        "total": "made blank, with max_order, max_lots and max_per_year: the most that may be ordered is relaxed.",
        "lot": "made blank, with max_lots: lots are relaxed.",
        "onboarding": "made blank: the one-off cost is relaxed.",
        "qualification": "made blank: the months of qualification are relaxed.",
        "from": "made blank, with until: the dates of orders are relaxed.",
        "lead_time": "the scenario multiplies the lead time, on every lane; 0: it is relaxed.",
        "take_or_pay": "made blank, with take_or_pay_share: it is relaxed.",
        "take_or_pay_share": "made blank, with take_or_pay: it is relaxed.",
    },
    "capacity": {
        "per_year": "the scenario states the capacity, from the row's day to the next row's.",
        "status": "the scenario states the status, from the row's day to the next row's.",
        "from": "later by whole months: the scenario delays the capacity; earlier: it states the capacity from that day on.",
    },
    "prices": {"price": "the scenario states the benchmark, on the dates that are edited, or multiplies it."},
    "recipe": {"per_unit": "the scenario multiplies what a unit takes or gives of the material."},
    "quotes": {"price": "all quotes of an offer by one factor: the scenario multiplies its price."},
    "terms": {
        "fixed": "made blank: the fixed cost is relaxed.",
        "least": "made blank: the least quantity is relaxed.",
        "most": "made blank: the most is relaxed.",
        "setup_use": "made blank: the set-up is relaxed.",
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
        "one more demand is wanted.",
    ),
    "licence": (("rule", "exporter", "quantity", "from", "until", "why"), "a licence is granted."),
    "waiver": (("rule", "demand", "quantity", "from", "until", "why"), "a rule is waived."),
    "stock": (("material", "quantity", "countries", "why"), "so much more lies at the case's place from the start."),
    "capacity": (
        ("catalog", "facility", "from", "per_year", "status", "source"),
        "the scenario states a capacity from that day on, also of a facility that has none.",
    ),
}
"""Sheet -> columns that a new row may fill, and its effect."""

ROWS_DELETED: Mapping[str, str] = {
    "demand": "nothing of it is wanted.",
    "offers": "the offer is taken away; its rows in other sheets may stay.",
    "facilities": "all its offers are taken away; its rows in other sheets may stay.",
    "tiers": "all rows of an offer, facility or supplier: its prices by quantity are relaxed.",
}
"""Sheet -> effect of deleting a row."""

AFTER: Mapping[str, str] = {
    "capacity": "facility", "recipe": "offer", "chain": "offer", "lanes": "offer", "quotes": "offer", "tiers": "id", "terms": "id",
    "offers": "facility",
}  # fmt: skip
"""Sheet -> column of the offer or facility with which its rows may be deleted."""


def editable(sheet: str) -> str:
    """Return what can be edited in a sheet, as the end of a sentence."""
    said = [f"in `{sheet}`: {', '.join(CELLS[sheet])}"] if sheet in CELLS else []
    if sheet in ROWS_ADDED:
        said.append(f"rows can be added to `{sheet}`")
    if sheet in ROWS_DELETED:
        said.append(f"rows of `{sheet}` can be deleted")
    others = ", ".join(dict.fromkeys((*CELLS, *ROWS_ADDED)))
    return "; ".join(said) or f"nothing in `{sheet}`; cells in {others}"


def case_workbook(case: CaseTables, file: str) -> bytes:
    """Return the workbook of a case, with the same bytes for the same facts.

    Raises:
        InputError: If XlsxWriter is not installed, or a table has more rows than a sheet.
    """
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
        inputs={column: told for column, told in inputs.items() if column in table.columns},
        choices={column: of for column in table.columns if (of := _chosen_from(table.fields[column])) in lists},
    )


_NAMED: Mapping[str, str] = {
    "facility": "facility", "offer": "offer", "material": "material", "benchmark": "benchmark", "rule": "rule",
    "within": "facility", "source": "source", "price_source": "source", "catalog": "catalog",
}  # fmt: skip
"""Kinds of ids in columns of these names, in any table."""


def _chosen_from(field: Field) -> str:
    """Return the sort of ids in a column. Empty if they can't be listed or the table defines them."""
    if field.name in _NAMED:
        return _NAMED[field.name]
    record = field.record
    info = getattr(record, "model_fields", {}).get(field.attribute)
    marks = [mark.kind for mark in info.metadata if isinstance(mark, Names)] if info is not None else []
    return marks[0] if marks and info is not None and info.annotation is str else ""


def _lists(case: CaseTables) -> dict[str, Sequence[str]]:
    """Return the ids to choose from, by sort."""
    gathered = case.gathered
    catalogs = gathered.read
    return {
        "material": sorted({one.id for catalog in catalogs for one in catalog.materials}),
        "facility": sorted({one.id for catalog in catalogs for one in catalog.facilities}),
        "offer": sorted({one.id for catalog in catalogs for one in catalog.offers}),
        "benchmark": sorted({one.id for catalog in catalogs for one in catalog.prices}),
        "source": sorted({one.id.rpartition(":")[2] for catalog in catalogs for one in catalog.sources}),
        "demand": sorted({demand_name(one, gathered.case) for one in gathered.case.demands}),
        "rule": sorted(one.id for one in gathered.rules),
        "catalog": sorted(one.name for one in catalogs),
    }


def _readme(case: CaseTables) -> Sheet:
    """Return the sheet that explains the workbook and what can be edited."""
    name = case.gathered.case.name
    lines: list[tuple[str, str, str]] = [
        (f"The case {name}, written by friendshore", "", ""),
        ("Edit the coloured cells, save, and read the edits back as a scenario of the case:", "", ""),
        ("friendshore case from-xlsx FILE CASE --scenario NAME", "", ""),
        (
            "Or plan it as it is, wherever it lies: friendshore plan FILE. Then every cell counts, but for rules and scenarios.",
            "",
            "",
        ),
        (
            "Read as a scenario, every other edit is refused, and told with its cell. A number without a unit is in the unit of its head.",
            "",
            "",
        ),
        ("Sheets of your own begin with `_`, or are called `notes`.", "", ""),
        ("", "", ""),
    ]
    for sheet, cells in CELLS.items():
        if sheet in case.tables:
            lines += [(sheet, column, told) for column, told in cells.items() if column in case.tables[sheet].columns]
    lines += [(sheet, "new row", told) for sheet, (_, told) in ROWS_ADDED.items() if sheet in case.tables]
    lines += [(sheet, "row deleted", told) for sheet, told in ROWS_DELETED.items() if sheet in case.tables]
    return Sheet("readme", ("sheet", "cell", "what an edit comes to"), lines, {})


def _baseline(case: CaseTables, sheets: Sequence[Sheet]) -> Sheet:
    """Return the hidden sheet with every cell as it is written, after the name of its sheet."""
    rows: list[tuple[str, ...]] = [(FORMAT, "case", case.gathered.case.name)]
    rows += [(CASE, piece) for piece in case_pieces(toml_text(case.data))]
    rows += [(CALLED, name, called) for name, called in case.gathered.named.items() if name in case.catalogs]
    for sheet in sheets:
        rows.append((sheet.name, HEAD, *map(sheet.head, sheet.header)))
        rows += [(sheet.name, ROW, *row) for row in sheet.rows]
    width = max(map(len, rows))
    padded = [row + ("",) * (width - len(row)) for row in rows]
    return Sheet(BASELINE, padded[0], padded[1:], {}, hidden=True)
