"""The consolidated list of the European Union's financial sanctions, version 1.1, as CSV and as XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from friendshore.errors import Diagnostic

from .entries import ListEntry, a_day, refused
from .text import csv_table, file_text

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
    """What rows or elements say of one entity."""

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
    """The CSV file, version 1.1, set apart by `;`: a row for each name, address, birth date of an entity.

    Raises:
        InputError: with all that is wrong with it.
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
    return _entries(gathered, str(path), found)


def read_eu_xml(path: Path) -> tuple[ListEntry, ...]:
    """The XML file, version 1.1: an element `sanctionEntity` for each entity. A file with a document type of its own is refused.

    Raises:
        InputError: with all that is wrong with it.
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
    return _entries(gathered, file, found)


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


def _entries(gathered: Mapping[str, _Gathered], file: str, found: list[Diagnostic]) -> tuple[ListEntry, ...]:
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
