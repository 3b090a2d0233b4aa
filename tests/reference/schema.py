"""File formats as JSON schemas and as a reference page, from the definitions that readers use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from friendshore.case.keys import FILE
from friendshore.catalog.columns import HEAD, TABLES
from friendshore.domain.base import DIGITS, WRITTEN_DIGITS
from friendshore.domain.quantities import KILOGRAMS, MONTHS
from friendshore.domain.stages import STEPS, Stage
from friendshore.reading.csvfile import MAX_CELL_LENGTH, MAX_COLUMNS, MAX_LINE_LENGTH, MAX_TABLE_BYTES, MAX_TABLE_ROWS
from friendshore.reading.fields import Field, Layout
from friendshore.reading.tomlfile import MAX_CHARACTERS, MAX_DEPTH
from friendshore.reading.workbook import MAX_CELLS, MAX_FILES, MAX_ROWS, MAX_TEXTS, MAX_UNZIPPED_BYTES
from friendshore.rules.pack import pack_layout
from friendshore_workbooks.column_map import MAP, TABLE_NAMES, TEXT_OF

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Return schemas by name: `case`, `catalog`, `columns`, and `pack` for TOML files, and `catalog-offers` and so on for a row of a table."""
    files = {"case": FILE, "catalog": HEAD, "columns": MAP, "pack": pack_layout()}
    schema_by_name = {name: _top(layout, rows=False) for name, layout in files.items()}
    for layout in TABLES:
        schema_by_name["catalog-" + layout.name.removesuffix(".csv")] = _top(layout, rows=True)
    return schema_by_name


