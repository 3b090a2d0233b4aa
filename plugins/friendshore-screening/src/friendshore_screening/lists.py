"""Screening lists: entries, and readers of the formats that authorities publish."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import lru_cache
from hashlib import sha256
from importlib.resources import as_file, files
from io import StringIO
from pathlib import Path
from typing import Annotated
from xml.parsers import expat

from friendshore.domain.base import Record
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.values import CountryCodes
from friendshore.domain.written import Written
from friendshore.errors import Diagnostic, InputError, all_of
from friendshore.readers import read_record_rows
from friendshore.reading.textfile import json_object

KEPT = 8
"""Number of lists cached for other cases of the process."""
MOST_TOLD = 50
"""Maximum number of errors reported individually for a file."""


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One party on a list."""

    list: str
    """The list, such as `us-sdn`. It determines the law."""
    id: str
    """The publisher's id of the entry. Without one, its name and the day on which it began."""
    name: str
    aliases: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    """Aliases that the publisher calls weak: too broad to identify a party."""
    kind: str = ""
    """`entity`, `individual`, `vessel`, or `aircraft`. Empty if the list doesn't say."""
    programs: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    remarks: str = ""
    source: str = ""
    """Publisher's address."""
    line: int = field(default=0, compare=False)
    """Line in the file."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return all its names, weak ones last."""
        return tuple(dict.fromkeys((self.name, *self.aliases, *self.weak)))

    def stands(self, day: date) -> bool:
        """Return True if it is on its list on a day."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    @property
    def digest(self) -> str:
        """Hash of its contents. A decision on the entry lapses when this changes."""
        data = asdict(self)
        del data["line"]
        text = json.dumps(data, sort_keys=True, default=str, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, eq=False)
class ScreeningList:
    """A file with one edition of one or more lists. While it is cached, equal content gives the same object."""

    file: str
    format: str
    edition: date
    entries: tuple[ListEntry, ...]
    note: str = ""
    """Limits of this edition that users need to know."""

    def __repr__(self) -> str:
        return f"<ScreeningList {self.file}: {len(self.entries)} entries>"


def refused(problems: Sequence[Diagnostic]) -> InputError:
    """Return the errors of a file, the first ones by line, and the number of others."""
    told = list(problems[:MOST_TOLD])
    if len(problems) > MOST_TOLD:
        more = len(problems) - MOST_TOLD
        told.append(Diagnostic(f"{more} more mistakes in this file", problems[0].file, fix="fetch the file once more"))
    return all_of(told)


def split_names(text: str) -> tuple[str, ...]:
    """Return the names in a cell, separated by `;`."""
    return tuple(name for part in text.split(";") if (name := part.strip()))


def a_day(text: str, file: str, row: int, column: str, found: list[Diagnostic]) -> date | None:
    """Return a date like `2026-01-31`. None if blank or invalid; the latter adds an error."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        found.append(Diagnostic("is no day", file, row, column, text[:40], "a day such as 2026-01-31"))
        return None


def unique(entries: Iterable[ListEntry], file: str, found: list[Diagnostic]) -> tuple[ListEntry, ...]:
    """Return the entries, and add an error for each id that occurs twice on a list."""
    seen: dict[tuple[str, str], ListEntry] = {}
    for entry in entries:
        before = seen.setdefault((entry.list, entry.id), entry)
        if before is not entry and before != entry:
            message = f"entry `{entry.id}` of `{entry.list}` stands on line {before.line} as well, with other content"
            found.append(Diagnostic(message, file, entry.line))
    return tuple(seen.values())


def a_format(name: str, known: Iterable[str]) -> InputError:
    """Return the error for an unknown format."""
    names = sorted(known)
    fix = did_you_mean(name, names) or "name one of them"
    return InputError("there is no such format of a list", found=f"`{name}`", expected=", ".join(names), fix=fix)


