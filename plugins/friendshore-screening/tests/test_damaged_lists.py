"""Lists that are legal and odd, written here from rows and read by the plugin; with a row, a column or a byte of them gone.

What is read is what an account of a few lines, which knows nothing of the readers, says of the rows that are left, or the file is refused with its row: no
row is ever read by half.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.property.settings import examples

from friendshore.errors import InputError
from friendshore_screening.lists import read_list

Row = dict[str, str]
Rows = dict[str, list[Row]]
"""By file."""
Told = tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...], date | None, date | None]
"""Of an entry: its list, name, aliases, weak ones, programs, first and last day."""
EDITION = date(2026, 11, 20)
NAMES = st.text("AbĉЖ \"',.&-\u2028\x0b\x85", min_size=1, max_size=6).filter(
    lambda text: text == text.strip() and not set(text) <= set("\"',.&-")
)
DAYS = st.sampled_from(["", "2026-01-31", "2027-12-01"])


def names_in(cell: str) -> tuple[str, ...]:
    """Names that `;` sets apart."""
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def day(cell: str) -> date | None:
    """A day; blank: none."""
    return date.fromisoformat(cell) if cell else None


def written(rows: Sequence[Row], columns: Sequence[str], delimiter: str = ",", *, head: bool = True) -> str:
    """Rows as a table."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    if head:
        writer.writerow(columns)
    writer.writerows([row[name] for name in columns] for row in rows)
    return out.getvalue()


def rows_in(text: str, columns: Sequence[str], delimiter: str = ",", *, head: bool = True) -> list[Row]:
    """Return the rows of a table. Raises ValueError for an incomplete one."""
    try:
        table = [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        ]
    except csv.Error as error:
        raise ValueError from error
    table = [row for row in table if any(row)]
    columns = table.pop(0) if head and table else columns
    if any(len(row) != len(columns) for row in table):
        raise ValueError
    return [dict(zip(columns, row, strict=True)) for row in table]


CSL = ("source", "entity_number", "type", "programs", "name", "start_date", "end_date", "alt_names")
SOURCES = ["Entity List (EL) - BIS", "Nonproliferation Sanctions (ISN) - State Department"]
CODES = {"(ISN)": "us-nonproliferation", "(EL)": "us-entity-list"}


@st.composite
def csl(draw: Any) -> Rows:
    """Rows of the Consolidated Screening List."""
    numbers = draw(st.lists(st.integers(1, 999), min_size=1, max_size=3, unique=True))
    return {"list": [
        {"source": draw(st.sampled_from(SOURCES)), "entity_number": str(number), "type": "Entity", "programs": draw(st.sampled_from(["", "A; B"])),
         "name": draw(NAMES), "start_date": draw(DAYS), "end_date": draw(DAYS), "alt_names": "; ".join(draw(st.lists(NAMES, max_size=2)))}
        for number in numbers
    ]}  # fmt: skip


def csl_said(rows: Rows) -> list[Told]:
    """Each row is an entry."""
    found = []
    for row in rows["list"]:
        listed = next((CODES[code] for code in CODES if code in row["source"]), "us-csl-other")
        if not row["name"] or not row["source"]:
            raise ValueError
        names, programs = names_in(row["alt_names"]), names_in(row["programs"])
        found.append((listed, row["name"], names, (), programs, day(row["start_date"]), day(row["end_date"])))
    return found


OFAC = {"sdn.csv": "nk.p.......r", "alt.csv": "n.tat", "add.csv": "n...c.", "sdn_comments.csv": "nr"}
"""Columns of each file."""


@st.composite
def ofac(draw: Any) -> Rows:
    """Rows of OFAC's four files, by number of column."""
    found: Rows = {file: [] for file in OFAC}

    def add(file: str, number: int, cells: Mapping[int, str]) -> None:
        found[file].append({str(n): str(number) if n == 0 else cells.get(n, "-0-") for n in range(len(OFAC[file]))})

    for number in draw(st.lists(st.integers(1, 999), min_size=1, max_size=3, unique=True)):
        add("sdn.csv", number, {1: draw(NAMES), 3: "RURITANIA", 11: draw(st.sampled_from(["-0- ", "remark"]))})
        for at, (name, weak) in enumerate(draw(st.lists(st.tuples(NAMES, st.booleans()), max_size=2))):
            add("alt.csv", number, {1: str(at), 2: "aka", 3: name, 4: "weak" if weak else "-0- "})
        add("add.csv", number, {1: "1", 4: "Ruritania"})
        if draw(st.booleans()):
            add("sdn_comments.csv", number, {1: "more"})
    return found