def schema_text(schema: dict[str, object]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _top(layout: Layout, *, rows: bool) -> dict[str, object]:
    title = f"one row of {layout.name}" if rows else layout.name
    return {"$schema": DIALECT, "title": title, **_object(layout, rows=rows)}


def _object(layout: Layout, *, rows: bool) -> dict[str, object]:
    """Return the schema of a table. A row of a CSV file contains only texts."""
    schema: dict[str, object] = {"type": "object", "description": f"{layout.doc} {layout.others_doc}".strip()}
    schema["properties"] = {field.name: _property(field, rows=rows) for field in layout.fields}
    required = [field.name for field in layout.fields if field.required]
    if required:
        schema["required"] = required
    additional = {"type": "string"} if rows else TEXT_OF.schema  # only in tables and in maps that fill them
    schema["additionalProperties"] = additional if layout.others == "declared" else layout.others == "kept"
    return schema


def _property(field: Field, *, rows: bool) -> dict[str, object]:
    if field.inside is not None:
        inside = _object(field.inside, rows=False)
        return {"description": field.meaning, "type": "array", "items": inside} if field.repeated else inside
    form = dict(field.kind.text) if rows else field.kind.schema
    examples = {} if field.example == "" else {"examples": [field.example]}
    return {"description": field.meaning, **form, **examples}


def files_page() -> str:
    """Return the reference page of all input files, in Markdown."""
    return "\n".join([*_head(), *_catalog_part(), *_map_part(), *_case_part()])


def _head() -> Iterator[str]:
    units = ", ".join(f"`{unit}`" for unit in KILOGRAMS)
    steps = "; ".join(f"`{stage}`: " + ", ".join(f"`{s}`" for s, of in STEPS.items() if of is stage) for stage in Stage)
    yield from (
        "# Files",
        "",
        "Everything a planner or a data owner writes: catalog folders and case files. This page is made from the",
        "definitions that the readers read by; the same definitions as JSON schemas are in `schemas/`.",
        "",
        "Tables are CSV with commas, the header in the first line, and UTF-8. A blank cell means: not given. An unknown column, key or table is",
        "an error, and all errors of all files are reported at once.",
        "",
        "## How values are written",
        "",
        f"- **Mass**: a number and a unit, one of {units}. `st` is a short ton. `mtu` and `stu` are ton units of WO3 unless",
        "  another oxide is named. A substance after the unit says what is weighed (`3300 t WO3`, `5 t gross`); without one",
        "  it is the material's own basis. Conversions go by `factors.csv`, in either direction.",
        "- **Mass per time**: a mass, a slash and one of "
        + ", ".join(f"`{m}`" for m in MONTHS)
        + ": `20 t/year`; `yr`, `y` and `a` are years too.",
        "- **Money**: an amount and an ISO 4217 currency: `2,500,000 USD`. **Money per mass**: `580 USD/kg`, `180 USD/kg Ta2O5`.",
        "- **Number**: the decimal sign is a point; commas or underscores set off thousands only, so that `1,5` is refused. `1,250 kg` is 1250 kg,",
        "  and `9.000 t` is 9 t, in every column and key; some read 1.25 kg and 9000 t, so `friendshore check` points such amounts out.",
        f"  Of any number the size is 0 or from 1e-15 to 1e18, with no more than {WRITTEN_DIGITS} significant digits, of which {DIGITS} count. Masses end at 1e12 kg,",
        "  money at 1e11, exchange rates at 1e9, durations at 1,200 months. What is beyond is a mistake, never rounded to something near.",
        "- **Share**: `65%` or `0.65`; a share a year also `5%/year`.",
        "- **Duration**: `1 quarter`, `45 days`, `0`.",
        "- **Date**: `2027-01-31`. First and last days belong to what they bound.",
        "- **Country**: ISO 3166 code or English name; names in 14 other languages are read too (`Österreich`), but not where a site may be named. In a list of countries, `EU` stands for its members, with what is part of them and has a code of its own.",
        "- **List**: parts set apart by `;` in a table, a TOML list in a TOML file.",
        f"- **Stage or step**: {steps}; or the stage itself.",
        f"- **TOML**: no more than {MAX_CHARACTERS:,} characters, and {MAX_DEPTH} tables and lists within one another.",
        "",
    )


def _catalog_part() -> Iterator[str]:
    yield from (
        "## Catalog folder",
        "",
        "A folder with `catalog.toml` and those of the tables below that it needs. Or a workbook, `mine.xlsx`: a sheet `catalog` whose rows",
        "hold a `key` of `catalog.toml` and its `value`, and a sheet for each table, of the same columns. Sheets whose name begins with `_`",
        "are not read, nor are those called `notes` or `readme`. What is hidden, merged, an error, or a number that its format shows as",
        "another (`€`, thousands) is a mistake; a share in percent is read as it is shown.",
        f"Read are no more than {MAX_ROWS:,} rows of a sheet and {MAX_CELLS:,} cells of a workbook that hold something, {MAX_TEXTS:,} texts,",
        f"{MAX_FILES:,} files in the zip and {MAX_UNZIPPED_BYTES // 10**6} MB unzipped; cells that are only formatted are nothing. Of a CSV file: {MAX_TABLE_BYTES // 10**6} MB,",
        f"{MAX_COLUMNS:,} columns, lines of {MAX_LINE_LENGTH:,} and cells of {MAX_CELL_LENGTH:,} characters; of all tables of a",
        f"catalog: {MAX_TABLE_ROWS:,} rows, since they are held in memory (100,000 offers with plants, capacities and origins are 500,000 rows).",
        "More is a mistake.",
        '`friendshore catalogs convert`, of the plugin `friendshore-workbooks`, makes either of the other; reading workbooks needs `pip install "friendshore[xlsx]"`.',
        "",
    )
    for layout in (HEAD, *TABLES):
        yield from _layout(layout)


def _map_part() -> Iterator[str]:
    yield from (
        "## Map of a spreadsheet",
        "",
        "`columns.toml`, or whatever you call it: what the columns of a spreadsheet of yours are. `friendshore catalogs convert list.csv ours --map columns.toml`",
        "makes a catalog of it; [how to](../how-to/convert-a-spreadsheet.md) shows one and says what a text may be made of. `schema = 1` at the top.",
        "",
    )
    for field in MAP.fields:
        if field.inside is not None and field.name not in TABLE_NAMES:
            yield from _layout(field.inside)
    yield from (
        "### `[[sources]]`, `[[facilities]]`, `[[offers]]` and so on",
        "",
        "Rows of the table of that name, one for each row of the spreadsheet that the entry is about. The keys `when` and `unless` are as above, all others the columns of the",
        "table, each with what its text is made of. Entries of offers, and of tables whose rows name an offer, also have `about`: patterns of the materials whose offers are meant,",
        "where a row makes several. Where a key is not given, `source` and `facility` are those of the same row, `offer` each offer of the row, `material` what `[[makes]]` says, and the `id` of",
        "an offer the facility's and the material's. Rows that say the same are one.",
        "",
        "Entries of offers and facilities also fill [columns of facts](plugin-interface.md#columns-of-facts) that installed plugins declare, with the unit that they declare or with none.",
        "",
    )


def _case_part() -> Iterator[str]:
    yield from ("## Case file", "", "`schema = 1` at the top, then the sections below.", "")
    for layout in _sections(FILE):
        yield from _layout(layout)


def _sections(layout: Layout) -> Iterator[Layout]:
    """Yield all nested layouts once, outer ones first."""
    seen: set[str] = set()
    waiting = [field.inside for field in layout.fields if field.inside is not None]
    while waiting:
        inside = waiting.pop(0)
        if inside.name not in seen:
            seen.add(inside.name)
            yield inside
            waiting = [f.inside for f in inside.fields if f.inside is not None] + waiting


def _layout(layout: Layout) -> Iterator[str]:
    yield from (f"### `{layout.name}`", "", layout.doc, "")
    yield from columns_of(layout)
    if layout.others_doc:
        yield from (layout.others_doc, "")


def columns_of(layout: Layout) -> Iterator[str]:
    if layout.fields:
        yield from ("| key | needed | value | meaning | example |", "|---|---|---|---|---|")
        yield from (_line(field) for field in layout.fields)
        yield ""


def _line(field: Field) -> str:
    words = ", ".join(field.kind.words) if len(field.kind.words) <= 12 else ""
    value = f"`{field.inside.name}`" if field.inside is not None else words or field.kind.name
    example = "" if field.example == "" else f"`{_written(field.example)}`"
    cells = (f"`{field.name}`", "yes" if field.required else "", value, field.meaning, example)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _written(example: object) -> str:
    return example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
