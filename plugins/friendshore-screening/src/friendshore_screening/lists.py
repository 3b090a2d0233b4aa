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

CACHE_SIZE = 8
MAX_ERRORS = 50


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One party on a list."""

    list: str
    """List, such as `us-sdn`. It determines the law."""
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
    line: int = field(default=0, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.name, *self.aliases, *self.weak)))

    def is_active(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    @property
    def digest(self) -> str:
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


_DOWNLOAD = "download the file again"
_CHECK_FORMAT = "check the `format` of the list in the case, or download the file again"
_TRUNCATED = "download the file again (it may be truncated)"


def file_error(problems: Sequence[Diagnostic]) -> InputError:
    reported = list(problems[:MAX_ERRORS])
    if len(problems) > MAX_ERRORS:
        others = len(problems) - MAX_ERRORS
        message = f"the file has {others} more errors"
        reported.append(Diagnostic(message, problems[0].file, fix=_DOWNLOAD, code=problems[0].code))
    return all_of(reported)


def split_names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(";") if (name := part.strip()))


def parse_day(text: str, file: str, row: int, column: str, problems: list[Diagnostic]) -> date | None:
    """Return a date like `2026-01-31`. None if it is blank, or invalid, which adds an error."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        problems.append(
            Diagnostic("isn't a date", file, row, column, text[:40], "a date such as 2026-01-31", code="FS011")
        )
        return None


def unique(entries: Iterable[ListEntry], file: str, problems: list[Diagnostic]) -> tuple[ListEntry, ...]:
    seen: dict[tuple[str, str], ListEntry] = {}
    for entry in entries:
        before = seen.setdefault((entry.list, entry.id), entry)
        if before is not entry and before != entry:
            message = f"entry `{entry.id}` of `{entry.list}` has other content on line {before.line}"
            problems.append(Diagnostic(message, file, entry.line, fix=_DOWNLOAD, code="FS943"))
    return tuple(seen.values())


def unknown_format(name: str, formats: Iterable[str]) -> InputError:
    names = sorted(formats)
    fix = did_you_mean(name, names) or "choose one of them"
    return InputError("unknown format of a list", found=f"`{name}`", expected=", ".join(names), fix=fix, code="FS003")


