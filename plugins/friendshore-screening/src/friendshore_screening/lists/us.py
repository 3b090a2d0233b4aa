"""Lists of the United States: the Consolidated Screening List, and the files of OFAC."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from friendshore.errors import Diagnostic
from friendshore.reading.textfile import json_object

from .entries import ListEntry, a_day, refused, split_names, unique
from .text import TextRow, csv_rows, csv_table, file_text

CSL_LISTS: Mapping[str, str] = {
    "SDN": "us-sdn", "EL": "us-entity-list", "MEU": "us-meu", "DPL": "us-denied-persons", "UVL": "us-unverified",
    "ISN": "us-nonproliferation", "DTC": "us-aeca-debarred", "SSI": "us-ssi", "CAP": "us-capta", "MBS": "us-mbs",
    "PLC": "us-plc", "FSE": "us-fse", "CMIC": "us-cmic", "NS-CMIC": "us-cmic", "561": "us-561", "AECA": "us-aeca-debarred",
}  # fmt: skip
"""What stands in brackets in the column `source` -> list."""
CONSOLIDATED: Mapping[str, str] = {
    "CMIC": "us-cmic", "EO13662": "us-ssi", "PLC": "us-plc", "FSE": "us-fse", "561": "us-561", "CAPTA": "us-capta", "MBS": "us-mbs",
}  # fmt: skip
"""What a program of OFAC's consolidated file has in its name -> list."""
_CODE = re.compile(r"\(([A-Z0-9-]+)\)")
_NULL = re.compile(r"-0-\s*")
BESIDE = ("alt.csv", "add.csv", "comments.csv")
"""Ends of the names of files that lie beside the one with OFAC's entries."""
SDN_COLUMNS, ALT_COLUMNS, ADD_COLUMNS = 12, 5, 6
_WEAK = "weak"


def read_csl_csv(path: Path) -> tuple[ListEntry, ...]:
    """The Consolidated Screening List as a CSV file: with or without the column `_id`.

    Raises:
        InputError: with all that is wrong with it.
    """
    rows = csv_table(
        path, ("source", "entity_number", "type", "programs", "name", "start_date", "end_date", "alt_names")
    )
    found: list[Diagnostic] = []
    entries = [_csl(str(path), line, {k: v for k, v in cells.items() if v}, found) for line, cells in rows]
    listed = unique((entry for entry in entries if entry is not None), str(path), found)
    if found:
        raise refused(found)
    return listed


def read_csl_json(path: Path) -> tuple[ListEntry, ...]:
    """The Consolidated Screening List as JSON: an object with `results`, a list.

    Raises:
        InputError: with all that is wrong with it.
    """
    file, found = str(path), list[Diagnostic]()
    data = json_object(file_text(path), file, found, "fetch the file once more: it may have been cut off")
    if data is None:
        raise refused(found)
    results = data.get("results")
    if not isinstance(results, list):
        raise refused([Diagnostic("holds no list `results`", file, expected='an object such as {"results": […]}')])
    entries = []
    for number, one in enumerate(results, 1):
        if not isinstance(one, dict):
            found.append(Diagnostic("is no object", file, column=f"results[{number}]", expected="an entry"))
            continue
        cells = {key: _flat(value) for key, value in one.items() if value not in (None, "", [])}
        entries.append(_csl(file, number, cells, found))
    listed = unique((entry for entry in entries if entry is not None), file, found)
    if found:
        raise refused(found)
    return listed