def ofac_said(rows: Rows) -> list[Told]:
    """Each row of the first file is an entry, to which those of the others belong."""
    blank = {
        name: [{n: "" if cell.strip() == "-0-" else cell for n, cell in row.items()} for row in table]
        for name, table in rows.items()
    }
    listed = blank["sdn.csv"]
    others = {row["0"] for file in ("alt.csv", "add.csv", "sdn_comments.csv") for row in blank[file]}
    if not others <= {row["0"] for row in listed} or not all(row["0"].isdigit() and row["1"] for row in listed):
        raise ValueError
    found: list[Told] = []
    for row in listed:
        mine = [alias for alias in blank["alt.csv"] if alias["0"] == row["0"] and alias["3"]]
        strong, weak = (
            tuple(one["3"] for one in mine if ("weak" in one["4"].lower()) is asked) for asked in (False, True)
        )
        found.append(("us-sdn", row["1"], strong, weak, (row["3"],) if row["3"] else (), None, None))
    return found


EU = (
    *(f"Entity_{name}" for name in ("LogicalId", "EU_ReferenceNumber", "SubjectType", "Regulation_Programme")),
    "NameAlias_WholeName",
    "Entity_DesignationDate",
)


@st.composite
def eu(draw: Any) -> Rows:
    """Rows of the Union's list: one for each name of an entity."""
    found = []
    for number in draw(st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True)):
        for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
            cells = (str(number), f"EU.{number}.7", "E", "UKR", name, "2026-02-03")
            found.append(dict(zip(EU, cells, strict=True)))
    return {"list": found}


def eu_said(rows: Rows) -> list[Told]:
    """Rows of one number are one entity, whose names they give."""
    of: dict[str, list[Row]] = {}
    for row in rows["list"]:
        if not row["Entity_LogicalId"].isdigit():
            raise ValueError
        of.setdefault(row["Entity_LogicalId"], []).append(row)
    found: list[Told] = []
    for mine in of.values():
        names, programs = (
            tuple(dict.fromkeys(row[key] for row in mine if row[key]))
            for key in ("NameAlias_WholeName", "Entity_Regulation_Programme")
        )
        if not names:
            raise ValueError
        begun = next((row["Entity_DesignationDate"] for row in mine if row["Entity_DesignationDate"]), "")
        found.append(("eu-consolidated", names[0], names[1:], (), programs, day(begun), None))
    return found


TABLE = ("name", "aliases", "id", "from", "until", "source")


@st.composite
def transcribed(draw: Any) -> Rows:
    """Rows of a document that was transcribed."""
    ids = draw(st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True))
    return {"list": [
        dict(zip(TABLE, (draw(NAMES), "; ".join(draw(st.lists(NAMES, max_size=2))), f"E-{n}", draw(st.sampled_from(["", "2026-01-31"])), "", "s"), strict=True))
        for n in ids
    ]}  # fmt: skip


def table_said(rows: Rows) -> list[Told]:
    """Each row is an entry."""
    if any(not row["name"] or not row["source"] for row in rows["list"]):
        raise ValueError
    return [
        ("own", row["name"], names_in(row["aliases"]), (), (), day(row["from"]), day(row["until"]))
        for row in rows["list"]
    ]


