"""Lists as their publishers hand them out: read whole, or refused with every mistake of the file. Rows are invented, in the publishers' formats."""

from __future__ import annotations

import json
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.building import refused
from tests.property.settings import examples

from friendshore.errors import InputError
from friendshore_screening.lists import FORMATS, ListEntry, ScreeningList, read_list
from friendshore_screening.matching import read_decisions
from friendshore_screening.ownership import read_owners

DAY = date(2026, 11, 20)
CSL_HEAD = "_id,source,entity_number,type,programs,name,title,addresses,start_date,end_date,remarks,alt_names\n"
CSL = (
    CSL_HEAD
    + 'x1,Specially Designated Nationals (SDN) - Treasury Department,101,Entity,RURITANIA,"Example Tungsten Co., Ltd.",,"1 Road, Strelsau, RU",,,,"ETC; Exampel Volfram"\n'
    + "x2,Entity List (EL) - Bureau of Industry and Security,,,,Example Works No. 12,,,2026-01-31,,,\n"
    + "x3,Denied Persons List (DPL) - Bureau of Industry and Security,,,,Gone Trading,,,2001-01-01,2010-12-31,,\n"
)
SDN = (
    '101,"EXAMPLE TUNGSTEN CO., LTD.",-0- ,"RURITANIA] [OTHER",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"Linked To: RUPERT, H"\n'
    '102,"HENTZAU, Rupert","individual","RURITANIA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n\x1a'
)
CMIC = SDN.replace("RURITANIA]", "CMIC-EO13959]")
ALT = '101,1,"aka","ETC HOLDING",-0- \n101,2,"aka","ETC","weak"\n\x1a'
ADD = '101,1,"1 Road","Strelsau","Ruritania",-0- \n102,2,-0- ,-0- ,-0- ,-0- \n\x1a'
COMMENTS = '101,"ENTZAU."\n\x1a'
EU_HEAD = "fileGenerationDate;Entity_LogicalId;Entity_EU_ReferenceNumber;Entity_DesignationDate;Entity_SubjectType;Entity_Remark;Entity_Regulation_Programme;NameAlias_WholeName;Address_CountryIso2Code\n"
EU = (
    EU_HEAD + "28/10/2026;13;EU.1.1;2026-02-03;E;;RUR;Example Tungsten AG;\n"
    "28/10/2026;13;EU.1.1;;;;;Пример Вольфрам;\n28/10/2026;13;EU.1.1;;;;;;CH\n"
)
EU_XML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-10-28">\n'
    '<sanctionEntity designationDate="2026-02-03" euReferenceNumber="EU.1.1" logicalId="13">\n'
    '<regulation programme="RUR"/><subjectType code="enterprise" classificationCode="E"/>\n'
    '<nameAlias wholeName="Example Tungsten AG" strong="true"/><nameAlias wholeName="Example" strong="false"/>\n'
    '<address countryIso2Code="CH"/></sanctionEntity>\n</export>\n'
)
TABLE = "name,aliases,parent,from,until,source\nExample Group,ETC; Exampel,,2026-06-08,,invented notice of 2026-06-08\n"


CSL_JSON = json.dumps(
    {
        "results": [
            {
                "source": "Specially Designated Nationals (SDN) - Treasury Department", "entity_number": 101,
                "type": "Entity", "programs": ["RURITANIA"], "name": "Example Tungsten Co., Ltd.",
                "alt_names": ["ETC", "Exampel Volfram"],
            },
            {
                "source": "Entity List (EL) - Bureau of Industry and Security", "name": "Example Works No. 12",
                "start_date": "2026-01-31",
            },
        ]
    }
)  # fmt: skip
"""The same entries as the first two of `CSL`."""


FILES: dict[str, dict[str, str]] = {
    "csl-csv": {"csl.csv": CSL},
    "csl-json": {"csl.json": CSL_JSON},
    "ofac-sdn": {"sdn.csv": SDN, "alt.csv": ALT, "add.csv": ADD, "sdn_comments.csv": COMMENTS},
    "ofac-consolidated": {"cons_prim.csv": CMIC, "cons_alt.csv": ALT, "cons_add.csv": ADD},
    "eu-csv": {"eu.csv": EU},
    "eu-xml": {"eu.xml": EU_XML},
    "table": {"own.csv": TABLE},
}


def read(folder: Path, form: str, change: tuple[str, str] = ("", ""), encoding: str = "utf-8") -> tuple[ListEntry, ...]:
    """The entries of a format's files, with something in one of them replaced."""
    for name, text in FILES[form].items():
        (folder / name).write_bytes(text.replace(*change).encode(encoding))
    return again(folder, form).entries