def _flat(value: object) -> str:
    """What a value of JSON would be in a cell."""
    if isinstance(value, list):
        return "; ".join(_flat(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(str(one) for one in value.values() if one)
    return str(value)


def _csl(file: str, line: int, cells: Mapping[str, str], found: list[Diagnostic]) -> ListEntry | None:
    name, source = cells.get("name", "").strip(), cells.get("source", "")
    if not name:
        found.append(Diagnostic("names nobody", file, line, "name", expected="a name"))
        return None
    code = _CODE.search(source)
    if not source:
        found.append(Diagnostic("does not say which list it is of", file, line, "source"))
        return None
    listed = CSL_LISTS.get(code[1] if code else "", "us-csl-other")
    start, end = (a_day(cells.get(key, ""), file, line, key, found) for key in ("start_date", "end_date"))
    number = cells.get("entity_number", "")
    places = cells.get("country", "") or _countries(cells.get("addresses", ""))
    return ListEntry(
        listed,
        number or "/".join(filter(None, (name, cells.get("start_date", ""), _short(cells.get("addresses", ""))))),
        name,
        split_names(cells.get("alt_names", "")),
        kind=cells.get("type", "").casefold(),
        programs=split_names(cells.get("programs", "")),
        countries=split_names(places),
        start=start,
        end=end,
        remarks=_other(cells),
        source=cells.get("source_information_url", ""),
        line=line,
    )


def _other(cells: Mapping[str, str]) -> str:
    """What else the law may turn on."""
    keys = ("license_requirement", "license_policy", "standard_order", "federal_register_notice", "remarks")
    return "; ".join(f"{key}: {cells[key]}" for key in keys if cells.get(key))


def _short(text: str) -> str:
    return re.sub(r"\s+", " ", text)[:60]


def _countries(addresses: str) -> str:
    """The last word of each address, where it is a country's code."""
    last = [one.strip().rsplit(" ", 1)[-1].rsplit(",", 1)[-1].strip() for one in addresses.split(";") if one.strip()]
    return ";".join(dict.fromkeys(code for code in last if re.fullmatch(r"[A-Z]{2}", code)))


def read_ofac(path: Path, listed: str) -> tuple[ListEntry, ...]:
    """The files of OFAC for a list: `sdn.csv` or `cons_prim.csv`, and beside it aliases, addresses and what overflowed from remarks.

    Aliases and addresses are needed: without them half of the names are missing. A row of theirs that belongs to no entry says that the
    files are of different editions, or that one of them was cut off.

    Raises:
        InputError: with all that is wrong with them.
    """
    stem = path.name.casefold().replace("prim", "").removesuffix(".csv").removesuffix("sdn").rstrip("_")
    beside = {name: _beside(path, stem, name) for name in ("alt", "add", "comments")}
    found: list[Diagnostic] = []
    rows = csv_rows(path, SDN_COLUMNS)
    numbers = {row.cells[0] for row in rows}
    for row in rows:
        if not row.cells[0].isdigit():
            found.append(Diagnostic("is no number of an entry", str(path), row.line, "1", row.cells[0][:20], "digits"))
        if _blank(row.cells[1]):
            found.append(Diagnostic("names nobody", str(path), row.line, "2"))
    aliases = _by_entry(beside["alt"], ALT_COLUMNS, numbers, found)
    places = _by_entry(beside["add"], ADD_COLUMNS, numbers, found)
    overflow = _by_entry(beside["comments"], 2, numbers, found) if beside["comments"].is_file() else {}
    if found:
        raise refused(found)
    entries = unique(_entries(rows, listed, aliases, places, overflow), str(path), found)
    if found:
        raise refused(found)
    return entries


def _entries(
    rows: Sequence[TextRow],
    listed: str,
    aliases: Mapping[str, list[tuple[str, ...]]],
    places: Mapping[str, list[tuple[str, ...]]],
    overflow: Mapping[str, list[tuple[str, ...]]],
) -> Iterator[ListEntry]:
    for row in rows:
        line, cells = row.line, [_told(cell) for cell in row.cells]
        number = cells[0]
        remarks = " ".join([cells[11], *(_told(one[1]) for one in overflow.get(number, ()))]).strip()
        named = aliases.get(number, ())
        programs = tuple(filter(None, re.split(r"\]?\s*\[", cells[3].strip("[]"))))
        yield ListEntry(
            listed or _by_program(programs),
            number,
            cells[1],
            tuple(_told(one[3]) for one in named if _WEAK not in _told(one[4]).casefold() and not _blank(one[3])),
            tuple(_told(one[3]) for one in named if _WEAK in _told(one[4]).casefold() and not _blank(one[3])),
            kind=cells[2].casefold() or "entity",
            programs=programs,
            countries=tuple(dict.fromkeys(_told(one[4]) for one in places.get(number, ()) if not _blank(one[4]))),
            remarks=remarks,
            source="https://sanctionslist.ofac.treas.gov",
            line=line,
        )


def _by_program(programs: Sequence[str]) -> str:
    """Which list of OFAC's consolidated file an entry is of."""
    told = " ".join(programs).upper()
    return next((listed for word, listed in CONSOLIDATED.items() if word in told), "us-consolidated-other")


def _beside(path: Path, stem: str, name: str) -> Path:
    """`alt.csv` beside `sdn.csv`, `cons_alt.csv` beside `cons_prim.csv`, `sdn_comments.csv` beside `sdn.csv`; in letters of either size."""
    wanted = f"sdn_{name}.csv" if name == "comments" and not stem else f"{stem}_{name}.csv".lstrip("_")
    folder = path.parent
    found = [one for one in sorted(folder.iterdir()) if one.name.casefold() == wanted] if folder.is_dir() else []
    return found[0] if found else folder / wanted


def _by_entry(path: Path, columns: int, numbers: set[str], found: list[Diagnostic]) -> dict[str, list[tuple[str, ...]]]:
    rows: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for row in csv_rows(path, columns):
        if row.cells[0] not in numbers:
            message = f"belongs to entry {row.cells[0][:20]}, which is not on the list"
            fix = "fetch all files of the list once more: they are of different editions, or one was cut off"
            found.append(Diagnostic(message, str(path), row.line, "1", fix=fix))
        rows[row.cells[0]].append(row.cells)
    return rows


def _blank(cell: str) -> bool:
    return not _told(cell)


def _told(cell: str) -> str:
    """A cell as OFAC means it: `-0-` is blank."""
    return "" if _NULL.fullmatch(cell) else cell