@dataclass(frozen=True)
class Format:
    """How a format is written and read here."""

    files: Sequence[str]
    rows: st.SearchStrategy[Rows]
    said: Callable[[Rows], list[Told]]
    columns: Callable[[str], Sequence[str]]
    delimiter: str = ","
    head: bool = True

    def text(self, file: str, rows: Rows, columns: Sequence[str] | None = None) -> str:
        """A file of these rows."""
        table = rows[file if file in rows else "list"]
        if file.endswith(".json"):
            return json.dumps({"results": [{k: v for k, v in row.items() if v} for row in table]}, ensure_ascii=False)
        end = "" if self.head else "\x1a"
        return written(table, columns or self.columns(file), self.delimiter, head=self.head) + end

    def read_back(self, file: str, text: str) -> list[Row]:
        if file.endswith(".json"):
            data = json.loads(text)
            blank = dict.fromkeys(CSL, "")
            return [blank | {k: v.strip() for k, v in row.items()} for row in data["results"]]
        rows = rows_in(text.removesuffix("\x1a"), self.columns(file), self.delimiter, head=self.head)
        blank = dict.fromkeys(self.columns(file), "")  # a column of which the head has lost a letter says nothing
        return [blank | row for row in rows]


FORMATS = {
    "csl-csv": Format(["list.csv"], csl(), csl_said, lambda _: CSL),
    "csl-json": Format(["list.json"], csl(), csl_said, lambda _: CSL),
    "ofac-sdn": Format(
        list(OFAC), ofac(), ofac_said, lambda file: [str(n) for n in range(len(OFAC[file]))], head=False
    ),
    "eu-csv": Format(["list.csv"], eu(), eu_said, lambda _: EU, ";"),
    "table": Format(["list.csv"], transcribed(), table_said, lambda _: TABLE),
}


def read(form: str, texts: Mapping[str, bytes]) -> list[Told] | None:
    """Return the entries that the plugin reads. None if it rejects the files, with file and place of each mistake."""
    with tempfile.TemporaryDirectory() as name:
        for file, data in texts.items():
            Path(name, file).write_bytes(data)
        first = next(iter(texts))
        listed = {"table": "own"}.get(form, "")
        try:
            entries = read_list(Path(name, first), first, form, EDITION, listed).entries
            return [
                (entry.list, entry.name, entry.aliases, entry.weak, entry.programs, entry.start, entry.end)
                for entry in entries
            ]
        except InputError as error:
            problems = error.problems
    of_the_file = ("FS941", "FS942")
    assert all(problem.file and (problem.row or problem.column or problem.code in of_the_file) for problem in problems)
    return None


def expected(form: str, rows: Rows) -> list[Told] | None:
    """Return the entries in the rows. None if they are incomplete."""
    try:
        return FORMATS[form].said(rows) or None
    except ValueError:
        return None


@pytest.mark.parametrize("form", sorted(FORMATS))
@examples(100, least=8)
@given(st.data())
def test_what_is_left_is_read_whole(form: str, data: st.DataObject) -> None:
    """Or refused, with its place: a list as it was written; with a row less; with two columns exchanged, under their heads or not; with a byte less."""
    one = FORMATS[form]
    rows = data.draw(one.rows)
    whole = {file: one.text(file, rows).encode() for file in one.files}
    assert read(form, whole) == expected(form, rows)

    file = data.draw(st.sampled_from(one.files))
    name = file if file in rows else "list"
    if rows[name]:
        gone = data.draw(st.integers(0, len(rows[name]) - 1))
        fewer = {**rows, name: rows[name][:gone] + rows[name][gone + 1 :]}
        assert read(form, whole | {file: one.text(file, fewer).encode()}) == expected(form, fewer)
        first, second = data.draw(st.permutations(one.columns(file)))[:2]
        if one.head and not file.endswith(".json"):
            other = {first: second, second: first}
            columns = [other.get(column, column) for column in one.columns(file)]
            assert read(form, whole | {file: one.text(file, rows, columns).encode()}) == expected(form, rows)

    cut = data.draw(st.integers(0, len(whole[file]) - 1))
    damaged = whole[file][:cut] + whole[file][cut + 1 :]
    found = read(form, whole | {file: damaged})
    if found is not None:
        try:
            text = damaged.decode("utf-8")
        except UnicodeDecodeError:
            text = damaged.decode("cp1252")
        assert found == expected(form, {**rows, name: one.read_back(file, text)})