def again(folder: Path, form: str) -> ScreeningList:
    """The list as its files are."""
    first = next(iter(FILES[form]))
    return read_list(folder / first, first, form, DAY, "us-1260h" if form == "table" else "")


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_the_same_content_is_read_once(tmp_path: Path, form: str) -> None:
    """And once any file of the list says something else, it is read again: aliases of OFAC's lie in a file of their own."""
    before = read(tmp_path, form)
    one = again(tmp_path, form)
    assert one.entries == before
    assert again(tmp_path, form) is one
    changed = read(tmp_path, form, ("ETC HOLDING", "CTE HOLDING") if form.startswith("ofac") else ("Exam", "Maxe"))
    assert changed != before
    assert again(tmp_path, form).entries == changed


def mistakes(folder: Path, form: str, change: tuple[str, str] = ("", "")) -> list[tuple[str, int | None, str]]:
    """File, line, and code of each error."""
    return [(Path(one.file).name, one.row, one.code) for one in refused(read, folder, form, change)]


def test_the_consolidated_screening_list(tmp_path: Path) -> None:
    """Each row is of the list that its source says; aliases are names; CSV and JSON say the same."""
    first, second, third = read(tmp_path, "csl-csv")
    assert (first.list, first.id, first.aliases) == ("us-sdn", "101", ("ETC", "Exampel Volfram"))
    assert (first.programs, second.list) == (("RURITANIA",), "us-entity-list")
    assert (second.start, third.end) == (date(2026, 1, 31), date(2010, 12, 31))
    same = [(one.list, one.names) for one in (first, second)]
    assert [(one.list, one.names) for one in read(tmp_path, "csl-json")] == same


def test_files_of_ofac(tmp_path: Path) -> None:
    """Aliases and addresses come from their files, weak ones apart; what overflowed from remarks is put on; `-0-` is blank."""
    first, second = read(tmp_path, "ofac-sdn")
    assert (first.name, first.aliases, first.weak) == ("EXAMPLE TUNGSTEN CO., LTD.", ("ETC HOLDING",), ("ETC",))
    assert (first.programs, first.countries, first.kind) == (("RURITANIA", "OTHER"), ("Ruritania",), "entity")
    assert first.remarks == "Linked To: RUPERT, H ENTZAU."
    assert (second.kind, second.countries) == ("individual", ())
    assert [one.list for one in read(tmp_path, "ofac-consolidated")] == ["us-cmic", "us-consolidated-other"]


def test_the_list_of_the_union(tmp_path: Path) -> None:
    """Rows of an entity are put together, in CSV as in XML; a weak alias is told from the others."""
    (one,), (other,) = read(tmp_path, "eu-csv"), read(tmp_path, "eu-xml")
    assert (one.id, one.names) == ("EU.1.1", ("Example Tungsten AG", "Пример Вольфрам"))
    assert (one.countries, one.kind) == (("CH",), "entity")
    assert (other.id, other.name, other.weak) == ("EU.1.1", "Example Tungsten AG", ("Example",))
    assert other.start == date(2026, 2, 3)


def test_a_list_of_ones_own(tmp_path: Path) -> None:
    """A document that is transcribed, with its source."""
    (one,) = read(tmp_path, "table")
    assert (one.list, one.names, one.start) == ("us-1260h", ("Example Group", "ETC", "Exampel"), date(2026, 6, 8))