LARGEST = 400_000_000
"""Maximum file size in bytes."""
LONGEST = 1_000_000
"""Maximum length of a cell in characters."""
END = "\x1a"
"""Last character of OFAC's files."""


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row of a CSV file."""

    line: int
    """First line."""
    cells: tuple[str, ...]


def file_text(path: Path) -> str:
    """Return the text of a file: UTF-8, or Windows-1252 if no line has non-ASCII letters in UTF-8.

    Raises:
        InputError: If it is missing, too large, or of mixed encodings, with each line that doesn't fit.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            problem = Diagnostic(
                "is too large", str(path), found=f"{size:,} bytes", expected=f"no more than {LARGEST:,}"
            )
            raise refused([problem])
        data = path.read_bytes()
    except OSError as error:
        fix = "fetch the list, and name its file in the settings of the case"
        raise refused([Diagnostic(f"cannot be read: {error.strerror or error}", str(path), fix=fix)]) from error
    if not data.strip():
        raise refused([Diagnostic("is empty", str(path), expected="a list", fix="fetch the file once more")])
    if b"\0" in data[:4096]:
        raise refused([Diagnostic("is no text", str(path), expected="text in UTF-8 or Windows-1252")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    odd, fine = [], False
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            fine = fine or not line.isascii() and bool(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            odd.append((number, line[error.start]))
    if fine:
        raise refused([_odd(path, number, byte) for number, byte in odd])
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise refused([_odd(path, number, data[error.start])]) from error


def _odd(path: Path, line: int, byte: int) -> Diagnostic:
    message = "is not UTF-8, as other lines of the file are"
    fix = "fetch the file once more, and do not save it from a spreadsheet program"
    return Diagnostic(message, str(path), line, found=f"byte 0x{byte:02x}", expected="UTF-8", fix=fix)


def csv_rows(path: Path, columns: int, delimiter: str = ",") -> list[TextRow]:
    """Return all rows of a CSV file without a header, given its number of columns.

    Raises:
        InputError: With every row that has a different number of cells. Also for a quotation without an end, as in a truncated file.
    """
    found: list[Diagnostic] = []
    rows = []
    for row in _rows(path, delimiter, found):
        if row.cells == (END,):
            continue
        if len(row.cells) != columns:
            found.append(_cells(path, row, columns))
        rows.append(row)
    if found:
        raise refused(found)
    return rows


def csv_table(path: Path, needed: Sequence[str], delimiter: str = ",") -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a CSV file with a header: line numbers, and cells by column.

    Raises:
        InputError: For missing columns, and for every row with a different number of cells than the header.
    """
    found: list[Diagnostic] = []
    rows = list(_rows(path, delimiter, found))
    head = [name.strip() for name in rows[0].cells] if rows else []
    missing = [name for name in needed if name not in head]
    if missing:
        expected = "columns " + ", ".join(needed)
        problem = Diagnostic(
            f"has no column `{missing[0]}`", str(path), 1, found=", ".join(head)[:120], expected=expected
        )
        raise refused([problem])
    twice = sorted({name for name in head if name and head.count(name) > 1 and name in needed})
    if twice:
        raise refused([Diagnostic(f"has column `{twice[0]}` twice", str(path), 1)])
    found += [_cells(path, row, len(head)) for row in rows[1:] if len(row.cells) != len(head)]
    if found:
        raise refused(found)
    return [(row.line, dict(zip(head, row.cells, strict=True))) for row in rows[1:]]


def _cells(path: Path, row: TextRow, columns: int) -> Diagnostic:
    expected = f"{columns}, as every row of this format has"
    fix = "fetch the file once more: it may have been cut off"
    return Diagnostic("has another number of cells", str(path), row.line, "", str(len(row.cells)), expected, fix)


def _rows(path: Path, delimiter: str, found: list[Diagnostic]) -> Iterator[TextRow]:
    """Yield the rows that aren't blank. An unreadable row adds an error and ends them."""
    lines = StringIO(file_text(path), newline="")  # of what Unicode calls ends of lines, only those that CSV does
    before = csv.field_size_limit(LONGEST)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                fix = "fetch the file once more: it may have been cut off"
                found.append(Diagnostic(f"cannot be read from here on: {error}", str(path), line, fix=fix))
                return
            if cells and any(cell.strip() for cell in cells):
                yield TextRow(line, tuple(cell.strip() for cell in cells))
    finally:
        csv.field_size_limit(before)


CSL_LISTS: Mapping[str, str] = {
    "SDN": "us-sdn", "EL": "us-entity-list", "MEU": "us-meu", "DPL": "us-denied-persons", "UVL": "us-unverified",
    "ISN": "us-nonproliferation", "DTC": "us-aeca-debarred", "SSI": "us-ssi", "CAP": "us-capta", "MBS": "us-mbs",
    "PLC": "us-plc", "FSE": "us-fse", "CMIC": "us-cmic", "NS-CMIC": "us-cmic", "561": "us-561", "AECA": "us-aeca-debarred",
}  # fmt: skip
"""Text in brackets in the column `source` -> list."""
CONSOLIDATED: Mapping[str, str] = {
    "CMIC": "us-cmic", "EO13662": "us-ssi", "PLC": "us-plc", "FSE": "us-fse", "561": "us-561", "CAPTA": "us-capta", "MBS": "us-mbs",
}  # fmt: skip
"""Part of a program's name in OFAC's consolidated file -> list."""
_CODE = re.compile(r"\(([A-Z0-9-]+)\)")
_NULL = re.compile(r"-0-\s*")
BESIDE = ("alt.csv", "add.csv", "comments.csv")
"""Endings of the files next to the one with OFAC's entries."""
SDN_COLUMNS, ALT_COLUMNS, ADD_COLUMNS = 12, 5, 6
_WEAK = "weak"


def read_csl_csv(path: Path) -> tuple[ListEntry, ...]:
    """Read the Consolidated Screening List as a CSV file, with or without the column `_id`.

    Raises:
        InputError: With all errors in it.
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
    """Read the Consolidated Screening List as JSON: an object with a list `results`.

    Raises:
        InputError: With all errors in it.
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
    """Return a JSON value as the text of a cell."""
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
    """Return further details that may matter for the law."""
    keys = ("license_requirement", "license_policy", "standard_order", "federal_register_notice", "remarks")
    return "; ".join(f"{key}: {cells[key]}" for key in keys if cells.get(key))


def _short(text: str) -> str:
    return re.sub(r"\s+", " ", text)[:60]


def _countries(addresses: str) -> str:
    """Return the last word of each address that is a country code."""
    last = [one.strip().rsplit(" ", 1)[-1].rsplit(",", 1)[-1].strip() for one in addresses.split(";") if one.strip()]
    return ";".join(dict.fromkeys(code for code in last if re.fullmatch(r"[A-Z]{2}", code)))


def read_ofac(path: Path, listed: str) -> tuple[ListEntry, ...]:
    """Read the OFAC files of a list: `sdn.csv` or `cons_prim.csv`, and next to it aliases, addresses, and long remarks.

    Aliases and addresses are required, since half of the names would be missing without them. If one of their rows belongs to no entry, the
    files are of different editions, or one of them was truncated.

    Raises:
        InputError: With all errors in them.
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
    entries = unique(_us_entries(rows, listed, aliases, places, overflow), str(path), found)
    if found:
        raise refused(found)
    return entries


def _us_entries(
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
    """Return the list of an entry in OFAC's consolidated file."""
    told = " ".join(programs).upper()
    return next((listed for word, listed in CONSOLIDATED.items() if word in told), "us-consolidated-other")


def _beside(path: Path, stem: str, name: str) -> Path:
    """Return the path of a neighboring file: `alt.csv` for `sdn.csv`, `cons_alt.csv` for `cons_prim.csv`. The case of letters doesn't matter."""
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
    """Return an OFAC cell, with `-0-` as blank."""
    return "" if _NULL.fullmatch(cell) else cell


LIST = "eu-consolidated"
_SOURCE = "https://webgate.ec.europa.eu/fsd/fsf"
_NEEDED = (
    "Entity_LogicalId",
    "Entity_EU_ReferenceNumber",
    "Entity_SubjectType",
    "Entity_Regulation_Programme",
    "NameAlias_WholeName",
)
_KINDS = {"person": "individual", "enterprise": "entity", "P": "individual", "E": "entity"}


@dataclass
class _Gathered:
    """Contents of the rows or elements of one entity."""

    line: int
    reference: str = ""
    kind: str = ""
    remark: str = ""
    day: str = ""
    names: list[str] = field(default_factory=list)
    weak: list[str] = field(default_factory=list)
    programs: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)


def read_eu_csv(path: Path) -> tuple[ListEntry, ...]:
    """Read the CSV file, version 1.1, separated by `;`, with a row for each name, address, and birth date of an entity.

    Raises:
        InputError: With all errors in it.
    """
    found: list[Diagnostic] = []
    gathered: dict[str, _Gathered] = {}
    for line, cells in csv_table(path, _NEEDED, ";"):
        number = cells["Entity_LogicalId"]
        if not number.isdigit():
            found.append(Diagnostic("is no number of an entity", str(path), line, "Entity_LogicalId", number[:20]))
            continue
        one = gathered.setdefault(number, _Gathered(line))
        one.reference = one.reference or cells["Entity_EU_ReferenceNumber"]
        one.kind = one.kind or cells["Entity_SubjectType"]
        one.remark = one.remark or cells.get("Entity_Remark", "")
        one.day = one.day or cells.get("Entity_DesignationDate", "")
        _named(one, cells["NameAlias_WholeName"], cells.get("NameAlias_Strong", "true"))
        _added(one.programs, cells["Entity_Regulation_Programme"])
        _added(one.countries, cells.get("Address_CountryIso2Code", ""))
    return _eu_entries(gathered, str(path), found)


def read_eu_xml(path: Path) -> tuple[ListEntry, ...]:
    """Read the XML file, version 1.1, with an element `sanctionEntity` for each entity. A file with its own document type is rejected.

    Raises:
        InputError: With all errors in it.
    """
    file = str(path)
    text = file_text(path)
    found: list[Diagnostic] = []
    gathered: dict[str, _Gathered] = {}
    open_: list[_Gathered] = []
    parser = expat.ParserCreate(encoding="utf-8")

    def start(name: str, given: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "sanctionEntity":
            number = given.get("logicalId", "")
            if not number.isdigit():
                found.append(Diagnostic("has no number", file, parser.CurrentLineNumber, "logicalId", number[:20]))
            one = gathered.setdefault(number, _Gathered(parser.CurrentLineNumber))
            one.reference, one.day = given.get("euReferenceNumber", ""), given.get("designationDate", "")
            open_.append(one)
        elif open_:
            _element(open_[-1], local, given)

    def end(name: str) -> None:
        if name.rpartition(":")[2] == "sanctionEntity":
            open_.pop()

    def doctype(*_: object) -> None:
        message = "has a document type of its own, which no file of this list has"
        raise refused([Diagnostic(message, file, parser.CurrentLineNumber)])

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        fix = "fetch the file once more: it may have been cut off"
        raise refused(
            [Diagnostic(f"is not valid XML: {expat.ErrorString(error.code)}", file, error.lineno, fix=fix)]
        ) from error
    return _eu_entries(gathered, file, found)


def _element(one: _Gathered, name: str, given: Mapping[str, str]) -> None:
    if name == "nameAlias":
        _named(one, given.get("wholeName", ""), given.get("strong", "true"))
    elif name == "subjectType":
        one.kind = given.get("code", "") or given.get("classificationCode", "")
    elif name == "regulation":
        _added(one.programs, given.get("programme", ""))
    elif name in ("address", "citizenship"):
        _added(one.countries, given.get("countryIso2Code", ""))


def _named(one: _Gathered, name: str, strong: str) -> None:
    _added(one.weak if strong.casefold() == "false" else one.names, name)


def _added(to: list[str], text: str) -> None:
    if text.strip() and text.strip() not in to and text.strip() != "00":
        to.append(text.strip())


def _eu_entries(gathered: Mapping[str, _Gathered], file: str, found: list[Diagnostic]) -> tuple[ListEntry, ...]:
    entries = []
    for number, one in gathered.items():
        names = one.names or one.weak
        if not names:
            found.append(Diagnostic(f"entity {number} has no name", file, one.line))
            continue
        start = a_day(one.day, file, one.line, "designation", found)
        kind = _KINDS.get(one.kind, one.kind)
        weak = tuple(one.weak) if one.names else ()
        entries.append(
            ListEntry(
                LIST,
                one.reference or number,
                names[0],
                tuple(names[1:]),
                weak,
                kind,
                tuple(one.programs),
                tuple(one.countries),
                start,
                remarks=one.remark,
                source=_SOURCE,
                line=one.line,
            )
        )
    if not entries and not found:
        found.append(Diagnostic("holds no entity", file, expected="the list, version 1.1"))
    if found:
        raise refused(found)
    return tuple(entries)


class ListedParty(Record):
    """A row of your own list."""

    name: Annotated[str, Written("Example Group Co., Ltd.")]
    """Name of the party in the document."""
    aliases: Annotated[str, Written("EG; Exampel Group")] = ""
    """Other names, separated by `;`."""
    id: Annotated[str, Written("EX-1")] = ""
    """Id of the entry in the document. Blank means its name."""
    parent: Annotated[str, Written("Example Holding")] = ""
    """Listed party under which the document lists it."""
    countries: Annotated[CountryCodes, Written("CN")] = frozenset()
    """Its countries."""
    start: Annotated[date | None, Written("2026-06-08", "from")] = None
    """First day on the list."""
    end: Annotated[date | None, Written("2027-01-31", "until")] = None
    """Last day on the list. Blank if it is still listed."""
    source: Annotated[str, Written("91 FR 12345, 2026-06-08")]
    """Document with its date."""


def read_table(path: Path, listed: str) -> tuple[ListEntry, ...]:
    """Read a CSV file or workbook with the columns of `ListedParty`.

    Raises:
        InputError: With all errors in it.
    """
    file, rows = read_record_rows(path, ListedParty, "Parties on a list.")
    entries = []
    for row in rows:
        one = row.record
        remarks = f"under {one.parent}" if one.parent else ""
        names = split_names(one.aliases)
        entries.append(
            ListEntry(
                listed,
                one.id or one.name,
                one.name,
                names,
                countries=tuple(sorted(one.countries)),
                start=one.start,
                end=one.end,
                remarks=remarks,
                source=one.source,
                line=row.line,
            )
        )
    found: list[Diagnostic] = []
    listed_entries = unique(entries, file, found)
    if found:
        raise refused(found)
    return listed_entries


class InstalledEdition(Record):
    """One edition of one list, as described in `editions.toml`."""

    list: str
    edition: date
    entries: int
    """Number of parties in the document."""
    source: str
    """Document with its date, and the source of its text."""
    note: str = ""
    """Gaps and doubts of the edition."""


@lru_cache(maxsize=1)
def installed_editions() -> tuple[InstalledEdition, ...]:
    """Return all installed editions, by list and day."""
    data = tomllib.loads(files(__package__).joinpath("editions", "editions.toml").read_text(encoding="utf-8"))
    found = [InstalledEdition.model_validate(one) for one in data["edition"]]
    return tuple(sorted(found, key=lambda one: (one.list, one.edition)))


@lru_cache(maxsize=KEPT)
def read_installed(listed: str, edition: date) -> ScreeningList:
    """Return an edition that comes with the plugin. Only the publisher knows if there is a later one, so its age is reported like that of a file.

    Raises:
        InputError: If there is no such edition, with the available ones.
    """
    known = installed_editions()
    for one in known:
        if (one.list, one.edition) == (listed, edition):
            later = [str(other.edition) for other in known if other.list == listed and other.edition > edition]
            newer = f"a later edition comes with the plugin: {later[-1]}" if later else ""
            note = "; ".join(filter(None, (newer, one.note)))
            with as_file(files(__package__).joinpath("editions", f"{listed}-{edition}.csv")) as path:
                return ScreeningList(f"{listed} {edition}", "installed", edition, read_table(path, listed), note)
    expected = ", ".join(f"{one.list} {one.edition}" for one in known)
    fix = "name one of them; or fetch the list, and name its `file` and `format`"
    raise InputError(
        "no such edition of a list comes with the plugin", found=f"{listed} {edition}", expected=expected, fix=fix
    )


FORMATS: Mapping[str, Callable[[Path, str], tuple[ListEntry, ...]]] = {
    "csl-csv": lambda path, _: read_csl_csv(path),
    "csl-json": lambda path, _: read_csl_json(path),
    "ofac-sdn": lambda path, listed: read_ofac(path, listed or "us-sdn"),
    "ofac-consolidated": read_ofac,
    "eu-csv": lambda path, _: read_eu_csv(path),
    "eu-xml": lambda path, _: read_eu_xml(path),
    "table": read_table,
}
"""Format -> reader of a file, which also takes the list's name."""


def read_list(path: Path, called: str, form: str, edition: date, listed: str = "") -> ScreeningList:
    """Return the list in a file.

    Args:
        path: The file. For OFAC, the one with the entries.
        called: Name in the case.
        form: One of `FORMATS`.
        edition: Day of the publisher's edition.
        listed: The list, for formats that don't name it.

    Raises:
        InputError: With all errors in it.
    """
    if form not in FORMATS:
        raise a_format(form, FORMATS)
    return _read(path, called, form, edition, listed, _content(path, form))


def _content(path: Path, form: str) -> tuple[tuple[str, bytes], ...]:
    """Return hashes of a file and of the neighboring files that its format may use. Unreadable files are left out, since the reader reports them."""
    beside = path.parent.iterdir() if form.startswith("ofac") and path.parent.is_dir() else ()
    found = []
    for one in sorted({path, *(one for one in beside if one.name.casefold().endswith(BESIDE))}):
        with suppress(OSError):
            if one.stat().st_size <= LARGEST:
                found.append((one.name, sha256(one.read_bytes()).digest()))
    return tuple(found)


@lru_cache(maxsize=KEPT)
def _read(
    path: Path, called: str, form: str, edition: date, listed: str, content: tuple[tuple[str, bytes], ...]
) -> ScreeningList:
    """Return the list, read once for each `content`."""
    del content
    entries = FORMATS[form](path, listed)
    if not entries:
        fix = "fetch the file once more: it may have been cut off"
        raise InputError("names nobody", str(path), expected="a list with one entry or more", fix=fix)
    return ScreeningList(called, form, edition, entries)