MAX_FILE_BYTES = 400_000_000
MAX_CELL_LENGTH = 1_000_000
END = "\x1a"


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row of a CSV file."""

    line: int
    cells: tuple[str, ...]


def file_text(path: Path) -> str:
    """Return the text of a file: UTF-8, or Windows-1252 if no line has non-ASCII letters in UTF-8. Raise an `InputError` for mixed encodings."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            found, expected = f"{size:,} bytes", f"no more than {MAX_FILE_BYTES:,}"
            fix = "check that the file is a list"
            problem = Diagnostic("is too large", str(path), found=found, expected=expected, fix=fix, code="FS940")
            raise file_error([problem])
        data = path.read_bytes()
    except OSError as error:
        fix = "download the list, and name its file in the settings of the case"
        message = f"can't be read: {error.strerror or error}"
        raise file_error([Diagnostic(message, str(path), fix=fix, code="FS940")]) from error
    if not data.strip():
        raise file_error([Diagnostic("is empty", str(path), expected="a list", fix=_DOWNLOAD, code="FS941")])
    if b"\0" in data[:4096]:
        raise file_error(
            [Diagnostic("isn't text", str(path), expected="UTF-8 or Windows-1252", fix=_DOWNLOAD, code="FS940")]
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    misfits, has_utf8 = [], False
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            has_utf8 = has_utf8 or not line.isascii() and bool(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            misfits.append((number, line[error.start]))
    if has_utf8:
        raise file_error([_misfit(path, number, byte) for number, byte in misfits])
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise file_error([_misfit(path, number, data[error.start])]) from error


def _misfit(path: Path, line: int, byte: int) -> Diagnostic:
    message = "isn't UTF-8, unlike other lines of the file"
    fix = "download the file again, and don't save it from a spreadsheet program"
    return Diagnostic(message, str(path), line, found=f"byte 0x{byte:02x}", expected="UTF-8", fix=fix, code="FS940")


def csv_rows(path: Path, columns: int, delimiter: str = ",") -> list[TextRow]:
    problems: list[Diagnostic] = []
    rows = []
    for row in _rows(path, delimiter, problems):
        if row.cells == (END,):
            continue
        if len(row.cells) != columns:
            problems.append(_wrong_cell_count(path, row, columns))
        rows.append(row)
    if problems:
        raise file_error(problems)
    return rows


def csv_table(path: Path, required: Sequence[str], delimiter: str = ",") -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a CSV file with a header: line numbers, and cells by column."""
    problems: list[Diagnostic] = []
    rows = list(_rows(path, delimiter, problems))
    header = [name.strip() for name in rows[0].cells] if rows else []
    missing = [name for name in required if name not in header]
    if missing:
        expected = "columns " + ", ".join(required)
        message, found = f"the column `{missing[0]}` is missing", ", ".join(header)[:120]
        raise file_error([Diagnostic(message, str(path), 1, "", found, expected, _CHECK_FORMAT, "FS942")])
    duplicates = sorted({name for name in header if name and header.count(name) > 1 and name in required})
    if duplicates:
        message = f"the column `{duplicates[0]}` exists twice"
        raise file_error([Diagnostic(message, str(path), 1, fix=_CHECK_FORMAT, code="FS942")])
    problems += [_wrong_cell_count(path, row, len(header)) for row in rows[1:] if len(row.cells) != len(header)]
    if problems:
        raise file_error(problems)
    return [(row.line, dict(zip(header, row.cells, strict=True))) for row in rows[1:]]


def _wrong_cell_count(path: Path, row: TextRow, columns: int) -> Diagnostic:
    message, expected = "wrong number of cells", f"{columns}, as in every row of this format"
    return Diagnostic(message, str(path), row.line, "", str(len(row.cells)), expected, _TRUNCATED, "FS941")


def _rows(path: Path, delimiter: str, problems: list[Diagnostic]) -> Iterator[TextRow]:
    lines = StringIO(file_text(path), newline="")  # splits only at the line ends of CSV, not at all of Unicode
    limit_before = csv.field_size_limit(MAX_CELL_LENGTH)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                message = f"can't be read from this line: {error}"
                problems.append(Diagnostic(message, str(path), line, fix=_TRUNCATED, code="FS941"))
                return
            if cells and any(cell.strip() for cell in cells):
                yield TextRow(line, tuple(cell.strip() for cell in cells))
    finally:
        csv.field_size_limit(limit_before)


CSL_LISTS: Mapping[str, str] = {
    "SDN": "us-sdn", "EL": "us-entity-list", "MEU": "us-meu", "DPL": "us-denied-persons", "UVL": "us-unverified",
    "ISN": "us-nonproliferation", "DTC": "us-aeca-debarred", "SSI": "us-ssi", "CAP": "us-capta", "MBS": "us-mbs",
    "PLC": "us-plc", "FSE": "us-fse", "CMIC": "us-cmic", "NS-CMIC": "us-cmic", "561": "us-561", "AECA": "us-aeca-debarred",
}  # fmt: skip
"""Code in parentheses in the column `source` -> list."""
CONSOLIDATED: Mapping[str, str] = {
    "CMIC": "us-cmic", "EO13662": "us-ssi", "PLC": "us-plc", "FSE": "us-fse", "561": "us-561", "CAPTA": "us-capta", "MBS": "us-mbs",
}  # fmt: skip
"""Part of a program's name in OFAC's consolidated file -> list."""
_CODE = re.compile(r"\(([A-Z0-9-]+)\)")
_NULL = re.compile(r"-0-\s*")
NEIGHBORS = ("alt.csv", "add.csv", "comments.csv")
"""Endings of the files that belong to OFAC's file of entries."""
SDN_COLUMNS, ALT_COLUMNS, ADD_COLUMNS = 12, 5, 6
_WEAK = "weak"


def read_csl_csv(path: Path) -> tuple[ListEntry, ...]:
    rows = csv_table(
        path, ("source", "entity_number", "type", "programs", "name", "start_date", "end_date", "alt_names")
    )
    problems: list[Diagnostic] = []
    entries = [_csl_entry(str(path), line, {k: v for k, v in cells.items() if v}, problems) for line, cells in rows]
    listed = unique((entry for entry in entries if entry is not None), str(path), problems)
    if problems:
        raise file_error(problems)
    return listed


def read_csl_json(path: Path) -> tuple[ListEntry, ...]:
    file, problems = str(path), list[Diagnostic]()
    data = json_object(file_text(path), file, problems, _TRUNCATED)
    if data is None:
        raise file_error(problems)
    results = data.get("results")
    if not isinstance(results, list):
        expected = 'an object such as {"results": […]}'
        message = "the list `results` is missing"
        raise file_error([Diagnostic(message, file, expected=expected, fix=_CHECK_FORMAT, code="FS942")])
    entries = []
    for number, result in enumerate(results, 1):
        if not isinstance(result, dict):
            place = f"results[{number}]"
            problems.append(Diagnostic("isn't an object", file, column=place, expected="an entry", code="FS942"))
            continue
        cells = {key: _as_cell(value) for key, value in result.items() if value not in (None, "", [])}
        entries.append(_csl_entry(file, number, cells, problems))
    listed = unique((entry for entry in entries if entry is not None), file, problems)
    if problems:
        raise file_error(problems)
    return listed


def _as_cell(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(_as_cell(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(str(item) for item in value.values() if item)
    return str(value)


def _csl_entry(file: str, line: int, cells: Mapping[str, str], problems: list[Diagnostic]) -> ListEntry | None:
    name, source = cells.get("name", "").strip(), cells.get("source", "")
    if not name:
        problems.append(
            Diagnostic("the name is missing", file, line, "name", expected="a name", fix=_TRUNCATED, code="FS941")
        )
        return None
    code = _CODE.search(source)
    if not source:
        problems.append(Diagnostic("the source list is missing", file, line, "source", fix=_TRUNCATED, code="FS941"))
        return None
    listed = CSL_LISTS.get(code[1] if code else "", "us-csl-other")
    start, end = (parse_day(cells.get(key, ""), file, line, key, problems) for key in ("start_date", "end_date"))
    number = cells.get("entity_number", "")
    places = cells.get("country", "") or _countries_in(cells.get("addresses", ""))
    return ListEntry(
        listed,
        number or "/".join(filter(None, (name, cells.get("start_date", ""), _shortened(cells.get("addresses", ""))))),
        name,
        split_names(cells.get("alt_names", "")),
        kind=cells.get("type", "").casefold(),
        programs=split_names(cells.get("programs", "")),
        countries=split_names(places),
        start=start,
        end=end,
        remarks=_legal_remarks(cells),
        source=cells.get("source_information_url", ""),
        line=line,
    )


def _legal_remarks(cells: Mapping[str, str]) -> str:
    keys = ("license_requirement", "license_policy", "standard_order", "federal_register_notice", "remarks")
    return "; ".join(f"{key}: {cells[key]}" for key in keys if cells.get(key))


def _shortened(text: str) -> str:
    return re.sub(r"\s+", " ", text)[:60]


def _countries_in(addresses: str) -> str:
    last_words = [
        address.strip().rsplit(" ", 1)[-1].rsplit(",", 1)[-1].strip()
        for address in addresses.split(";")
        if address.strip()
    ]
    return ";".join(dict.fromkeys(code for code in last_words if re.fullmatch(r"[A-Z]{2}", code)))


def read_ofac(path: Path, listed: str) -> tuple[ListEntry, ...]:
    """Read the OFAC files of a list: `sdn.csv` or `cons_prim.csv`, with its aliases, addresses, and long remarks.

    Aliases and addresses are required, since half of the names would be missing without them.
    """
    stem = path.name.casefold().replace("prim", "").removesuffix(".csv").removesuffix("sdn").rstrip("_")
    neighbors = {name: _neighbor(path, stem, name) for name in ("alt", "add", "comments")}
    problems: list[Diagnostic] = []
    rows = csv_rows(path, SDN_COLUMNS)
    numbers = {row.cells[0] for row in rows}
    for row in rows:
        if not row.cells[0].isdigit():
            problems.append(
                Diagnostic(
                    "isn't the number of an entry",
                    str(path),
                    row.line,
                    "1",
                    row.cells[0][:20],
                    "digits",
                    _CHECK_FORMAT,
                    "FS942",
                )
            )
        if _blank(row.cells[1]):
            problems.append(Diagnostic("the name is missing", str(path), row.line, "2", fix=_TRUNCATED, code="FS941"))
    aliases = _cells_by_entry(neighbors["alt"], ALT_COLUMNS, numbers, problems)
    places = _cells_by_entry(neighbors["add"], ADD_COLUMNS, numbers, problems)
    overflow = _cells_by_entry(neighbors["comments"], 2, numbers, problems) if neighbors["comments"].is_file() else {}
    if problems:
        raise file_error(problems)
    entries = unique(_ofac_entries(rows, listed, aliases, places, overflow), str(path), problems)
    if problems:
        raise file_error(problems)
    return entries


def _ofac_entries(
    rows: Sequence[TextRow],
    listed: str,
    aliases: Mapping[str, list[tuple[str, ...]]],
    places: Mapping[str, list[tuple[str, ...]]],
    overflow: Mapping[str, list[tuple[str, ...]]],
) -> Iterator[ListEntry]:
    for row in rows:
        line, cells = row.line, [_without_null(cell) for cell in row.cells]
        number = cells[0]
        remarks = " ".join([cells[11], *(_without_null(other[1]) for other in overflow.get(number, ()))]).strip()
        alias_rows = aliases.get(number, ())
        programs = tuple(filter(None, re.split(r"\]?\s*\[", cells[3].strip("[]"))))
        yield ListEntry(
            listed or _list_of_programs(programs),
            number,
            cells[1],
            tuple(
                _without_null(other[3])
                for other in alias_rows
                if _WEAK not in _without_null(other[4]).casefold() and not _blank(other[3])
            ),
            tuple(
                _without_null(other[3])
                for other in alias_rows
                if _WEAK in _without_null(other[4]).casefold() and not _blank(other[3])
            ),
            kind=cells[2].casefold() or "entity",
            programs=programs,
            countries=tuple(
                dict.fromkeys(_without_null(other[4]) for other in places.get(number, ()) if not _blank(other[4]))
            ),
            remarks=remarks,
            source="https://sanctionslist.ofac.treas.gov",
            line=line,
        )


def _list_of_programs(programs: Sequence[str]) -> str:
    text = " ".join(programs).upper()
    return next((listed for word, listed in CONSOLIDATED.items() if word in text), "us-consolidated-other")


def _neighbor(path: Path, stem: str, name: str) -> Path:
    file_name = f"sdn_{name}.csv" if name == "comments" and not stem else f"{stem}_{name}.csv".lstrip("_")
    folder = path.parent
    matches = (
        [file for file in sorted(folder.iterdir()) if file.name.casefold() == file_name] if folder.is_dir() else []
    )
    return matches[0] if matches else folder / file_name


def _cells_by_entry(
    path: Path, columns: int, numbers: set[str], problems: list[Diagnostic]
) -> dict[str, list[tuple[str, ...]]]:
    rows: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for row in csv_rows(path, columns):
        if row.cells[0] not in numbers:
            message = f"belongs to entry {row.cells[0][:20]}, which isn't on the list"
            fix = "download all files of the list again (their editions differ, or one is truncated)"
            problems.append(Diagnostic(message, str(path), row.line, "1", fix=fix, code="FS943"))
        rows[row.cells[0]].append(row.cells)
    return rows


def _blank(cell: str) -> bool:
    return not _without_null(cell)


def _without_null(cell: str) -> str:
    return "" if _NULL.fullmatch(cell) else cell


EU_LIST = "eu-consolidated"
_EU_SOURCE = "https://webgate.ec.europa.eu/fsd/fsf"
_EU_COLUMNS = (
    "Entity_LogicalId",
    "Entity_EU_ReferenceNumber",
    "Entity_SubjectType",
    "Entity_Regulation_Programme",
    "NameAlias_WholeName",
)
_EU_KINDS = {"person": "individual", "enterprise": "entity", "P": "individual", "E": "entity"}


@dataclass
class _Entity:
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
    """Read the CSV file, version 1.1, with a row for each name, address, and birth date of an entity."""
    problems: list[Diagnostic] = []
    entities: dict[str, _Entity] = {}
    for line, cells in csv_table(path, _EU_COLUMNS, ";"):
        number = cells["Entity_LogicalId"]
        if not number.isdigit():
            problems.append(
                Diagnostic(
                    "isn't the number of an entity",
                    str(path),
                    line,
                    "Entity_LogicalId",
                    number[:20],
                    "digits",
                    _CHECK_FORMAT,
                    "FS942",
                )
            )
            continue
        entity = entities.setdefault(number, _Entity(line))
        entity.reference = entity.reference or cells["Entity_EU_ReferenceNumber"]
        entity.kind = entity.kind or cells["Entity_SubjectType"]
        entity.remark = entity.remark or cells.get("Entity_Remark", "")
        entity.day = entity.day or cells.get("Entity_DesignationDate", "")
        _add_name(entity, cells["NameAlias_WholeName"], cells.get("NameAlias_Strong", "true"))
        _add_text(entity.programs, cells["Entity_Regulation_Programme"])
        _add_text(entity.countries, cells.get("Address_CountryIso2Code", ""))
    return _eu_entries(entities, str(path), problems)


def read_eu_xml(path: Path) -> tuple[ListEntry, ...]:
    """Read the XML file, version 1.1. A file with its own document type is rejected, since entities of XML could grow without limit."""
    file = str(path)
    text = file_text(path)
    problems: list[Diagnostic] = []
    entities: dict[str, _Entity] = {}
    open_entities: list[_Entity] = []
    parser = expat.ParserCreate(encoding="utf-8")

    def start(name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "sanctionEntity":
            number = attributes.get("logicalId", "")
            if not number.isdigit():
                problems.append(
                    Diagnostic(
                        "the number is missing", file, parser.CurrentLineNumber, "logicalId", number[:20], code="FS942"
                    )
                )
            entity = entities.setdefault(number, _Entity(parser.CurrentLineNumber))
            entity.reference, entity.day = (
                attributes.get("euReferenceNumber", ""),
                attributes.get("designationDate", ""),
            )
            open_entities.append(entity)
        elif open_entities:
            _add_element(open_entities[-1], tag, attributes)

    def end(name: str) -> None:
        if name.rpartition(":")[2] == "sanctionEntity":
            open_entities.pop()

    def doctype(*_: object) -> None:
        message = "has a document type, unlike the files of this list"
        raise file_error([Diagnostic(message, file, parser.CurrentLineNumber, fix=_CHECK_FORMAT, code="FS942")])

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        message = f"isn't valid XML: {expat.ErrorString(error.code)}"
        raise file_error([Diagnostic(message, file, error.lineno, fix=_TRUNCATED, code="FS941")]) from error
    return _eu_entries(entities, file, problems)


def _add_element(entity: _Entity, tag: str, attributes: Mapping[str, str]) -> None:
    if tag == "nameAlias":
        _add_name(entity, attributes.get("wholeName", ""), attributes.get("strong", "true"))
    elif tag == "subjectType":
        entity.kind = attributes.get("code", "") or attributes.get("classificationCode", "")
    elif tag == "regulation":
        _add_text(entity.programs, attributes.get("programme", ""))
    elif tag in ("address", "citizenship"):
        _add_text(entity.countries, attributes.get("countryIso2Code", ""))


def _add_name(entity: _Entity, name: str, strong: str) -> None:
    _add_text(entity.weak if strong.casefold() == "false" else entity.names, name)


def _add_text(texts: list[str], text: str) -> None:
    if text.strip() and text.strip() not in texts and text.strip() != "00":
        texts.append(text.strip())


def _eu_entries(entities: Mapping[str, _Entity], file: str, problems: list[Diagnostic]) -> tuple[ListEntry, ...]:
    entries = []
    for number, entity in entities.items():
        names = entity.names or entity.weak
        if not names:
            problems.append(Diagnostic(f"entity {number} has no name", file, entity.line, fix=_TRUNCATED, code="FS941"))
            continue
        start = parse_day(entity.day, file, entity.line, "designation", problems)
        kind = _EU_KINDS.get(entity.kind, entity.kind)
        weak = tuple(entity.weak) if entity.names else ()
        entries.append(
            ListEntry(
                EU_LIST,
                entity.reference or number,
                names[0],
                tuple(names[1:]),
                weak,
                kind,
                tuple(entity.programs),
                tuple(entity.countries),
                start,
                remarks=entity.remark,
                source=_EU_SOURCE,
                line=entity.line,
            )
        )
    if not entries and not problems:
        problems.append(
            Diagnostic("has no entities", file, expected="the list, version 1.1", fix=_CHECK_FORMAT, code="FS941")
        )
    if problems:
        raise file_error(problems)
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
    file, rows = read_record_rows(path, ListedParty, "Parties on a list.")
    entries = []
    for row in rows:
        party = row.record
        remarks = f"under {party.parent}" if party.parent else ""
        names = split_names(party.aliases)
        entries.append(
            ListEntry(
                listed,
                party.id or party.name,
                party.name,
                names,
                countries=tuple(sorted(party.countries)),
                start=party.start,
                end=party.end,
                remarks=remarks,
                source=party.source,
                line=row.line,
            )
        )
    problems: list[Diagnostic] = []
    listed_entries = unique(entries, file, problems)
    if problems:
        raise file_error(problems)
    return listed_entries


class InstalledEdition(Record):
    """One edition of one list, described in `editions.toml`."""

    list: str
    edition: date
    entries: int
    source: str
    """Document with its date, and the source of its text."""
    note: str = ""
    """Gaps and doubts of the edition."""


@lru_cache(maxsize=1)
def installed_editions() -> tuple[InstalledEdition, ...]:
    data = tomllib.loads(files(__package__).joinpath("editions", "editions.toml").read_text(encoding="utf-8"))
    editions = [InstalledEdition.model_validate(table) for table in data["edition"]]
    return tuple(sorted(editions, key=lambda edition: (edition.list, edition.edition)))


@lru_cache(maxsize=CACHE_SIZE)
def read_installed(listed: str, edition: date) -> ScreeningList:
    """Return an edition that the plugin contains. Its age is reported like that of a file, since only the publisher knows of later ones."""
    editions = installed_editions()
    for installed in editions:
        if (installed.list, installed.edition) == (listed, edition):
            later_editions = [
                str(other.edition) for other in editions if other.list == listed and other.edition > edition
            ]
            hint = f"the plugin contains a later edition: {later_editions[-1]}" if later_editions else ""
            note = "; ".join(filter(None, (hint, installed.note)))
            with as_file(files(__package__).joinpath("editions", f"{listed}-{edition}.csv")) as path:
                return ScreeningList(f"{listed} {edition}", "installed", edition, read_table(path, listed), note)
    expected = ", ".join(f"{installed.list} {installed.edition}" for installed in editions)
    message, found = "the plugin doesn't contain this edition", f"{listed} {edition}"
    fix = "choose one of them, or download the list and name its `file` and `format`"
    raise InputError(message, found=found, expected=expected, fix=fix, code="FS944")


FORMATS: Mapping[str, Callable[[Path, str], tuple[ListEntry, ...]]] = {
    "csl-csv": lambda path, _: read_csl_csv(path),
    "csl-json": lambda path, _: read_csl_json(path),
    "ofac-sdn": lambda path, listed: read_ofac(path, listed or "us-sdn"),
    "ofac-consolidated": read_ofac,
    "eu-csv": lambda path, _: read_eu_csv(path),
    "eu-xml": lambda path, _: read_eu_xml(path),
    "table": read_table,
}
"""Format -> reader of a file. Its second argument is the list, for formats that don't name it."""


def read_list(path: Path, name: str, form: str, edition: date, listed: str = "") -> ScreeningList:
    """Return the list in a file. For OFAC, `path` is the file with the entries. `listed` is the list, for formats that don't name it."""
    if form not in FORMATS:
        raise unknown_format(form, FORMATS)
    return _read(path, name, form, edition, listed, _file_hashes(path, form))


def _file_hashes(path: Path, form: str) -> tuple[tuple[str, bytes], ...]:
    """Return hashes of a file and of the related files. Unreadable files are left out, since the reader reports them."""
    neighbors = path.parent.iterdir() if form.startswith("ofac") and path.parent.is_dir() else ()
    hashes = []
    for file in sorted({path, *(file for file in neighbors if file.name.casefold().endswith(NEIGHBORS))}):
        with suppress(OSError):
            if file.stat().st_size <= MAX_FILE_BYTES:
                hashes.append((file.name, sha256(file.read_bytes()).digest()))
    return tuple(hashes)


@lru_cache(maxsize=CACHE_SIZE)
def _read(
    path: Path, name: str, form: str, edition: date, listed: str, content: tuple[tuple[str, bytes], ...]
) -> ScreeningList:
    del content
    entries = FORMATS[form](path, listed)
    if not entries:
        message, expected = "the list has no entries", "a list with at least one entry"
        raise InputError(message, str(path), expected=expected, fix=_TRUNCATED, code="FS941")
    return ScreeningList(name, form, edition, entries)