@pytest.mark.parametrize(
    ("form", "change", "found"),
    [
        ("csl-csv", (",Gone Trading,", ",,"), [("csl.csv", 4, "FS941")]),
        ("csl-csv", (",Gone Trading,,,2001-01-01,", ",Gone Trading,,,2001-13-01,"), [("csl.csv", 4, "FS011")]),
        ("csl-csv", (",2010-12-31,,", ""), [("csl.csv", 4, "FS941")]),
        ("csl-csv", (",alt_names", ",aliases"), [("csl.csv", 1, "FS942")]),
        ("csl-csv", ('"ETC; Exampel Volfram"', '"ETC; Exampel Volfram'), [("csl.csv", 2, "FS941")]),
        ("csl-json", ("]}", ""), [("csl.json", 1, "")]),
        ("csl-json", ("results", "entries"), [("csl.json", None, "FS942")]),
        ("csl-json", ('"name": "', '"name": "\\ud800'), [("csl.json", None, "")] * 2),
        ("ofac-sdn", ("101,2,", "103,2,"), [("alt.csv", 2, "FS943")]),
        ("ofac-sdn", ('102,"HENTZAU, Rupert"', "102,-0- "), [("sdn.csv", 2, "FS941")]),
        ("ofac-sdn", ("102,2,-0- ,-0- ,-0- ,-0- ", "102,2,-0- "), [("add.csv", 2, "FS941")]),
        ("eu-csv", (";13;EU.1.1;;;;;;CH", ";x;EU.1.1;;;;;;CH"), [("eu.csv", 4, "FS942")]),
        ("eu-xml", ("</export>", ""), [("eu.xml", 8, "FS941")]),
        ("eu-xml", ("<export", '<!DOCTYPE a [<!ENTITY b "c">]><export'), [("eu.xml", 2, "FS942")]),
        ("table", (",invented notice of 2026-06-08", ","), [("own.csv", 2, "")]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_row(
    tmp_path: Path, form: str, change: tuple[str, str], found: list[tuple[str, int | None, str]]
) -> None:
    """Malformed and cut off: the file, line, and code of each mistake (none: one of the kernel's), and nothing half read."""
    listed = mistakes(tmp_path, form, change)
    assert [(file, line) for file, line, _ in listed] == [(file, line) for file, line, _ in found]
    assert all(code in ("", actual) for (_, _, code), (_, _, actual) in zip(found, listed, strict=True))


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    """Several rows, several files; a huge file that is wrong in every row is refused in a screenful."""
    told = mistakes(tmp_path, "ofac-sdn", ("101,1,", "105,1,"))
    assert [(file, line) for file, line, _ in told] == [("add.csv", 1), ("alt.csv", 1)]
    (tmp_path / "csl.csv").write_text(CSL_HEAD + "a,b\n" * 20_000)
    problems = refused(again, tmp_path, "csl-csv")
    assert len(problems) == 51
    assert any("19950 more errors" in problem.message for problem in problems)


def test_one_encoding_from_beginning_to_end(tmp_path: Path) -> None:
    """UTF-8 or Windows-1252, but not both in one file: the lines that do not fit are named."""
    for encoding in ("cp1252", "utf-8-sig"):
        assert read(tmp_path, "csl-csv", ("Gone Trading", "Müller"), encoding)[2].name == "Müller"
    mixed = CSL.replace("Gone Trading", "Müller").encode().replace(b"Works No. 12", b"Works N\xb0 12")
    (tmp_path / "csl.csv").write_bytes(mixed)
    assert [(one.row, one.found) for one in refused(again, tmp_path, "csl-csv")] == [(3, "byte 0xb0")]


@pytest.mark.parametrize("data", [b"", b"\0\0\0\0", b"\xff\xfea\0"])
def test_no_list_at_all(tmp_path: Path, data: bytes) -> None:
    """Empty files, and such as are no text, are refused, as are those that are not there and formats that there are none of."""
    (tmp_path / "x").write_bytes(data)
    for form, name in product(FORMATS, ("x", "gone")):
        assert refused(read_list, tmp_path / name, name, form, DAY)
    assert refused(read_list, tmp_path / "x", "x", "ofac", DAY)[0].code == "FS003"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("X,A,60%,,,,,s\nY,A,50%,,,,,s\n", "FS946"),
        ("X,A,60%,10%,,,,s\n", "[share]: "),
        ("X,A,,60%,50%,,,s\n", "[most]: "),
        ("X,A,60%,,,2027-01-01,2026-01-01,s\n", "[until]: "),
        ("X,A,160%,,,,,s\n", ""),
        ("X,Acme Metal,60%,,,,,s\n", "did you mean `Acme Metals`"),
    ],
)
def test_owners_that_cannot_be(tmp_path: Path, rows: str, message: str) -> None:
    """More than 100%, shares said twice, bounds and days in the wrong order."""
    (tmp_path / "owners.csv").write_text("owner,owned,share,least,most,from,until,source\n" + rows)
    problems = refused(read_owners, tmp_path / "owners.csv", {"A", "Acme Metals"})
    assert message in "\n".join(map(str, problems))
    assert problems[0].row in (2, 3)


def test_decisions_say_by_whom_and_why(tmp_path: Path) -> None:
    """And each is made once."""
    rows = "A,us-sdn,1,other,JD,2026-11-01,another,ab\nA,us-sdn,1,same,JD,2026-11-02,one,ab\n"
    (tmp_path / "d.csv").write_text("party,list,entry,decision,by,date,reason,content\n" + rows)
    assert [(one.code, one.row) for one in refused(read_decisions, tmp_path / "d.csv")] == [("FS948", 3)]


@examples(20, least=20)
@given(st.data())
def test_whatever_stands_in_a_file(tmp_path: Path, data: st.DataObject) -> None:
    """A file in which something was cut out, put in or replaced is read or refused, and nothing else."""
    form = data.draw(st.sampled_from(sorted(FILES)))
    spoilt = data.draw(st.sampled_from(sorted(FILES[form])))
    bits = [b'"', b"\n", b",", b";", b"<", b">", b"\xff", b"\0", b"[" * 2000, b"9" * 5000, b"-0- ", b"\x1a", b"&a;"]
    for name, text in FILES[form].items():
        raw = text.encode()
        if name == spoilt:
            at = data.draw(st.integers(0, len(raw)))
            raw = raw[:at] + data.draw(st.sampled_from(bits)) + raw[at + data.draw(st.integers(0, 60)) :]
        (tmp_path / name).write_bytes(raw)
    try:
        found = again(tmp_path, form)
    except InputError:
        return
    assert all(entry.names and len(entry.digest) == 16 for entry in found.entries)
